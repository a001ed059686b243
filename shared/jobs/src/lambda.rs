//! The entry of a job that is deployed as a Lambda function.

use std::fmt::Display;
use std::process::ExitCode;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use nexus_client::{Account, Client, Options};
use nexus_core::Clock;
use nexus_core::config::Config;
use nexus_lambda::{Environment, Fault, Start};
use serde_json::{Value, json};

use crate::deadline::Deadline;
use crate::error::JobError;
use crate::event::Event;
use crate::progress::Silent;
use crate::run::{Job, run};

/// Serves the job that `build` makes: configuration from the environment and its secrets, JSON logs, one thread.
///
/// Of the variables it needs `NEXUS__SERVER__PUBLIC_URL`, where Nexus is reached, `NEXUS__NEXUS_AUTH__PASSWORD`, and
/// those of the job. A fault of the configuration is one line, and the function does not start.
///
/// An invocation fails, and is repeated by the platform, only when its event is broken or Nexus could not be told of
/// the run. A run that failed at the vendor is an answer: Nexus shows it, and repeating it would meet the same vendor.
pub fn main<J: Job, E: Display>(build: impl Fn(&Config, &Environment) -> Result<J, E>) -> ExitCode {
    nexus_lambda::main(|| async {
        let start = Start::new(async |environment: Environment| {
            let config = environment.config()?;
            Ok((client(&config)?, build(&config, &environment).map_err(Fault::of)?))
        })
        .await?;
        let (start, clock) = (&start, &Clock::system());
        let handler = service_fn(async move |event: LambdaEvent<Value>| {
            let (client, job) = start.get().await.map_err(|fault| not_started(&fault))?;
            let deadline = Deadline::of_invocation(event.context.deadline, clock);
            handle(job, client, &event.payload, deadline).await
        });
        lambda_runtime::run(handler).await.map_err(Fault::of)
    })
}

fn client(config: &Config) -> Result<Client, Fault> {
    let missing = |variable: &str| Fault::Missing(variable.to_owned());
    let address = config.server.public_url.as_deref().ok_or_else(|| missing("NEXUS__SERVER__PUBLIC_URL"))?;
    let password = config.nexus_auth.password.clone().ok_or_else(|| missing("NEXUS__NEXUS_AUTH__PASSWORD"))?;
    let account = Account { username: config.nexus_auth.username.clone(), password };
    let client = Client::new(address, account, &Options::default());
    client.map_err(|error| Fault::Configuration(format!("NEXUS__SERVER__PUBLIC_URL: {error}")))
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

/// The function could not be made of its environment, which a later event may find mended.
fn not_started(fault: &Fault) -> Diagnostic {
    Diagnostic { error_type: "NotStarted".to_owned(), error_message: fault.to_string() }
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

    fn built(environment: &[(&str, &str)]) -> Result<Client, Fault> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        client(&Config::parse("", environment).unwrap())
    }

    #[test]
    fn what_is_missing_is_named_in_one_line() {
        assert!(built(&ENVIRONMENT).is_ok());
        let told = built(&ENVIRONMENT[..1]).unwrap_err().to_string();
        assert!(told.contains("NEXUS__NEXUS_AUTH__PASSWORD"), "{told}");
        let told = built(&ENVIRONMENT[1..]).unwrap_err().to_string();
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
