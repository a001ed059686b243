//! Reading and writing what only the owner of the instance may see.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::RunnerError;

/// The text of a file.
pub fn read(path: &Path) -> Result<String, RunnerError> {
    fs::read_to_string(path).map_err(RunnerError::file("read", path))
}

/// The text of a file, or `None` when it is not there.
pub fn find(path: &Path) -> Result<Option<String>, RunnerError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RunnerError::file("read", path)(error)),
    }
}

/// Writes a file of mode 0600, whole or not at all: whoever reads it sees the old text or the new one, also after a crash.
pub fn write(path: &Path, text: &str) -> Result<(), RunnerError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let written = private().truncate(true).open(&fresh).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    });
    written.map_err(RunnerError::file("write", path))
}

/// Makes an empty file of mode 0600 where none is; one that is there stays as it is.
pub fn touch(path: &Path) -> Result<(), RunnerError> {
    private().open(path).map(drop).map_err(RunnerError::file("create", path))
}

/// Makes a folder of mode 0700, and what leads to it, where none is.
pub fn directory(path: &Path) -> Result<(), RunnerError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(RunnerError::file("create", path))
}

/// Takes a folder that somebody else made away from everybody but its owner.
pub fn restrict(path: &Path) -> Result<(), RunnerError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let restricted = fs::metadata(path).and_then(|found| {
            let mode = found.permissions().mode();
            fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700))
        });
        restricted.map_err(RunnerError::file("restrict", path))?;
    }
    let _ = path;
    Ok(())
}

/// Prints a line of text on standard output. A reader that has gone is no error of ours.
pub fn print(text: &str) -> Result<(), RunnerError> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(RunnerError::Server(error)),
        _ => Ok(()),
    }
}

/// Opens for writing, and makes the file with mode 0600 when it is not there.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
