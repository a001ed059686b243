//! Killed at any moment, Nexus and its jobs leave the directory wholly as it was or wholly as it was to be, and begin again at once.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use local_runner::{Instance, jobs};
use nexus_client::Client;
use nexus_core::config::Config;
use nexus_core::sync::{ChangeSet, Run, RunState};
use nexus_jobs::{Deadline, Event, JobError, Silent};
use nexus_simulators::{Department, Freshservice, Requester, Size};
use nexus_test_databases::{Databases, with_databases};
use nexus_tests::content;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

const JOB: &str = "sync-freshservice";
/// How often each deed is broken off.
const TIMES: u32 = 20;

/// The n-th moment at which something that lasts so long is broken off: by chance, in the n-th part of it, the same each time.
fn moment(n: u32, lasts: Duration) -> Duration {
    // SplitMix64.
    let mut z = u64::from(n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let chance = f64::from(u32::try_from(z >> 32).unwrap()) / f64::from(u32::MAX);
    lasts.mul_f64((f64::from(n) + chance) / f64::from(TIMES))
}

/// An instance, with its database in its folder or in PostgreSQL.
struct Place {
    folder: TempDir,
    database: Option<Database>,
}

struct Database {
    all: Databases,
    name: String,
    url: String,
}

impl Place {
    async fn new(databases: Option<&Databases>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let Some(all) = databases.cloned() else { return Self { folder, database: None } };
        let (name, url) = ("first".to_owned(), all.create("first").await);
        Self { folder, database: Some(Database { all, name, url }) }
    }

    /// The same once more, of one that nobody serves.
    async fn copy(&self, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(self.folder.path(), folder.path());
        let Some(Database { all, name: from, .. }) = &self.database else { return Self { folder, database: None } };
        let (name, url) = (name.to_owned(), all.copy(from, name).await);
        Self { folder, database: Some(Database { all: all.clone(), name, url }) }
    }

    /// Waits until what a killed process has begun is at its end.
    async fn settle(&self) {
        if let Some(Database { all, name, .. }) = &self.database {
            all.deserted(name).await;
        }
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.database.iter().map(|database| ("NEXUS_DATABASE_URL".to_owned(), database.url.clone())).collect()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local-runner"));
        command.env_clear().envs(self.environment()).arg("--instance").arg(self.folder.path()).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if from.is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// The real command, serving a place.
struct Server {
    child: Child,
    client: Client,
    _stdout: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that was killed before is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What there is to lose.
#[derive(PartialEq)]
struct Directory {
    content: Vec<String>,
    changes: usize,
}

impl Server {
    fn start(place: &Place) -> Self {
        // Without a vendor, so that its timer begins no run of its own.
        let mut command = place.command(&["serve", "--http", "--listen", "127.0.0.1:0"]);
        // What it logs says why a story failed.
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        let url = ready.trim_end().strip_prefix("Nexus is listening on ").unwrap();
        let instance = Instance::prepare(place.folder.path(), place.environment(), Timestamp::UNIX_EPOCH).unwrap();
        let client = jobs::client(&instance, url).unwrap();
        Self { child, client, _stdout: stdout }
    }

    /// SIGKILL: nothing can be put in order before it.
    async fn kill(mut self, place: &Place) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        place.settle().await;
    }

    /// The directory and its feed, which has no gaps.
    async fn directory(&self) -> Directory {
        let mut cursors = Vec::new();
        loop {
            let part = self.client.changes(cursors.last().copied().unwrap_or(0), 1_000, Duration::ZERO).await.unwrap();
            if part.changes.is_empty() {
                break;
            }
            cursors.extend(part.changes.iter().map(|change| change.cursor));
        }
        assert!(cursors.iter().copied().eq((1..).take(cursors.len())), "the feed has gaps: {cursors:?}");
        Directory { content: content(&self.client).await, changes: cursors.len() }
    }

    /// The runs that nobody has ended are ended, as a person does it.
    async fn end_runs(&self) -> usize {
        let going: Vec<Run> = self.client.get("/api/sync/runs?state=running").await.unwrap();
        for run in &going {
            // One that is at its end by itself is not cancelled.
            let cancelled = self.client.post::<Run>(&format!("/api/sync/runs/{}/cancel", run.id), &Value::Null).await;
            let ended = self.client.run(run.id).await.unwrap();
            assert_ne!(ended.state, RunState::Running, "{cancelled:?}");
        }
        going.len()
    }

    /// What a person does with the plan that waits.
    async fn apply(&self) {
        let plan = self.held().await.unwrap();
        let review = json!({"digest": plan.digest});
        self.client.post::<Value>(&format!("/api/changesets/{}/apply", plan.id), &review).await.unwrap();
    }

    /// The plan that waits for a person, if any.
    async fn held(&self) -> Option<ChangeSet> {
        self.client.get::<Vec<ChangeSet>>("/api/changesets?state=held").await.unwrap().pop()
    }
}

/// A Freshservice that goes on, and the environment of a job that reads it.
struct Vendor(Freshservice);

impl Vendor {
    async fn start() -> Self {
        Self(Freshservice::start(Size { companies: 20, contacts: 300, devices: 0 }, 11).await.unwrap())
    }

    /// Names and titles change, a company and its people come.
    fn change(&self, n: u32) {
        self.0.edit(|state| {
            for department in state.departments.iter_mut().step_by(3) {
                department.name = format!("Company {} of {n}", department.id);
            }
            for person in state.requesters.iter_mut().step_by(2) {
                person.job_title = Some(format!("Title {n}"));
            }
            let (id, people) = (i64::from(n), i64::from(n) * 100);
            let mut new = Department::new(7_000 + id, &format!("Newcomer {n}"));
            new.custom_fields.insert("account_number".into(), json!(7_000_000 + id));
            let people = (people..people + 20).map(|id| Requester::new(id, "New", &format!("Comer {id}"), &[new.id]));
            state.requesters.extend(people);
            state.departments.push(new);
        });
    }

    /// A run whose job is in this process.
    async fn sync(&self, server: &Server) -> Run {
        self.begin(server).await.unwrap()
    }

    /// The same after a job was killed: what it asked for in its last moment, the server may begin when it is gone, and a person
    /// ends that.
    async fn sync_after_the_killed(&self, server: &Server) -> Run {
        match self.begin(server).await {
            Err(JobError::NotBegun { .. }) => {
                assert_eq!(server.end_runs().await, 1, "nothing goes on, and yet nothing can be begun");
                self.sync(server).await
            }
            run => run.unwrap(),
        }
    }

    async fn begin(&self, server: &Server) -> Result<Run, JobError> {
        let config = Config::parse("", self.0.environment(0)).unwrap();
        let job = sync_freshservice::job(&config).unwrap();
        nexus_jobs::run(&job, &server.client, &Event::manual(JOB), Deadline::none(), &Silent).await
    }

    /// The process of a job, begun.
    fn job(&self, place: &Place) -> Child {
        place.command(&["job", JOB]).envs(self.0.environment(0)).spawn().unwrap()
    }
}

/// Does something to a server until it is killed at that moment, and starts it again.
async fn kill_at(moment: Duration, server: Server, place: &Place, deed: impl AsyncFnOnce(&Server)) -> Server {
    tokio::select! {
        biased;
        () = sleep(moment) => {}
        () = deed(&server) => {}
    }
    server.kill(place).await;
    let server = Server::start(place);
    let going = server.end_runs().await;
    // Whoever has the file has it alone: what was going is known to be dead.
    assert!(place.database.is_some() || going == 0, "{going} runs still go");
    server
}

/// Each time the vendor changes, a run is broken off, and another one brings what a Nexus has to which nothing happens.
async fn a_run_is_whole(databases: Option<Databases>, by_process: bool) {
    let vendor = Vendor::start().await;
    let (place, peaceful) = (Place::new(databases.as_ref()).await, Place::new(None).await);
    let (mut server, peaceful) = (Server::start(&place), Server::start(&peaceful));
    for server in [&server, &peaceful] {
        assert_eq!(vendor.sync(server).await.state, RunState::Applied);
    }
    vendor.change(TIMES);
    vendor.sync(&peaceful).await;
    let began = Instant::now();
    if by_process {
        let mut job = vendor.job(&place);
        assert!(spawn_blocking(move || job.wait().unwrap()).await.unwrap().success());
    } else {
        vendor.sync(&server).await;
    }
    let lasts = began.elapsed();
    let mut before = peaceful.directory().await;
    let mut done = 0;
    for n in 0..TIMES {
        vendor.change(n);
        vendor.sync(&peaceful).await;
        let after = peaceful.directory().await;
        let moment = moment(n, lasts);
        if by_process {
            let mut job = vendor.job(&place);
            sleep(moment).await;
            job.kill().unwrap();
            job.wait().unwrap();
            server.end_runs().await;
        } else {
            server = kill_at(moment, server, &place, async |server| drop(vendor.sync(server).await)).await;
        }
        let now = server.directory().await;
        assert!(now == before || now == after, "killed after {moment:?} of {lasts:?}: {} changes", now.changes);
        done += u32::from(now == after);
        let again = if by_process { vendor.sync_after_the_killed(&server).await } else { vendor.sync(&server).await };
        assert_eq!(again.state, RunState::Applied);
        assert!(server.directory().await == after, "killed after {moment:?} of {lasts:?}, and run again");
        before = after;
    }
    eprintln!("{done} of {TIMES} runs were done when they were killed, within {lasts:?}");
}

/// A plan that waits is applied and broken off, again and again; once it is done, the next one is.
async fn an_apply_is_whole(databases: Option<Databases>) {
    let vendor = Vendor::start().await;
    let first = Place::new(databases.as_ref()).await;
    let server = Server::start(&first);
    let number = |department: &Department| department.account_number().map(|number| number.to_string());
    let numbers = vendor.0.edit(|state| state.departments.iter().filter_map(number).take(5).collect::<Vec<_>>());
    for number in numbers {
        let body = json!({"account_number": number, "name": "Ours"});
        server.client.post::<Value>("/api/companies", &body).await.unwrap();
    }
    // A first run that would change what is here waits for a person.
    assert_eq!(vendor.sync(&server).await.state, RunState::Held);
    let before = server.directory().await;
    server.kill(&first).await;

    let mut place = first.copy("copy_0").await;
    let mut server = Server::start(&place);
    let began = Instant::now();
    server.apply().await;
    let lasts = began.elapsed();
    let after = server.directory().await;
    let mut done = 0;
    for n in 0..TIMES {
        if server.held().await.is_none() {
            server.kill(&place).await;
            place = first.copy(&format!("copy_{}", n + 1)).await;
            server = Server::start(&place);
        }
        let moment = moment(n, lasts);
        server = kill_at(moment, server, &place, async |server| server.apply().await).await;
        let (now, waits) = (server.directory().await, server.held().await.is_some());
        assert!(
            now == *if waits { &before } else { &after },
            "killed after {moment:?} of {lasts:?}: {} changes",
            now.changes
        );
        done += u32::from(!waits);
    }
    if server.held().await.is_some() {
        server.apply().await;
    }
    assert!(server.directory().await == after);
    eprintln!("{done} of {TIMES} plans were applied when they were killed, within {lasts:?}");
}

/// A story on both databases.
macro_rules! both {
    ($($name:ident: $story:expr;)+) => {
        $(mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                $story(None).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                with_databases(|databases| $story(Some(databases))).await;
            }
        })+
    };
}

both! {
    a_server_that_is_killed_in_a_sync_leaves_all_of_it_or_nothing: (|databases| a_run_is_whole(databases, false));
    a_job_that_is_killed_leaves_all_of_its_run_or_nothing: (|databases| a_run_is_whole(databases, true));
    a_server_that_is_killed_as_it_applies_leaves_all_of_the_plan_or_nothing: an_apply_is_whole;
}
