//! A Nexus with a certificate of its own, as the local runner has one.

use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use nexus_client::{Client, Error, Options};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::server::{ok, router, token};
use crate::{account, options};

/// Address and root certificate of a server that answers as long as the set lives.
async fn serve() -> (String, String, JoinSet<()>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().expect("a key")).expect("a root");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, &root).expect("a certificate");
    let config = RustlsConfig::from_pem(certificate.pem().into(), key.serialize_pem().into()).await.expect("a setting");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener that does not block");
    let address = format!("https://{}", listener.local_addr().expect("an address"));
    let answer = |seen: &crate::server::Seen, _| if seen.what.ends_with("/token") { token("t", None) } else { ok() };
    let router = router(Arc::default(), Arc::new(answer));
    let mut running = JoinSet::new();
    let server = axum_server::from_tcp_rustls(listener, config).expect("a server");
    running.spawn(async move { server.serve(router.into_make_service()).await.expect("serving") });
    (address, root.pem(), running)
}

#[tokio::test]
async fn a_nexus_with_an_own_root_is_trusted_by_who_was_given_the_root_only() {
    let (address, root, _running) = serve().await;
    let with_root = Options { root: Some(root.into_bytes()), ..options() };
    let client = Client::new(&address, account(), &with_root).unwrap();
    assert!(client.get::<Value>("/api/x").await.is_ok());

    let stranger = Client::new(&address, account(), &Options { tries: 1, ..options() }).unwrap();
    let error = stranger.get::<Value>("/api/x").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
}
