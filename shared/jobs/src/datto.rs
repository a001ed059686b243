//! What the jobs of Datto RMM share: the way to an account, what it means to be refused there, and the variable of a site
//! that names its company.

use std::num::NonZeroU32;

use nexus_core::config::Config;
use nexus_vendors::datto::{self, Datto, Variable};
use nexus_vendors::{BaseUrl, ConfigError, Error, TransportConfig};
use secrecy::SecretString;
use thiserror::Error as ThisError;

use crate::sink::Sink;

/// The variable of a site that has the account number of its company.
pub const ACCOUNT_NUMBER: &str = "AccountNumber";

/// Calls that a job has on their way at a time, within the pace.
pub const AT_A_TIME: usize = 8;

/// Why there is no job of Datto RMM with this configuration.
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

/// What no call after this one would be spared. The sentence is for the person who has to do something about it.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum NoAccess {
    /// 401.
    #[error("Datto RMM refuses the API key; check [datto] public_key and secret_key, and that API access is enabled")]
    Key,
    /// 403 on a read.
    #[error(
        "Datto RMM does not let the API key read {list} (403); check the security level of its user. After too many calls it \
         is also shut out for some minutes"
    )]
    Rights {
        /// In our words.
        list: &'static str,
    },
    /// 403 on a write.
    #[error(
        "Datto RMM does not let the API key change {list} (403); check the security level of its user. After too many calls \
         it is also shut out for some minutes"
    )]
    WriteRights {
        /// In our words.
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
    key: SecretString,
    secret: SecretString,
    transport: TransportConfig,
}

impl Access {
    /// That of the configuration's section.
    pub fn of(config: &Config) -> Result<Self, NotConfigured> {
        let config = &config.datto;
        let (Some(key), Some(secret)) = (&config.public_key, &config.secret_key) else {
            return Err(NotConfigured::NoKey);
        };
        let base_url = match (&config.base_url, &config.api_endpoint) {
            (Some(address), _) => BaseUrl::parse(address)?,
            (None, Some(endpoint)) => datto::base_url(endpoint)?,
            (None, None) => return Err(NotConfigured::NoKey),
        };
        let requests_per_minute = NonZeroU32::new(config.requests_per_minute);
        let transport = TransportConfig { requests_per_minute, ..TransportConfig::default() };
        Ok(Self::new(base_url, key.clone(), secret.clone(), transport)?)
    }

    /// That to the account at `base_url`. Keys that cannot be ones are refused here, and not by the first run.
    pub fn new(
        base_url: BaseUrl,
        key: SecretString,
        secret: SecretString,
        transport: TransportConfig,
    ) -> Result<Self, ConfigError> {
        let access = Self { base_url, key, secret, transport };
        access.client().map(|_| access)
    }

    fn client(&self) -> Result<Datto, ConfigError> {
        Datto::new(self.base_url.clone(), &self.key, &self.secret, &self.transport)
    }

    /// A client that keeps below what the account may ask; one per run, because its counts and its patience are those of the
    /// run.
    pub async fn connect(&self, sink: &mut Sink<'_>) -> Result<Datto, NoAccess> {
        let vendor = self.client()?;
        if self.transport.requests_per_minute.is_some() {
            sink.step("Pace", None);
            match vendor.learn_pace().await {
                Err(Error::Auth) => return Err(NoAccess::Key),
                // Without it, the configured pace is kept.
                Err(error) => tracing::warn!(%error, "the quota of the account could not be read"),
                Ok(()) => {}
            }
        }
        sink.calls_per_minute(vendor.calls_per_minute());
        Ok(vendor)
    }
}

/// Why nobody can tell a site's account number. The sentence says what a person should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
pub enum Unclear {
    /// Its value is kept from readers.
    #[error("Its variable AccountNumber is masked, so that nobody can read it. Make one that is not.")]
    Masked,
    /// There are several of the name.
    #[error("It has several variables AccountNumber. Delete all but one.")]
    Several,
}

/// The variable of a site that has its company's account number, whatever the case of its name.
pub fn account_number(variables: &[Variable]) -> Result<Option<&Variable>, Unclear> {
    let named = |variable: &&Variable| {
        variable.name.as_deref().is_some_and(|name| name.trim().eq_ignore_ascii_case(ACCOUNT_NUMBER))
    };
    let found: Vec<&Variable> = variables.iter().filter(named).collect();
    match found[..] {
        [] => Ok(None),
        [variable] if variable.masked => Err(Unclear::Masked),
        [variable] => Ok(Some(variable)),
        _ => Err(Unclear::Several),
    }
}
