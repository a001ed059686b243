//! Passwords: Argon2id with 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet), off the async threads.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::error::Error;

/// Checks that run at a time: each takes 19 MiB and a core.
const AT_A_TIME: usize = 2;
/// Checks that may wait; a caller beyond them is sent away rather than kept.
const WAITING: usize = 64;
/// The longest password that is hashed.
const LONGEST: usize = 1_024;

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

fn argon2() -> Argon2<'static> {
    let params = Params::new(19_456, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Checked when there is no such user, so that the answer takes as long as with one.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash(&crate::auth::random_id()).unwrap_or_default());

fn hash(password: &str) -> Option<String> {
    argon2().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
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
            let hash = hash.as_deref().unwrap_or(NOBODY.as_str());
            let password = password.expose_secret();
            let password = password.get(..LONGEST).unwrap_or(password);
            let fits = PasswordHash::new(hash)
                .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok());
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
