//! Listening: a router served by HTTPS or plain HTTP until it is told to stop, and drained then.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustls::ServerConfig;
use tokio::task::{JoinError, JoinHandle};

use crate::{RunnerError, files};

/// How long requests that are under way may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a client may take to send the head of a request; one that never does would hold its connection forever.
const HEAD: Duration = Duration::from_secs(30);

/// How the bytes travel.
#[derive(Debug, Clone)]
pub enum Transport {
    /// TLS, ended here.
    Https(Arc<ServerConfig>),
    /// In the clear, for a proxy on the same machine.
    Http,
}

/// A port that is taken but not served yet: its address is known before the router is built.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    transport: Transport,
}

impl Bound {
    /// Takes the port; 0 takes a free one. Plain HTTP is taken on loopback addresses only.
    pub fn bind(listen: SocketAddr, transport: Transport) -> Result<Self, RunnerError> {
        if matches!(transport, Transport::Http) {
            refuse_plain(listen)?;
        }
        let bound = TcpListener::bind(listen).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = bound.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => RunnerError::PortInUse(listen),
            _ => RunnerError::Listen { address: listen, source },
        })?;
        Ok(Self { listener, address, transport })
    }

    /// The address and the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Scheme, address and port, as the ready line tells them.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(self.address)
    }

    /// The URL by which this machine reaches the server: [`Bound::url`], with loopback in place of "every address".
    #[must_use]
    pub fn base_url(&self) -> String {
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        self.url_of(address)
    }

    fn url_of(&self, address: SocketAddr) -> String {
        match self.transport {
            Transport::Https(_) => format!("https://{address}"),
            Transport::Http => format!("http://{address}"),
        }
    }

    /// Serves the router from now on. Its handlers find the caller's address as `ConnectInfo<SocketAddr>`.
    #[expect(clippy::disallowed_methods, reason = "the runner is the process that stays; the rule is for functions")]
    pub fn start(self, router: Router) -> Result<Running, RunnerError> {
        let (url, base_url, address) = (self.url(), self.base_url(), self.address);
        let handle = Handle::new();
        let server = axum_server::from_tcp(self.listener).map_err(RunnerError::Server)?.handle(handle.clone());
        let server = bound_patience(server.acceptor(NoDelayAcceptor::new()));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let task = match self.transport {
            Transport::Https(config) => {
                let config = RustlsConfig::from_config(config);
                let server = server.map(|tcp| RustlsAcceptor::new(config).acceptor(tcp));
                tokio::spawn(server.serve(service))
            }
            Transport::Http => tokio::spawn(server.serve(service)),
        };
        Ok(Running { url, base_url, address, handle, task })
    }
}

/// hyper waits for the head of a request without end unless it is told otherwise.
fn bound_patience<A>(server: axum_server::Server<SocketAddr, A>) -> axum_server::Server<SocketAddr, A> {
    let mut server = server.first_request_timeout(HEAD);
    server.http_builder().http1().header_read_timeout(HEAD);
    server
}

/// A server at work. Dropping it does not stop it: call [`Running::stop`] or [`Running::drain`].
#[derive(Debug)]
pub struct Running {
    url: String,
    base_url: String,
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

impl Running {
    /// The address and the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// See [`Bound::base_url`].
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Prints the line by which people and scripts know that Nexus answers.
    pub fn announce(&self) -> Result<(), RunnerError> {
        files::print(&format!("Nexus is listening on {}", self.url))
    }

    /// Waits for Ctrl-C or a request to terminate; an error when the server ends of itself.
    pub async fn until_told(&mut self, signals: &mut Signals) -> Result<(), RunnerError> {
        tokio::select! {
            () = signals.next() => Ok(()),
            ended = &mut self.task => outcome(ended),
        }
    }

    /// Takes no new connection, gives the requests under way ten seconds, and ends. Another signal ends it at once.
    pub async fn drain(mut self, signals: &mut Signals) -> Result<(), RunnerError> {
        self.handle.graceful_shutdown(Some(DRAIN));
        tokio::select! {
            ended = &mut self.task => outcome(ended),
            () = signals.next() => {
                self.handle.shutdown();
                Ok(())
            }
        }
    }

    /// As [`Running::drain`], where no signal is listened to.
    pub async fn stop(self) -> Result<(), RunnerError> {
        self.handle.graceful_shutdown(Some(DRAIN));
        outcome(self.task.await)
    }
}

fn outcome(ended: Result<io::Result<()>, JoinError>) -> Result<(), RunnerError> {
    ended.map_err(io::Error::other).flatten().map_err(RunnerError::Server)
}

/// Ctrl-C and, on Unix, SIGTERM. From its making on, neither ends the process by itself.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Starts to listen to the signals; make it before the ready line is printed.
    #[cfg(unix)]
    pub fn listen() -> Result<Self, RunnerError> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(RunnerError::Server);
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Starts to listen to the signals; make it before the ready line is printed.
    #[cfg(not(unix))]
    pub fn listen() -> Result<Self, RunnerError> {
        Ok(Self {})
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Refuses plain HTTP on an address that others can reach.
pub fn refuse_plain(listen: SocketAddr) -> Result<(), RunnerError> {
    if is_loopback(listen) { Ok(()) } else { Err(RunnerError::PlainHttp(listen)) }
}

/// Refuses an address that others can reach; to be asked while `admin` has the default password.
pub fn refuse_exposed(listen: SocketAddr) -> Result<(), RunnerError> {
    if is_loopback(listen) { Ok(()) } else { Err(RunnerError::DefaultPassword(listen)) }
}

/// Whether only this machine can reach the address.
#[must_use]
pub fn is_loopback(listen: SocketAddr) -> bool {
    listen.ip().to_canonical().is_loopback()
}
