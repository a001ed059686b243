//! The local runner: every function of Nexus in one server on one machine.
//!
//! `main.rs` is a call of [`main`]; all else is a library, so that the tests start the very server that people run.
//!
//! What does not belong here: routes, pages, SQL and rules. They live in the functions and the shared crates, and are the
//! same when each function runs by itself on Lambda.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use nexus_core::Clock;

pub mod certificate;
pub mod cli;
pub mod commands;
pub mod database;
pub mod error;
pub mod files;
pub mod instance;
pub mod lock;
pub mod mount;
pub mod server;

pub use error::RunnerError;
pub use instance::Instance;

/// Does what the command line asks and gives back the process's exit code: 0 done, 1 failed, 2 not usable as it was given.
///
/// `environment` is what may override `nexus.conf`; see [`nexus_core::config::Config::parse`].
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> ExitCode {
    let done = match cli::read(arguments) {
        Ok(cli::Request::Run(cli)) => run(&cli, environment.into_iter().collect()),
        Ok(cli::Request::Tell(text)) => files::print(&text),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.report();
            error.exit_code()
        }
    }
}

fn run(cli: &cli::Cli, environment: Vec<(String, String)>) -> Result<(), RunnerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(RunnerError::Server)?;
    let done = runtime.block_on(commands::run(cli, environment, &Clock::system()));
    // Whoever pressed Ctrl-C twice does not wait for a thread that is still busy.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}
