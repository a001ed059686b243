//! The command `nexus-load`: measures, prints a table, and tells whether the budgets are kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Parser, ValueEnum};
use nexus_load::measure::{self, Caller, Outcome};
use nexus_load::scenario::{MEMORY, SCENARIOS, Scenario};
use nexus_load::server::Server;
use nexus_load::syncing::{Cost, SYNCS};
use nexus_load::world::{LARGE, MEDIUM, Size};
use nexus_load::{instance, server};

/// What requests cost the server's process
#[derive(Debug, Parser)]
#[command(name = "nexus-load")]
struct Cli {
    /// The directory that is made up
    #[arg(long, value_enum, default_value_t = Sizes::Both)]
    size: Sizes,

    /// Only this scenario; may be given more than once
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(SCENARIOS.iter().map(|one| one.name)))]
    only: Vec<String>,

    /// Whole syncs instead of requests: how long they take, and the memory of the server and of the job
    #[arg(long, conflicts_with_all = ["size", "only"])]
    syncs: bool,

    /// Exit with code 1 when a budget is missed, or an answer is wrong
    #[arg(long)]
    check: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sizes {
    /// 10,000 assets
    Medium,
    /// 100,000 assets; growth is not judged, for there is nothing to compare with
    Large,
    /// One after the other
    Both,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let program = match server::find() {
        Ok(program) => program,
        Err(told) => {
            eprintln!("nexus-load: {told}");
            return ExitCode::from(2);
        }
    };
    if cfg!(debug_assertions) {
        println!("Not a release build: the budgets do not mean anything.");
    }
    let sizes: &[Size] = match cli.size {
        Sizes::Medium => &[MEDIUM],
        Sizes::Large => &[LARGE],
        Sizes::Both => &[MEDIUM, LARGE],
    };
    let mut report = Report::default();
    if cli.syncs {
        syncs(&program, &mut report).await;
    }
    for &size in sizes.iter().filter(|_| !cli.syncs) {
        let asked = |scenario: &&Scenario| cli.only.is_empty() || cli.only.iter().any(|name| name == scenario.name);
        let scenarios = SCENARIOS.iter().filter(asked).filter(|scenario| size == MEDIUM || scenario.growth.is_some());
        measure(&program, size, scenarios, &mut report).await;
    }
    println!(
        "\n{}",
        match report.missed {
            0 => "No budget is missed.".to_owned(),
            missed => format!("Missed: {missed}."),
        }
    );
    if cli.check && report.missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Makes a world, serves it and asks it.
async fn measure(program: &Path, size: Size, scenarios: impl Iterator<Item = &Scenario>, report: &mut Report) {
    let Size { name, companies, contacts, assets } = size;
    println!("\n{name}: {companies} companies, {contacts} contacts, {assets} assets");
    #[expect(clippy::unwrap_used, reason = "without a folder there is nothing to measure")]
    let folder = tempfile::tempdir().unwrap();
    let world = instance::make(&folder.path().join("instance"), size).await;
    let server = Server::start(program, &folder.path().join("instance"));
    let caller = Caller::log_in(&server, &world).await;
    line("scenario", ["requests", "CPU ms", "lowest", "wall ms", "bytes", "peak MB", "budget"], "");
    for scenario in scenarios {
        let outcome = caller.measure(scenario).await;
        report.row(scenario, size, outcome, server.peak_memory());
    }
    report.memory(size, server.peak_memory());
    server.stop();
}

/// Measures each sync, a first run and one without changes.
async fn syncs(program: &Path, report: &mut Report) {
    let line = |title: &str, columns: [&str; 8], verdict: &str| {
        let [run, calls, wall, most, server, job, server_memory, job_memory] = columns;
        let times = format!("{title:<44}{run:>6}{calls:>7}{wall:>8}{most:>9}{server:>10}{job:>9}");
        println!("{}", format!("{times}{server_memory:>12}{job_memory:>12}  {verdict}").trim_end());
    };
    let titles = ["run", "calls", "wall s", "at most", "server s", "job s", "server MB", "job MB"];
    line("sync", titles, "");
    for sync in SYNCS {
        for (run, cost) in ["first", "again"].into_iter().zip(sync.measure(program).await) {
            let Cost { wall, calls, goal, server, job } = cost;
            let kept = [
                goal.is_none_or(|goal| wall <= goal),
                sync.server.is_none_or(|most| server.memory <= most),
                sync.job.is_none_or(|most| job.memory <= most),
            ];
            let verdict = report.judge(kept == [true; 3]);
            let seconds = |time: Duration| format!("{:.1}", time.as_secs_f64());
            let memory = |used: u64, most: Option<u64>| match most {
                Some(most) => format!("{}/{}", megabytes(used), most / 1_000_000),
                None => megabytes(used),
            };
            let columns = [
                run.to_owned(),
                calls.to_string(),
                seconds(wall),
                goal.map_or_else(String::new, seconds),
                seconds(server.cpu),
                seconds(job.cpu),
                memory(server.memory, sync.server),
                memory(job.memory, sync.job),
            ];
            line(sync.title, columns.each_ref().map(String::as_str), verdict);
        }
    }
}

/// What was found so far.
#[derive(Debug, Default)]
struct Report {
    /// Milliseconds of CPU time of each scenario in the medium world.
    medium: BTreeMap<&'static str, f64>,
    /// Budgets that were not kept, and scenarios that were answered wrongly.
    missed: usize,
}

impl Report {
    fn row(&mut self, scenario: &Scenario, size: Size, outcome: Outcome, peak: u64) {
        match outcome {
            Outcome::Measured(cost) => self.measured(scenario, size, cost, peak),
            // What this Nexus does not have yet is no fault; what it refuses is.
            Outcome::Refused(status) if matches!(status.as_u16(), 404 | 405) => {
                line(scenario.title, [""; 7], &format!("not there ({})", status.as_u16()));
            }
            Outcome::Refused(status) => {
                self.missed += 1;
                line(scenario.title, [""; 7], &format!("not there ({}), MISSED", status.as_u16()));
            }
            Outcome::Wrong => {
                self.missed += 1;
                line(scenario.title, [""; 7], "another answer than was asked for, MISSED");
            }
        }
    }

    fn measured(&mut self, scenario: &Scenario, size: Size, cost: measure::Cost, peak: u64) {
        let cpu = milliseconds(cost.cpu);
        let budget = if size == MEDIUM {
            self.medium.insert(scenario.name, cpu);
            scenario.budget
        } else {
            scenario.growth.zip(self.medium.get(scenario.name)).map(|(growth, medium)| growth * medium)
        };
        let verdict = budget.map_or("", |budget| self.judge(cpu <= budget));
        let budget = budget.map_or_else(String::new, |budget| format!("{budget:.3}"));
        let [cpu, lowest, wall] = [cost.cpu, cost.lowest, cost.wall].map(|time| format!("{:.3}", milliseconds(time)));
        let (requests, bytes) = (cost.requests.to_string(), cost.bytes.to_string());
        line(scenario.title, [&requests, &cpu, &lowest, &wall, &bytes, &megabytes(peak), &budget], verdict);
    }

    fn memory(&mut self, size: Size, peak: u64) {
        let judged = size == MEDIUM;
        let verdict = if judged { self.judge(peak <= MEMORY) } else { "" };
        let budget = if judged { megabytes(MEMORY) } else { String::new() };
        line("peak memory at the end", ["", "", "", "", "", &megabytes(peak), &budget], verdict);
    }

    fn judge(&mut self, kept: bool) -> &'static str {
        self.missed += usize::from(!kept);
        if kept { "ok" } else { "MISSED" }
    }
}

fn line(title: &str, [requests, cpu, lowest, wall, bytes, peak, budget]: [&str; 7], verdict: &str) {
    let line = format!("{title:<44}{requests:>9}{cpu:>9}{lowest:>9}{wall:>9}{bytes:>9}{peak:>9}{budget:>9}  {verdict}");
    println!("{}", line.trim_end());
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    format!("{}.{}", tenths / 10, tenths % 10)
}
