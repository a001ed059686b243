//! What can go wrong in the runner, and how it is told.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nexus_core::config::ConfigError;
use thiserror::Error;

use crate::certificate::CertificateError;

/// Why the runner could not do what it was asked.
#[derive(Debug, Error)]
pub enum RunnerError {
    /// The command line cannot be understood.
    #[error("{0}")]
    Usage(String),
    /// `nexus.conf` or the environment cannot be understood.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// A file or folder of the instance cannot be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// The verb: `read`, `write` and so on.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A certificate or its key cannot be used.
    #[error("{}: {source}", path.display())]
    Certificate {
        /// The PEM file.
        path: PathBuf,
        /// What is wrong with it.
        source: CertificateError,
    },
    /// A key of the tokens cannot be used.
    #[error("{}: not a P-256 private key in PEM form; remove the file to have another one made", path.display())]
    SigningKey {
        /// The PEM file.
        path: PathBuf,
    },
    /// Another process, perhaps another Nexus, listens there.
    #[error("cannot listen on {0}: the port is in use; choose another one with --listen")]
    PortInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// `--http` with an address that others can reach.
    #[error(
        "cannot listen on {0} with --http: passwords would travel in the clear; --http is for loopback addresses only"
    )]
    PlainHttp(SocketAddr),
    /// `admin` still has the password that everybody knows.
    #[error("cannot listen on {0} while admin has the default password: change it first, listening on 127.0.0.1")]
    DefaultPassword(SocketAddr),
    /// A Nexus serves this instance already.
    #[error("this instance is already served{}", at(url.as_deref()))]
    AlreadyServed {
        /// Where, once it has said so.
        url: Option<String>,
    },
    /// The database cannot be used.
    #[error("{0}")]
    Database(#[from] nexus_db::Error),
    /// The directory could not be made ready.
    #[error("{0}")]
    Setup(#[from] nexus_web::setup::SetupError),
    /// A job could not run.
    #[error("{0}")]
    Job(#[from] nexus_jobs::JobError),
    /// The system gives no random numbers, or no key can be made of them.
    #[error("cannot make a key: {0}")]
    Random(String),
    /// The server or the system under it failed.
    #[error("the server failed: {0}")]
    Server(#[source] io::Error),
}

fn at(url: Option<&str>) -> String {
    url.map_or_else(String::new, |url| format!(" at {url}"))
}

impl RunnerError {
    /// For `map_err` on a call about one file.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// 2 when what was given cannot be used, 1 when something failed that may work another time.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Random(_) | Self::Server(_) | Self::Job(_) => ExitCode::FAILURE,
            _ => ExitCode::from(2),
        }
    }

    /// Tells it on standard error, as one line.
    pub fn report(&self) {
        let line = self.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(io::stderr(), "nexus: {line}");
    }
}
