//! `job NAME`: the real command, against a simulated Freshservice.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use local_runner::{Instance, database};
use nexus_core::{Actor, Clock, Entity, Fields};
use nexus_db::changes::{Deed, Edit, Origin, change};
use nexus_simulators::{Fault, Freshservice, Size};
use serde_json::{Value, json};

async fn vendor() -> Freshservice {
    Freshservice::start(Size { companies: 6, contacts: 40, devices: 0 }, 5).await.unwrap()
}

fn command(instance: &Path, vendor: &Freshservice) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-runner"));
    command.env_clear().env("NEXUS_INSTANCE", instance).env("NEXUS_LISTEN", "127.0.0.1:0").envs(vendor.environment(0));
    command
}

/// Runs the command to its end, off the async threads: the vendor is served by them.
async fn job(instance: &Path, vendor: &Freshservice, arguments: &[&str]) -> Output {
    let mut command = command(instance, vendor);
    command.arg("job").args(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_without_a_server_tells_its_steps_and_prints_the_run() {
    let (folder, vendor) = (tempfile::tempdir().unwrap(), vendor().await);
    let output = job(folder.path(), &vendor, &["sync-freshservice"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    assert!(
        told.starts_with(
            "Run 1 of sync-freshservice: applied. 6 companies created, 6 locations created, 40 contacts created."
        ),
        "{told}"
    );
    let steps = text(&output.stderr);
    assert!(steps.lines().any(|line| line == "Companies") && steps.lines().any(|line| line == "Contacts"), "{steps}");

    let output = job(folder.path(), &vendor, &["sync-freshservice", "--json"]).await;
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&run["id"], &run["state"], &run["trigger"]), (&json!(2), &json!("applied"), &json!("manual")));
    assert_eq!(run["counts"]["contact"]["unchanged"], 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_uses_the_nexus_that_serves_the_instance() {
    let (folder, vendor) = (tempfile::tempdir().unwrap(), vendor().await);
    let mut serve = command(folder.path(), &vendor);
    // The timer of the server would be first.
    serve.env_remove("NEXUS__FRESHSERVICE__API_KEY").env_remove("NEXUS__FRESHSERVICE__BASE_URL");
    let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("Nexus is listening on https://127.0.0.1:"));
    let output = job(folder.path(), &vendor, &["sync-freshservice"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    child.kill().unwrap();
    child.wait().unwrap();
    // What the killed server was told is there for the next one.
    let output = job(folder.path(), &vendor, &["sync-freshservice"]).await;
    assert!(text(&output.stdout).contains("Nothing to change"), "{}", text(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_waits_for_a_person_ends_with_3_and_a_failure_with_1() {
    let (folder, vendor) = (tempfile::tempdir().unwrap(), vendor().await);
    let clock = Clock::system();
    let instance = Instance::prepare(folder.path(), [], clock.now()).unwrap();
    let db = database::open(&instance, true, &clock).await.unwrap().state.db;
    let number = vendor.edit(|state| state.departments[0].account_number().unwrap());
    let fields = Fields::from_iter([
        ("account_number".to_owned(), json!(number.to_string())),
        ("name".to_owned(), json!("Ours")),
    ]);
    let deed = Deed::new(Actor { user_id: None, name: "test".into() }, Origin::System, "test");
    change(&db, &deed, vec![Edit::Create { entity: Entity::Company, fields }]).await.unwrap();
    db.close().await;

    let output = job(folder.path(), &vendor, &["sync-freshservice"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("held. Waits for a person:"), "{}", text(&output.stdout));

    vendor.fault(Fault::Status(401));
    let output = job(folder.path(), &vendor, &["sync-freshservice"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("[freshservice] api_key"), "{}", text(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_killed_leaves_the_directory_as_it_was_and_runs_again_at_once() {
    let (folder, vendor) = (tempfile::tempdir().unwrap(), vendor().await);
    vendor.set_latency(std::time::Duration::from_millis(300));
    let mut killed = command(folder.path(), &vendor);
    let mut child = killed.args(["job", "sync-freshservice"]).stderr(Stdio::null()).spawn().unwrap();
    while vendor.call_count() < 2 {
        tokio::task::yield_now().await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    vendor.set_latency(std::time::Duration::ZERO);
    let output = job(folder.path(), &vendor, &["sync-freshservice"]).await;
    assert!(
        text(&output.stdout)
            .starts_with("Run 2 of sync-freshservice: applied. 6 companies created, 6 locations created, 40 contacts"),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_not_there_or_not_configured_is_one_line_and_2() {
    let (folder, vendor) = (tempfile::tempdir().unwrap(), vendor().await);
    let output = job(folder.path(), &vendor, &["sync-everything"]).await;
    assert_eq!((output.status.code(), text(&output.stderr).lines().count()), (Some(2), 1));
    assert!(text(&output.stderr).contains("sync-freshservice"));

    let mut bare = command(folder.path(), &vendor);
    bare.env_remove("NEXUS__FRESHSERVICE__API_KEY").env_remove("NEXUS__FRESHSERVICE__BASE_URL");
    let output = bare.args(["job", "sync-freshservice"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("[freshservice] api_key is not set"), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_serves_synced_companies_and_leaves_nothing_behind() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-runner"));
    let folder = tempfile::tempdir().unwrap();
    command.env_clear().env("TMPDIR", folder.path()).args(["demo", "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("Nexus is listening on https://127.0.0.1:"));
    let told = lines.next().unwrap();
    assert!(told.starts_with("sync-freshservice: applied") && told.contains("5000 contacts created"), "{told}");
    assert!(lines.any(|line| line.contains("log in as admin")));
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the demo's folder goes with it");
}
