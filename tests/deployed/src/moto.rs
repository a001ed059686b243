//! moto: a server that plays AWS.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::python::Python;

/// How long a start may take; it takes about two seconds.
const START: Duration = Duration::from_mins(1);

/// An empty moto of its own, on a free port of 127.0.0.1. It ends with this value.
///
/// It takes any credentials and any region. Not like AWS: it never fires a schedule, takes expressions that are wrong,
/// delivers for disabled rules, and answers 500 where a matching rule has a function as its target.
#[derive(Debug)]
pub struct Moto {
    server: Child,
    url: String,
}

impl Moto {
    /// Starts one, and waits until it listens.
    #[must_use]
    pub fn start(python: &Python) -> Self {
        let mut server = python
            .script("emulator.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a Python that is ready can be started");
        let mut url = String::new();
        let out = server.stdout.take().expect("its output is piped");
        // Nothing, when it broke off; why, it has told on the standard error.
        BufReader::new(out).read_line(&mut url).expect("its output is text");
        let url = url.trim().to_owned();
        let moto = Self { server, url };
        let address = moto.url.strip_prefix("http://").expect("moto tells its address").to_owned();
        let since = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(since.elapsed() < START, "moto does not listen on {address}");
            std::thread::sleep(Duration::from_millis(20));
        }
        moto
    }

    /// Its endpoint, for every service.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
