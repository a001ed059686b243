//! Passwords: Argon2id with 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet), off the async threads.

use std::sync::Arc;

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

/// Checked when there is no such user, so that the answer takes as long as with one, the very first time included.
/// Nobody is let in by it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdCAhIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes and checks passwords, a few at a time. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Passwords {
    queue: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { queue: Arc::new(Semaphore::new(AT_A_TIME + WAITING)), running: Arc::new(Semaphore::new(AT_A_TIME)) }
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
            let hash = hash.as_deref().unwrap_or(NOBODY);
            let fits = fits(password.expose_secret(), hash);
            known && fits
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let place = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| Error::Unavailable(2))?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Error::Internal)?;
        // The work holds them, not the caller: it goes on when the caller hangs up, and counts until it ends.
        let work = move || (work(), place, turn).0;
        spawn_blocking(work).await.map_err(|_| Error::Internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::task::{Context, Waker};

    use super::{AT_A_TIME, NOBODY, Passwords, WAITING, fits, hash};
    use crate::error::Error;

    #[tokio::test]
    async fn an_unknown_user_costs_the_same_work_as_a_known_one_and_is_nobody() {
        let cost = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);
        assert_eq!(cost(NOBODY), cost(&hash("some password").unwrap()));
        assert!(super::PasswordHash::new(NOBODY).is_ok());
        assert!(!Passwords::default().verify(&"".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn work_whose_caller_hung_up_counts_until_it_ends() {
        let passwords = Passwords::default();
        let (release, released) = mpsc::channel::<()>();
        let mut call = Box::pin(passwords.run(move || released.recv().is_ok()));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(call);
        assert_eq!(passwords.running.available_permits(), AT_A_TIME - 1);
        assert_eq!(passwords.queue.available_permits(), AT_A_TIME + WAITING - 1);
        release.send(()).unwrap();
        let all = u32::try_from(AT_A_TIME).unwrap();
        assert!(passwords.running.acquire_many(all).await.is_ok());
    }

    #[tokio::test]
    async fn callers_beyond_the_queue_are_sent_away() {
        let passwords = Passwords::default();
        let held = passwords.queue.try_acquire_many(u32::try_from(AT_A_TIME + WAITING).unwrap()).unwrap();
        assert!(matches!(passwords.verify(&"x".into(), None).await, Err(Error::Unavailable(_))));
        drop(held);
        assert!(passwords.verify(&"x".into(), None).await.is_ok());
    }

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
