//! The server that is measured: the command `local-runner` as a child process, and what `/proc` tells of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// `/proc` counts in hundredths of a second, whatever the kernel's own clock (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// A server at work; it is ended when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Kept open, so that the server can go on to print.
    _stdout: BufReader<ChildStdout>,
}

/// The `local-runner` that was built beside this program.
///
/// # Errors
/// What to do when there is none.
pub fn find() -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
    let found = this.with_file_name(format!("local-runner{}", std::env::consts::EXE_SUFFIX));
    if found.exists() {
        return Ok(found);
    }
    let profile = if cfg!(debug_assertions) { "" } else { "--release " };
    Err(format!("{} is missing; build it with: cargo build {profile}-p local-runner", found.display()))
}

impl Server {
    /// Serves an instance on a free port and waits until it answers.
    #[must_use]
    pub fn start(program: &Path, instance: &Path) -> Self {
        let mut child = Command::new(program)
            .env_clear()
            .arg("--instance")
            .arg(instance)
            .args(["--listen", "127.0.0.1:0", "--http", "serve"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        let Some(url) = ready.trim_end().strip_prefix("Nexus is listening on ") else {
            panic!("the server ended, or said something else, before it was ready: {ready:?}");
        };
        Self { child, url: url.to_owned(), _stdout: stdout }
    }

    /// The CPU time that the process has taken so far.
    #[must_use]
    pub fn cpu(&self) -> Cpu {
        let folder = self.proc("task");
        let threads = fs::read_dir(&folder).unwrap().filter_map(|entry| {
            // A thread may end while it is looked at; its time is in the ticks.
            let thread = entry.ok()?;
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let nanos = text.split(' ').next()?.parse().ok()?;
            Some((thread.file_name().into_string().ok()?, Duration::from_nanos(nanos)))
        });
        Cpu { threads: threads.collect(), ticks: ticks(self.child.id()).unwrap() }
    }

    /// The most memory that the process has had so far, in bytes.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        peak_memory(self.child.id()).unwrap()
    }

    fn proc(&self, file: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join(file)
    }

    /// Ends it as an operator does.
    pub fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success() && self.child.wait().unwrap().success(), "the server did not end well");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After `stop` both fail, for there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The most memory that a process has had so far, in bytes; none of one that has ended.
#[must_use]
pub fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1_024 * line.trim().trim_end_matches(" kB").parse::<u64>().ok()?)
}

/// The CPU time that a process has taken so far, in hundredths of a second; none of one that is gone.
#[must_use]
pub fn ticks(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may hold anything; utime and stime are the 12th and 13th word after it.
    let words = stat.rsplit(") ").next()?.split(' ').skip(11).take(2);
    words.map(|word| Some(TICK * word.parse::<u32>().ok()?)).sum()
}

/// CPU time at one moment.
#[derive(Clone, Debug)]
pub struct Cpu {
    /// Of each thread, to the nanosecond (`/proc/PID/task/TID/schedstat`); empty where the kernel does not tell.
    threads: BTreeMap<String, Duration>,
    /// Of all threads, those that ended included, in hundredths of a second (`/proc/PID/stat`).
    ticks: Duration,
}

impl Cpu {
    /// What was taken since an earlier moment: exactly, if every thread of then is still there.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Duration {
        let gone = earlier.threads.keys().any(|thread| !self.threads.contains_key(thread));
        if gone || self.threads.values().all(Duration::is_zero) {
            return self.ticks.saturating_sub(earlier.ticks);
        }
        let before = |thread| earlier.threads.get(thread).copied().unwrap_or_default();
        self.threads.iter().map(|(thread, &now)| now.saturating_sub(before(thread))).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Cpu;

    fn cpu(threads: &[(&str, u64)], ticks: u64) -> Cpu {
        let threads = threads.iter().map(|&(thread, micros)| (thread.to_owned(), Duration::from_micros(micros)));
        Cpu { threads: threads.collect(), ticks: Duration::from_millis(ticks) }
    }

    #[test]
    fn cpu_time_is_exact_unless_a_thread_ended_or_the_kernel_does_not_tell() {
        let before = cpu(&[("1", 5_000), ("2", 7_000)], 10);
        assert_eq!(cpu(&[("1", 6_000), ("2", 7_500), ("3", 250)], 20).since(&before), Duration::from_micros(1_750));
        assert_eq!(cpu(&[("1", 6_000), ("3", 250)], 20).since(&before), Duration::from_millis(10));
        assert_eq!(cpu(&[], 30).since(&cpu(&[], 10)), Duration::from_millis(20));
        assert_eq!(cpu(&[("1", 0)], 30).since(&cpu(&[("1", 0)], 10)), Duration::from_millis(20));
    }
}
