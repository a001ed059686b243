//! The job, and what a failure means.

use std::num::NonZeroU32;

use nexus_core::config::Config;
use nexus_jobs::{Job, Sink, Stopped};
use nexus_vendors::datto::{self, Datto};
use nexus_vendors::{BaseUrl, ConfigError, Error, TransportConfig};
use secrecy::SecretString;
use thiserror::Error as ThisError;

use crate::{devices, sites};

/// The name of the job, in Nexus and of the function.
pub const NAME: &str = "sync-datto";

/// Why there is no such job with this configuration.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum NotConfigured {
    /// The section has no keys.
    #[error(
        "[datto] public_key is not set, so there is nothing to read; set it, secret_key and api_endpoint in that section"
    )]
    NoKey,
    /// A value of the section cannot be used.
    #[error("[datto] cannot be used: {0}")]
    Unusable(#[from] ConfigError),
}

/// Why a run was given up: the sentence is for the person who has to do something about it.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum ReadError {
    /// 401.
    #[error(
        "Datto RMM refuses the API key; check [datto] public_key and secret_key, and that API access is enabled. Nothing was \
         changed"
    )]
    Key,
    /// 403.
    #[error(
        "Datto RMM does not let the API key read {list} (403); check the security level of its user. After too many calls it \
         is also shut out for some minutes. Nothing was changed"
    )]
    Rights {
        /// In our words.
        list: &'static str,
    },
    /// Not even the first sites were read.
    #[error("Datto RMM could not be read ({list}): {error}. Nothing was changed")]
    NothingRead {
        /// In our words.
        list: &'static str,
        /// Why.
        error: Error,
    },
    /// The client cannot be set up.
    #[error(transparent)]
    Setup(#[from] ConfigError),
    /// Nexus takes no more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The job of this configuration.
pub fn job(config: &Config) -> Result<SyncDatto, NotConfigured> {
    let config = &config.datto;
    let (Some(key), Some(secret)) = (&config.public_key, &config.secret_key) else { return Err(NotConfigured::NoKey) };
    let base_url = match (&config.base_url, &config.api_endpoint) {
        (Some(address), _) => BaseUrl::parse(address)?,
        (None, Some(endpoint)) => datto::base_url(endpoint)?,
        (None, None) => return Err(NotConfigured::NoKey),
    };
    let requests_per_minute = NonZeroU32::new(config.requests_per_minute);
    let transport = TransportConfig { requests_per_minute, ..TransportConfig::default() };
    Ok(SyncDatto::new(base_url, key.clone(), secret.clone(), transport)?)
}

/// The job, ready to be run any number of times.
#[derive(Clone, Debug)]
pub struct SyncDatto {
    base_url: BaseUrl,
    key: SecretString,
    secret: SecretString,
    transport: TransportConfig,
}

impl SyncDatto {
    /// The job that reads the account at `base_url`. Keys that cannot be ones are refused here, and not by the first run.
    pub fn new(
        base_url: BaseUrl,
        key: SecretString,
        secret: SecretString,
        transport: TransportConfig,
    ) -> Result<Self, ConfigError> {
        let job = Self { base_url, key, secret, transport };
        job.client().map(|_| job)
    }

    /// One per run: its counts and its patience are those of the run.
    fn client(&self) -> Result<Datto, ConfigError> {
        Datto::new(self.base_url.clone(), &self.key, &self.secret, &self.transport)
    }
}

impl Job for SyncDatto {
    type Error = ReadError;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn work(&self, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let vendor = self.client()?;
        if self.transport.requests_per_minute.is_some() {
            sink.step("Pace", None);
            match vendor.learn_pace().await {
                // Without it, the configured pace is kept.
                Err(Error::Auth) => return Err(ReadError::Key),
                Err(error) => tracing::warn!(%error, "the quota of the account could not be read"),
                Ok(()) => {}
            }
        }
        let sites = sites::read(&vendor, sink).await?;
        devices::read(&vendor, sink, &sites).await
    }
}

/// What no call after this one would be spared.
pub(crate) fn refused(error: &Error, list: &'static str) -> Option<ReadError> {
    match error {
        Error::Auth => Some(ReadError::Key),
        Error::Rejected { status: 403, .. } => Some(ReadError::Rights { list }),
        _ => None,
    }
}
