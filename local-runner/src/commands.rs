//! What each command does.

use std::process::ExitCode;

use nexus_core::Clock;
use nexus_core::sync::RunState;
use nexus_events::Bus;
use nexus_jobs::Event;

use crate::cli::{Cli, Command};
use crate::jobs::{Jobs, Reached};
use crate::server::Signals;
use crate::serving::Serving;
use crate::watch::Watch;
use crate::{Instance, RunnerError, database, demo, files, mount, server, timer};

/// Does what the command line asks; the exit code of what was done.
pub async fn run(cli: &Cli, environment: Vec<(String, String)>, clock: &Clock) -> Result<ExitCode, RunnerError> {
    let done = match cli.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Serve => serve(cli, environment, clock).await,
        Command::Init => init(cli, environment, clock).await,
        Command::Openapi => openapi(),
        Command::Demo => demo::run(cli, clock).await,
        Command::Job { name, dry_run, json } => {
            let event = Event { dry_run: *dry_run, ..Event::manual(name) };
            return job(cli, environment, clock, (name, &event), *json).await;
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

async fn init(cli: &Cli, environment: Vec<(String, String)>, clock: &Clock) -> Result<(), RunnerError> {
    let instance = Instance::prepare(&cli.instance, environment, clock.now())?;
    instance.tls(clock.now())?;
    database::open(&instance, true, clock).await?.state.db.close().await;
    Ok(())
}

async fn serve(cli: &Cli, environment: Vec<(String, String)>, clock: &Clock) -> Result<(), RunnerError> {
    let mut signals = Signals::listen()?;
    if cli.http {
        server::refuse_plain(cli.listen)?;
    }
    let instance = Instance::prepare(&cli.instance, environment, clock.now())?;
    let mut serving = Serving::start(&instance, cli.listen, cli.http, clock).await?;
    serving.running.announce()?;
    let jobs = Jobs::new(&instance, serving.running.base_url(), serving.bus.clone())?;
    let (requests, news) = (serving.bus.subscribe(), serving.bus.subscribe());
    tokio::select! {
        ended = serving.running.until_told(&mut signals) => ended?,
        // Jobs go with the process; a run that is given up shows as interrupted.
        ended = timer::run(&instance, &serving.db, &jobs, news) => ended?,
        ended = jobs.serve(requests) => ended?,
    }
    serving.stop(&mut signals).await
}

/// Runs a job in the foreground. 0: applied, 3: held for review, 1: failed.
async fn job(
    cli: &Cli,
    environment: Vec<(String, String)>,
    clock: &Clock,
    (name, event): (&str, &Event),
    json: bool,
) -> Result<ExitCode, RunnerError> {
    let mut signals = Signals::listen()?;
    let instance = Instance::prepare(&cli.instance, environment, clock.now())?;
    let nexus = Reached::find(&instance, clock).await?;
    let watch = Watch::new();
    let ended = match Jobs::new(&instance, &nexus.url, Bus::local()) {
        // Its events would go out where nobody hears them.
        Ok(_) if name == publish_changes::NAME => Err(RunnerError::Usage(
            "publish-changes sends to those who listen in a Nexus that is served: ask for a run there".into(),
        )),
        Ok(jobs) => jobs.run(name, event, &watch).await,
        Err(error) => Err(error),
    };
    watch.end();
    nexus.leave(&mut signals).await?;
    let run = ended?;
    if json {
        let text = serde_json::to_string_pretty(&run).map_err(|error| RunnerError::Server(error.into()))?;
        files::print(&text)?;
    } else {
        let message = run.message.as_deref().unwrap_or_default();
        files::print(&format!("Run {} of {name}: {}. {message}", run.id, run.state.as_str()))?;
    }
    Ok(match run.state {
        RunState::Applied | RunState::Partial => ExitCode::SUCCESS,
        RunState::Held => ExitCode::from(3),
        _ => ExitCode::FAILURE,
    })
}

fn openapi() -> Result<(), RunnerError> {
    let text = mount::openapi().to_pretty_json().map_err(|error| RunnerError::Server(std::io::Error::other(error)))?;
    files::print(&text)
}
