//! The configuration: `nexus.conf` (INI, the sections of the first Nexus) and the environment that lies over it.
//!
//! [`Config::parse`] takes the text and the variables from the caller, who alone reads files and the environment. What it
//! gives back is complete and checked: a typing error in a name is an error that says so, never a default in silence.

use std::fmt;

use secrecy::SecretString;
use thiserror::Error;

mod ini;
#[cfg(test)]
mod tests;

use self::ini::Settings;

/// The whole configuration of one Nexus, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The service account of the jobs, and the tokens.
    pub nexus_auth: NexusAuth,
    /// Where companies and people come from.
    pub freshservice: Freshservice,
    /// Where sites and devices come from.
    pub datto: Datto,
    /// The database.
    pub database: Database,
    /// What the server shows to its callers.
    pub server: Server,
    /// The plans that a company can have, in the order of the file.
    pub plans: Vec<Choice>,
    /// The features that a plan can have, in the order of the file.
    pub features: Vec<Choice>,
}

/// `[nexus_auth]`
#[derive(Debug, Clone)]
pub struct NexusAuth {
    /// The service account as which the jobs speak to Nexus. Default `nexus-jobs`.
    pub username: String,
    /// Its password. `None` where no job runs, as in a deployed route group.
    pub password: Option<SecretString>,
    /// How long a token lives, in hours: 1 to 720. Default 24.
    pub token_hours: u32,
    /// The longest life of an API key, in days: 1 to 3,660. 0: as long as one likes. Default 0.
    pub api_key_days_max: u32,
    /// The `iss` claim of the tokens. Default `nexus`.
    pub issuer: String,
}

/// `[freshservice]`
#[derive(Debug, Clone)]
pub struct Freshservice {
    /// The API key. `None` (or blank in the file): Freshservice is not used.
    pub api_key: Option<SecretString>,
    /// `acme` or `acme.freshservice.com`; letters, digits, `-` and `.` only.
    pub domain: Option<String>,
    /// Used in place of the domain's address, without a slash at the end.
    pub base_url: Option<String>,
    /// Pacing of the calls. 0: none. Default 100.
    pub requests_per_minute: u32,
}

/// `[datto]`
#[derive(Debug, Clone)]
pub struct Datto {
    /// `https://{platform}-api.centrastage.net`, without a slash at the end.
    pub api_endpoint: Option<String>,
    /// The API key of the Datto user. `None` (or blank in the file): Datto is not used.
    pub public_key: Option<SecretString>,
    /// The API secret key of the Datto user.
    pub secret_key: Option<SecretString>,
    /// Used in place of `api_endpoint`, without a slash at the end.
    pub base_url: Option<String>,
    /// Pacing of the calls. 0: none. Default 500, of the 600 that Datto allows an account.
    pub requests_per_minute: u32,
}

/// `[database]`
#[derive(Debug, Clone)]
pub struct Database {
    /// Where it is. `None`: the place that the runner has for it.
    pub url: Option<DatabaseUrl>,
    /// Connections of the pool at most: 1 to 1,000. Default 10.
    pub max_connections: u32,
    /// How long a request waits for a free connection, in seconds: 1 to 300. Default 5.
    pub acquire_timeout_seconds: u32,
    /// How long a `SQLite` write waits for the one before it, in milliseconds: 0 to 600,000. Default 5,000.
    pub busy_timeout_ms: u32,
}

/// The address of a database, by its engine.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// A file: what follows `sqlite://`, that is the path and perhaps `?` with options.
    Sqlite(String),
    /// The whole `postgres://` address; it can hold a password.
    Postgres(SecretString),
}

/// `[server]`
#[derive(Debug, Clone)]
pub struct Server {
    /// PEM file of the system's own certificate and its chain. Set together with `private_key`.
    pub certificate: Option<String>,
    /// PEM file of that certificate's private key.
    pub private_key: Option<String>,
    /// The address at which people and services reach Nexus, where it is not the one listened on; no slash at the end.
    pub public_url: Option<String>,
    /// The longest request body, in bytes: 1,024 to 1 GiB. Default 1 MiB.
    pub max_body_bytes: u64,
}

/// A named entry of `[plans]` or `[features]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The name, spelled as in the file.
    pub name: String,
    /// What a person is told about it; may be empty.
    pub text: String,
}

/// Where a setting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of `nexus.conf`, the first being 1.
    Line(usize),
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(out, "nexus.conf line {line}"),
            Self::Variable(name) => write!(out, "environment variable {name}"),
        }
    }
}

/// Why a configuration is not accepted. Says where and what is expected; never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// A line or a variable's name of another form.
    #[error("{at}: expected {expected}")]
    Syntax {
        /// Where.
        at: Place,
        /// The form that is expected.
        expected: &'static str,
    },
    /// A section that Nexus does not know.
    #[error("{at}: there is no section [{section}]; {hint}")]
    UnknownSection {
        /// Where.
        at: Place,
        /// The name that was found.
        section: String,
        /// The nearest name, or all of them.
        hint: String,
    },
    /// A key that its section does not know.
    #[error("{at}: [{section}] has no key {key}; {hint}")]
    UnknownKey {
        /// Where.
        at: Place,
        /// The section.
        section: &'static str,
        /// The name that was found.
        key: String,
        /// The nearest name, or all of them.
        hint: String,
    },
    /// A section or a key that is there a second time.
    #[error("{at}: {what} is there twice")]
    Duplicate {
        /// Where the second one stands.
        at: Place,
        /// `[section]` or `[section] key`.
        what: String,
    },
    /// A value that cannot be used.
    #[error("{at}: [{section}] {key}: expected {expected}")]
    Invalid {
        /// Where.
        at: Place,
        /// The section.
        section: &'static str,
        /// The key.
        key: &'static str,
        /// What is expected.
        expected: String,
    },
    /// A value without which another one has no meaning.
    #[error("nexus.conf: [{section}] {key} is missing; it goes with {with}")]
    Missing {
        /// The section.
        section: &'static str,
        /// The key that has no value.
        key: &'static str,
        /// The key that has one.
        with: &'static str,
    },
}

impl Config {
    /// Reads the text of a `nexus.conf` (empty: defaults only) and lays the environment over it.
    ///
    /// Of the variables, `NEXUS__SECTION__KEY` sets that key, whatever the case of its letters, and `NEXUS_DATABASE_URL`
    /// sets `[database] url`; all others are passed over. A blank value counts as not set.
    pub fn parse(text: &str, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut settings = Settings::read(text)?;
        settings.overlay(environment)?;
        let config = Self {
            nexus_auth: NexusAuth {
                username: settings.text("nexus_auth", "username").unwrap_or_else(|| "nexus-jobs".to_owned()),
                password: settings.secret("nexus_auth", "password"),
                token_hours: settings.number("nexus_auth", "token_hours", 24, 1..=720)?,
                api_key_days_max: settings.number("nexus_auth", "api_key_days_max", 0, 0..=3_660)?,
                issuer: settings.text("nexus_auth", "issuer").unwrap_or_else(|| "nexus".to_owned()),
            },
            freshservice: Freshservice {
                api_key: settings.secret("freshservice", "api_key"),
                domain: settings.domain("freshservice", "domain")?,
                base_url: settings.address("freshservice", "base_url")?,
                requests_per_minute: settings.number("freshservice", "requests_per_minute", 100, 0..=100_000)?,
            },
            datto: Datto {
                api_endpoint: settings.address("datto", "api_endpoint")?,
                public_key: settings.secret("datto", "public_key"),
                secret_key: settings.secret("datto", "secret_key"),
                base_url: settings.address("datto", "base_url")?,
                requests_per_minute: settings.number("datto", "requests_per_minute", 500, 0..=100_000)?,
            },
            database: Database {
                url: settings.database_url()?,
                max_connections: settings.number("database", "max_connections", 10, 1..=1_000)?,
                acquire_timeout_seconds: settings.number("database", "acquire_timeout_seconds", 5, 1..=300)?,
                busy_timeout_ms: settings.number("database", "busy_timeout_ms", 5_000, 0..=600_000)?,
            },
            server: Server {
                certificate: settings.text("server", "certificate"),
                private_key: settings.text("server", "private_key"),
                public_url: settings.address("server", "public_url")?,
                max_body_bytes: settings.number("server", "max_body_bytes", 1_048_576, 1_024..=1_073_741_824)?.into(),
            },
            plans: settings.choices("plans"),
            features: settings.choices("features"),
        };
        config.complete()
    }

    /// Halves of a pair are refused here, before a job fails on them at night.
    fn complete(self) -> Result<Self, ConfigError> {
        let missing = |section, key, with| Err(ConfigError::Missing { section, key, with });
        match (&self.server.certificate, &self.server.private_key) {
            (Some(_), None) => return missing("server", "private_key", "certificate"),
            (None, Some(_)) => return missing("server", "certificate", "private_key"),
            _ => {}
        }
        match (&self.datto.public_key, &self.datto.secret_key) {
            (Some(_), None) => return missing("datto", "secret_key", "public_key"),
            (None, Some(_)) => return missing("datto", "public_key", "secret_key"),
            (Some(_), Some(_)) if self.datto.address().is_none() => {
                return missing("datto", "api_endpoint", "public_key");
            }
            _ => {}
        }
        if self.freshservice.api_key.is_some() && self.freshservice.address().is_none() {
            return missing("freshservice", "domain", "api_key");
        }
        Ok(self)
    }
}

impl NexusAuth {
    /// The longest life of an API key, in days; none: as long as one likes.
    #[must_use]
    pub fn api_key_days(&self) -> Option<u32> {
        (self.api_key_days_max > 0).then_some(self.api_key_days_max)
    }
}

impl Freshservice {
    /// Scheme and host that the calls go to, without a slash at the end.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.base_url.clone().or_else(|| {
            let domain = self.domain.as_deref()?;
            let suffix = if domain.contains('.') { "" } else { ".freshservice.com" };
            Some(format!("https://{domain}{suffix}"))
        })
    }

    /// Whether there is an API key, and with it an address.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.api_key.is_some()
    }
}

impl Datto {
    /// Scheme and host that the calls go to, without a slash at the end.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.base_url.clone().or_else(|| self.api_endpoint.clone())
    }

    /// Whether there are keys, and with them an address.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.public_key.is_some()
    }
}
