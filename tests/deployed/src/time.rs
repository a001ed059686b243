//! A test's clock for processes that know none but the system's: libfaketime tells them the time of a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nexus_core::Clock;

/// Where Debian has it, by architecture.
const LIBRARIES: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"];

/// A clock and the file that tells its time.
#[derive(Debug)]
pub(crate) struct Time {
    clock: Clock,
    file: PathBuf,
}

impl Time {
    pub(crate) fn of(clock: Clock) -> Self {
        let name = format!("nexus-time-{}-{}", std::process::id(), number());
        let time = Self { clock, file: std::env::temp_dir().join(name) };
        time.tell();
        time
    }

    /// What makes a process live by it. Only dates: how long something takes is not for a test to say.
    pub(crate) fn variables(&self) -> [(String, String); 5] {
        let library = LIBRARIES.iter().find(|library| Path::new(library).exists());
        let library =
            library.expect("functions live by a test's clock with libfaketime (Debian: the package libfaketime)");
        [
            ("LD_PRELOAD", (*library).to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("TZ", "UTC".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }

    /// Writes the clock's time down.
    pub(crate) fn tell(&self) {
        let now = self.clock.now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        // Whole at any time: a process may read it at any time, and another call may write it at this one.
        let fresh = self.file.with_extension(format!("fresh-{}", number()));
        fs::write(&fresh, now).and_then(|()| fs::rename(&fresh, &self.file)).expect("the time can be written down");
    }
}

fn number() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

impl Drop for Time {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}
