//! Certificates: the local authority (CA) and what it issues for this machine, and loading whatever is served.
//!
//! Here are PEM texts only; which file they stand in is [`crate::instance`]'s business.

use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
    PublicKeyData as _, SerialNumber, date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{RootCertStore, ServerConfig};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

/// What the server's certificate is issued for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The authority's life. Whoever trusts it has to do so once per machine.
const AUTHORITY_DAYS: i32 = 3650;
/// The server certificate's life, with a day before today below the 397 days that clients accept.
const SERVER_DAYS: i32 = 390;
/// The server's certificate is issued again when it has less than this left.
const RENEWAL_DAYS: i32 = 30;

/// Why a certificate or key cannot be used.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// No certificate in PEM form.
    #[error("the certificate is damaged: expected PEM text with BEGIN CERTIFICATE")]
    NotPem,
    /// PEM, but no certificate that can be read.
    #[error("the certificate is damaged: {0}")]
    Damaged(rustls::Error),
    /// No private key in PEM form, or an encrypted one.
    #[error("the private key is damaged: expected PEM text with BEGIN PRIVATE KEY, without a pass phrase")]
    Key,
    /// The key belongs to another certificate.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
    /// The certificate in place of ours is not of this authority.
    #[error("not issued by this instance's ca.pem for localhost; name your own certificate in [server] certificate")]
    Foreign,
    /// Too early for it, or too late.
    #[error("not valid at this time")]
    NotNow,
    /// Making a key or certificate failed.
    #[error("cannot be made: {0}")]
    Make(String),
}

/// A certificate and its private key, both PEM.
#[derive(Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The private key, PKCS#8.
    pub private_key: SecretString,
}

/// Makes a new authority, valid for ten years. It can only vouch for this machine: should its key leak, it makes no
/// certificate of any other host believable.
pub fn new_authority(now: Timestamp) -> Result<Pair, CertificateError> {
    let key = generate()?;
    let mut params = valid(now, AUTHORITY_DAYS)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(Ipv6Addr::LOCALHOST.octets(), 128)),
        ],
        excluded_subtrees: Vec::new(),
    });
    // Browsers list authorities by name: two instances must not look the same.
    let name = format!("Nexus local CA {}", &fingerprint(key.der_bytes())[..8]);
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.self_signed(&key)?;
    Ok(Pair { certificate: certificate.pem(), private_key: key.serialize_pem().into() })
}

/// Makes a new P-256 private key, PKCS#8 PEM.
pub fn new_key() -> Result<SecretString, CertificateError> {
    Ok(generate()?.serialize_pem().into())
}

/// Has the authority issue a certificate for the server's key: `localhost`, `127.0.0.1` and `::1`, 390 days from `now`.
pub fn issue(authority: &Pair, server_key: &SecretString, now: Timestamp) -> Result<String, CertificateError> {
    let authority_key = KeyPair::from_pem(authority.private_key.expose_secret()).map_err(|_| CertificateError::Key)?;
    let issuer = Issuer::from_ca_cert_pem(&authority.certificate, authority_key)?;
    let server_key = KeyPair::from_pem(server_key.expose_secret()).map_err(|_| CertificateError::Key)?;

    let names = CertificateParams::new(NAMES.map(str::to_owned))?.subject_alt_names;
    let mut params = valid(now, SERVER_DAYS)?;
    params.subject_alt_names = names;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    Ok(params.signed_by(&server_key, &issuer)?.pem())
}

/// Whether a certificate that [`issue`] made has less than 30 days left.
///
/// It is checked as a client will check it: chain, names and times. One that the authority did not issue is an error.
pub fn is_due(certificate: &str, trusted: &Trusted, now: Timestamp) -> Result<bool, CertificateError> {
    let checked = verify(certificate, trusted, now);
    match checked.and_then(|()| verify(certificate, trusted, after(now, RENEWAL_DAYS)?)) {
        Ok(()) => Ok(false),
        Err(CertificateError::NotNow) => Ok(true),
        Err(error) => Err(error),
    }
}

/// An authority as its clients hold it.
#[derive(Debug)]
pub struct Trusted(Arc<WebPkiServerVerifier>);

/// Reads the authority's certificate.
pub fn trust(authority: &str) -> Result<Trusted, CertificateError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authority)? {
        roots.add(certificate).map_err(CertificateError::Damaged)?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    verifier.map(Trusted).map_err(|error| CertificateError::Make(error.to_string()))
}

/// Checks a certificate against the authority as a client would do at `now`.
///
/// [`CertificateError::NotNow`] tells that it is not valid then. The authority's own ten years are not looked at, as an
/// anchor of trust counts without its dates.
pub fn verify(certificate: &str, trusted: &Trusted, now: Timestamp) -> Result<(), CertificateError> {
    let certificates = certificates(certificate)?;
    let [server, chain @ ..] = certificates.as_slice() else { return Err(CertificateError::NotPem) };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default()));
    for name in NAMES {
        let name = ServerName::try_from(name).map_err(|error| CertificateError::Make(error.to_string()))?;
        if let Err(error) = trusted.0.verify_server_cert(server, chain, &name, &[], now) {
            return Err(judge(error));
        }
    }
    Ok(())
}

fn judge(error: rustls::Error) -> CertificateError {
    use rustls::CertificateError as Cause;
    let rustls::Error::InvalidCertificate(cause) = &error else { return CertificateError::Damaged(error) };
    match cause {
        Cause::Expired | Cause::ExpiredContext { .. } | Cause::NotValidYet | Cause::NotValidYetContext { .. } => {
            CertificateError::NotNow
        }
        Cause::UnknownIssuer
        | Cause::BadSignature
        | Cause::NotValidForName
        | Cause::NotValidForNameContext { .. }
        | Cause::InvalidPurpose
        | Cause::InvalidPurposeContext { .. } => CertificateError::Foreign,
        _ => CertificateError::Damaged(error),
    }
}

/// The TLS configuration of a server: the certificate (chain) and key, TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
pub fn load(certificate: &str, private_key: &SecretString) -> Result<Arc<ServerConfig>, CertificateError> {
    let chain = certificates(certificate)?;
    let key = PrivateKeyDer::from_pem_slice(private_key.expose_secret().as_bytes());
    let key = key.map_err(|_| CertificateError::Key)?;
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(CertificateError::Damaged)?.with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => CertificateError::Mismatch,
        rustls::Error::InvalidCertificate(_) => CertificateError::Damaged(error),
        _ => CertificateError::Key,
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The first 16 hex digits of the SHA-256 of a public key, if this is a P-256 private key in PKCS#8 PEM.
#[must_use]
pub fn key_id(private_key: &SecretString) -> Option<String> {
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(private_key.expose_secret(), &PKCS_ECDSA_P256_SHA256).ok()?;
    Some(fingerprint(key.der_bytes()))
}

fn fingerprint(public_key: &[u8]) -> String {
    hex(&ring::digest::digest(&ring::digest::SHA256, public_key).as_ref()[..8])
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or(CertificateError::NotPem)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn generate() -> Result<KeyPair, CertificateError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

impl From<rcgen::Error> for CertificateError {
    fn from(error: rcgen::Error) -> Self {
        Self::Make(error.to_string())
    }
}

/// Valid from the day before `now`, as clocks differ, for `days` days from it. The serial number is random: one made from
/// the key would come back at the next issue, and browsers refuse a certificate whose number they know from another one.
fn valid(now: Timestamp, days: i32) -> Result<CertificateParams, CertificateError> {
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|error| CertificateError::Make(error.to_string()))?;
    // A positive number that has all 16 bytes.
    serial[0] = serial[0] & 0x3f | 0x40;
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from(serial.to_vec()));
    let (year, month, day) = date(after(now, -1)?)?;
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(after(now, days)?)?;
    params.not_after = date_time_ymd(year, month, day);
    params.distinguished_name = DistinguishedName::new();
    Ok(params)
}

fn after(now: Timestamp, days: i32) -> Result<Timestamp, CertificateError> {
    now.checked_add(DAY * days).map_err(|error| CertificateError::Make(error.to_string()))
}

/// The date in UTC: rcgen counts time with a crate of its own, and takes dates without it.
fn date(at: Timestamp) -> Result<(i32, u8, u8), CertificateError> {
    let date = at.to_zoned(TimeZone::UTC).date();
    let part = |part: i8| u8::try_from(part).map_err(|error| CertificateError::Make(error.to_string()));
    Ok((date.year().into(), part(date.month())?, part(date.day())?))
}
