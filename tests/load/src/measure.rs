//! Asking, and counting what it costs.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use crate::instance::PASSWORD;
use crate::scenario::{ADMIN, Ask, Scenario};
use crate::server::Server;
use crate::world::{USERS, World};

/// A scenario is measured in so many rounds, of which the middle one is told: one that was disturbed does not count.
/// Where the lowest is far from it, all were.
const ROUNDS: usize = 5;
/// About the CPU time that the server spends in a round.
const ROUND: Duration = Duration::from_millis(300);
/// The most requests of a round.
const REQUESTS: u128 = 4_000;

/// What a request of a scenario costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// How many were counted.
    pub requests: usize,
    /// CPU time of the server.
    pub cpu: Duration,
    /// The same in the round in which it was lowest.
    pub lowest: Duration,
    /// Until the answer was read.
    pub wall: Duration,
    /// Length of the answer's body, on average.
    pub bytes: usize,
}

/// What came of a scenario.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// It was measured.
    Measured(Cost),
    /// The first answer was no success.
    Refused(StatusCode),
    /// The first answer was a success, but not of what was asked.
    Wrong,
}

/// Somebody who asks a server, by one connection and with a token for each user of the world.
#[derive(Debug)]
pub struct Caller<'a> {
    server: &'a Server,
    world: &'a World,
    http: Client,
    tokens: BTreeMap<&'static str, String>,
    /// The cookie of the session of the user who looks at pages.
    session: String,
}

impl<'a> Caller<'a> {
    /// Logs in as everybody who asks.
    pub async fn log_in(server: &'a Server, world: &'a World) -> Self {
        // Installing a second time is refused and harmless. Nothing here speaks TLS, but reqwest wants to be able to.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().pool_max_idle_per_host(1).build().unwrap();
        let mut tokens = BTreeMap::new();
        for (username, role, _) in USERS.iter().filter(|(_, role, _)| *role != "client") {
            let login = json!({"username": username, "password": PASSWORD});
            let answer = http.post(format!("{}/api/token", server.url)).json(&login).send().await.unwrap();
            assert!(answer.status().is_success(), "{username}, who is {role}, is not let in: {}", answer.status());
            let answer: Value = answer.json().await.unwrap();
            tokens.insert(*username, answer["token"].as_str().unwrap().to_owned());
        }
        let session = Self::begin_session(server).await;
        Self { server, world, http, tokens, session }
    }

    /// Logs in by the page, as a person does: the cookie of the session.
    async fn begin_session(server: &Server) -> String {
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let login = format!("{}/login", server.url);
        let cookie = |answer: &Response| {
            let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
            cookie.split(';').next().unwrap().to_owned()
        };
        let page = http.get(&login).send().await.unwrap();
        let guest = cookie(&page);
        let page = page.text().await.unwrap();
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let form = [("csrf", csrf), ("username", ADMIN), ("password", PASSWORD), ("next", "/")];
        let answer = http.post(&login).header(COOKIE, guest).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{ADMIN} is not let in by the page");
        cookie(&answer)
    }

    /// Measures a scenario.
    pub async fn measure(&self, scenario: &Scenario) -> Outcome {
        let first = (scenario.ask)(self.world, 0);
        let holds = first.holds.clone();
        let answer = self.send(scenario.user, first).await;
        if !answer.status().is_success() {
            return Outcome::Refused(answer.status());
        }
        if !answer.text().await.unwrap().contains(&holds) {
            return Outcome::Wrong;
        }
        let mut next = 1..;
        let warm = self.round(scenario, next.by_ref().take(scenario.warm_up.try_into().unwrap())).await;
        let requests = ROUND.as_nanos() / warm.cpu.as_nanos().max(1);
        let requests = usize::try_from(requests.clamp(1, REQUESTS)).unwrap();
        let mut rounds = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            rounds.push(self.round(scenario, next.by_ref().take(requests)).await);
        }
        rounds.sort_unstable_by_key(|round| round.cpu);
        Outcome::Measured(Cost { requests: requests * ROUNDS, lowest: rounds[0].cpu, ..rounds[ROUNDS / 2] })
    }

    /// What a request costs on average of these.
    async fn round(&self, scenario: &Scenario, numbers: impl Iterator<Item = usize>) -> Cost {
        // Made beforehand, so that the server does not wait for them.
        let asks: Vec<Ask> = numbers.map(|n| (scenario.ask)(self.world, n)).collect();
        let requests = asks.len();
        let (before, began) = (self.server.cpu(), Instant::now());
        let mut bytes = 0;
        for ask in asks {
            let answer = self.send(scenario.user, ask).await;
            assert!(answer.status().is_success(), "{}: {}", scenario.name, answer.status());
            bytes += answer.bytes().await.unwrap().len();
        }
        let (wall, cpu) = (began.elapsed(), self.server.cpu().since(&before));
        let each = u32::try_from(requests).unwrap();
        let cpu = cpu / each;
        Cost { requests, cpu, lowest: cpu, wall: wall / each, bytes: bytes / requests }
    }

    async fn send(&self, user: &str, ask: Ask) -> Response {
        let is_page = !ask.path.starts_with("/api/");
        let mut request = self.http.request(ask.method, format!("{}{}", self.server.url, ask.path));
        request = if is_page { request.header(COOKIE, &self.session) } else { request.bearer_auth(&self.tokens[user]) };
        if let Some(body) = ask.body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }
}
