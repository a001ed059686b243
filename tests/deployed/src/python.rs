//! A Python with what `requirements.txt` names.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the Python parts stand.
const FOLDER: &str = env!("CARGO_MANIFEST_DIR");
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// A virtual environment with the packages of `requirements.txt`.
#[derive(Clone, Debug)]
pub struct Python(PathBuf);

impl Python {
    /// The environment in the folder `kept`; made at its first use, which takes about a minute, and anew when
    /// `requirements.txt` has changed. Tests that start at once, also of several processes, wait for the one that makes it.
    #[must_use]
    pub fn ready(kept: &Path) -> Self {
        let mut hasher = DefaultHasher::new();
        REQUIREMENTS.hash(&mut hasher);
        let folder = kept.join(format!("python-{:016x}", hasher.finish()));
        fs::create_dir_all(kept).expect("the folder for the Python environment can be made");
        let lock = File::create(kept.join("python.lock")).expect("the lock of the Python environment can be made");
        // Given back with the file.
        lock.lock().expect("the lock of the Python environment can be taken");
        let python = Self(folder.join("bin/python"));
        // Its interpreter is a link, which leads nowhere after an update of Python.
        if !(folder.join("ready").exists() && python.answers()) {
            python.make(&folder);
        }
        python
    }

    /// A call of a script of this crate's folder.
    #[must_use]
    pub fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.0);
        command.arg(Path::new(FOLDER).join(name));
        command
    }

    /// What a script says to `arguments`, its exit code included.
    #[must_use]
    pub fn run<S: AsRef<OsStr>>(&self, script: &str, arguments: &[S]) -> Output {
        self.script(script).args(arguments).output().expect("a Python that is ready can be started")
    }

    fn answers(&self) -> bool {
        Command::new(&self.0).arg("--version").output().is_ok_and(|done| done.status.success())
    }

    fn make(&self, folder: &Path) {
        let _ = fs::remove_dir_all(folder);
        told(
            Command::new("python3").args(["-m", "venv"]).arg(folder),
            "these tests need python3 with its module venv (Debian: python3-venv)",
        );
        told(
            Command::new(&self.0)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
                .arg(Path::new(FOLDER).join("requirements.txt")),
            "these tests need the packages of tests/deployed/requirements.txt, from a package index that pip reaches",
        );
        File::create(folder.join("ready")).expect("the Python environment can be marked as made");
    }
}

/// Runs one step, or says what it is needed for.
fn told(command: &mut Command, need: &str) {
    match command.output() {
        Ok(done) if done.status.success() => {}
        Ok(done) => panic!(
            "{need}\n{command:?}: {}\n{}{}",
            done.status,
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        ),
        Err(error) => panic!("{need}\n{command:?}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "these tests need python3")]
    fn a_program_that_is_missing_is_told_with_what_it_is_for() {
        told(&mut Command::new("no-such-python"), "these tests need python3");
    }

    #[test]
    #[should_panic(expected = "these tests need the packages\n\"false\"")]
    fn a_step_that_fails_is_told_with_what_it_is_for() {
        told(&mut Command::new("false"), "these tests need the packages");
    }
}
