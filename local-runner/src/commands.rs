//! What each command does.

use axum::Router;
use nexus_core::Clock;

use crate::cli::{Cli, Command};
use crate::lock::InstanceLock;
use crate::server::{Bound, Signals, Transport};
use crate::{Instance, RunnerError, server};

/// Does what the command line asks.
pub async fn run(cli: &Cli, environment: Vec<(String, String)>, clock: &Clock) -> Result<(), RunnerError> {
    match cli.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Serve => serve(cli, environment, clock).await,
        Command::Init => init(cli, environment, clock).await,
        Command::Demo | Command::Job { .. } | Command::Openapi => {
            Err(RunnerError::Usage("this command is not there yet".to_owned()))
        }
    }
}

async fn init(cli: &Cli, environment: Vec<(String, String)>, clock: &Clock) -> Result<(), RunnerError> {
    let instance = Instance::prepare(&cli.instance, environment, clock.now())?;
    instance.tls(clock.now())?;
    prepare_database(&instance).await?;
    Ok(())
}

async fn serve(cli: &Cli, environment: Vec<(String, String)>, clock: &Clock) -> Result<(), RunnerError> {
    if cli.http {
        server::refuse_plain(cli.listen)?;
    }
    let instance = Instance::prepare(&cli.instance, environment, clock.now())?;
    let mut lock = InstanceLock::take(&instance.directory).await?;
    let transport = if cli.http { Transport::Http } else { Transport::Https(instance.tls(clock.now())?) };
    let database = prepare_database(&instance).await?;
    if database.default_password {
        server::refuse_exposed(cli.listen)?;
    }
    let bound = Bound::bind(cli.listen, transport)?;

    let mut signals = Signals::listen()?;
    let mut running = bound.start(router(&instance))?;
    lock.announce(running.base_url())?;
    running.announce()?;
    running.until_told(&mut signals).await?;
    running.drain(&mut signals).await
}

/// What the database tells the server before it listens.
struct Database {
    default_password: bool,
}

async fn prepare_database(_instance: &Instance) -> Result<Database, RunnerError> {
    std::future::ready(Ok(Database { default_password: true })).await
}

fn router(_instance: &Instance) -> Router {
    Router::new()
}
