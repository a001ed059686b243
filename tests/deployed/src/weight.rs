//! What the binaries of functions may weigh, built as `infra/deploy` builds them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A million bytes.
pub const MB: f64 = 1e6;
/// Cargo's profile of functions.
const PROFILE: &str = "function";

/// The kind of a function, with the megabytes that its binary may have.
#[must_use]
pub fn budget(name: &str) -> (&'static str, f64) {
    match name {
        "settings" | "publish-changes" => ("with AWS's SDK", 9.0),
        "sync-freshservice" | "sync-datto" | "assign-account-numbers" | "push-account-numbers" => ("job", 4.0),
        "auth" | "setup" => ("without lists", 5.0),
        _ => ("route group", 6.0),
    }
}

/// Builds a function by itself: what is built together shares its features, and binaries would grow. The folder of its binary.
///
/// # Panics
/// When it does not compile.
#[must_use]
pub fn build(name: &str, target: &Path) -> PathBuf {
    let mut build = cargo();
    build.args(["build", "--profile", PROFILE, "--locked", "--quiet", "--package", name, "--target-dir"]).arg(target);
    build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    assert!(build.status().is_ok_and(|status| status.success()), "{name} does not compile");
    target.join(PROFILE)
}

/// Cargo, without what it tells a test of its own package: build scripts look at it (ring's does), and all that is above them
/// would be compiled again.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|of| name.to_string_lossy().starts_with(of)) {
            cargo.env_remove(name);
        }
    }
    cargo
}
