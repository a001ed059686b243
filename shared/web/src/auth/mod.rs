//! Who is asking, and what they may do.
//!
//! A service sends a token or an API key ([`Principal`]); a person has a session ([`Visitor`]). Role and companies come
//! from the database; where that is SQLite, whose only server this process is, by way of a cache that lives five seconds and ends
//! when any user is changed.

mod passwords;
mod principal;
mod session;
mod signing;

pub use passwords::Passwords;
pub use principal::{Admin, Editor, Principal};
pub(crate) use session::theme_in;
pub use session::{Visitor, cookie_after_login, cookie_after_logout, guest_cookie, theme_cookie};
pub use signing::{Claims, Jwk, JwkSet, KeyError, Keys};

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use nexus_core::{FieldError, Role, instant};
use nexus_db::accounts::{self, Account};
use nexus_db::{Db, Dialect, keys, logins};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// How long role and companies of a user may be remembered.
const REMEMBERED: Duration = Duration::from_secs(5);
/// How many characters a password has.
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 10..=1_000;
/// How exactly the last use of an API key is noted.
const NOTED: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);
/// Entries of a cache before it begins anew; more users than an MSP has.
const CACHED: usize = 4_096;

/// What authentication needs: the users, the keys, the rules. Clones share everything.
#[derive(Clone, Debug)]
pub struct Auth {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    keys: Keys,
    rules: Rules,
    passwords: Passwords,
    accounts: Mutex<HashMap<i64, Remembered>>,
    tokens: Mutex<HashMap<[u8; 32], Verified>>,
}

/// The rules of tokens and sessions.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The `iss` claim.
    pub issuer: String,
    /// How long a token and a session live, in hours.
    pub token_hours: u32,
    /// The longest life of an API key, in days; none: as long as one likes.
    pub api_key_days: Option<u32>,
    /// Cookies travel over HTTPS alone; false only behind a proxy in development.
    pub secure_cookies: bool,
}

#[derive(Debug)]
struct Remembered {
    at: Instant,
    users_version: u64,
    account: Account,
}

#[derive(Clone, Copy, Debug)]
struct Verified {
    user_id: i64,
    expires: i64,
}

/// A token and how many seconds it lives.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The JWT.
    pub token: String,
    /// Its life.
    pub expires_in: i64,
}

impl Auth {
    /// Authentication against the users of `db`.
    #[must_use]
    pub fn new(db: Db, keys: Keys, rules: Rules) -> Self {
        Self {
            inner: Arc::new(Inner {
                db,
                keys,
                rules,
                passwords: Passwords::default(),
                accounts: Mutex::default(),
                tokens: Mutex::default(),
            }),
        }
    }

    /// The public keys.
    #[must_use]
    pub fn public_keys(&self) -> JwkSet {
        self.inner.keys.public()
    }

    /// Hashes and checks of passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    /// The user with that name and password. `address`: where the caller comes from, if that is known.
    ///
    /// Wrong names and wrong passwords are told alike and take the same time; both count against the account and the
    /// address.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::TooMany`] while the account or the address must wait.
    pub async fn log_in(&self, username: &str, password: &SecretString, address: &str) -> Result<Account, Error> {
        let Inner { db, passwords, .. } = &*self.inner;
        // A name that no text of the database can hold is a name that nobody has.
        let username = &username.replace('\0', "\u{fffd}");
        let subjects =
            [format!("account:{}", bounded(&username.to_ascii_lowercase())), format!("address:{}", network(address))];
        must_not_wait(db, &subjects).await?;
        let known = accounts::find_credentials(db, username).await?;
        let user_id = known.as_ref().map(|known| known.user_id);
        let fits = passwords.verify(password, known.map(|known| known.hash)).await?;
        // Once more: guesses that come all at once have all passed the first time, and one of them may be right.
        must_not_wait(db, &subjects).await?;
        let account = match user_id.filter(|_| fits) {
            Some(user_id) => accounts::find(db, user_id).await?,
            None => None,
        };
        let Some(account) = account else {
            let waits = logins::record_failure(db, &subjects).await?;
            return Err(waits.map_or(Error::Unauthenticated("Invalid credentials"), |until| wait(db, until)));
        };
        logins::clear(db, &subjects[0]).await?;
        Ok(account)
    }

    /// A token for a user.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be signed.
    pub fn issue(&self, account: &Account) -> Result<Issued, Error> {
        let Inner { db, keys, rules, .. } = &*self.inner;
        let now = db.clock().now().as_second();
        let expires_in = i64::from(rules.token_hours) * 3_600;
        let claims = Claims {
            user_id: account.id,
            permission_level: account.role,
            company_account_number: account.company_account_number.clone(),
            exp: now + expires_in,
            iss: rules.issuer.clone(),
            sub: account.id.to_string(),
            aud: signing::AUDIENCE.to_owned(),
            iat: now,
            jti: random_id(),
        };
        keys.sign(&claims).map(|token| Issued { token, expires_in }).ok_or(Error::Internal)
    }

    /// The user of a token.
    async fn verify(&self, token: &str) -> Result<Account, Error> {
        let Inner { db, keys, rules, tokens, .. } = &*self.inner;
        let digest: [u8; 32] = Sha256::digest(token).into();
        let cached = tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).copied();
        let verified = if let Some(verified) = cached {
            verified
        } else {
            let claims = keys.verify(token, &rules.issuer).ok_or(Error::Unauthenticated("Token is invalid"))?;
            let verified = Verified { user_id: claims.user_id, expires: claims.exp };
            remember(tokens, digest, verified);
            verified
        };
        if verified.expires <= db.clock().now().as_second() {
            return Err(Error::Unauthenticated("Token has expired"));
        }
        self.account(verified.user_id).await?.ok_or(Error::Unauthenticated("User not found"))
    }

    /// A live user, as the database has it; or had it seconds ago, where nobody else writes to it.
    async fn account(&self, user_id: i64) -> Result<Option<Account>, Error> {
        let Inner { db, accounts, .. } = &*self.inner;
        // What other functions change is in force at once as well.
        if db.dialect() == Dialect::Postgres {
            return Ok(accounts::find(db, user_id).await?);
        }
        let users_version = db.users_version();
        {
            let known = accounts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = known.get(&user_id)
                && known.users_version == users_version
                && known.at.elapsed() < REMEMBERED
            {
                return Ok(Some(known.account.clone()));
            }
        }
        let account = accounts::find(db, user_id).await?;
        if let Some(account) = &account {
            remember(accounts, user_id, Remembered { at: Instant::now(), users_version, account: account.clone() });
        }
        Ok(account)
    }

    async fn api_key(&self, key: &str) -> Result<Account, Error> {
        const WRONG: Error = Error::Unauthenticated("Invalid API Key");
        let db = &self.inner.db;
        let shown = keys::find(db, &hash_secret(key)).await?.ok_or(WRONG)?;
        // Only service accounts have keys; one that became a person's account has none any more.
        let account = self.account(shown.user_id).await?.filter(|account| account.service_account).ok_or(WRONG)?;
        let now = db.clock().now();
        let last = shown.last_used_at.as_deref().and_then(instant::parse);
        // To the minute, so that a busy service does not write with each of its reads. Who may come in does not hang on it.
        if last.is_none_or(|last| now.duration_since(last) >= NOTED)
            && let Err(error) = keys::used(db, shown.id).await
        {
            tracing::warn!(%error, key = shown.id, "the use of an API key could not be noted");
        }
        // A key never does more than its account may do by now, nor more than it was made for: a client's stays a client's.
        let stays = account.role.includes(shown.role) || shown.role == Role::Client;
        let role = if stays { shown.role } else { account.role };
        Ok(Account { role, ..account })
    }

    /// The longest life of an API key, in days; none: as long as one likes.
    #[must_use]
    pub fn api_key_days(&self) -> Option<u32> {
        self.inner.rules.api_key_days
    }

    /// Begins a session of a person: its secret, for the cookie.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_session(&self, account: &Account) -> Result<String, Error> {
        let Inner { db, rules, .. } = &*self.inner;
        let secret = random_id();
        let now = db.clock().now();
        let life = jiff::SignedDuration::from_hours(rules.token_hours.into());
        let expires = instant::canonical(now.saturating_add(life).unwrap_or(now));
        accounts::insert_session(db, &hash_secret(&secret), account.id, &expires).await?;
        Ok(secret)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_session(&self, secret: &str) -> Result<(), Error> {
        Ok(accounts::delete_session(&self.inner.db, &hash_secret(secret)).await?)
    }

    /// Gives a person another password, which ends all sessions of the old one: the secret of a new session.
    ///
    /// # Errors
    /// When the password is too short or too long, and when the store fails.
    pub async fn change_password(&self, account: &Account, password: &SecretString) -> Result<String, Error> {
        check_password(password)?;
        let hash = self.inner.passwords.hash(password).await?;
        accounts::set_password(&self.inner.db, account.id, &hash, false).await?;
        self.begin_session(account).await
    }

    /// The account of a session, and whether its password is one that everybody knows.
    async fn session(&self, secret: &str) -> Result<Option<(Account, bool)>, Error> {
        match accounts::find_session(&self.inner.db, &hash_secret(secret)).await? {
            Some((user_id, is_default)) => Ok(self.account(user_id).await?.map(|account| (account, is_default))),
            None => Ok(None),
        }
    }

    pub(crate) fn secure_cookies(&self) -> bool {
        self.inner.rules.secure_cookies
    }

    pub(crate) fn session_seconds(&self) -> i64 {
        i64::from(self.inner.rules.token_hours) * 3_600
    }
}

/// Refuses a password that nobody may have.
///
/// # Errors
/// That it is too short or too long, of the field `password`.
pub fn check_password(password: &SecretString) -> Result<(), Error> {
    if PASSWORD_LENGTH.contains(&password.expose_secret().chars().count()) {
        return Ok(());
    }
    Err(Error::fields(vec![FieldError::new("password", "must have 10 to 1,000 characters")]))
}

/// Refuses while the account or the address must wait.
async fn must_not_wait(db: &Db, subjects: &[String; 2]) -> Result<(), Error> {
    logins::blocked_until(db, subjects).await?.map_or(Ok(()), |until| Err(wait(db, until)))
}

fn wait(db: &Db, until: Timestamp) -> Error {
    Error::TooMany(until.duration_since(db.clock().now()).as_secs().max(0).unsigned_abs() + 1)
}

/// A name as a key of the database, which takes no longer ones.
fn bounded(name: &str) -> String {
    if name.len() <= 255 { name.to_owned() } else { format!("#{}", hash_secret(name)) }
}

/// What counts as one address: whoever has one of IPv6 has its whole /64 to call from.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
        Ok(address) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

fn remember<K: std::hash::Hash + Eq, V>(cache: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHED {
        cache.clear();
    }
    cache.insert(key, value);
}

/// 192 random bits as 32 letters.
#[must_use]
pub fn random_id() -> String {
    let mut bytes = [0_u8; 24];
    // Without randomness nothing can be kept secret; the operating systems that Nexus runs on always have it.
    if getrandom::fill(&mut bytes).is_err() {
        tracing::error!("the system gives no random numbers");
        std::process::abort();
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// How a random secret (session, API key) is kept. It has entropy enough to need no slow hash.
#[must_use]
pub fn hash_secret(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::{bounded, network};

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        for (address, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2::1", "2001:db8:1:2::"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(network(address), counted);
        }
    }

    #[test]
    fn long_names_stay_apart_and_become_short() {
        let (one, other) = ("x".repeat(5_000), "x".repeat(5_001));
        assert!(bounded(&one).len() < 255 && bounded(&one) != bounded(&other));
        assert_eq!(bounded("ada"), "ada");
    }
}
