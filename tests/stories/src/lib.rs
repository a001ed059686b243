//! What the stories share: a served Nexus, and callers of every role.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "this crate serves tests only")]

mod browser;
mod deployed;
mod syncing;

pub use syncing::{
    Directory, End, Source, Syncing, Trouble, content, datto_access, first_runs_survive, freshservice_access,
};

use std::net::{Ipv4Addr, SocketAddr};

pub use browser::{Browser, Form};
use http::{HeaderMap, Method, StatusCode};
use local_runner::server::{Bound, Running, Transport};
use local_runner::{certificate, mount};
use nexus_core::{Actor, Clock, Entity, Fields, Scope, fields};
use nexus_db::changes::{Deed, Edit, Origin, change, feed};
use nexus_db::{Db, Query, accounts};
use nexus_deployed::Deployment;
use nexus_events::Bus;
use nexus_test_databases::World;
use nexus_web::auth::{Keys, Rules};
use nexus_web::{Auth, Limits, State};
use reqwest::redirect::Policy;
use secrecy::SecretString;
use serde_json::{Value, json};

/// The password of every account that a story makes.
pub const PASSWORD: &str = "correct horse battery staple";

/// A Nexus that is served over HTTP on a port of its own, on a test's database.
pub struct Nexus {
    /// Its database and clock.
    pub world: World,
    /// `http://127.0.0.1:PORT`, or `https`.
    pub url: String,
    /// Who is asking.
    pub auth: Auth,
    /// What it sends.
    pub bus: Bus,
    serving: Serving,
}

/// What serves it.
enum Serving {
    /// A server in this process.
    Here(Running),
    /// The functions of a deployment.
    Functions(Deployment),
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body as text.
    pub text: String,
}

impl Answer {
    /// The one object of an error answer under `/api`, checked as the contract has it.
    #[expect(clippy::must_use_candidate, reason = "the check alone is of use")]
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail", "request_id"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
        assert_eq!(problem["error"], problem["detail"]);
        assert_eq!(problem["message"], problem["detail"]);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert_eq!(self.header("location"), "");
        problem
    }

    /// Checks that this is a problem with that text.
    pub fn refused(&self, status: u16, text: &str) {
        assert_eq!(self.problem(status)["detail"], text);
    }

    /// The fields that a validation names, in their order.
    #[must_use]
    pub fn blamed(&self) -> Vec<String> {
        let problem = self.problem(400);
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.iter().all(|error| error["message"].as_str().is_some_and(|text| !text.is_empty())), "{problem}");
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A header as text; empty when there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A plain HTTP client: no redirects followed, no cookies kept.
#[must_use]
pub fn http_client() -> reqwest::Client {
    http_client_from(Ipv4Addr::LOCALHOST)
}

/// The same, calling from another address of this machine. Linux has all of 127.0.0.0/8.
#[must_use]
pub fn http_client_from(address: Ipv4Addr) -> reqwest::Client {
    // Installing a second time is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(Policy::none()).local_address(Some(address.into())).build().unwrap()
}

impl Nexus {
    /// Serves a world.
    pub async fn serve(world: World) -> Self {
        let pem = certificate::new_key().unwrap();
        Self::serve_with(world, &[("first", &pem)]).await
    }

    /// Serves a world over HTTPS, by a certificate that nobody knows yet; and that of its authority, PEM.
    pub async fn serve_https(world: World) -> (Self, String) {
        let now = world.clock.now().max(Clock::system().now());
        let authority = certificate::new_authority(now).unwrap();
        let key = certificate::new_key().unwrap();
        let certificate = certificate::issue(&authority, &key, now).unwrap();
        let transport = Transport::Https(certificate::load(&certificate, &key).unwrap());
        let pem = certificate::new_key().unwrap();
        (Self::serve_by(world, &[("first", &pem)], transport).await, authority.certificate)
    }

    /// Serves a world whose tokens are signed by the first of these keys.
    pub async fn serve_with(world: World, keys: &[(&str, &SecretString)]) -> Self {
        Self::serve_by(world, keys, Transport::Http).await
    }

    async fn serve_by(world: World, pems: &[(&str, &SecretString)], transport: Transport) -> Self {
        let keys = Keys::new(pems.iter().copied()).unwrap();
        let rules = Rules { issuer: "nexus".into(), token_hours: 24, api_key_days: Some(366), secure_cookies: true };
        let auth = Auth::new(world.db.clone(), keys, rules);
        let bus = Bus::local();
        if matches!(transport, Transport::Http)
            && let Some(deployment) = deployed::start(&world, pems, &bus).await
        {
            let url = deployment.gateway.url.clone();
            return Self { world, url, auth, bus, serving: Serving::Functions(deployment) };
        }
        let state = State { db: world.db.clone(), auth: auth.clone() };
        let router = mount::router(state, bus.clone(), Limits { body: 1024 * 1024 });
        let bound = Bound::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), transport).unwrap();
        let running = bound.start(router).unwrap();
        Self { world, url: running.base_url().to_owned(), auth, bus, serving: Serving::Here(running) }
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.world.db
    }

    /// Stops serving.
    pub async fn stop(self) {
        match self.serving {
            Serving::Here(running) => running.stop().await.unwrap(),
            Serving::Functions(deployment) => drop(deployment),
        }
    }

    /// A new account with [`PASSWORD`], of that role, of these companies (ids).
    pub async fn account(&self, username: &str, role: &str, companies: &[i64]) -> i64 {
        let service = username.starts_with("jobs");
        let given = json!({
            "username": username, "role": role, "service_account": service, "company_ids": companies,
        });
        let id = self.record(Entity::User, &given).await;
        let hash = self.auth.passwords().hash(&PASSWORD.to_owned().into()).await.unwrap();
        accounts::set_password(self.db(), id, &hash, false).await.unwrap();
        id
    }

    /// A record put into the directory as Nexus itself does; its id.
    pub async fn record(&self, entity: Entity, given: &Value) -> i64 {
        let fields: Fields = fields::parse(entity, given.as_object().unwrap()).unwrap();
        self.change(Edit::Create { entity, fields }).await
    }

    /// A change as Nexus itself makes it; the id of its record.
    pub async fn change(&self, edit: Edit) -> i64 {
        let actor = Actor { user_id: None, name: "story".into() };
        let deed = Deed::new(actor, Origin::System, "a story");
        change(self.db(), &deed, vec![edit]).await.unwrap().records[0].id
    }

    /// How many changes the feed holds: what was written, and what was not.
    pub async fn written(&self) -> usize {
        feed(self.db(), &Scope::All, 0, 10_000).await.unwrap().rows.len()
    }

    /// Every text that the history, the feed and the kept answers hold.
    pub async fn texts(&self) -> Vec<(i64, String)> {
        let changes = "SELECT id, CAST(before AS TEXT) || CAST(after AS TEXT) || coalesce(CAST(snapshot AS TEXT), '') || coalesce(reason, '') FROM changes";
        let sets = "SELECT id, author || reason || coalesce(request_key, '') FROM changesets";
        let keys = "SELECT id, prefix || hash || coalesce(name, '') FROM api_keys";
        let kept = "SELECT CAST(0 AS BIGINT), request_key || fingerprint || coalesce(headers, '') || coalesce(answer, '') FROM requests";
        let users = "SELECT t.id, t.search || b.body FROM users t JOIN users_bodies b ON b.id = t.id";
        let mut all = Vec::new();
        for sql in [changes, sets, keys, kept, users] {
            all.extend(self.db().all::<(i64, String)>(Query::new(sql)).await.unwrap());
        }
        all
    }

    /// A company.
    pub async fn company(&self, account_number: &str, name: &str) -> i64 {
        self.record(Entity::Company, &json!({"account_number": account_number, "name": name})).await
    }

    /// A new account's caller with a token.
    pub async fn caller(&self, username: &str, role: &str, companies: &[i64]) -> Caller<'_> {
        let id = self.account(username, role, companies).await;
        let account = accounts::find(self.db(), id).await.unwrap().unwrap();
        let token = self.auth.issue(&account).unwrap().token;
        Caller { nexus: self, http: http_client(), token: Some(token) }
    }

    /// A caller without a token.
    #[must_use]
    pub fn nobody(&self) -> Caller<'_> {
        Caller { nexus: self, http: http_client(), token: None }
    }
}

/// Somebody who calls the API.
pub struct Caller<'a> {
    nexus: &'a Nexus,
    http: reqwest::Client,
    /// The token that is sent, if any.
    pub token: Option<String>,
}

impl Caller<'_> {
    /// A request to change before it is sent.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.nexus.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// POST without a body.
    pub async fn post_empty(&self, path: &str) -> Answer {
        send(self.request(Method::POST, path)).await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PUT, path).json(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }
}

/// A path of the OpenAPI document with `value` in the place of its parameters.
#[must_use]
pub fn with_parameters(path: &str, value: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{field}" => "name",
        _ if part.starts_with('{') => value,
        _ => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Sends a request and reads the answer.
pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}
