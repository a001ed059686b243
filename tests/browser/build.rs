//! Brings axe from npm.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use npm_rs::NpmEnv;

fn main() -> Result<(), Box<dyn Error>> {
    let home = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        println!("cargo::rerun-if-changed={name}");
        fs::copy(name, home.join(name))?;
    }
    let quiet = &["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    if NpmEnv::default().set_path(&home).init_env().custom("ci", Some(quiet)).exec()?.success() {
        return Ok(());
    }
    Err("`npm ci` failed: the tests in a browser need Node.js 20 or later with npm".into())
}
