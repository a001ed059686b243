//! The job, and what a failure means.

use nexus_core::config::Config;
use nexus_jobs::datto::{Access, NoAccess, NotConfigured};
use nexus_jobs::{Job, Sink, Stopped};
use nexus_vendors::Error;
use thiserror::Error as ThisError;

use crate::position::Position;
use crate::{devices, sites};

/// The name of the job, in Nexus and of the function.
pub const NAME: &str = "sync-datto";

/// Why a run was given up: the sentence is for the person who has to do something about it.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum ReadError {
    /// Datto RMM does not let the job in.
    #[error("{0}. Nothing was changed")]
    NoAccess(#[from] NoAccess),
    /// Not even the first sites were read.
    #[error("Datto RMM could not be read ({list}): {error}. Nothing was changed")]
    NothingRead {
        /// In our words.
        list: &'static str,
        /// Why.
        error: Error,
    },
    /// Nexus takes no more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The job of this configuration.
pub fn job(config: &Config) -> Result<SyncDatto, NotConfigured> {
    Access::of(config).map(SyncDatto::new)
}

/// The job, ready to be run any number of times.
#[derive(Clone, Debug)]
pub struct SyncDatto {
    access: Access,
}

impl SyncDatto {
    /// The job that reads this account.
    #[must_use]
    pub const fn new(access: Access) -> Self {
        Self { access }
    }
}

impl Job for SyncDatto {
    type Error = ReadError;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn work(&self, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let vendor = self.access.connect(sink).await?;
        let position: Option<Position> = sink.resumed()?;
        let (sites, at) = sites::read(&vendor, sink, position).await?;
        devices::read(&vendor, sink, sites, at).await
    }
}

/// What no call after this one would be spared.
pub(crate) fn refused(error: &Error, list: &'static str) -> Option<ReadError> {
    NoAccess::of(error, list).map(ReadError::from)
}
