//! The keys that sign tokens, and the key set by which others verify them (RFC 7517, RFC 7519; ES256 of RFC 7518).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// A key pair cannot be used. Names the key, never holds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is none to sign with.
    #[error("there is no key to sign tokens with")]
    None,
    /// It is no P-256 private key in PKCS#8 PEM.
    #[error("the signing key {0} is not a P-256 private key in PKCS#8 PEM")]
    Unreadable(String),
}

/// The claims of a token. Other services read the first four.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub user_id: i64,
    /// The user's role when the token was made; Nexus itself asks the database.
    pub permission_level: nexus_core::Role,
    /// A client's first company.
    pub company_account_number: Option<String>,
    /// Expiry, seconds since 1970.
    pub exp: i64,
    /// Issuer.
    pub iss: String,
    /// Subject: the user's id as text.
    pub sub: String,
    /// Audience.
    pub aud: String,
    /// When it was made.
    pub iat: i64,
    /// Its own id.
    pub jti: String,
}

/// The audience of every token.
pub(super) const AUDIENCE: &str = "nexus";

struct Key {
    kid: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    jwk: Jwk,
}

/// A public key as others read it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Jwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    #[schema(rename = "use")]
    usage: &'static str,
    kid: String,
    x: String,
    y: String,
}

/// The public keys: `/.well-known/jwks.json`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct JwkSet {
    /// The signing key and those whose tokens may still live.
    pub keys: Vec<Jwk>,
}

/// The key that signs, and older ones that still verify.
pub struct Keys {
    keys: Vec<Key>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.keys.iter().map(|key| &key.kid)).finish()
    }
}

impl Keys {
    /// Keys by name, newest first: the first signs, all verify.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn new<'a>(pems: impl IntoIterator<Item = (&'a str, &'a SecretString)>) -> Result<Self, KeyError> {
        // Installing a second time is refused and harmless.
        let _ = PROVIDER.install_default();
        let keys = pems.into_iter().map(|(kid, pem)| read(kid, pem)).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(KeyError::None) } else { Ok(Self { keys }) }
    }

    /// Signs a token. None when the random generator fails.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> Option<String> {
        let key = self.keys.first()?;
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &key.signing).ok()
    }

    /// The claims of a token that one of our keys signed; its expiry is the caller's to check.
    #[must_use]
    pub fn verify(&self, token: &str, issuer: &str) -> Option<Claims> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let key = self.keys.iter().find(|key| Some(key.kid.as_str()) == header.kid.as_deref())?;
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        // By our own clock, and told apart from a token that is wrong.
        validation.validate_exp = false;
        jsonwebtoken::decode(token, &key.verifying, &validation).ok().map(|token| token.claims)
    }

    /// The public keys.
    #[must_use]
    pub fn public(&self) -> JwkSet {
        JwkSet { keys: self.keys.iter().map(|key| key.jwk.clone()).collect() }
    }
}

fn read(kid: &str, pem: &SecretString) -> Result<Key, KeyError> {
    let unreadable = || KeyError::Unreadable(kid.to_owned());
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose_secret().as_bytes()).map_err(|_| unreadable())?;
    let der = der.secret_pkcs8_der();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new())
        .map_err(|_| unreadable())?;
    let point = pair.public_key().as_ref();
    // Uncompressed: 4, then x and y of 32 bytes each (SEC 1, section 2.3.3).
    let (x, y) = point.get(1..).and_then(|xy| xy.split_at_checked(32)).ok_or_else(unreadable)?;
    let coordinate = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Ok(Key {
        kid: kid.to_owned(),
        signing: EncodingKey::from_ec_der(der),
        verifying: DecodingKey::from_ec_der(point),
        jwk: Jwk {
            kty: "EC",
            crv: "P-256",
            alg: "ES256",
            usage: "sig",
            kid: kid.to_owned(),
            x: coordinate(x),
            y: coordinate(y),
        },
    })
}

/// ES256 by `ring`, which the TLS side links anyway: the ready-made providers of `jsonwebtoken` bring a second library.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::ES256 => Ok(Box::new(Es256Signer::new(key)?)),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::ES256 => Ok(Box::new(Es256Verifier(key.clone()))),
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Es256Signer(EcdsaKeyPair, SystemRandom);

impl Es256Signer {
    fn new(key: &EncodingKey) -> Result<Self, JwtError> {
        let random = SystemRandom::new();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_bytes(), &random)
            .map(|pair| Self(pair, random))
            .map_err(|_| ErrorKind::InvalidEcdsaKey.into())
    }
}

impl signature::Signer<Vec<u8>> for Es256Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        self.0.sign(&self.1, message).map(|signature| signature.as_ref().to_vec()).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Es256Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

struct Es256Verifier(DecodingKey);

impl signature::Verifier<Vec<u8>> for Es256Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let point = self.0.try_get_as_bytes().map_err(|_| signature::Error::new())?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(message, signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Es256Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}
