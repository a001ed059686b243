//! Passwords: Argon2id with 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet), off the async threads.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::Error;

/// Checks that run at a time: each takes 19 MiB and a core.
const AT_A_TIME: usize = 2;
/// Checks that may wait; a caller beyond them is sent away rather than kept.
const WAITING: usize = 64;

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes and checks passwords, a few at a time. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Passwords {
    queue: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            queue: Arc::new(Semaphore::new(AT_A_TIME + WAITING)),
            running: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }
}

/// 32 bytes out of a password and a salt.
fn derive(argon2: &Argon2<'_>, password: &str, salt: &[u8]) -> Option<[u8; 32]> {
    /// glibc gives a block of more than 32 MiB back to the system as soon as it is freed. Of a smaller one it learns to
    /// keep such blocks, and with them every larger buffer from then on: the process stays twice as large. Reserved
    /// memory that is not written costs nothing.
    const RESERVED: usize = 34 * 1024 * 1024 / Block::SIZE;
    let needed = argon2.params().block_count();
    let mut memory = Vec::with_capacity(RESERVED.max(needed));
    memory.resize(needed, Block::new());
    let mut out = [0_u8; 32];
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut out, &mut memory).ok()?;
    Some(out)
}

/// A hash as a PHC string, with a salt of its own.
fn hash(password: &str) -> Option<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).ok()?;
    let out = derive(&argon2, password, &salt)?;
    let (salt, out) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(out));
    Some(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${out}"))
}

/// Whether the password is that of a PHC string, with the costs that the string names.
fn fits(password: &str, hash: &str) -> bool {
    let checked = || {
        let hash = PasswordHash::new(hash).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let argon2 = Argon2::new(algorithm, Version::V0x13, Params::try_from(&hash).ok()?);
        let expected = hash.hash.as_ref()?;
        let out = derive(&argon2, password, hash.salt.as_ref()?)?;
        Some(bool::from(out.ct_eq(expected.as_bytes())))
    };
    checked().unwrap_or(false)
}

/// Checked when there is no such user, so that the answer takes as long as with one.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash(&crate::auth::random_id()).unwrap_or_default());

impl Passwords {
    /// A password's hash as a PHC string.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn hash(&self, password: &SecretString) -> Result<String, Error> {
        let password = password.clone();
        self.run(move || hash(password.expose_secret())).await?.ok_or(Error::Internal)
    }

    /// Whether the password is that of the hash; without a hash it takes as long and is not.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn verify(&self, password: &SecretString, hash: Option<String>) -> Result<bool, Error> {
        let password = password.clone();
        self.run(move || {
            let known = hash.is_some();
            let hash = hash.as_deref().unwrap_or(NOBODY.as_str());
            let fits = fits(password.expose_secret(), hash);
            known && fits
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let _place = self.queue.try_acquire().map_err(|_| Error::Unavailable(2))?;
        let _turn = self.running.acquire().await.map_err(|_| Error::Internal)?;
        spawn_blocking(work).await.map_err(|_| Error::Internal)
    }
}

#[cfg(test)]
mod tests {
    use super::{fits, hash};

    #[test]
    fn a_password_fits_its_own_hash_and_no_other() {
        let first = hash("correct horse").unwrap();
        assert!(fits("correct horse", &first) && !fits("wrong horse", &first));
        assert_ne!(hash("correct horse").unwrap(), first, "each hash has a salt of its own");
    }

    #[test]
    fn hashes_of_the_field_are_understood_whatever_their_costs() {
        // Of argon2-cffi, with lower costs than ours.
        let other = "$argon2id$v=19$m=64,t=1,p=1$nr+KB7ovv2F8977gtBSjWw$VTVcywi53e78eeJPNj1tdc1h4kExbWS4T6N4f93u4IQ";
        assert!(fits("some password", other) && !fits("some Password", other));
        for broken in ["", "$argon2id$", "plain", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA"] {
            assert!(!fits("anything", broken), "{broken}");
        }
    }
}
