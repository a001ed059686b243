//! What each command does.

use nexus_core::Clock;

use crate::cli::{Cli, Command};
use crate::lock::InstanceLock;
use crate::server::{Bound, Signals, Transport};
use crate::{Instance, RunnerError, database, files, mount, server};

/// Does what the command line asks.
pub async fn run(cli: &Cli, environment: Vec<(String, String)>, clock: &Clock) -> Result<(), RunnerError> {
    match cli.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Serve => serve(cli, environment, clock).await,
        Command::Init => init(cli, environment, clock).await,
        Command::Openapi => openapi(),
        Command::Demo | Command::Job { .. } => {
            Err(RunnerError::Usage("this command is not there yet".to_owned()))
        }
    }
}

async fn init(cli: &Cli, environment: Vec<(String, String)>, clock: &Clock) -> Result<(), RunnerError> {
    let instance = Instance::prepare(&cli.instance, environment, clock.now())?;
    instance.tls(clock.now())?;
    database::open(&instance, true, clock).await?.state.db.close().await;
    Ok(())
}

async fn serve(cli: &Cli, environment: Vec<(String, String)>, clock: &Clock) -> Result<(), RunnerError> {
    if cli.http {
        server::refuse_plain(cli.listen)?;
    }
    let instance = Instance::prepare(&cli.instance, environment, clock.now())?;
    let mut lock = InstanceLock::take(&instance.directory).await?;
    let transport = if cli.http { Transport::Http } else { Transport::Https(instance.tls(clock.now())?) };
    let opened = database::open(&instance, !cli.http, clock).await?;
    if opened.default_password {
        server::refuse_exposed(cli.listen)?;
    }
    let bound = Bound::bind(cli.listen, transport)?;

    let mut signals = Signals::listen()?;
    let db = opened.state.db.clone();
    let mut running = bound.start(mount::router(opened.state, opened.limits))?;
    lock.announce(running.base_url())?;
    running.announce()?;
    running.until_told(&mut signals).await?;
    running.drain(&mut signals).await?;
    db.close().await;
    Ok(())
}

fn openapi() -> Result<(), RunnerError> {
    let text = mount::openapi().to_pretty_json().map_err(|error| RunnerError::Server(std::io::Error::other(error)))?;
    files::print(&text)
}
