//! The variables of a function, with those that its secrets hold.

use std::collections::BTreeMap;

use nexus_core::config::Config;
use thiserror::Error;

use crate::extension::Extension;

/// Names the secrets, separated by blanks: names or ARNs. Each holds a JSON object of variables.
const SECRETS: &str = "NEXUS_SECRETS";

/// Why a function does not start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// A variable is absent or blank.
    #[error("{0} is not set; set it in the function's environment or in one of its secrets ({SECRETS})")]
    Missing(String),
    /// The extension reads no secrets before the first event.
    #[error("the secrets extension is not ready yet")]
    NotReady,
    /// A secret cannot be had.
    #[error("the secret {name} cannot be read: {reason}")]
    Secret {
        /// Its name or ARN.
        name: String,
        /// Why; never what is in it.
        reason: String,
    },
    /// Anything else that is set wrongly, or not there.
    #[error("{0}")]
    Configuration(String),
}

impl Fault {
    /// A fault told by somebody else.
    #[must_use]
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self::Configuration(error.to_string())
    }
}

/// The variables of a function. A blank one counts as not set.
#[derive(Clone)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The process's own variables, and those of the secrets that they name. The process's own go before, so that a person can
    /// overrule a secret for an hour.
    ///
    /// # Errors
    /// A secret that cannot be had.
    pub async fn read() -> Result<Self, Fault> {
        Self::of(std::env::vars()).with_secrets().await
    }

    async fn with_secrets(mut self) -> Result<Self, Fault> {
        if let Some(names) = self.get(SECRETS).map(str::to_owned) {
            let extension = Extension::of(&self)?;
            for name in names.split_whitespace() {
                for (variable, value) in extension.secret(name).await? {
                    self.0.entry(variable).or_insert(value);
                }
            }
        }
        Ok(self)
    }

    /// These variables.
    pub fn of<T: Into<String>>(variables: impl IntoIterator<Item = (T, T)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(variables.filter(|(_, value): &(String, String)| !value.trim().is_empty()).collect())
    }

    /// A variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A variable that has to be there.
    ///
    /// # Errors
    /// [`Fault::Missing`].
    pub fn need(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| Fault::Missing(name.to_owned()))
    }

    /// The configuration that they hold: `NEXUS__SECTION__KEY` is any key of `nexus.conf`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn config(&self) -> Result<Config, Fault> {
        let variables = self.0.iter().map(|(name, value)| (name.clone(), value.clone()));
        Config::parse("", variables).map_err(Fault::of)
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's server is no function")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::routing::get;
    use http::{HeaderMap, StatusCode, Uri};
    use serde_json::json;

    use super::{Environment, Fault};

    const TOKEN: &str = "of-the-session";

    /// A secrets extension that is not ready for so many calls; its port.
    async fn extension(not_ready: usize) -> String {
        let calls = Arc::new(AtomicUsize::new(0));
        let answer = async move |headers: HeaderMap, uri: Uri| {
            if calls.fetch_add(1, Ordering::SeqCst) < not_ready {
                return (StatusCode::BAD_REQUEST, "not ready to serve traffic, please wait".to_owned());
            }
            if headers["x-aws-parameters-secrets-token"] != TOKEN {
                return (StatusCode::UNAUTHORIZED, String::new());
            }
            let text = match uri.query().unwrap() {
                "secretId=nexus%2Fdatabase" => {
                    json!({"PASSWORD": "pä$$ word", "OWN": "of the secret", "PORT": 5432}).to_string()
                }
                "secretId=arn%3Aaws%3Asecretsmanager%3Aeu-central-1%3A1%3Asecret%3Atwo" => {
                    json!({"KEY": "-----BEGIN\n"}).to_string()
                }
                "secretId=text" => "hunter2".to_owned(),
                _ => return (StatusCode::BAD_REQUEST, "ResourceNotFoundException: hunter2".to_owned()),
            };
            (StatusCode::OK, json!({"Name": "x", "SecretString": text}).to_string())
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let app = Router::new().route("/secretsmanager/get", get(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        port
    }

    async fn read(port: &str, secrets: &str) -> Result<Environment, Fault> {
        let own = [
            ("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", port),
            ("AWS_SESSION_TOKEN", TOKEN),
            ("NEXUS_SECRETS", secrets),
            ("OWN", "of the process"),
            ("BLANK", "  "),
        ];
        Environment::of(own).with_secrets().await
    }

    #[tokio::test]
    async fn the_variables_of_all_secrets_join_those_of_the_process() {
        let port = extension(0).await;
        let read = read(&port, "nexus/database  arn:aws:secretsmanager:eu-central-1:1:secret:two").await.unwrap();
        assert_eq!((read.get("PASSWORD"), read.get("PORT")), (Some("pä$$ word"), Some("5432")));
        assert_eq!((read.get("OWN"), read.get("KEY")), (Some("of the process"), Some("-----BEGIN\n")));
        assert_eq!(read.need("BLANK"), Err(Fault::Missing("BLANK".into())));
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_secret_is_one_line_without_its_words() {
        let port = extension(0).await;
        for name in ["text", "absent"] {
            let told = read(&port, name).await.err().unwrap().to_string();
            assert!(told.contains(name) && !told.contains("hunter2") && told.lines().count() == 1, "{told}");
        }
        let nobody = read("1", "text").await.err().unwrap();
        assert!(matches!(nobody, Fault::Secret { .. }), "{nobody}");
    }

    #[tokio::test]
    async fn an_extension_that_comes_up_is_waited_for_and_one_that_waits_for_the_first_event_is_not() {
        let port = extension(2).await;
        assert!(read(&port, "nexus/database").await.is_ok());
        let port = extension(usize::MAX).await;
        assert_eq!(read(&port, "nexus/database").await.err(), Some(Fault::NotReady));
    }

    #[tokio::test(start_paused = true)]
    async fn an_extension_that_does_not_answer_is_told() {
        // Its connections are taken, and nobody reads them.
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port().to_string();
        let told = read(&port, "nexus/database").await.err().unwrap().to_string();
        assert!(told.contains("does not answer within 5s"), "{told}");
    }
}
