//! The instance: the folder that holds everything of one Nexus.
//!
//! ```text
//! instance/                 0700, every file in it 0600
//!   nexus.conf              the configuration
//!   nexus.db                the database, unless [database] url names another one
//!   nexus.lock              see crate::lock
//!   keys/<kid>.pem          keys of the tokens, P-256; the newest signs
//!   certificates/ca.pem     the local authority, for people and services to trust
//!                ca-key.pem, server.pem, server-key.pem
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use nexus_core::config::{Config, DatabaseUrl};
use rustls::ServerConfig;
use secrecy::{ExposeSecret as _, SecretString};

use crate::certificate::{self, CertificateError, Pair, hex};
use crate::{RunnerError, files, lock};

const CONFIGURATION: &str = include_str!("nexus.conf");
const DATABASE: &str = "nexus.db";

/// An instance that is there, and what it is configured to do.
#[derive(Debug)]
pub struct Instance {
    /// The folder, absolute.
    pub directory: PathBuf,
    /// `nexus.conf` with the environment laid over it. `nexus_auth.password` is always there.
    pub config: Config,
    /// The keys of the tokens, newest first; at least one. The first signs, the others still verify.
    pub keys: Vec<SigningKey>,
}

/// A key that signs tokens (ES256).
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// Its name in the tokens' header and in the key set: the name of its file.
    pub kid: String,
    /// The private key, PKCS#8 PEM.
    pub pem: SecretString,
    /// When its file was written.
    pub made_at: Timestamp,
}

impl Instance {
    /// Opens the instance in `directory`, and makes what is not there yet.
    ///
    /// Nothing that is there is written again, with one exception: a `nexus.conf` that somebody else wrote, without a
    /// password of the service account, gets one.
    pub fn prepare(
        directory: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
        now: Timestamp,
    ) -> Result<Self, RunnerError> {
        files::directory(directory)?;
        let directory = directory.canonicalize().map_err(RunnerError::file("open", directory))?;
        let _alone = lock::preparing(&directory)?;

        let conf = directory.join("nexus.conf");
        let written = files::find(&conf)?;
        if !directory.join("keys").exists() && (written.is_some() || is_empty(&directory)?) {
            files::restrict(&directory)?;
        }
        // A mistake in nexus.conf is told before anything is made.
        let environment: Vec<_> = environment.into_iter().collect();
        let mut config = Config::parse(written.as_deref().unwrap_or_default(), environment.iter().cloned())?;
        if written.is_none() || config.nexus_auth.password.is_none() {
            let text = with_password(written.as_deref().unwrap_or(CONFIGURATION), &random()?);
            config = Config::parse(&text, environment)?;
            files::write(&conf, &text)?;
        }

        let keys = signing_keys(&directory.join("keys"))?;
        let instance = Self { directory, config, keys };
        instance.make_certificates(now)?;
        if instance.config.database.url.is_none() {
            // Made here for its permissions; the files that SQLite puts beside it take them over.
            files::touch(&instance.directory.join(DATABASE))?;
        }
        Ok(instance)
    }

    /// The address of the database: the configured one, a `SQLite` file being relative to the folder, or `nexus.db` in it.
    #[must_use]
    pub fn database_url(&self) -> SecretString {
        let (file, options) = match &self.config.database.url {
            Some(DatabaseUrl::Postgres(url)) => return url.clone(),
            Some(DatabaseUrl::Sqlite(file)) => match file.split_once('?') {
                Some((file, options)) => (file, format!("?{options}")),
                None => (file.as_str(), String::new()),
            },
            None => (DATABASE, String::new()),
        };
        if file.starts_with('/') {
            return format!("sqlite://{file}{options}").into();
        }
        // The folder's name is a person's choice and may hold what means something in an address.
        let directory = self.directory.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        let file = file.strip_prefix("./").unwrap_or(file);
        format!("sqlite://{directory}/{file}{options}").into()
    }

    /// The certificate of the local authority, for clients to trust; `None` when the system's own is configured.
    #[must_use]
    pub fn authority(&self) -> Option<PathBuf> {
        self.config.server.certificate.is_none().then(|| self.certificates().join("ca.pem"))
    }

    /// The TLS configuration of the server: of the configured certificate, or of the local one, which is issued again
    /// when it has less than 30 days left.
    pub fn tls(&self, now: Timestamp) -> Result<Arc<ServerConfig>, RunnerError> {
        let (certificate, key) = match (&self.config.server.certificate, &self.config.server.private_key) {
            (Some(certificate), Some(key)) => (self.directory.join(certificate), self.directory.join(key)),
            _ => self.renew(now)?,
        };
        let (text, key_text) = (files::read(&certificate)?, files::read(&key)?.into());
        certificate::load(&text, &key_text).map_err(|source| match source {
            CertificateError::Key => told(&key)(source),
            _ => told(&certificate)(source),
        })
    }

    fn certificates(&self) -> PathBuf {
        self.directory.join("certificates")
    }

    fn make_certificates(&self, now: Timestamp) -> Result<(), RunnerError> {
        let folder = self.certificates();
        let path = |name: &str| folder.join(name);
        files::directory(&folder)?;
        // A certificate is written after its key: where it is, both are.
        if !path("ca.pem").exists() {
            let authority = certificate::new_authority(now).map_err(told(&path("ca.pem")))?;
            files::write(&path("ca-key.pem"), authority.private_key.expose_secret())?;
            files::write(&path("ca.pem"), &authority.certificate)?;
        }
        if !path("server.pem").exists() || !path("server-key.pem").exists() {
            let key = certificate::new_key().map_err(told(&path("server-key.pem")))?;
            files::write(&path("server-key.pem"), key.expose_secret())?;
            self.issue(now)?;
        }
        Ok(())
    }

    fn renew(&self, now: Timestamp) -> Result<(PathBuf, PathBuf), RunnerError> {
        let folder = self.certificates();
        let (certificate, authority) = (folder.join("server.pem"), folder.join("ca.pem"));
        let trusted = certificate::trust(&files::read(&authority)?).map_err(told(&authority))?;
        if certificate::is_due(&files::read(&certificate)?, &trusted, now).map_err(told(&certificate))? {
            self.issue(now)?;
        }
        Ok((certificate, folder.join("server-key.pem")))
    }

    fn issue(&self, now: Timestamp) -> Result<(), RunnerError> {
        let folder = self.certificates();
        let key = |name: &str| {
            let (path, pem) = (folder.join(name), files::read(&folder.join(name))?.into());
            certificate::key_id(&pem).ok_or(CertificateError::Key).map_err(told(&path))?;
            Ok::<_, RunnerError>(pem)
        };
        let authority = Pair { certificate: files::read(&folder.join("ca.pem"))?, private_key: key("ca-key.pem")? };
        let key = key("server-key.pem")?;
        let path = folder.join("server.pem");
        files::write(&path, &certificate::issue(&authority, &key, now).map_err(told(&path))?)
    }
}

fn told(path: &Path) -> impl FnOnce(CertificateError) -> RunnerError {
    let path = path.to_owned();
    move |source| RunnerError::Certificate { path, source }
}

fn is_empty(directory: &Path) -> Result<bool, RunnerError> {
    let mut entries = fs::read_dir(directory).map_err(RunnerError::file("read", directory))?;
    Ok(entries.next().is_none())
}

/// Reads the keys in the folder, and makes the first one.
fn signing_keys(folder: &Path) -> Result<Vec<SigningKey>, RunnerError> {
    files::directory(folder)?;
    let mut keys = read_keys(folder)?;
    if keys.is_empty() {
        let made = certificate::new_key().map_err(|error| RunnerError::Random(error.to_string()))?;
        let kid = certificate::key_id(&made).ok_or_else(|| RunnerError::SigningKey { path: folder.to_owned() })?;
        files::write(&folder.join(format!("{kid}.pem")), made.expose_secret())?;
        keys = read_keys(folder)?;
    }
    keys.sort_by(|left, right| right.made_at.cmp(&left.made_at).then_with(|| left.kid.cmp(&right.kid)));
    Ok(keys)
}

fn read_keys(folder: &Path) -> Result<Vec<SigningKey>, RunnerError> {
    let mut keys = Vec::new();
    for entry in fs::read_dir(folder).map_err(RunnerError::file("read", folder))? {
        let path = entry.map_err(RunnerError::file("read", folder))?.path();
        if path.extension().is_none_or(|extension| extension != "pem") {
            continue;
        }
        let pem = SecretString::from(files::read(&path)?);
        if certificate::key_id(&pem).is_none() {
            return Err(RunnerError::SigningKey { path });
        }
        let written = path.metadata().and_then(|found| found.modified()).map_err(RunnerError::file("read", &path))?;
        let kid = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        keys.push(SigningKey { kid, pem, made_at: Timestamp::try_from(written).unwrap_or(Timestamp::UNIX_EPOCH) });
    }
    Ok(keys)
}

/// A password of 192 random bits.
fn random() -> Result<String, RunnerError> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|error| RunnerError::Random(error.to_string()))?;
    Ok(hex(&bytes))
}

/// Puts the service account's password into the text of a `nexus.conf` that has none: in place of the blank one, else
/// under the heading of its section, else in a section of its own at the end.
fn with_password(text: &str, password: &str) -> String {
    let setting = format!("password = {password}");
    let name = |line: &str| line.split(['=', ':']).next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let heading = |line: &String| {
        let inner = line.trim().trim_start_matches('\u{feff}').strip_prefix('[')?.strip_suffix(']')?;
        Some(inner.trim().to_ascii_lowercase())
    };
    match lines.iter().position(|line| heading(line).is_some_and(|name| name == "nexus_auth")) {
        Some(start) => {
            let end = lines[start + 1..].iter().position(|line| heading(line).is_some());
            let end = end.map_or(lines.len(), |length| start + 1 + length);
            match lines[start..end].iter().position(|line| name(line) == "password") {
                Some(blank) => lines[start + blank] = setting,
                None => lines.insert(start + 1, setting),
            }
        }
        None => lines.extend([String::new(), "[nexus_auth]".to_owned(), setting]),
    }
    lines.join("\n") + "\n"
}
