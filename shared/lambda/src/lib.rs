//! What every deployed function begins with: JSON logs, one thread, its environment and its secrets.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use nexus_lambda::Start;
//!
//! fn main() -> ExitCode {
//!     nexus_lambda::main(|| async {
//!         let ready = Start::new(async |environment| environment.need("GREETING").map(str::to_owned)).await?;
//!         // With each event:
//!         let greeting = ready.get().await?;
//!         println!("{greeting}");
//!         Ok(())
//!     })
//! }
//! ```
//!
//! What does not belong here: reading events and answering requests, which is for `nexus-jobs` and `nexus-web`, and any client of
//! AWS's services: secrets come from the extension beside the function, over plain HTTP.

mod environment;
mod extension;
#[cfg(feature = "iam")]
pub mod iam;

use std::process::ExitCode;

pub use environment::{Environment, Fault};
use tokio::sync::OnceCell;

/// Runs a function until the platform ends it. A fault of its configuration is one line in the log, and it does not start.
pub fn main<F: Future<Output = Result<(), Fault>>>(serve: impl FnOnce() -> F) -> ExitCode {
    tracing_subscriber::fmt().json().with_target(false).with_span_list(false).init();
    // A frozen function has nothing to do beside its request, so there is one thread.
    let served = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(serve()),
        Err(error) => Err(Fault::Configuration(error.to_string())),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

/// What a function is made of, made once.
///
/// At the start where that can be, so that a fault shows when the function is deployed; with the first event where the
/// extension reads no secrets before it.
pub struct Start<T, B> {
    made: OnceCell<T>,
    build: B,
}

impl<T, F, B> Start<T, B>
where
    F: Future<Output = Result<T, Fault>>,
    B: Fn(Environment) -> F,
{
    /// Makes it from the environment, or finds that this has to wait.
    ///
    /// # Errors
    /// What is wrong with the environment, and whatever `build` finds.
    pub async fn new(build: B) -> Result<Self, Fault> {
        let start = Self { made: OnceCell::new(), build };
        match start.get().await {
            Ok(_) | Err(Fault::NotReady) => Ok(start),
            Err(fault) => Err(fault),
        }
    }

    /// What was made.
    ///
    /// # Errors
    /// Only while it was not made before: as [`Start::new`], and [`Fault::NotReady`].
    pub async fn get(&self) -> Result<&T, Fault> {
        self.made.get_or_try_init(async || (self.build)(Environment::read().await?).await).await
    }
}
