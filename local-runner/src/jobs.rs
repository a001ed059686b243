//! The jobs of this Nexus, run in this process: started by a person (`job NAME`), by the timer or by the demo.
//!
//! Wherever a job runs, it speaks to Nexus over HTTP as the service account, exactly as it does on Lambda.

use std::net::Ipv4Addr;
use std::time::Duration;

use nexus_client::{Account, Client, Options};
use nexus_core::Clock;
use nexus_core::config::Config;
use nexus_core::sync::Run;
use nexus_jobs::{Deadline, Event, Reporter};

use crate::server::Signals;
use crate::serving::Serving;
use crate::{Instance, RunnerError, files, lock};

/// How long `job` waits for a Nexus that is just starting to say where it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// The jobs in the order in which they are best run: companies first, because Datto's sites are tied to them.
pub const NAMES: [&str; 2] = [sync_freshservice::NAME, sync_datto::NAME];

/// Whether the job of that name can run with this configuration.
#[must_use]
pub fn is_configured(name: &str, config: &Config) -> bool {
    match name {
        sync_freshservice::NAME => config.freshservice.is_configured(),
        sync_datto::NAME => config.datto.is_configured(),
        _ => false,
    }
}

/// Runs a job to its end.
pub async fn run(
    name: &str,
    config: &Config,
    client: &Client,
    event: &Event,
    reporter: &dyn Reporter,
) -> Result<Run, RunnerError> {
    let unusable = |error: &dyn std::error::Error| RunnerError::Usage(error.to_string());
    match name {
        sync_freshservice::NAME => {
            let job = sync_freshservice::job(config).map_err(|error| unusable(&error))?;
            Ok(nexus_jobs::run(&job, client, event, Deadline::none(), reporter).await?)
        }
        sync_datto::NAME => {
            let job = sync_datto::job(config).map_err(|error| unusable(&error))?;
            Ok(nexus_jobs::run(&job, client, event, Deadline::none(), reporter).await?)
        }
        _ => Err(RunnerError::Usage(format!("there is no job {name:?}; there are {}", NAMES.join(", ")))),
    }
}

/// A client of the Nexus of this instance, served at `url`, as the service account.
pub fn client(instance: &Instance, url: &str) -> Result<Client, RunnerError> {
    let auth = &instance.config.nexus_auth;
    let password = auth.password.clone().unwrap_or_default();
    let root = instance.authority().map(|path| files::read(&path)).transpose()?.map(String::into_bytes);
    let options = Options { root, ..Options::default() };
    let account = Account { username: auth.username.clone(), password };
    Client::new(url, account, &options).map_err(|error| RunnerError::Usage(error.to_string()))
}

/// The Nexus that serves an instance: one that was there, or one that was started for the time.
#[derive(Debug)]
pub struct Reached {
    /// Where it is.
    pub url: String,
    own: Option<Serving>,
}

impl Reached {
    /// Finds the Nexus that serves `instance`, or starts one on a free port of this machine.
    pub async fn find(instance: &Instance, clock: &Clock) -> Result<Self, RunnerError> {
        if let Some(url) = lock::served_at(&instance.directory, PATIENCE).await? {
            return Ok(Self { url, own: None });
        }
        let serving = Serving::start(instance, (Ipv4Addr::LOCALHOST, 0).into(), true, clock).await?;
        Ok(Self { url: serving.running.base_url().to_owned(), own: Some(serving) })
    }

    /// Stops what was started for the time.
    pub async fn leave(self, signals: &mut Signals) -> Result<(), RunnerError> {
        match self.own {
            Some(serving) => serving.stop(signals).await,
            None => Ok(()),
        }
    }
}
