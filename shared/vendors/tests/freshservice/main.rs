//! The Freshservice client against real HTTP servers on this machine.

#![expect(clippy::expect_used, reason = "a test server or client that cannot be set up fails the test")]

mod decoding;
mod paging;
mod requests;
mod retrying;
mod secrets;
mod server;
mod writing;

use std::time::Duration;

use nexus_vendors::freshservice::{Freshservice, Pages};
use nexus_vendors::{BaseUrl, Error, Page, TransportConfig};
use secrecy::SecretString;

use crate::server::Server;

/// The key that no text may contain.
const KEY: &str = "k3yThatMustNotLeak";

/// Waits so short that the tests do not notice them; how long real ones are is tested where they are decided.
fn config() -> TransportConfig {
    TransportConfig { backoff: Duration::from_millis(2), ..TransportConfig::default() }
}

fn client_at(address: &str, config: &TransportConfig) -> Freshservice {
    let base = BaseUrl::parse(address).expect("a base address");
    Freshservice::new(base, &SecretString::from(KEY), config).expect("a client")
}

fn client(server: &Server) -> Freshservice {
    client_at(&server.address, &config())
}

/// Reads to the end, or to the first error.
async fn sweep<T>(mut pages: Pages<T>) -> Result<Vec<Page<T>>, Error> {
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.push(page);
    }
    Ok(all)
}
