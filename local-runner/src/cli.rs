//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::RunnerError;

/// What was typed.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "local-runner",
    version,
    about = "Nexus, the client directory, in one server on this machine",
    after_help = AFTER_HELP,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// The folder that holds everything of this Nexus: configuration, keys, certificates, database
    #[arg(long, global = true, value_name = "DIR", default_value = "./instance", env = "NEXUS_INSTANCE")]
    pub instance: PathBuf,

    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, global = true, value_name = "ADDRESS", default_value = "127.0.0.1:5000", env = "NEXUS_LISTEN")]
    #[arg(value_parser = listen_address)]
    pub listen: SocketAddr,

    /// Plain HTTP, behind a proxy on this machine that ends TLS; loopback addresses only
    #[arg(long, global = true)]
    pub http: bool,

    /// What to do; `serve` when left out
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve Nexus until Ctrl-C; makes the instance first when there is none
    Serve,
    /// Serve a Nexus with made-up companies, to try it out
    Demo,
    /// Make the instance: folder, configuration, keys, certificates, database; what is there stays as it is
    Init,
    /// Run a job now, in the Nexus that serves this instance or in one started for the time
    Job {
        /// The job, for example sync-freshservice
        name: String,
        /// Look only: a plan waits for a person, and nothing is written to a vendor
        #[arg(long)]
        dry_run: bool,
        /// Print the outcome as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the `OpenAPI` document
    #[command(about = "Print the OpenAPI document")]
    Openapi,
}

const AFTER_HELP: &str = "\
Environment:
  NEXUS_INSTANCE, NEXUS_LISTEN  as --instance and --listen
  NEXUS_DATABASE_URL            sqlite://FILE (relative to the instance folder) or postgres://USER@HOST/DATABASE
  NEXUS__SECTION__KEY           overrides that key of nexus.conf, e.g. NEXUS__FRESHSERVICE__API_KEY

Exit code: 0 done, 1 failed, 2 the command line, the configuration or the address cannot be used";

/// What the command line comes to.
#[derive(Debug, Clone)]
pub enum Request {
    /// Do this.
    Run(Cli),
    /// Print this (help, version), and that is all.
    Tell(String),
}

/// Reads the arguments, the first being the program's name.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, RunnerError> {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => Ok(Request::Run(cli)),
        Err(error) if error.use_stderr() => Err(RunnerError::Usage(one_line(&error))),
        Err(error) => Ok(Request::Tell(error.render().to_string())),
    }
}

/// clap's message up to its usage text, which would bury it: what is wrong, and its tip when it has one.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let told =
        text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let told = told.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    format!("{} (local-runner --help tells more)", told.trim_start_matches("error: ").replace(" tip:", ";"))
}

/// An address with a port; `localhost` means 127.0.0.1.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| "expected an IP address and a port, like 127.0.0.1:5000".to_owned())
}
