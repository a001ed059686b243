//! The entry of a route group that is deployed as a Lambda function.

use std::fmt::Display;
use std::process::ExitCode;

use axum::Router;
use nexus_core::Clock;
use nexus_core::config::Config;
use nexus_db::{Db, Options};
use secrecy::SecretString;

use crate::auth::{Auth, Keys, Rules};
use crate::{Limits, State, frame};

/// Serves a route group: configuration from the environment, PostgreSQL, JSON logs.
///
/// Beside the `NEXUS__…` variables, `NEXUS_SIGNING_KEY` holds the PEM of the key that signs tokens and
/// `NEXUS_SIGNING_KID` its name. A fault of the configuration is one line, and the function does not start.
pub fn main(group: impl FnOnce() -> Router<State>) -> ExitCode {
    tracing_subscriber::fmt().json().with_target(false).with_current_span(false).init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(serve(group)),
        Err(error) => Err(error.to_string()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

async fn serve(group: impl FnOnce() -> Router<State>) -> Result<(), String> {
    let environment: Vec<(String, String)> = std::env::vars().collect();
    let variable = |name: &str| {
        environment
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .ok_or(format!("{name} is not set"))
    };
    let signing: SecretString = variable("NEXUS_SIGNING_KEY")?.into();
    let kid = variable("NEXUS_SIGNING_KID")?;
    let config = Config::parse("", environment.iter().cloned()).map_err(told)?;
    let url = config.database.url.as_ref().ok_or("NEXUS_DATABASE_URL is not set")?;
    let db = Db::open(url, Options::from(&config.database), Clock::system()).await.map_err(told)?;
    let keys = Keys::new([(kid.as_str(), &signing)]).map_err(told)?;
    let rules = Rules {
        issuer: config.nexus_auth.issuer.clone(),
        token_hours: config.nexus_auth.token_hours,
        api_key_days: config.nexus_auth.api_key_days(),
        secure_cookies: true,
    };
    let state = State { auth: Auth::new(db.clone(), keys, rules), db };
    let limits = Limits { body: usize::try_from(config.server.max_body_bytes).unwrap_or(usize::MAX) };
    lambda_http::run(frame(group(), state, limits)).await.map_err(told)
}

fn told(error: impl Display) -> String {
    error.to_string()
}
