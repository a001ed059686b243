//! The entry of a route group that is deployed as a Lambda function behind an HTTP API of API Gateway.

use std::cmp::Reverse;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State as FromState};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::{BodyExt as _, Collected};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use lambda_http::service_fn;
use nexus_core::config::{Config, DatabaseUrl};
use nexus_core::{Clock, FieldError};
use nexus_db::{Db, Options};
pub use nexus_lambda::{Environment, Fault};
use nexus_lambda::{Start, iam};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::OnceCell;
use tower::ServiceExt as _;
use url::Url;

use crate::auth::{Auth, Keys, Rules};
use crate::{Error, Limits, State, frame};

/// Bytes of an answer at most: what Lambda takes (AWS Lambda developer guide, "Lambda quotas": 6 MB of response payload), without
/// room for status, headers and cookies.
const LONGEST: usize = 6 * 1024 * 1024 - 64 * 1024;
/// A signed password is used for so long: well within its life, and seldom made.
const RENEWED_AFTER: Duration = Duration::from_mins(7);
/// Each variable of this beginning is a key of the tokens, its name being what follows.
const SIGNING_KEY: &str = "NEXUS_SIGNING_KEY_";
/// A key with such a name signs from then on. So a new one is known to all functions before any of them signs with it.
const SIGNS_FROM: &str = "%Y%m%dT%H%M%SZ";

/// Serves a route group: configuration from the environment and its secrets, PostgreSQL, JSON logs, one thread.
///
/// | variable | |
/// |---|---|
/// | `NEXUS_DATABASE_URL` | `postgres://user@host/database?sslmode=verify-full&sslrootcert=…` |
/// | `NEXUS_DATABASE_PASSWORD` | its password, where the address has none |
/// | `NEXUS_DATABASE_AUTH` | `iam`: in its place a password signed with the function's role |
/// | `NEXUS_SIGNING_KEY_<KID>` | keys of the tokens, P-256 PKCS#8 PEM; all verify, and the greatest name signs that is no time to come (`20260302T080000Z`) |
/// | `NEXUS__SECTION__KEY` | any key of `nexus.conf` |
///
/// A fault of the configuration is one line, and the function does not start. The database is met with the first request: without
/// it, or where `setup` has not brought it to this version, requests are answered with 503, and the log says why.
pub fn main(group: fn(&Environment) -> Result<Router<State>, Fault>) -> ExitCode {
    nexus_lambda::main(|| async {
        let open = async |environment: Environment| Deployed::open(&environment, group(&environment)?);
        let start = &Start::new(open).await?;
        let answer = service_fn(async move |request: lambda_http::Request| start.get().await?.answer(request).await);
        lambda_http::run(answer).await.map_err(Fault::of)
    })
}

/// A route group over its database.
struct Deployed(Router);

impl Deployed {
    fn open(environment: &Environment, group: Router<State>) -> Result<Self, Fault> {
        let config = environment.config()?;
        let database = Database::of(environment, &config)?;
        let pems = signing_keys(environment, Clock::system().now());
        if pems.is_empty() {
            return Err(Fault::Missing(format!("{SIGNING_KEY}<name>")));
        }
        let keys = Keys::new(pems.iter().map(|(kid, pem)| (*kid, pem))).map_err(Fault::of)?;
        let rules = Rules {
            issuer: config.nexus_auth.issuer.clone(),
            token_hours: config.nexus_auth.token_hours,
            api_key_days: config.nexus_auth.api_key_days(),
            secure_cookies: true,
        };
        let state = State { auth: Auth::new(database.db.clone(), keys, rules), db: database.db.clone() };
        let limits = Limits { body: usize::try_from(config.server.max_body_bytes).unwrap_or(usize::MAX) };
        let group = group.layer(middleware::from_fn(whole));
        Ok(Self(frame(group.layer(middleware::from_fn_with_state(Arc::new(database), met)), state, limits)))
    }

    async fn answer(&self, request: lambda_http::Request) -> Result<Answer, lambda_http::Error> {
        let Ok(response) = self.0.clone().oneshot(request).await;
        Ok(Answer(response))
    }
}

/// An answer on its way to the platform.
struct Answer(Response);

/// As `lambda_http` does it with any response, but for texts in other encodings than UTF-8. There are none, and their tables would
/// be 150 kB of each binary.
impl lambda_http::IntoResponse for Answer {
    fn into_response(self) -> Pin<Box<dyn Future<Output = http::Response<lambda_http::Body>> + Send>> {
        let (parts, body) = self.0.into_parts();
        Box::pin(async move {
            // It is whole already.
            let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
            let body = if is_text(&parts.headers) {
                String::from_utf8(body.into()).map_or_else(|other| other.into_bytes().into(), lambda_http::Body::Text)
            } else {
                lambda_http::Body::Binary(body.into())
            };
            http::Response::from_parts(parts, body)
        })
    }
}

/// Nothing is begun without the database.
async fn met(FromState(database): FromState<Arc<Database>>, request: Request, next: Next) -> Response {
    match database.ready().await {
        Ok(()) => next.run(request).await,
        Err(error) => {
            tracing::error!(%error, "the database cannot be used");
            Error::Unavailable(5).into_response()
        }
    }
}

/// The keys of the tokens, by name; the first signs.
fn signing_keys(environment: &Environment, now: Timestamp) -> Vec<(&str, SecretString)> {
    let keys =
        environment.all().filter_map(|(name, pem)| Some((name.strip_prefix(SIGNING_KEY)?, pem.to_owned().into())));
    let mut keys: Vec<_> = keys.collect();
    let is_to_come = |name: &str| {
        let from = DateTime::strptime(SIGNS_FROM, name).and_then(|from| from.to_zoned(TimeZone::UTC));
        from.is_ok_and(|from| from.timestamp() > now)
    };
    keys.sort_by_key(|(name, _)| (is_to_come(name), Reverse(*name)));
    keys
}

/// Opens the database that the environment names and brings it to this version. One that is newer is left so: a deployment that is
/// rolled back has its functions of before, and they can work with it.
///
/// # Errors
/// What is missing in the environment, and [`nexus_db::Error`] in words.
pub async fn migrate(environment: &Environment, config: &Config) -> Result<Db, Fault> {
    let (url, _) = login(environment, config)?;
    Db::upgrade(&url, Options::from(&config.database), Clock::system()).await.map_err(Fault::of)
}

/// The database of a deployed function, and how to log in there.
struct Database {
    db: Db,
    signed: Option<Signed>,
    met: OnceCell<()>,
}

/// A login by passwords that are signed.
struct Signed {
    environment: Environment,
    url: Url,
    at: Mutex<SystemTime>,
}

impl Database {
    /// The database that the environment names, which the function `setup` brings to this version.
    fn of(environment: &Environment, config: &Config) -> Result<Self, Fault> {
        let (url, signed) = login(environment, config)?;
        let db = Db::deployed(&url, Options::from(&config.database), Clock::system()).map_err(Fault::of)?;
        Ok(Self { db, signed, met: OnceCell::new() })
    }

    /// Meets it, once, and keeps the login young.
    async fn ready(&self) -> Result<(), Fault> {
        self.renew()?;
        self.met.get_or_try_init(|| self.db.meet()).await.map_err(Fault::of).copied()
    }

    /// Signs a new password before the last one is too old to log in with.
    fn renew(&self) -> Result<(), Fault> {
        let Some(signed) = &self.signed else { return Ok(()) };
        let now = self.db.clock().now().into();
        let mut at = signed.at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if SystemTime::duration_since(&now, *at).is_ok_and(|age| age < RENEWED_AFTER) {
            return Ok(());
        }
        self.db.readdress(&signed.address(now)?).map_err(Fault::of)?;
        *at = now;
        Ok(())
    }
}

impl Signed {
    fn address(&self, now: SystemTime) -> Result<DatabaseUrl, Fault> {
        let host =
            self.url.host_str().ok_or_else(|| Fault::Configuration("NEXUS_DATABASE_URL names no host".to_owned()))?;
        let user = self.url.username();
        let password = iam::password(&self.environment, (host, self.url.port().unwrap_or(5432)), user, now)?;
        with_password(&self.url, &password)
    }
}

fn login(environment: &Environment, config: &Config) -> Result<(DatabaseUrl, Option<Signed>), Fault> {
    let Some(DatabaseUrl::Postgres(url)) = &config.database.url else {
        return Err(Fault::Missing("NEXUS_DATABASE_URL, a postgres:// address,".to_owned()));
    };
    // Its words could quote a password.
    let parsed = || {
        Url::parse(url.expose_secret()).map_err(|_| Fault::Configuration("NEXUS_DATABASE_URL is no address".to_owned()))
    };
    match (environment.get("NEXUS_DATABASE_AUTH"), environment.get("NEXUS_DATABASE_PASSWORD")) {
        (Some("iam"), _) => {
            let now = Clock::system().now().into();
            let signed = Signed { environment: environment.clone(), url: parsed()?, at: Mutex::new(now) };
            Ok((signed.address(now)?, Some(signed)))
        }
        (None | Some("password"), Some(password)) => {
            Ok((with_password(&parsed()?, &password.to_owned().into())?, None))
        }
        (None | Some("password"), None) => Ok((DatabaseUrl::Postgres(url.clone()), None)),
        (Some(_), _) => Err(Fault::Configuration("NEXUS_DATABASE_AUTH: expected password or iam".to_owned())),
    }
}

fn with_password(url: &Url, password: &SecretString) -> Result<DatabaseUrl, Fault> {
    let mut url = url.clone();
    url.set_password(Some(password.expose_secret()))
        .map_err(|()| Fault::Configuration("NEXUS_DATABASE_URL takes no password".to_owned()))?;
    Ok(DatabaseUrl::Postgres(String::from(url).into()))
}

/// An answer is sent as a whole, and one that is too long for the platform says how to ask for less.
async fn whole(request: Request, next: Next) -> Response {
    let (parts, mut body) = next.run(request).await.into_parts();
    let mut room = LONGEST;
    let mut taken: Vec<Bytes> = Vec::new();
    loop {
        let data = match body.frame().await {
            None => break,
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(error)) => {
                tracing::error!(%error, "an answer ended before its end");
                return Error::Internal.into_response();
            }
        };
        match room.checked_sub(sent_as(&parts.headers, &data)) {
            Some(left) => room = left,
            None => return too_long().into_response(),
        }
        taken.push(data);
    }
    let body = if taken.len() == 1 { taken.swap_remove(0) } else { taken.concat().into() };
    Response::from_parts(parts, Body::from(body))
}

/// Whether a body is sent as a text; all else is sent in base 64.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("text");
    !headers.contains_key(CONTENT_ENCODING) && (kind.starts_with("text") || kind.contains("json"))
}

/// Bytes that a part of a body has within the JSON in which a function answers.
fn sent_as(headers: &HeaderMap, data: &[u8]) -> usize {
    if !is_text(headers) {
        return data.len().div_ceil(3) * 4;
    }
    data.iter()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum()
}

fn too_long() -> Error {
    Error::Invalid {
        message: "The answer is longer than the 6 MB that can be sent at once. Ask for it in pages".into(),
        fields: vec![FieldError::new(
            "page",
            "is needed for so long a list: ?page=1&per_page=1000, then rel=\"next\" of Link",
        )],
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use futures_util::stream;
    use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
    use http::{HeaderMap, HeaderValue, Request, StatusCode};
    use tower::ServiceExt as _;

    use jiff::Timestamp;

    use super::{Environment, LONGEST, sent_as, signing_keys, whole};

    async fn answer(parts: Vec<Result<String, String>>) -> axum::response::Response {
        let handler = async move || {
            let parts = parts.into_iter().map(|part| part.map_err(std::io::Error::other));
            ([(CONTENT_TYPE, "application/json")], Body::from_stream(stream::iter(parts)))
        };
        let router: Router = Router::new().route("/", get(handler)).layer(middleware::from_fn(whole));
        router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_stream_is_sent_as_a_whole_up_to_the_platforms_bound() {
        let halves = |n: usize| vec![Ok("a".repeat(n)), Ok("b".repeat(LONGEST - n))];
        let whole = answer(halves(1_000)).await;
        assert_eq!(whole.status(), StatusCode::OK);
        let body = axum::body::to_bytes(whole.into_body(), LONGEST).await.unwrap();
        assert_eq!((body.len(), body[999], body[1_000]), (LONGEST, b'a', b'b'));
        let mut longer = halves(1_000);
        longer.push(Ok("\n".to_owned()));
        assert_eq!(answer(longer).await.status(), StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_no_answer() {
        let parts = vec![Ok("[1,".to_owned()), Err("gone".to_owned())];
        assert_eq!(answer(parts).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn the_youngest_key_signs_whose_time_has_come() {
        let names = ["20260301T080000Z", "20260302T080000Z", "20260303T080000Z"];
        let variables = names.map(|name| (format!("NEXUS_SIGNING_KEY_{name}"), "pem".to_owned()));
        let environment = Environment::of(variables);
        let signs = |now: &str| signing_keys(&environment, now.parse().unwrap())[0].0;
        assert_eq!(signs("2026-03-02T07:59:59Z"), names[0]);
        assert_eq!(signs("2026-03-02T08:00:00Z"), names[1]);
        assert_eq!(signs("2026-04-01T00:00:00Z"), names[2]);
        // Any other name has no time to wait for.
        let other = Environment::of([("NEXUS_SIGNING_KEY_first", "pem"), ("NEXUS_SIGNING_KEY_second", "pem")]);
        assert_eq!(signing_keys(&other, Timestamp::UNIX_EPOCH)[0].0, "second");
    }

    #[test]
    fn a_text_counts_as_json_writes_it_and_all_else_in_base_64() {
        let headers = |pairs: &[(http::HeaderName, &'static str)]| {
            pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect::<HeaderMap>()
        };
        let text = "\"a\\\u{1}\n ä";
        let json = headers(&[(CONTENT_TYPE, "application/problem+json")]);
        assert_eq!(sent_as(&json, text.as_bytes()), serde_json::to_string(text).unwrap().len() - 2);
        let zipped = headers(&[(CONTENT_TYPE, "text/css"), (CONTENT_ENCODING, "br")]);
        assert_eq!(sent_as(&zipped, &[0; 7]), 12);
        assert_eq!(sent_as(&headers(&[(CONTENT_TYPE, "image/svg+xml")]), &[0; 3]), 4);
    }
}
