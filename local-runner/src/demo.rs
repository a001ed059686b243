//! A Nexus with made-up companies, to try it out: the vendors are simulated in this process.

use std::fmt::Write as _;
use std::time::Instant;

use nexus_core::Clock;
use nexus_jobs::Event;
use nexus_simulators::{Datto, Freshservice, Size};

use crate::cli::Cli;
use crate::jobs::Jobs;
use crate::server::Signals;
use crate::serving::Serving;
use crate::watch::Watch;
use crate::{Instance, RunnerError, files};

/// The same companies each time.
const SEED: u64 = 2026;

/// Serves a demo until Ctrl-C. It lives in a folder of its own that goes with it; nothing that is configured for a real
/// Nexus is used.
pub async fn run(cli: &Cli, clock: &Clock) -> Result<(), RunnerError> {
    let size = Size::default();
    let vendor = Freshservice::start(size, SEED).await.map_err(RunnerError::Server)?;
    let datto = Datto::start(size, SEED).await.map_err(RunnerError::Server)?;
    let folder = tempfile::tempdir().map_err(RunnerError::file("make", &std::env::temp_dir()))?;
    let environment = [vendor.environment(0), datto.environment(0)].concat();

    let mut signals = Signals::listen()?;
    let instance = Instance::prepare(&folder.path().join("instance"), environment, clock.now())?;
    let mut serving = Serving::start(&instance, cli.listen, cli.http, clock).await?;
    serving.running.announce()?;
    let jobs = Jobs::new(&instance, serving.running.base_url(), serving.bus.clone())?;
    tokio::select! {
        synced = sync(&jobs) => synced?,
        () = signals.next() => return serving.stop(&mut signals).await,
    }
    files::print(&format!(
        "\nOpen {} and log in as admin with the password admin.\nYour browser does not know the certificate; it is this \
         machine's own, made for this demo.\nCtrl-C ends the demo, and everything in it is gone.",
        serving.running.base_url()
    ))?;
    let requests = serving.bus.subscribe();
    tokio::select! {
        ended = serving.running.until_told(&mut signals) => ended?,
        ended = jobs.serve(requests) => ended?,
    }
    serving.stop(&mut signals).await
}

/// Runs the syncs and tells what came of them.
async fn sync(jobs: &Jobs) -> Result<(), RunnerError> {
    for name in [sync_freshservice::NAME, sync_datto::NAME] {
        sync_by(name, jobs).await?;
    }
    Ok(())
}

async fn sync_by(name: &str, jobs: &Jobs) -> Result<(), RunnerError> {
    let watch = Watch::new();
    let began = Instant::now();
    let ended = jobs.run(name, &Event::manual(name), &watch).await;
    watch.end();
    let run = ended?;
    let mut told = format!("{name}: {} in {:.1} s", run.state.as_str(), began.elapsed().as_secs_f64());
    if let Some(message) = &run.message {
        let _ = write!(told, ". {message}");
    }
    if !run.gaps.is_empty() {
        let _ = write!(told, " {} records need a look.", run.gaps.len());
    }
    files::print(&told)
}
