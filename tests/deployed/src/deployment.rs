//! The functions of a deployment: as many of each as events come at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::platform::{Failed, Function};

/// Builds every function as the tests around this one are built, and tells where the binaries are.
///
/// # Panics
/// When they do not compile.
#[must_use]
pub fn binaries() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        // With the tests, for then their crates have the same features, and nothing is compiled a second time.
        let done = Command::new(env!("CARGO"))
            .args(["build", "--workspace", "--bins", "--tests", "--locked", "--quiet"])
            .status();
        assert!(done.is_ok_and(|status| status.success()), "the functions do not compile");
        let test = std::env::current_exe().expect("a test has a path");
        // target/debug/deps/test
        test.parent().and_then(|deps| deps.parent()).expect("a test lies in a target folder").to_owned()
    };
    BUILT.get_or_init(build).clone()
}

/// Functions by name; each is started when the first event comes for it.
#[derive(Debug)]
pub struct Functions {
    folder: PathBuf,
    variables: BTreeMap<String, String>,
    idle: Mutex<BTreeMap<String, Vec<Function>>>,
}

impl Functions {
    /// Those in a folder, each with these variables.
    #[must_use]
    pub const fn new(folder: PathBuf, variables: BTreeMap<String, String>) -> Self {
        Self { folder, variables, idle: Mutex::new(BTreeMap::new()) }
    }

    /// Hands an event to one that is idle, or that is started for it.
    ///
    /// # Errors
    /// [`Failed`]; a function that does not start is one that failed.
    pub async fn invoke(&self, name: &str, event: &Value, timeout: Duration) -> Result<Value, Failed> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(name).and_then(Vec::pop);
        let function = match idle {
            Some(function) => function,
            None => self.start(name).await.map_err(|log| Failed::Error("NotStarted".to_owned(), log))?,
        };
        let response = function.invoke(event, timeout).await;
        // One that is still at work, or has ended, is not used again.
        if !matches!(response, Err(Failed::TimedOut | Failed::Ended)) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default().push(function);
        }
        response
    }

    async fn start(&self, name: &str) -> Result<Function, String> {
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Function::start(name, &self.folder.join(name), variables).await
    }
}
