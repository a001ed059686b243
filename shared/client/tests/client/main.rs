//! The client against real HTTP servers on this machine.

#![expect(clippy::expect_used, reason = "a test server or client that cannot be set up fails the test")]

mod calls;
mod feed;
mod lists;
mod records;
mod repeating;
mod runs;
mod secrets;
mod server;
mod signing_in;
mod tls;

use std::time::Duration;

use nexus_client::{Account, Client, Options};

use crate::server::Server;

/// The password that no text may contain.
const PASSWORD: &str = "p4ssThatMustNotLeak";

/// Waits so short that the tests do not notice them; how long real ones are is tested where they are decided.
fn options() -> Options {
    Options { backoff: Duration::from_millis(2), ..Options::default() }
}

fn account() -> Account {
    Account { username: "nexus-jobs".into(), password: PASSWORD.into() }
}

fn client_with(server: &Server, options: &Options) -> Client {
    Client::new(&server.address, account(), options).expect("a client")
}

fn client(server: &Server) -> Client {
    client_with(server, &options())
}
