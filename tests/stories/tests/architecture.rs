//! The arrows between the crates, as they are allowed. A new arrow is a decision, so it is made here.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What may be used by each crate of a layer. Arrows run down this table only.
const LAYERS: &[(&str, &[&str])] = &[
    ("nexus-core", &[]),
    ("nexus-vendors", &[]),
    ("nexus-simulators", &[]),
    ("nexus-db", &["nexus-core"]),
    ("nexus-client", &["nexus-core"]),
    ("nexus-statics", &[]),
    ("nexus-lambda", &["nexus-core"]),
    ("nexus-web", &["nexus-core", "nexus-db", "nexus-lambda", "nexus-statics"]),
    ("nexus-jobs", &["nexus-core", "nexus-client", "nexus-lambda", "nexus-vendors"]),
    ("nexus-events", &["nexus-core"]),
    ("a route group", &["nexus-core", "nexus-db", "nexus-statics", "nexus-web"]),
    ("a job", &["nexus-core", "nexus-client", "nexus-vendors", "nexus-jobs"]),
    ("setup", &["nexus-core", "nexus-lambda", "nexus-web"]),
];

/// What sends events to EventBridge; nobody else links its SDK.
const SENDERS: &[&str] = &["settings", "publish-changes"];

/// The function that a deployment alone has. The local runner does the same when it opens an instance.
const SETUP: &str = "setup";

/// The functions that are jobs; every other one but [`SETUP`] is a route group.
const JOBS: &[&str] =
    &["sync-freshservice", "sync-datto", "assign-account-numbers", "push-account-numbers", "publish-changes"];

struct Package {
    name: String,
    folder: String,
    uses: Vec<String>,
}

/// The crates of the workspace and those of them that each uses (not: what only its tests use).
fn packages() -> Vec<Package> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let asked = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let metadata: Value = serde_json::from_slice(&asked.stdout).unwrap();
    let found = metadata["packages"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    found
        .iter()
        .map(|package| {
            let manifest = text(&package["manifest_path"]);
            let folder = Path::new(&manifest).parent().unwrap().strip_prefix(&root).unwrap();
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let uses = dependencies
                .filter(|used| used["kind"] != "dev" && found.iter().any(|ours| ours["name"] == used["name"]))
                .map(|used| text(&used["name"]))
                .collect();
            Package { name: text(&package["name"]), folder: folder.to_str().unwrap().replace('\\', "/"), uses }
        })
        .collect()
}

/// The line of the table that a crate stands under; none for those that may use everything.
fn layer(package: &Package) -> Option<&str> {
    match package.folder.split('/').next() {
        Some("functions") if JOBS.contains(&package.name.as_str()) => Some("a job"),
        Some("functions") if package.name == SETUP => Some(SETUP),
        Some("functions") => Some("a route group"),
        Some("shared") => Some(&package.name),
        Some("tests") if package.name == "nexus-simulators" => Some(&package.name),
        _ => None,
    }
}

#[test]
fn no_arrow_between_crates_points_where_it_is_not_allowed() {
    let layers: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    for package in packages() {
        let Some(layer) = layer(&package) else { continue };
        let allowed =
            layers.get(layer).unwrap_or_else(|| panic!("{} stands in no layer: add it to the table", package.name));
        for used in &package.uses {
            let sends = used == "nexus-events" && SENDERS.contains(&package.name.as_str());
            assert!(sends || allowed.contains(&used.as_str()), "{} may not use {used}", package.name);
        }
    }
}

#[test]
fn the_local_runner_uses_functions_shared_code_and_simulators_only() {
    let packages = packages();
    let runner = packages.iter().find(|package| package.name == "local-runner").unwrap();
    for used in &runner.uses {
        let folder = &packages.iter().find(|package| package.name == *used).unwrap().folder;
        assert!(["functions/", "shared/", "tests/simulators"].iter().any(|at| folder.starts_with(at)), "{used}");
    }
    for function in packages.iter().filter(|package| package.folder.starts_with("functions/")) {
        assert!(
            function.name == SETUP || runner.uses.contains(&function.name),
            "local-runner does not mount {}",
            function.name
        );
    }
}

#[test]
fn nothing_that_is_shipped_uses_the_tests() {
    let packages = packages();
    for package in packages.iter().filter(|package| !package.folder.starts_with("tests/")) {
        for used in &package.uses {
            let folder = &packages.iter().find(|other| other.name == *used).unwrap().folder;
            let demo = package.name == "local-runner" && used == "nexus-simulators";
            assert!(demo || !folder.starts_with("tests/"), "{} uses {used}", package.name);
        }
    }
}

#[test]
fn a_function_is_named_as_its_folder() {
    for package in packages().iter().filter(|package| package.folder.starts_with("functions/")) {
        assert_eq!(package.folder, format!("functions/{}", package.name));
    }
}
