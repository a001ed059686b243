//! The step of a deployment that comes before all others: it brings the database to this version, makes the first accounts, and
//! takes over the plans of the configuration. It can be repeated at any time.
//!
//! A stack has it as a custom resource, on which its route groups wait: CloudFormation sends an event, and the answer is put at the
//! address that the event names (AWS CloudFormation user guide, "Custom resources"). An event without an address, from a person,
//! is answered as any other.
//!
//! | variable | |
//! |---|---|
//! | `NEXUS_DATABASE_…` | as of a route group: [`nexus_web::lambda::main`] |
//! | `NEXUS_ADMIN_PASSWORD` | with which `admin` begins in an empty directory |
//! | `NEXUS__NEXUS_AUTH__PASSWORD` | the password of the jobs' service account; a changed one is taken over |
//!
//! What does not belong here: the migrations (`migrations/`), and what a directory begins with (`nexus_web::setup`).

mod answer;

use std::process::ExitCode;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use nexus_lambda::{Environment, Fault};
use nexus_web::auth::Passwords;
use nexus_web::lambda;
use nexus_web::setup::{self, FirstAdmin};
use serde_json::Value;

use crate::answer::{Outcome, Request};

/// Serves the function.
#[must_use]
pub fn main() -> ExitCode {
    nexus_lambda::main(|| async {
        let handler = service_fn(async move |event: LambdaEvent<Value>| handle(&event.payload).await);
        lambda_runtime::run(handler).await.map_err(Fault::of)
    })
}

async fn handle(event: &Value) -> Result<Value, Diagnostic> {
    let request = Request::of(event);
    let outcome = match &request {
        Some(request) if request.deletes() => Ok("The database stays as it is.".to_owned()),
        _ => bring_up().await,
    };
    let outcome = Outcome::from(outcome);
    if let Some(request) = request {
        request.answer(&outcome).await.map_err(|error| failed("NotAnswered", &error.to_string()))?;
    }
    match outcome {
        Outcome::Done(text) => Ok(Value::String(text)),
        Outcome::Failed(text) => Err(failed("NotSetUp", &text)),
    }
}

async fn bring_up() -> Result<String, Fault> {
    // Not before there is an event: without an answer that says what is wrong, CloudFormation waits for a quarter of an hour. A
    // stack that is deleted needs none of it.
    let environment = &Environment::read().await?;
    let config = environment.config()?;
    let password = environment.need("NEXUS_ADMIN_PASSWORD")?.to_owned();
    let db = lambda::migrate(environment, &config).await?;
    let admin = FirstAdmin::given(password.into());
    let prepared = setup::prepare(&db, &Passwords::default(), &config, admin).await;
    // The next event may come in an hour, when no connection is left.
    db.close().await;
    prepared.map_err(Fault::of)?;
    tracing::info!("the database is ready");
    Ok("The database is ready.".to_owned())
}

fn failed(kind: &str, text: &str) -> Diagnostic {
    tracing::error!(kind, text, "the setup failed");
    Diagnostic { error_type: kind.to_owned(), error_message: text.to_owned() }
}
