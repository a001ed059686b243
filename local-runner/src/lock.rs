//! The lock of an instance: held by the Nexus that serves it, and read by `job` to find that Nexus.
//!
//! It is an advisory lock on the file `nexus.lock`, whose text is the address being served. The system releases the lock
//! when the process ends, however it ends; so the text counts only while somebody holds the lock, and what a crash left
//! behind misleads nobody.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{RunnerError, files};

const FILE: &str = "nexus.lock";

/// How long a server tries: a `job` that looks whether somebody serves has the lock for an instant.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(50);

/// Held while an instance is served; dropping it lets go.
#[derive(Debug)]
pub struct InstanceLock {
    file: File,
    path: PathBuf,
}

impl InstanceLock {
    /// Takes the lock of the instance in `directory`, or says where it is served.
    pub async fn take(directory: &Path) -> Result<Self, RunnerError> {
        let path = directory.join(FILE);
        let file = files::private().read(true).open(&path).map_err(RunnerError::file("open", &path))?;
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => {
                    // Whatever a crash left behind must not look like our address.
                    file.set_len(0).map_err(RunnerError::file("write", &path))?;
                    return Ok(Self { file, path });
                }
                Err(TryLockError::WouldBlock) => sleep(PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(RunnerError::file("lock", &path)(error)),
            }
        }
        Err(RunnerError::AlreadyServed { url: text(&file, &path)? })
    }

    /// Writes down the address at which the instance is served, for [`served_at`].
    pub fn announce(&mut self, base_url: &str) -> Result<(), RunnerError> {
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(base_url.as_bytes())?;
            file.flush()
        };
        write(&mut self.file).map_err(RunnerError::file("write", &self.path))
    }
}

/// The address at which the instance in `directory` is served, or `None` when nobody serves it.
///
/// A Nexus that is just starting holds the lock before it has an address; it is given `patience` to get one, and
/// [`RunnerError::AlreadyServed`] without an address comes back when it has none by then.
pub async fn served_at(directory: &Path, patience: Duration) -> Result<Option<String>, RunnerError> {
    let path = directory.join(FILE);
    let until = Instant::now() + patience;
    loop {
        let file = match OpenOptions::new().read(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RunnerError::file("open", &path)(error)),
        };
        // Shared, so that two who look do not take each other for a server.
        match file.try_lock_shared() {
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(RunnerError::file("lock", &path)(error)),
        }
        match text(&file, &path)? {
            Some(url) => return Ok(Some(url)),
            None if Instant::now() < until => sleep(PAUSE).await,
            None => return Err(RunnerError::AlreadyServed { url: None }),
        }
    }
}

/// Keeps two processes from preparing one folder at the same time; released when the file is dropped.
pub(crate) fn preparing(directory: &Path) -> Result<Option<File>, RunnerError> {
    // A folder can be opened as a file on Unix only; elsewhere two first starts at once are not guarded against.
    if !cfg!(unix) {
        return Ok(None);
    }
    let folder = File::open(directory).map_err(RunnerError::file("open", directory))?;
    match folder.lock() {
        Err(error) if error.kind() != ErrorKind::Unsupported => Err(RunnerError::file("lock", directory)(error)),
        _ => Ok(Some(folder)),
    }
}

fn text(mut file: &File, path: &Path) -> Result<Option<String>, RunnerError> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).map_err(RunnerError::file("read", path))?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
