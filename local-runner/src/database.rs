//! The database of an instance.

use nexus_core::Clock;
use nexus_core::config::DatabaseUrl;
use nexus_db::{Db, Options, accounts};
use nexus_web::auth::{Keys, Rules};
use nexus_web::setup::{self, FirstAdmin};
use nexus_web::{Auth, Limits, State};
use secrecy::ExposeSecret as _;

use crate::{Instance, RunnerError};

/// A Nexus that is ready to be served.
#[derive(Debug)]
pub struct Opened {
    /// For the routers.
    pub state: State,
    /// Bounds of requests.
    pub limits: Limits,
    /// `admin` still has the password that everybody knows.
    pub default_password: bool,
}

/// Opens the database of an instance, brings it to this version and makes the accounts that it lacks.
pub async fn open(instance: &Instance, secure_cookies: bool, clock: &Clock) -> Result<Opened, RunnerError> {
    let config = &instance.config;
    let url = instance.database_url();
    let url = match url.expose_secret().strip_prefix("sqlite://") {
        Some(file) => DatabaseUrl::Sqlite(file.to_owned()),
        None => DatabaseUrl::Postgres(url),
    };
    let db = Db::open(&url, Options::from(&config.database), clock.clone()).await?;
    let keys = Keys::new(instance.keys.iter().map(|key| (key.kid.as_str(), &key.pem)))
        .map_err(|error| RunnerError::Random(error.to_string()))?;
    let rules = Rules {
        issuer: config.nexus_auth.issuer.clone(),
        token_hours: config.nexus_auth.token_hours,
        api_key_days: config.nexus_auth.api_key_days(),
        secure_cookies,
    };
    let auth = Auth::new(db.clone(), keys, rules);
    setup::prepare(&db, auth.passwords(), config, FirstAdmin::known_to_everybody()).await?;
    let default_password = accounts::has_default_password(&db).await?;
    let limits = Limits { body: usize::try_from(config.server.max_body_bytes).unwrap_or(usize::MAX) };
    Ok(Opened { state: State { db, auth }, limits, default_password })
}
