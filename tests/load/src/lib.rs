//! What requests cost the server's process, in CPU time and memory, on SQLite:
//!
//! ```text
//! cargo build --release -p local-runner -p nexus-load && cargo run --release -p nexus-load
//! ```
//!
//! A directory is made up ([`world`]) in an instance of its own, the real `local-runner` serves it over plain HTTP
//! ([`server`]), and one connection asks ([`scenario`]) while the server's CPU time is read from `/proc`: what the caller
//! costs is in another process and does not count. With `--syncs` the real job runs against the real server instead
//! ([`syncing`]). Needs Linux.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "this crate serves measuring only")]

pub mod instance;
pub mod measure;
pub mod scenario;
pub mod server;
pub mod syncing;
pub mod world;
