//! The server: TLS that a client accepts, the caller's address, draining, and the lock by which others find it.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use local_runner::lock::{InstanceLock, served_at};
use local_runner::server::{Bound, Running, Signals, Transport};
use local_runner::{Instance, RunnerError, certificate};
use nexus_core::Clock;
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_millis(200);

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn router() -> Router {
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        "done"
    };
    let endless = || std::future::pending::<()>();
    Router::new().route("/peer", get(peer)).route("/slow", get(slow)).route("/endless", get(endless))
}

struct Nexus {
    _directory: TempDir,
    running: Running,
    client: reqwest::Client,
}

fn start() -> Nexus {
    let directory = tempfile::tempdir().unwrap();
    let now = Clock::system().now();
    let instance = Instance::prepare(directory.path(), [], now).unwrap();
    let bound = Bound::bind(any_port(), Transport::Https(instance.tls(now).unwrap())).unwrap();
    let client = client(&fs::read(instance.authority().unwrap()).unwrap());
    Nexus { running: bound.start(router()).unwrap(), client, _directory: directory }
}

fn client(authority: &[u8]) -> reqwest::Client {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = reqwest::Certificate::from_pem(authority).unwrap();
    reqwest::Client::builder().tls_certs_only([authority]).build().unwrap()
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_reaches_the_server_by_each_of_its_names() {
    let nexus = start();
    let port = nexus.running.address().port();
    assert_eq!(nexus.running.base_url(), format!("https://127.0.0.1:{port}"));
    for host in ["127.0.0.1", "localhost"] {
        let answer = nexus.client.get(format!("https://{host}:{port}/peer")).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "127.0.0.1");
    }
    nexus.running.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_trusts_another_authority_does_not_reach_it() {
    let nexus = start();
    let other = certificate::new_authority(Clock::system().now()).unwrap();
    let url = format!("{}/peer", nexus.running.base_url());
    let error = client(other.certificate.as_bytes()).get(url).send().await.unwrap_err();
    assert!(error.is_connect());
    nexus.running.stop().await.unwrap();
}

#[test]
fn the_authority_makes_no_other_host_believable() {
    let authority = certificate::new_authority(Clock::system().now()).unwrap();
    let authority_key = KeyPair::from_pem(authority.private_key.expose_secret()).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&authority.certificate, authority_key).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    for (host, believed) in [("localhost", true), ("127.0.0.1", true), ("bank.example", false), ("10.0.0.1", false)] {
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let made = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let name = ServerName::try_from(host).unwrap();
        let outcome = verifier.verify_server_cert(made.der(), &[], &name, &[], UnixTime::now());
        assert_eq!(outcome.is_ok(), believed, "{host}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_server_ends() {
    let nexus = start();
    let url = format!("{}/slow", nexus.running.base_url());
    let request = async { nexus.client.get(&url).send().await.unwrap().text().await.unwrap() };
    let stop = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        nexus.running.stop().await.unwrap();
    };
    let (answer, ()) = tokio::join!(request, stop);
    assert_eq!(answer, "done");
    assert!(nexus.client.get(&url).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_a_request_that_never_ends() {
    let nexus = start();
    let mut signals = Signals::listen().unwrap();
    let request = nexus.client.get(format!("{}/endless", nexus.running.base_url())).send();
    let drain = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        nexus.running.drain(&mut signals).await
    };
    let interrupt = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let this = std::process::id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &this]).status().unwrap().success());
    };
    let begun = std::time::Instant::now();
    let (answer, drained, ()) = tokio::join!(request, drain, interrupt);
    drained.unwrap();
    assert!(answer.is_err());
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn plain_http_serves_loopback_and_is_refused_elsewhere() {
    let running = Bound::bind(any_port(), Transport::Http).unwrap().start(router()).unwrap();
    let url = format!("http://{}/peer", running.address());
    let answer = client_without_tls().get(url).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "127.0.0.1");
    running.stop().await.unwrap();

    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Bound::bind(address.parse().unwrap(), Transport::Http);
        assert!(matches!(refused, Err(RunnerError::PlainHttp(_))), "{address}");
    }
}

fn client_without_tls() -> reqwest::Client {
    client(certificate::new_authority(Clock::system().now()).unwrap().certificate.as_bytes())
}

#[tokio::test]
async fn a_port_in_use_is_told_as_such() {
    let bound = Bound::bind(any_port(), Transport::Http).unwrap();
    let second = Bound::bind(bound.address(), Transport::Http);
    assert!(matches!(second, Err(RunnerError::PortInUse(address)) if address == bound.address()));
}

#[tokio::test]
async fn the_lock_tells_where_the_instance_is_served_for_as_long_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(served_at(directory.path(), PATIENCE).await.unwrap(), None);

    let mut lock = InstanceLock::take(directory.path()).await.unwrap();
    let starting = served_at(directory.path(), PATIENCE).await;
    assert!(matches!(starting, Err(RunnerError::AlreadyServed { url: None })));

    let url = "https://127.0.0.1:5000";
    lock.announce(url).unwrap();
    assert_eq!(served_at(directory.path(), PATIENCE).await.unwrap().as_deref(), Some(url));
    let second = InstanceLock::take(directory.path()).await;
    assert!(matches!(second, Err(RunnerError::AlreadyServed { url: Some(at) }) if at == url));

    // As after a crash: the text stays, the lock does not.
    drop(lock);
    assert_eq!(fs::read_to_string(directory.path().join("nexus.lock")).unwrap(), url);
    assert_eq!(served_at(directory.path(), PATIENCE).await.unwrap(), None);
    let _next = InstanceLock::take(directory.path()).await.unwrap();
    assert!(served_at(directory.path(), PATIENCE).await.is_err());
}
