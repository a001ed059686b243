//! The command `nexus-deployed`: builds every function as it is deployed, and tells what each weighs, how fast it starts and what
//! memory it takes, beside a function that does nothing.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends the command")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use nexus_core::config::DatabaseUrl;
use nexus_deployed::deployment::{ADMIN, Deployment, EVENT, Given, TIMER};
use nexus_deployed::gateway::request;
use nexus_deployed::platform::Function;
use nexus_deployed::weight::{MB, budget, build};
use nexus_deployed::{Python, Routes, Template};
use nexus_simulators::{Datto, Freshservice, Size};
use nexus_test_databases::on_postgres;
use serde_json::{Value, json};

/// Built first, and held against.
const BARE: &str = "bare";
/// The authorities of this machine, in one file.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Events before the memory is read.
const CALLS: usize = 50;
/// Events until it is warm.
const COLD: usize = 10;
/// Starts of which the median counts.
const STARTS: usize = 9;
/// Megabytes that a function may take after [`CALLS`].
const MEMORY: f64 = 25.0;
/// A start takes so many times the bare one's at most.
const START: f64 = 2.0;

/// What functions weigh as they are deployed
#[derive(Debug, Parser)]
#[command(name = "nexus-deployed")]
struct Cli {
    /// Only these
    #[arg(value_name = "FUNCTION")]
    only: Vec<String>,

    /// Where they are built: each by itself, as `infra/deploy` does
    #[arg(long, value_name = "DIR", default_value = "target/deployed")]
    target: PathBuf,

    /// Exit with code 1 when a budget is missed
    #[arg(long)]
    check: bool,
}

/// What was measured of a function.
struct Measured {
    name: String,
    bytes: u64,
    zipped: u64,
    start: Duration,
    /// Of an event, when it is warm.
    cpu: Duration,
    /// Now, and at most.
    memory: (f64, f64),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut names = vec![BARE.to_owned()];
    let all = fs::read_dir(root.join("functions")).expect("there are functions").flatten();
    let mut all: Vec<String> = all.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    all.sort_unstable();
    names.extend(all.into_iter().filter(|name| cli.only.is_empty() || cli.only.contains(name)));
    let target = std::path::absolute(&cli.target).expect("the target folder has a path");
    let mut folder = PathBuf::new();
    // The stack of the measurement is set up by one of them, and a token comes from another.
    for name in names.iter().map(String::as_str).chain(["setup", "auth"]) {
        eprintln!("building {name}");
        folder = build(name, &target);
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let measured = runtime.block_on(measure(&names, &folder));
    let bare = measured.first().map_or(Duration::MAX, |bare| bare.start);
    let mut missed = 0;
    println!(
        "| function | kind | binary MB | budget | zipped MB | start ms | of bare | CPU ms | MB after {CALLS} calls | at most |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for one in &measured {
        let (kind, most) = if one.name == BARE { ("-", f64::INFINITY) } else { budget(&one.name) };
        let (size, times) = (as_f64(one.bytes) / MB, one.start.as_secs_f64() / bare.as_secs_f64());
        let faults = [(size > most, "size"), (times > START, "start"), (one.memory.0 > MEMORY, "memory")];
        let faults: Vec<&str> = faults.into_iter().filter(|(missed, _)| *missed).map(|(_, what)| what).collect();
        missed += faults.len();
        let told = if faults.is_empty() { String::new() } else { format!(" **missed: {}**", faults.join(", ")) };
        let most = if most.is_finite() { most.to_string() } else { "-".to_owned() };
        println!(
            "| {}{told} | {kind} | {size:.2} | {most} | {:.2} | {:.1} | {times:.2} | {:.2} | {:.1} | {:.1} |",
            one.name,
            as_f64(one.zipped) / MB,
            one.start.as_secs_f64() * 1e3,
            one.cpu.as_secs_f64() * 1e3,
            one.memory.0,
            one.memory.1,
        );
    }
    if cli.check && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files are far below 2^52")]
const fn as_f64(bytes: u64) -> f64 {
    bytes as f64
}

async fn measure(names: &[String], folder: &Path) -> Vec<Measured> {
    let python = Python::ready(&folder.join("python"));
    let routes = Routes::of(&Template::translated(&python));
    let (names, folder) = (names.to_vec(), folder.to_owned());
    let (sender, receiver) = tokio::sync::oneshot::channel();
    on_postgres(async move |world| {
        let _ = sender.send(all(&names, &folder, routes, &world.url).await);
    })
    .await;
    receiver.await.expect("PostgreSQL answers")
}

async fn all(names: &[String], folder: &Path, routes: Routes, database: &DatabaseUrl) -> Vec<Measured> {
    let stack = Deployment::start(database, folder.to_owned(), routes, Given::default()).await;
    stack.set_up().await;
    let token = stack.token("admin", ADMIN).await;
    let size = Size { companies: 20, contacts: 100, devices: 200 };
    let freshservice = Freshservice::start(size, 1).await.expect("a simulator");
    let datto = Datto::start(size, 1).await.expect("a simulator");
    let of_jobs = stack.of_jobs(&freshservice, &datto);
    let timer: Value = serde_json::from_str(TIMER).expect("an event");
    let mut measured = Vec::new();
    for name in names {
        eprintln!("measuring {name}");
        let event = match name.as_str() {
            "setup" => json!({}),
            "auth" => request("POST", "/api/token", None, Some(&json!({"username": "admin", "password": ADMIN}))),
            "home" => request("GET", "/api/search?q=an", Some(&token), None),
            "settings" => request("GET", "/api/jobs", Some(&token), None),
            "sync" => request("GET", "/api/sync/runs?page=1&per_page=50", Some(&token), None),
            BARE | "companies" | "contacts" | "assets" | "users" => {
                request("GET", &format!("/api/{name}?page=1&per_page=50"), Some(&token), None)
            }
            _ => timer.clone(),
        };
        let variables = if event == timer { &of_jobs } else { stack.functions.variables() };
        let binary = folder.join(name);
        let mut starts = Vec::new();
        let mut function = start(name, &binary, variables).await;
        for _ in 1..STARTS {
            starts.push(function.start);
            function = start(name, &binary, variables).await;
        }
        starts.push(function.start);
        starts.sort_unstable();
        let mut cpu = Duration::ZERO;
        for call in 0..CALLS {
            if call == COLD {
                cpu = function.cpu();
            }
            function
                .invoke(&event, EVENT)
                .await
                .unwrap_or_else(|error| panic!("{name}: {error:?}\n{}", function.log().join("\n")));
        }
        let cpu = function.cpu().saturating_sub(cpu) / u32::try_from(CALLS - COLD).unwrap_or(u32::MAX);
        let bytes = fs::metadata(&binary).map_or(0, |file| file.len());
        let memory = function.memory();
        measured.push(Measured {
            name: name.clone(),
            bytes,
            zipped: zipped(&binary),
            start: starts[STARTS / 2],
            cpu,
            memory,
        });
    }
    measured
}

async fn start(name: &str, binary: &Path, variables: &BTreeMap<String, String>) -> Function {
    let variables = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // Amazon Linux has its authorities in one file; Debian has them a second time, each in a file of its own.
    let authorities = Path::new(AUTHORITIES).exists().then_some(("SSL_CERT_FILE", AUTHORITIES));
    Function::start(name, binary, variables.chain(authorities)).await.unwrap_or_else(|log| panic!("{log}"))
}

/// The size of a package that holds the binary.
fn zipped(binary: &Path) -> u64 {
    let mut writer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    let bytes = fs::read(binary).expect("it was built");
    writer.write_all(&bytes).expect("memory takes it");
    writer.finish().map_or(0, |zipped| zipped.len() as u64)
}
