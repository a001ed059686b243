//! Whole syncs: the server and the job as processes of their own, at a simulated vendor in this one.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use local_runner::Instance;
use nexus_core::Clock;
use nexus_simulators::{Datto, Freshservice, Size};

use crate::server::{Server, peak_memory, ticks};

/// How often a job is looked at: what it takes in its last moment may be missed.
const LOOK: Duration = Duration::from_millis(20);
/// The same vendor each time.
const SEED: u64 = 2026;

/// A sync of devices, and what it may cost.
#[derive(Clone, Copy, Debug)]
pub struct Sync {
    /// Its name in the table.
    pub title: &'static str,
    /// What the vendor has.
    pub size: Size,
    /// How long the vendor takes for each call.
    pub latency: Duration,
    /// Calls a minute at most; 0 for no limit.
    pub pace: u32,
    /// The longest that a first run may take. With a pace, what its calls take at that pace counts, and a fifth more.
    pub first: Option<Duration>,
    /// The most memory of the server, in bytes.
    pub server: Option<u64>,
    /// The most memory of the job, in bytes.
    pub job: Option<u64>,
}

/// Everything that is measured, in that order.
pub const SYNCS: &[Sync] = &[
    Sync {
        title: "10,000 devices on 270 sites",
        size: Size { companies: 270, contacts: 0, devices: 10_000 },
        latency: Duration::ZERO,
        pace: 0,
        first: None,
        server: None,
        job: None,
    },
    Sync {
        title: "100,000 devices on 2,700 sites",
        size: Size { companies: 2_700, contacts: 0, devices: 100_000 },
        latency: Duration::ZERO,
        pace: 0,
        first: Some(Duration::from_secs(40)),
        server: Some(300_000_000),
        job: Some(100_000_000),
    },
    Sync {
        title: "10,000 devices on 270 sites, 50 ms a call",
        size: Size { companies: 270, contacts: 0, devices: 10_000 },
        latency: Duration::from_millis(50),
        pace: 500,
        first: None,
        server: None,
        job: None,
    },
];

/// What a run has cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// From the start of the job to its end.
    pub wall: Duration,
    /// Calls to the vendor.
    pub calls: usize,
    /// The longest that it may take.
    pub goal: Option<Duration>,
    /// Of the server.
    pub server: Used,
    /// Of the job.
    pub job: Used,
}

/// What a process has used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// CPU time.
    pub cpu: Duration,
    /// The most memory so far, in bytes.
    pub memory: u64,
}

impl Sync {
    /// Measures a first run, and one without changes.
    pub async fn measure(&self, program: &Path) -> [Cost; 2] {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let instance = Instance::prepare(folder.path(), [], clock.now()).unwrap();
        let server = Server::start(program, &instance.directory);
        // The companies that the sites belong to.
        let people = Freshservice::start(self.size, SEED).await.unwrap();
        run(program, &instance, "sync-freshservice", people.environment(0)).await;
        people.stop().await;

        let vendor = Datto::start(self.size, SEED).await.unwrap();
        vendor.set_latency(self.latency);
        let mut costs = Vec::new();
        for goal in [self.first, None] {
            vendor.clear_calls();
            let before = server.cpu();
            let (wall, job) = run(program, &instance, "sync-datto", vendor.environment(self.pace)).await;
            let calls = vendor.call_count();
            let goal = if self.pace == 0 { goal } else { Some(paced(calls, self.pace).mul_f64(1.2)) };
            let server = Used { cpu: server.cpu().since(&before), memory: server.peak_memory() };
            costs.push(Cost { wall, calls, goal, server, job });
        }
        vendor.stop().await;
        server.stop();
        costs.try_into().unwrap()
    }
}

/// What so many calls take at a pace.
fn paced(calls: usize, pace: u32) -> Duration {
    Duration::from_mins(1) / pace * u32::try_from(calls).unwrap()
}

/// Runs a job with these variables, in a process of its own: how long it took, and what it used.
async fn run(program: &Path, instance: &Instance, name: &str, variables: Vec<(String, String)>) -> (Duration, Used) {
    let began = Instant::now();
    let mut job = Command::new(program)
        .env_clear()
        .envs(variables)
        .arg("--instance")
        .arg(&instance.directory)
        .args(["job", name])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut used = Used::default();
    while job.try_wait().unwrap().is_none() {
        used.memory = peak_memory(job.id()).unwrap_or(used.memory);
        used.cpu = ticks(job.id()).unwrap_or(used.cpu);
        tokio::time::sleep(LOOK).await;
    }
    let wall = began.elapsed();
    let told = String::from_utf8(job.wait_with_output().unwrap().stdout).unwrap();
    assert!(told.contains(&format!(" of {name}: applied.")), "{told:?}");
    (wall, used)
}
