//! The entry of a job that is deployed as a Lambda function.

use std::fmt::Display;
use std::process::ExitCode;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use nexus_client::{Account, Client, Options};
use nexus_core::Clock;
use nexus_core::config::Config;
use serde_json::{Value, json};

use crate::deadline::Deadline;
use crate::error::JobError;
use crate::event::Event;
use crate::progress::Silent;
use crate::run::{Job, run};

/// Serves the job that `build` makes: configuration from the environment, JSON logs, one thread.
///
/// Of the variables it needs `NEXUS__SERVER__PUBLIC_URL`, where Nexus is reached, `NEXUS__NEXUS_AUTH__PASSWORD`, and
/// those of the job. A fault of the configuration is one line, and the function does not start.
///
/// An invocation fails, and is repeated by the platform, only when its event is broken or Nexus could not be told of
/// the run. A run that failed at the vendor is an answer: Nexus shows it, and repeating it would meet the same vendor.
pub fn main<J: Job, E: Display>(build: impl FnOnce(&Config) -> Result<J, E>) -> ExitCode {
    tracing_subscriber::fmt().json().with_target(false).with_current_span(false).init();
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => match runtime.block_on(serve(build)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => refuse(&error),
        },
        Err(error) => refuse(&error.to_string()),
    }
}

fn refuse(error: &str) -> ExitCode {
    tracing::error!(error, "the job cannot start");
    ExitCode::FAILURE
}

async fn serve<J: Job, E: Display>(build: impl FnOnce(&Config) -> Result<J, E>) -> Result<(), String> {
    let config = Config::parse("", std::env::vars()).map_err(|error| error.to_string())?;
    let client = client(&config)?;
    let job = build(&config).map_err(|error| error.to_string())?;
    let clock = Clock::system();
    let handler = service_fn(|event: LambdaEvent<Value>| {
        let deadline = Deadline::of_invocation(event.context.deadline, &clock);
        let (job, client) = (&job, &client);
        async move { handle(job, client, &event.payload, deadline).await }
    });
    lambda_runtime::run(handler).await.map_err(|error| error.to_string())
}

fn client(config: &Config) -> Result<Client, String> {
    let missing = |what: &str, variable: &str| format!("{what} is not set; set the environment variable {variable}");
    let address = config.server.public_url.as_deref();
    let address = address.ok_or_else(|| missing("[server] public_url", "NEXUS__SERVER__PUBLIC_URL"))?;
    let password = config.nexus_auth.password.clone();
    let password = password.ok_or_else(|| missing("[nexus_auth] password", "NEXUS__NEXUS_AUTH__PASSWORD"))?;
    let account = Account { username: config.nexus_auth.username.clone(), password };
    Client::new(address, account, &Options::default()).map_err(|error| format!("[server] public_url: {error}"))
}

async fn handle(job: &impl Job, client: &Client, event: &Value, deadline: Deadline) -> Result<Value, Diagnostic> {
    let event = Event::decode(event).map_err(|error| diagnostic(&error.into()))?;
    match run(job, client, &event, deadline, &Silent).await {
        Ok(run) => Ok(json!({ "run_id": run.id, "state": run.state, "message": run.message })),
        Err(skipped @ JobError::NotBegun { .. }) => {
            tracing::warn!("{skipped}");
            Ok(json!({ "run_id": null, "state": "skipped", "message": skipped.to_string() }))
        }
        Err(error) => Err(diagnostic(&error)),
    }
}

/// What the platform is told; the runtime logs it as well.
fn diagnostic(error: &JobError) -> Diagnostic {
    let kind = match error {
        JobError::Event(_) => "BrokenEvent",
        _ => "NexusFailed",
    };
    Diagnostic { error_type: kind.to_owned(), error_message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{Sink, Stopped};

    struct Idle;

    impl Job for Idle {
        type Error = Stopped;

        fn name(&self) -> &'static str {
            "idle"
        }

        async fn work(&self, _: &mut Sink<'_>) -> Result<(), Stopped> {
            Ok(())
        }
    }

    const ENVIRONMENT: [(&str, &str); 2] =
        [("NEXUS__SERVER__PUBLIC_URL", "http://127.0.0.1:9"), ("NEXUS__NEXUS_AUTH__PASSWORD", "s3cret")];

    fn built(environment: &[(&str, &str)]) -> Result<Client, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        client(&Config::parse("", environment).unwrap())
    }

    #[test]
    fn what_is_missing_is_named_in_one_line() {
        assert!(built(&ENVIRONMENT).is_ok());
        let told = built(&ENVIRONMENT[..1]).unwrap_err();
        assert!(told.contains("NEXUS__NEXUS_AUTH__PASSWORD") && told.contains("[nexus_auth] password"), "{told}");
        let told = built(&ENVIRONMENT[1..]).unwrap_err();
        assert!(told.contains("NEXUS__SERVER__PUBLIC_URL") && told.lines().count() == 1, "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }

    #[tokio::test]
    async fn a_broken_event_fails_the_invocation_before_anything_is_called() {
        let client = built(&ENVIRONMENT).unwrap();
        let failed = handle(&Idle, &client, &json!({ "source": "nexus" }), Deadline::none()).await.unwrap_err();
        assert_eq!(failed.error_type, "BrokenEvent");
        assert_eq!(failed.error_message, "the event has no text in \"detail-type\"");
    }
}
