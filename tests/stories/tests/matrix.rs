//! Who may call what: every route, by every role, on records of the caller's own company and of another one. The routes are
//! taken from the OpenAPI document and from the routers' sources, so that a new one without a line here fails.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use http::Method;
use nexus_core::Entity;
use nexus_test_databases::both;
use nexus_tests::{Answer, Browser, Caller, Nexus, send};
use serde_json::{Value, json};

/// Who may: `A`dmin, `T`echnician, `B`illing, `C`lient of that very company, job's `S`ervice account, `*` anyone.
const API: &[(&str, &str)] = &[
    ("GET /.well-known/jwks.json", "*"),
    ("GET /api/assets", "ATB"),
    ("POST /api/assets", "AT"),
    ("GET /api/assets/{id}", "ATB"),
    ("PUT /api/assets/{id}", "AT"),
    ("DELETE /api/assets/{id}", "AT"),
    ("PUT /api/assets/{id}/pins/{field}", "AT"),
    ("DELETE /api/assets/{id}/pins/{field}", "AT"),
    ("POST /api/assets/{id}/restore", "AT"),
    ("GET /api/billing_summary", "ATB"),
    ("GET /api/changes", "ATBC"),
    ("GET /api/changesets", "AT"),
    ("GET /api/changesets/{id}", "AT"),
    ("POST /api/changesets/{id}/apply", "AT"),
    ("POST /api/changesets/{id}/reject", "AT"),
    ("POST /api/changesets/{id}/revert", "AT"),
    ("GET /api/companies", "ATB"),
    ("POST /api/companies", "AT"),
    ("GET /api/companies/bulk", "ATB"),
    ("GET /api/companies/{account_number}", "ATBC"),
    ("PUT /api/companies/{account_number}", "AT"),
    ("DELETE /api/companies/{account_number}", "AT"),
    ("GET /api/companies/{account_number}/assets", "ATBC"),
    ("GET /api/companies/{account_number}/contacts", "ATBC"),
    ("GET /api/companies/{account_number}/features", "ATBC"),
    ("PUT /api/companies/{account_number}/features/{feature_id}", "AT"),
    ("DELETE /api/companies/{account_number}/features/{feature_id}", "AT"),
    ("GET /api/companies/{account_number}/locations", "ATBC"),
    ("PUT /api/companies/{account_number}/pins/{field}", "AT"),
    ("DELETE /api/companies/{account_number}/pins/{field}", "AT"),
    ("POST /api/companies/{account_number}/restore", "AT"),
    ("PUT /api/companies/{account_number}/sites/{site_uid}", "AT"),
    ("DELETE /api/companies/{account_number}/sites/{site_uid}", "AT"),
    ("GET /api/companies/{account_number}/users", "ATC"),
    ("GET /api/contacts", "ATB"),
    ("POST /api/contacts", "AT"),
    ("GET /api/contacts/{id}", "AT"),
    ("PUT /api/contacts/{id}", "AT"),
    ("DELETE /api/contacts/{id}", "AT"),
    ("PUT /api/contacts/{id}/pins/{field}", "AT"),
    ("DELETE /api/contacts/{id}/pins/{field}", "AT"),
    ("POST /api/contacts/{id}/restore", "AT"),
    ("GET /api/docs", "*"),
    ("GET /api/features", "ATB"),
    ("POST /api/features", "A"),
    ("GET /api/features/{id}", "ATB"),
    ("PUT /api/features/{id}", "A"),
    ("DELETE /api/features/{id}", "A"),
    ("POST /api/features/{id}/restore", "A"),
    ("DELETE /api/keys/{key_id}", "A"),
    ("GET /api/locations", "ATB"),
    ("POST /api/locations", "AT"),
    ("GET /api/locations/{id}", "ATB"),
    ("PUT /api/locations/{id}", "AT"),
    ("DELETE /api/locations/{id}", "AT"),
    ("POST /api/locations/{id}/restore", "AT"),
    ("GET /api/openapi.json", "*"),
    ("GET /api/jobs", "AT"),
    ("PUT /api/jobs/{name}", "A"),
    ("POST /api/jobs/{name}/runs", "AT"),
    ("GET /api/plans", "ATB"),
    ("POST /api/plans", "A"),
    ("GET /api/plans/{id}", "ATB"),
    ("PUT /api/plans/{id}", "A"),
    ("DELETE /api/plans/{id}", "A"),
    ("POST /api/plans/{id}/restore", "A"),
    ("GET /api/search", "ATBC"),
    ("GET /api/sources", "AT"),
    ("DELETE /api/sources/{name}", "A"),
    ("GET /api/sync/refusals", "AT"),
    ("DELETE /api/sync/refusals/{source}/{entity}/{external_id}", "AT"),
    ("GET /api/sync/runs", "AT"),
    ("POST /api/sync/runs", "S"),
    ("GET /api/sync/runs/{id}", "AT"),
    ("POST /api/sync/runs/{id}/cancel", "AT"),
    ("POST /api/sync/runs/{id}/complete", "S"),
    ("PUT /api/sync/runs/{id}/kept", "S"),
    ("PUT /api/sync/runs/{id}/observations/{n}", "S"),
    ("PUT /api/sync/runs/{id}/progress", "S"),
    ("POST /api/token", "*"),
    ("GET /api/users", "A"),
    ("POST /api/users", "A"),
    ("GET /api/users/{id}", "A"),
    ("PUT /api/users/{id}", "A"),
    ("DELETE /api/users/{id}", "A"),
    ("GET /api/users/{id}/keys", "A"),
    ("POST /api/users/{id}/keys", "A"),
    ("POST /api/users/{id}/restore", "A"),
    ("GET /healthz", "*"),
];

/// The pages, by the same letters. Whoever is not logged in is sent to the login.
const PAGES: &[(&str, &str)] = &[
    ("/", "ATBC"),
    ("/assets", "ATBC"),
    ("/assets.csv", "ATBC"),
    ("/assets/bulk", "AT"),
    ("/assets/choices", "ATBC"),
    ("/assets/new", "AT"),
    ("/assets/{id}", "ATBC"),
    ("/assets/{id}/archive", "AT"),
    ("/assets/{id}/contacts", "AT"),
    ("/assets/{id}/edit", "AT"),
    ("/assets/{id}/history", "AT"),
    ("/assets/{id}/link", "AT"),
    ("/assets/{id}/pin", "AT"),
    ("/companies", "ATB"),
    ("/companies.csv", "ATB"),
    ("/companies/bulk", "AT"),
    ("/companies/choices", "ATB"),
    ("/companies/new", "AT"),
    ("/companies/{account_number}", "ATBC"),
    ("/companies/{account_number}/archive", "AT"),
    ("/companies/{account_number}/edit", "AT"),
    ("/companies/{account_number}/features", "ATB"),
    ("/companies/{account_number}/history", "AT"),
    ("/companies/{account_number}/locations", "ATB"),
    ("/companies/{account_number}/locations/new", "AT"),
    ("/companies/{account_number}/locations/{id}/archive", "AT"),
    ("/companies/{account_number}/locations/{id}/edit", "AT"),
    ("/companies/{account_number}/locations/{id}/pin", "AT"),
    ("/companies/{account_number}/locations/{id}/restore", "AT"),
    ("/companies/{account_number}/pin", "AT"),
    ("/companies/{account_number}/users", "AT"),
    ("/contacts", "ATBC"),
    ("/contacts.csv", "ATBC"),
    ("/contacts/bulk", "AT"),
    ("/contacts/choices", "ATBC"),
    ("/contacts/new", "AT"),
    ("/contacts/{id}", "ATBC"),
    ("/contacts/{id}/archive", "AT"),
    ("/contacts/{id}/edit", "AT"),
    ("/contacts/{id}/history", "AT"),
    ("/contacts/{id}/pin", "AT"),
    ("/history", "AT"),
    ("/history/changes/{id}/undo", "AT"),
    ("/history/records/{entity}/{id}", "AT"),
    ("/history/sets/{id}", "AT"),
    ("/history/sets/{id}/undo", "AT"),
    ("/login", "*"),
    ("/logout", "*"),
    ("/password", "ATBC"),
    ("/search", "ATBC"),
    ("/search/hits", "ATBC"),
    ("/settings", "AT"),
    ("/settings/connectors", "AT"),
    ("/settings/connectors/{name}/remove", "A"),
    ("/settings/connectors/{name}/test", "AT"),
    ("/settings/features", "A"),
    ("/settings/features/new", "A"),
    ("/settings/features/{id}/archive", "A"),
    ("/settings/features/{id}/edit", "A"),
    ("/settings/features/{id}/restore", "A"),
    ("/settings/jobs", "AT"),
    ("/settings/jobs/{name}", "AT"),
    ("/settings/jobs/{name}/run", "AT"),
    ("/settings/keys", "A"),
    ("/settings/keys/{key_id}/revoke", "A"),
    ("/settings/plans", "A"),
    ("/settings/plans/new", "A"),
    ("/settings/plans/{id}/archive", "A"),
    ("/settings/plans/{id}/edit", "A"),
    ("/settings/plans/{id}/restore", "A"),
    ("/settings/policies", "AT"),
    ("/settings/users", "A"),
    ("/settings/users/new", "A"),
    ("/settings/users/{id}", "A"),
    ("/settings/users/{id}/archive", "A"),
    ("/settings/users/{id}/edit", "A"),
    ("/settings/users/{id}/keys", "A"),
    ("/settings/users/{id}/restore", "A"),
    ("/static/{name}", "*"),
    ("/sync", "AT"),
    ("/sync/plans/{id}", "AT"),
    ("/sync/plans/{id}/apply", "AT"),
    ("/sync/plans/{id}/reject", "AT"),
    ("/sync/refusals", "AT"),
    ("/sync/refusals/again", "AT"),
    ("/sync/runs/{id}", "AT"),
    ("/sync/runs/{id}/cancel", "AT"),
    ("/theme", "*"),
];

/// In every text of the other company's records; nothing that a client of the first is told may hold it.
const FOREIGN: &str = "Zyxwvut";

/// One company with a record of each kind; the value of each parameter of a path.
struct Side {
    account_number: String,
    ids: BTreeMap<&'static str, i64>,
}

async fn side(nexus: &Nexus, account_number: &str, word: &str) -> Side {
    let company = json!({"account_number": account_number, "name": format!("{word} Company"), "description": word});
    let company = nexus.record(Entity::Company, &company).await;
    let record = async |entity, given: Value| nexus.record(entity, &given).await;
    let contact = record(
        Entity::Contact,
        json!({"name": format!("{word} Person"), "email": format!("{word}@x.example"), "company_ids": [company]}),
    )
    .await;
    let asset = record(
        Entity::Asset,
        json!({"hostname": format!("{word}-PC"), "company_id": company, "contact_ids": [contact]}),
    )
    .await;
    let location = record(Entity::Location, json!({"name": format!("{word} Office"), "company_id": company})).await;
    let user =
        record(Entity::User, json!({"username": format!("{word}-user"), "role": "client", "company_ids": [company]}))
            .await;
    let feature = record(Entity::Feature, json!({"name": format!("{word} Feature")})).await;
    let plan = record(Entity::Plan, json!({"name": format!("{word} Plan")})).await;
    let ids = [
        ("assets", asset),
        ("contacts", contact),
        ("locations", location),
        ("users", user),
        ("features", feature),
        ("plans", plan),
        ("changesets", 999_999),
        ("changes", 999_999),
        ("sets", 999_999),
        ("records", asset),
        ("runs", 999_999),
    ];
    Side { account_number: account_number.to_owned(), ids: ids.into() }
}

impl Side {
    /// A path of the document with this side's record in the place of its parameters.
    fn path(&self, path: &str) -> String {
        // The last word that names a kind says what the next id is of.
        let mut kind: &str = "";
        let mut parts = Vec::new();
        for part in path.split('/') {
            parts.push(match part {
                "{account_number}" => self.account_number.clone(),
                "{id}" | "{feature_id}" => self.ids[kind].to_string(),
                "{field}" => if kind == "assets" { "hostname" } else { "name" }.to_owned(),
                "{name}" => "nexus.css".to_owned(),
                "{entity}" => "asset".to_owned(),
                _ if part.starts_with('{') => "1".to_owned(),
                _ => part.to_owned(),
            });
            if self.ids.contains_key(part) {
                kind = part;
            }
        }
        let query = if path == "/api/search" { "?q=company" } else { "" };
        format!("{}{query}", parts.join("/"))
    }
}

/// The operations of the document, as the table above writes them.
fn operations() -> BTreeSet<String> {
    let document = serde_json::to_value(local_runner::mount::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .filter(|operation| !operation.starts_with("PARAMETERS"))
        .collect()
}

/// The routes of the pages: those that the routers have beside the operations.
fn pages() -> BTreeSet<String> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let mut found = BTreeSet::new();
    for function in std::fs::read_dir(functions).unwrap() {
        let source = std::fs::read_to_string(function.unwrap().path().join("src/lib.rs")).unwrap();
        let routes = source.split(".route(").skip(1);
        found.extend(routes.map(|rest| rest.split('"').nth(1).unwrap().to_owned()));
    }
    found
}

#[test]
fn every_route_has_its_line() {
    let listed: BTreeSet<String> = API.iter().map(|(operation, _)| (*operation).to_owned()).collect();
    assert_eq!(listed, operations());
    let listed: BTreeSet<String> = PAGES.iter().map(|(page, _)| (*page).to_owned()).collect();
    assert_eq!(listed, pages());
}

/// What the forms of the pages want, so that nobody is refused for a field before the role is looked at.
const WHOLE: &[(&str, &str)] = &[
    ("field", "name"),
    ("pinned", "true"),
    ("contact", "1"),
    ("do", "link"),
    ("source", "datto"),
    ("entity", "company"),
    ("external_id", "1"),
];

/// Sends an operation in a way that changes nothing even where it is allowed.
async fn call(caller: &Caller<'_>, method: &str, path: &str) -> Answer {
    let request = caller.request(method.parse().unwrap(), path).header("if-match", "\"0\"");
    let request = if method == "GET" || method == "DELETE" { request } else { request.json(&json!({})) };
    send(request).await
}

both! {
    async fn every_operation_lets_in_whom_it_should_and_nobody_else(world: World) {
        let nexus = Nexus::serve(world).await;
        let own = side(&nexus, "100", "Own").await;
        let other = side(&nexus, "765432100", FOREIGN).await;
        let company = nexus.db();
        let id = async |number: &str| {
            let query = nexus_db::Query::new("SELECT id FROM companies WHERE account_number = $1").bind(number);
            company.one::<(i64,)>(query).await.unwrap().0
        };
        let callers = [
            ('-', nexus.nobody()),
            ('C', nexus.caller("mine", "client", &[id("100").await]).await),
            ('B', nexus.caller("bill", "billing", &[]).await),
            ('S', nexus.caller("jobs", "technician", &[]).await),
            ('T', nexus.caller("tech", "technician", &[]).await),
            ('A', nexus.caller("boss", "admin", &[]).await),
        ];
        let document = serde_json::to_value(local_runner::mount::openapi()).unwrap();
        for (operation, who) in API {
            let (method, path) = operation.split_once(' ').unwrap();
            for (letter, caller) in &callers {
                for (side, is_own) in [(&own, true), (&other, false)] {
                    let told = format!("{operation} as {letter}, own: {is_own}");
                    let answer = call(caller, method, &side.path(path)).await;
                    let (status, text) = (answer.status.as_u16(), &answer.text);
                    assert!(status < 500 && status != 405, "{told}: {status} {text}");
                    let names_a_company = path.contains("{account_number}") || path.contains("{id}");
                    let allowed = match letter {
                        '-' => who.contains('*'),
                        // A service account that is a technician may what a technician may.
                        'S' => who.contains(['*', 'S', 'T']),
                        'C' => who.contains('*') || who.contains('C') && (is_own || !names_a_company),
                        letter => who.contains('*') || who.contains(*letter),
                    };
                    if allowed && operation != &"POST /api/token" {
                        assert!(![401, 403].contains(&status), "{told}: {status} {text}");
                    } else if *letter == '-' && operation != &"POST /api/token" {
                        assert_eq!(status, 401, "{told}: {text}");
                    } else if !allowed {
                        assert!([403, 404].contains(&status), "{told}: {status} {text}");
                        assert!(status == 403 || *letter == 'C', "{told}: {status} {text}");
                    }
                    if (*letter, is_own, method, status) == ('A', true, "GET", 200) {
                        let tells = document["paths"][path]["get"]["responses"]["304"].is_object();
                        assert_eq!(answer.headers.contains_key("etag"), tells, "{told}: 304");
                    }
                    if *letter == 'C' {
                        assert!(!text.to_lowercase().contains(&FOREIGN.to_lowercase()), "{told}: {text}");
                        assert!(!text.contains("765432100"), "{told}: {text}");
                    }
                }
            }
        }
        nexus.stop().await;
    }

    async fn every_page_lets_in_whom_it_should_and_nobody_else(world: World) {
        let nexus = Nexus::serve(world).await;
        let own = side(&nexus, "100", "Own").await;
        let other = side(&nexus, "765432100", FOREIGN).await;
        let query = nexus_db::Query::new("SELECT id FROM companies WHERE account_number = '100'");
        let (company,) = nexus.db().one::<(i64,)>(query).await.unwrap();
        nexus.account("mine", "client", &[company]).await;
        let mut client = nexus.browser();
        assert_eq!(client.log_in("mine", nexus_tests::PASSWORD).await.status, 303);
        let mut visitors: Vec<(char, Browser<'_>)> = vec![
            ('-', nexus.browser()),
            ('C', client),
            ('B', nexus.logged_in("bill", "billing").await),
            ('T', nexus.logged_in("tech", "technician").await),
            ('A', nexus.logged_in("boss", "admin").await),
        ];
        for (page, who) in PAGES.iter().filter(|(_, who)| *who != "*") {
            for (letter, browser) in &mut visitors {
                let answer = browser.get(&own.path(page)).await;
                let status = answer.status.as_u16();
                if status == 405 && !who.contains(*letter) {
                    // What is only sent has no page to look at.
                    let status = browser.post_with(&own.path(page), WHOLE).await.status.as_u16();
                    assert_eq!(status, 403, "{page} as {letter}");
                    continue;
                }
                let told = format!("{page} as {letter}: {status}");
                if *letter == 'C' {
                    let foreign = browser.get(&other.path(page)).await;
                    assert!(!foreign.text.to_lowercase().contains(&FOREIGN.to_lowercase()), "{told} of another company: {}", foreign.text);
                }
                match letter {
                    '-' => assert!(status == 303 && answer.header("location").starts_with("/login"), "{told}"),
                    letter if who.contains(*letter) => assert!([200, 303, 404, 405].contains(&status), "{told}"),
                    _ => assert_eq!(status, 403, "{told}"),
                }
            }
        }
        let request = nexus.nobody().request(Method::POST, "/companies/100/archive");
        assert_eq!(send(request).await.status, 403, "a form without its token is not opened");
        nexus.stop().await;
    }
}
