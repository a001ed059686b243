//! What the jobs of Freshservice share: the way to an account, and what it means to be refused there.

use std::num::NonZeroU32;

use nexus_core::config::Config;
use nexus_vendors::freshservice::{self, Freshservice, Workspace};
use nexus_vendors::{BaseUrl, ConfigError, Error, TransportConfig};
use secrecy::SecretString;
use thiserror::Error as ThisError;

/// Why there is no job of Freshservice with this configuration.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum NotConfigured {
    /// The section has no key.
    #[error("[freshservice] api_key is not set, so there is nothing to read; set it and domain in that section")]
    NoKey,
    /// A value of the section cannot be used.
    #[error("[freshservice] cannot be used: {0}")]
    Unusable(#[from] ConfigError),
}

/// What no call after this one would be spared. The sentence is for the person who has to do something about it.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum NoAccess {
    /// 401.
    #[error(
        "Freshservice refuses the API key; check [freshservice] api_key, and that the agent it belongs to is active"
    )]
    Key,
    /// 403 on a read.
    #[error(
        "Freshservice does not let the API key list {list}; check the rights of the agent that [freshservice] api_key \
         belongs to: it must be able to view {list} in every workspace"
    )]
    Rights {
        /// In the vendor's words.
        list: &'static str,
    },
    /// 403 on a write.
    #[error(
        "Freshservice does not let the API key change {list}; check the rights of the agent that [freshservice] api_key \
         belongs to: it must be able to manage {list}"
    )]
    WriteRights {
        /// In the vendor's words.
        list: &'static str,
    },
    /// The client cannot be set up.
    #[error(transparent)]
    Setup(#[from] ConfigError),
}

impl NoAccess {
    /// Whether a read of this list that met this error was refused for good.
    #[must_use]
    pub fn of(error: &Error, list: &'static str) -> Option<Self> {
        match error {
            Error::Auth => Some(Self::Key),
            Error::Rejected { status: 403, .. } => Some(Self::Rights { list }),
            _ => None,
        }
    }

    /// The same of a write.
    #[must_use]
    pub fn of_write(error: &Error, list: &'static str) -> Option<Self> {
        match Self::of(error, list) {
            Some(Self::Rights { list }) => Some(Self::WriteRights { list }),
            other => other,
        }
    }
}

/// The way to an account.
#[derive(Clone, Debug)]
pub struct Access {
    base_url: BaseUrl,
    api_key: SecretString,
    transport: TransportConfig,
}

impl Access {
    /// That of the configuration's section.
    pub fn of(config: &Config) -> Result<Self, NotConfigured> {
        let config = &config.freshservice;
        let api_key = config.api_key.clone().ok_or(NotConfigured::NoKey)?;
        let base_url = match (&config.base_url, &config.domain) {
            (Some(address), _) => BaseUrl::parse(address)?,
            (None, Some(domain)) => freshservice::base_url(domain)?,
            (None, None) => return Err(NotConfigured::NoKey),
        };
        let requests_per_minute = NonZeroU32::new(config.requests_per_minute);
        let transport = TransportConfig { requests_per_minute, ..TransportConfig::default() };
        Ok(Self::new(base_url, api_key, transport)?)
    }

    /// That to the account at `base_url`. A key that cannot be one is refused here, and not by the first run.
    pub fn new(base_url: BaseUrl, api_key: SecretString, transport: TransportConfig) -> Result<Self, ConfigError> {
        let access = Self { base_url, api_key, transport };
        access.client().map(|_| access)
    }

    /// A client; one per run, because its counts and its patience are those of the run.
    pub fn connect(&self) -> Result<Freshservice, NoAccess> {
        Ok(self.client()?)
    }

    fn client(&self) -> Result<Freshservice, ConfigError> {
        Freshservice::new(self.base_url.clone(), &self.api_key, &self.transport)
    }
}

/// The clients of Freshservice for MSPs; none in any other account. There, and nowhere else, a list of departments tells of
/// one client only, and nothing says so.
pub async fn clients(vendor: &Freshservice) -> Result<Vec<Workspace>, Error> {
    match vendor.workspaces().await {
        Ok(workspaces) => Ok(workspaces.into_iter().filter(Workspace::is_client).collect()),
        // Accounts from before there were workspaces do not have the list. If the address is wrong, the next list says so.
        Err(Error::Rejected { status: 404, .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
