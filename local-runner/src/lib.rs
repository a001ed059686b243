//! The local runner: every function of Nexus in one server on one machine.
//!
//! `main.rs` is a call of [`main`]; all else is a library, so that the tests start the very server that people run.
//!
//! What does not belong here: routes, pages, SQL and rules. They live in the functions and the shared crates, and are the
//! same when each function runs by itself on Lambda.

use std::ffi::OsString;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use nexus_core::Clock;
use tracing_subscriber::filter::LevelFilter;

pub mod certificate;
pub mod cli;
pub mod commands;
pub mod database;
pub mod demo;
pub mod error;
pub mod files;
pub mod instance;
pub mod jobs;
pub mod lock;
pub mod mount;
pub mod server;
pub mod serving;
pub mod timer;
pub mod watch;

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
        Ok(cli::Request::Tell(text)) => files::print(&text).map(|()| ExitCode::SUCCESS),
        Err(error) => Err(error),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            error.report();
            error.exit_code()
        }
    }
}

fn run(cli: &cli::Cli, environment: Vec<(String, String)>) -> Result<ExitCode, RunnerError> {
    log();
    keep_memory();
    // Half of the work is the database's, on threads of its own or in its own process. More workers than there is room for are
    // woken for nothing: a fifth of what a short request costs.
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let runtime = runtime.map_err(RunnerError::Server)?;
    let done = runtime.block_on(commands::run(cli, environment, &Clock::system()));
    // Whoever pressed Ctrl-C twice does not wait for a thread that is still busy.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

/// Keeps what long answers need: glibc gives blocks above 128 KiB back to the system and fetches them again, page by page, for the
/// next one, until it has seen a larger block come and go; from then on it keeps as much (mallopt(3), `M_MMAP_THRESHOLD`).
fn keep_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(4 << 20)));
}

/// Logs to standard error what `RUST_LOG` asks for; by default what somebody should look at.
fn log() {
    let filter = tracing_subscriber::EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter.from_env_lossy()).with_writer(std::io::stderr);
    // A second start in one process keeps the first one's.
    let _ = subscriber.try_init();
}
