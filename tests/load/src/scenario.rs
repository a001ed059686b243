//! What is asked, and what it may cost.

use reqwest::Method;
use serde_json::{Map, Value};

use crate::world::{self, MEDIUM, World};

/// The most memory that the server may have had after all that is asked of the medium world, in bytes.
pub const MEMORY: u64 = 60_000_000;

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// A body of JSON.
    pub body: Option<Map<String, Value>>,
    /// A text that a right answer holds.
    pub holds: String,
}

/// One kind of request.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name in the table.
    pub title: &'static str,
    /// Who asks.
    pub user: &'static str,
    /// The n-th request of it.
    pub ask: fn(&World, usize) -> Ask,
    /// Requests that do not count, to begin with.
    pub warm_up: u32,
    /// The most CPU time of a request to the medium world, in milliseconds.
    pub budget: Option<f64>,
    /// The most that it may cost in the large world, as a multiple of what it costs in the medium one. Without it the
    /// large world is not asked.
    pub growth: Option<f64>,
}

/// Whoever looks at pages, too.
pub(crate) const ADMIN: &str = "load-admin";
const BILLING: &str = "load-billing";

/// Requests to warm up for those that are quick.
const QUICK: u32 = 500;

/// Everything that is measured, in that order. What writes comes last: the others find the world as it was made.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "company",
        title: "GET /api/companies/{n}",
        user: ADMIN,
        ask: |world, n| {
            let number = world::account_number(n % world.companies.len());
            get(format!("/api/companies/{number}"), number)
        },
        warm_up: QUICK,
        budget: Some(0.13),
        growth: None,
    },
    Scenario {
        name: "companies",
        title: "GET /api/companies",
        user: ADMIN,
        ask: |_, n| get("/api/companies".to_owned(), world::account_number(n % MEDIUM.companies)),
        warm_up: QUICK,
        budget: Some(0.37),
        growth: None,
    },
    Scenario {
        name: "asset",
        title: "GET /api/assets/{id}",
        user: ADMIN,
        ask: |world, n| get(format!("/api/assets/{}", world.assets[some_asset(n)]), world.hostname(some_asset(n))),
        warm_up: QUICK,
        budget: None,
        growth: Some(1.3),
    },
    Scenario {
        name: "assets-page",
        title: "GET /api/assets?page=3&per_page=50",
        user: ADMIN,
        ask: |_, _| get("/api/assets?page=3&per_page=50".to_owned(), "hostname".to_owned()),
        warm_up: QUICK,
        budget: None,
        growth: Some(1.3),
    },
    Scenario {
        name: "assets-search",
        title: "GET /api/assets?search=…&page=1&per_page=50",
        user: ADMIN,
        ask: |world, n| {
            let hostname = world.hostname(some_asset(n));
            get(format!("/api/assets?search={hostname}&page=1&per_page=50"), hostname)
        },
        warm_up: QUICK,
        budget: None,
        growth: Some(2.0),
    },
    Scenario {
        name: "search",
        title: "GET /api/search?q=…",
        user: ADMIN,
        ask: |world, n| {
            let hostname = world.hostname(some_asset(n));
            get(format!("/api/search?q={hostname}"), hostname)
        },
        warm_up: QUICK,
        budget: None,
        growth: Some(2.0),
    },
    Scenario {
        name: "assets",
        title: "GET /api/assets",
        user: ADMIN,
        ask: |world, n| get("/api/assets".to_owned(), world.hostname(some_asset(n))),
        warm_up: 10,
        budget: Some(12.0),
        growth: None,
    },
    Scenario {
        name: "billing-summary",
        title: "GET /api/billing_summary",
        user: BILLING,
        ask: |world, n| get("/api/billing_summary".to_owned(), world.hostname(some_asset(n))),
        warm_up: 10,
        budget: Some(15.0),
        growth: None,
    },
    Scenario {
        name: "company-page",
        title: "GET /companies/{n} (page)",
        user: ADMIN,
        ask: |world, n| {
            let number = world::account_number(n % world.companies.len());
            get(format!("/companies/{number}"), number)
        },
        warm_up: QUICK,
        budget: Some(0.7),
        growth: None,
    },
    Scenario {
        name: "assets-list-page",
        title: "GET /assets (page of 50)",
        user: ADMIN,
        ask: |_, n| get(format!("/assets?page={}", 1 + n % 100), "Choose ".to_owned()),
        warm_up: QUICK,
        budget: Some(0.6),
        growth: None,
    },
    Scenario {
        name: "create-asset",
        title: "POST /api/assets",
        user: ADMIN,
        ask: |world, n| Ask {
            method: Method::POST,
            path: "/api/assets".to_owned(),
            // Numbers, and so hostnames, that no asset of a world has.
            body: Some(world::asset_body(1_000_000 + n, world.size)),
            holds: String::new(),
        },
        warm_up: QUICK,
        budget: Some(0.25),
        growth: None,
    },
];

fn get(path: String, holds: String) -> Ask {
    Ask { method: Method::GET, path, body: None, holds }
}

/// An asset of both worlds that has a company, another one for each `n`.
fn some_asset(n: usize) -> usize {
    let n = n * 37 % MEDIUM.assets;
    if world::has_company(n) { n } else { n - 1 }
}
