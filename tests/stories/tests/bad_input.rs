//! Whatever is wrong with a request ends in one problem, and nothing is written.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use nexus_core::{Entity, Role};
use nexus_db::records::dump;
use nexus_test_databases::both;
use nexus_tests::{Answer, Caller, Nexus, send};
use serde_json::{Value, json};

/// The requests that write, and a body that each would take.
fn writers(ids: &Ids) -> Vec<(Method, String, Value)> {
    let company = json!({"account_number": "2", "name": "Two"});
    let person = json!({"name": "Bob", "email": "bob@one.example"});
    let device = json!({"hostname": "PC-2", "company_account_number": "1"});
    let place = json!({"name": "Hall", "company_account_number": "1"});
    let user = json!({"username": "bob", "permission_level": "billing", "password": "long enough to be one"});
    let name = json!({"name": "Other"});
    vec![
        (Method::POST, "/api/companies".into(), company),
        (Method::PUT, "/api/companies/1".into(), name.clone()),
        (Method::POST, "/api/contacts".into(), person),
        (Method::PUT, format!("/api/contacts/{}", ids.contact), name.clone()),
        (Method::POST, "/api/assets".into(), device),
        (Method::PUT, format!("/api/assets/{}", ids.asset), json!({"hostname": "PC-3"})),
        (Method::POST, "/api/locations".into(), place),
        (Method::PUT, format!("/api/locations/{}", ids.location), name.clone()),
        (Method::POST, "/api/users".into(), user),
        (Method::PUT, format!("/api/users/{}", ids.user), json!({"email": "u@x.example"})),
        (Method::POST, "/api/plans".into(), json!({"name": "Second"})),
        (Method::PUT, format!("/api/plans/{}", ids.plan), name.clone()),
        (Method::POST, "/api/features".into(), json!({"name": "Second"})),
        (Method::PUT, format!("/api/features/{}", ids.feature), name),
        (Method::PUT, format!("/api/companies/1/features/{}", ids.feature), json!({"value": "Daily"})),
        (Method::POST, format!("/api/users/{}/keys", ids.user), json!({})),
    ]
}

/// The records of a directory.
struct Ids {
    contact: i64,
    asset: i64,
    location: i64,
    user: i64,
    plan: i64,
    feature: i64,
}

/// A directory with one record of each kind, and what it holds.
struct Directory<'a> {
    nexus: &'a Nexus,
    tech: Caller<'a>,
    contact: i64,
    ids: Ids,
    before: (Value, Value, usize),
}

impl<'a> Directory<'a> {
    async fn new(nexus: &'a Nexus) -> Self {
        let tech = nexus.caller("tech", "admin", &[]).await;
        let company = nexus.company("1", "One").await;
        let given = json!({"name": "Ada", "email": "ada@one.example", "company_ids": [company]});
        let contact = nexus.record(Entity::Contact, &given).await;
        let record = async |entity, given: Value| nexus.record(entity, &given).await;
        let ids = Ids {
            contact,
            asset: record(Entity::Asset, json!({"hostname": "PC-1", "company_id": company})).await,
            location: record(Entity::Location, json!({"name": "Office", "company_id": company})).await,
            user: record(Entity::User, json!({"username": "u", "role": "billing", "service_account": true})).await,
            plan: record(Entity::Plan, json!({"name": "First"})).await,
            feature: record(Entity::Feature, json!({"name": "First"})).await,
        };
        let mut directory = Self { nexus, tech, contact, ids, before: (Value::Null, Value::Null, 0) };
        directory.before = directory.now().await;
        directory
    }

    async fn now(&self) -> (Value, Value, usize) {
        let list = async |path| self.tech.get(path).await.json();
        (list("/api/companies").await, list("/api/contacts").await, self.nexus.written().await)
    }

    async fn is_untouched(&self, after: &str) {
        assert_eq!(self.now().await, self.before, "{after}");
    }

    async fn send_raw(
        &self,
        method: &Method,
        path: &str,
        kind: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request = self.tech.request(method.clone(), path);
        let request = if let Some(kind) = kind { request.header("content-type", kind) } else { request };
        send(request.body(body)).await
    }
}

const JSON: Option<&str> = Some("application/json");

both! {
    async fn a_body_that_is_no_json_object_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        let deep = format!("{{\"name\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let bodies: [&[u8]; 15] = [
            b"", b" ", b"{", b"{\"name\":", b"{\"name\":\"x\",}", b"{'name':'x'}", b"name=x", b"null", b"[]", b"\"text\"",
            b"[{\"name\":\"x\"}]", b"{\"name\":\"x\"} {}", b"{\"name\":\"\xff\xfe\"}", b"{\"name\":\"\\ud800\"}", deep.as_bytes(),
        ];
        for (method, path, _) in writers(&directory.ids) {
            for body in bodies {
                let answer = directory.send_raw(&method, &path, JSON, body.to_vec()).await;
                answer.problem(400);
                assert!(answer.text.len() < 2_000, "{}", answer.text);
            }
        }
        directory.is_untouched("broken bodies").await;
        nexus.stop().await;
    }

    async fn a_value_that_a_field_cannot_hold_is_blamed_on_the_field(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        let long = "x".repeat(256);
        let text = [json!(5), json!(true), json!({}), json!([]), json!(long), json!("a\0b"), json!("a\u{1b}b"), json!("a\u{7f}")];
        let list = [
            json!(5), json!({}), json!("a, b"), json!([1]), json!([null, {}]), json!([long]), json!(["a\0"]), json!("{}"),
            json!((0..201).map(|n| format!("{n}.example")).collect::<Vec<_>>()),
        ];
        let company: [(&str, &[Value]); 6] = [
            ("name", &text),
            ("account_number", &[json!(7), json!("a b"), json!("a/b"), json!("é"), json!("x".repeat(33)), json!("."), json!("new")]),
            ("freshservice_id", &[json!("5"), json!(1.5), json!(1e30), json!(true), json!(9_223_372_036_854_775_808_u64)]),
            ("description", &[json!("x".repeat(10_001)), json!("a\0b"), json!(1)]),
            ("plan_selected", &text),
            ("domains", &list),
        ];
        let numbers = [json!("1"), json!(1), json!([1]), json!(["9"]), json!(["1", "9"]), json!(["1\0"]), json!({}), json!([null])];
        let contact: [(&str, &[Value]); 8] = [
            ("name", &text),
            ("email", &[json!("nobody"), json!("a@"), json!("@b"), json!("a b@c.example"), json!(7), json!("a@.b"), json!("a\0@b.c")]),
            ("active", &[json!("true"), json!(1), json!("yes"), json!([])]),
            ("title", &text),
            ("mobile_phone_number", &text),
            ("secondary_emails", &list),
            ("company_account_numbers", &numbers),
            ("company_ids", &[json!([1]), json!("1")]),
        ];
        let asset: [(&str, &[Value]); 9] = [
            ("hostname", &text),
            ("company_account_number", &[json!(1), json!("9"), json!(["1"]), json!({}), json!("1\0")]),
            ("operating_system", &text),
            ("last_seen", &[json!("yesterday"), json!(1), json!("2026-02-30T00:00:00Z"), json!("2026-13-01 00:00:00"), json!(true)]),
            ("online", &[json!("true"), json!(1), json!([])]),
            ("backup_data_bytes", &[json!("5"), json!(1.5), json!(1e30)]),
            ("backup_usage_tb", &[json!(1.25), json!(true)]),
            ("portal_url", &[json!("x".repeat(2_001)), json!(5)]),
            ("contact_ids", &[json!("1"), json!(["1"]), json!([999]), json!(5)]),
        ];
        let location: [(&str, &[Value]); 3] = [
            ("name", &text),
            ("company_account_number", &[json!(1), json!("9"), json!(["1"])]),
            ("phone_number", &text),
        ];
        let user: [(&str, &[Value]); 6] = [
            ("username", &text),
            ("email", &[json!("nobody"), json!(7)]),
            ("permission_level", &[json!("root"), json!("Admin"), json!(1)]),
            ("service_account", &[json!("true"), json!(1)]),
            ("password", &[json!("short"), json!(1_234_567_890), json!("x".repeat(1_001)), json!([])]),
            ("company_account_numbers", &numbers),
        ];
        let plan: [(&str, &[Value]); 3] = [
            ("name", &text),
            ("position", &[json!("1"), json!(1.5), json!([])]),
            ("features", &[json!("First"), json!([]), json!({"Nope": "x"}), json!({"First": 5}), json!({"First": long})]),
        ];
        let value: [(&str, &[Value]); 1] = [("value", &[json!(5), json!(true), json!({}), json!([])])];
        let key: [(&str, &[Value]); 3] = [
            ("name", &[json!(5), json!(long), json!("a\0b")]),
            ("role", &[json!("root"), json!("admin"), json!(5)]),
            ("expires_at", &[json!("tomorrow"), json!("2020-01-01T00:00:00Z"), json!("2100-01-01T00:00:00Z"), json!(5)]),
        ];
        for (method, path, good) in writers(&directory.ids) {
            let fields = match path.split('/').nth(2).unwrap() {
                "companies" if path.contains("/features/") => &value[..],
                "users" if path.ends_with("/keys") => &key,
                "companies" => &company,
                "contacts" => &contact,
                "assets" => &asset,
                "locations" => &location,
                "users" => &user,
                "plans" => &plan,
                _ => &plan[..2],
            };
            for (field, values) in fields {
                for value in *values {
                    let mut body = good.clone();
                    body[*field] = value.clone();
                    let answer = send(directory.tech.request(method.clone(), &path).json(&body)).await;
                    assert_eq!(answer.blamed().first().map(String::as_str), Some(*field), "{method} {path} {body}");
                    // A list is blamed for each number that no company has, any other field once.
                    assert!(answer.blamed().iter().all(|blamed| blamed == field), "{}", answer.text);
                }
            }
        }
        let older = json!({"company_account_number": ["1"]});
        let answer = directory.tech.put(&format!("/api/contacts/{}", directory.contact), &older).await;
        assert_eq!(answer.blamed(), ["company_account_number"]);
        directory.is_untouched("wrong values").await;
        nexus.stop().await;
    }

    async fn every_fault_of_a_body_is_told_at_once(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        let body = json!({"name": 5, "plan": "Gold", "Name": "x", "freshservice_id": "x"});
        let answer = directory.tech.put("/api/companies/1", &body).await;
        let mut blamed = answer.blamed();
        blamed.sort();
        assert_eq!(blamed, ["Name", "freshservice_id", "name", "plan"]);
        let body = json!({"emial": "x", "active": 1, "company_account_numbers": ["9"]});
        let answer = directory.tech.put(&format!("/api/contacts/{}", directory.contact), &body).await;
        assert!(answer.blamed().len() >= 2, "{}", answer.text);
        directory.is_untouched("unknown keys").await;
        nexus.stop().await;
    }

    async fn a_required_field_cannot_be_emptied(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        let contact = format!("/api/contacts/{}", directory.contact);
        for (path, field) in [("/api/companies/1", "name"), ("/api/companies/1", "account_number"), (&contact, "name"), (&contact, "active")] {
            for blank in [json!(null), json!(""), json!(" \n")] {
                if field == "active" && !blank.is_null() {
                    continue;
                }
                assert_eq!(directory.tech.put(path, &json!({field: blank})).await.blamed(), [field]);
            }
        }
        directory.is_untouched("blanks").await;
        nexus.stop().await;
    }

    async fn a_body_of_another_type_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        for (method, path, good) in writers(&directory.ids) {
            for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data"), Some("nonsense")] {
                let answer = directory.send_raw(&method, &path, kind, good.to_string()).await;
                answer.refused(415, "Send a body of type application/json");
            }
        }
        directory.is_untouched("other types").await;
        let patient = directory.send_raw(&Method::PUT, "/api/companies/1", Some("application/json; charset=utf-8"), "{}").await;
        assert_eq!(patient.status, 200);
        nexus.stop().await;
    }

    async fn a_body_past_the_limit_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        for (method, path, _) in writers(&directory.ids) {
            for size in [1024 * 1024 + 1, 8 * 1024 * 1024] {
                let body = format!("{{\"name\":\"{}\"}}", "x".repeat(size - 11));
                assert_eq!(body.len(), size);
                directory.send_raw(&method, &path, JSON, body).await.refused(413, "The body is too large");
            }
            // One that does not tell its length before is counted as it comes.
            let parts = futures_util::stream::iter((0..40).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024])));
            let answer = directory.send_raw(&method, &path, JSON, reqwest::Body::wrap_stream(parts)).await;
            answer.refused(413, "The body is too large");
        }
        let token = directory.send_raw(&Method::POST, "/api/token", JSON, " ".repeat(2 * 1024 * 1024)).await;
        token.refused(413, "The body is too large");
        directory.is_untouched("large bodies").await;
        nexus.stop().await;
    }

    async fn what_is_not_there_is_a_problem_and_never_a_page(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        for path in [
            "/api", "/api/", "/api/nothing", "/api/companies/", "/api/companies/1/", "/api/companies/1/nothing", "/api//companies",
            "/api/contacts/abc", "/api/contacts/1.5", "/api/contacts/99999999999999999999", "/api/%00", "/.well-known/nothing",
            "/api/companies%2F1", "/api/Companies", "/api/..%2f",
        ] {
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let answer = send(directory.tech.request(method.clone(), path).json(&json!({}))).await;
                assert_eq!(answer.problem(404)["status"], 404, "{method} {path}");
            }
            let answer = send(directory.tech.request(Method::POST, path).json(&json!({}))).await;
            answer.problem(if path.starts_with("/api/contacts/") { 405 } else { 404 });
            // Whether a path is there is no secret; whether a record is, is.
            let status = if path.starts_with("/api/contacts/") { 401 } else { 404 };
            nexus.nobody().get(path).await.problem(status);
        }
        for path in ["/api/companies/%00", "/api/companies/%FF", "/api/companies/%C3%A9", "/api/companies/a%20b", "/api/contacts/%00"] {
            directory.tech.get(path).await.problem(404);
            directory.tech.put(path, &json!({"name": "x"})).await.problem(404);
            directory.tech.delete(path).await.problem(404);
        }
        let long = format!("/api/companies/{}", "9".repeat(5_000));
        directory.tech.get(&long).await.refused(404, "Company not found");
        directory.is_untouched("unknown paths").await;
        nexus.stop().await;
    }

    async fn a_method_that_a_path_does_not_take_is_refused_with_those_it_takes(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        let contact = format!("/api/contacts/{}", directory.contact);
        for (path, allowed) in [
            ("/api/companies", &["GET", "HEAD", "POST"][..]),
            ("/api/companies/1", &["GET", "HEAD", "PUT", "DELETE"]),
            ("/api/contacts", &["GET", "HEAD", "POST"]),
            (&contact, &["GET", "HEAD", "PUT", "DELETE"]),
            ("/api/token", &["POST"]),
            ("/api/openapi.json", &["GET", "HEAD"]),
            ("/api/docs", &["GET", "HEAD"]),
            ("/.well-known/jwks.json", &["GET", "HEAD"]),
        ] {
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
                if allowed.contains(&method) {
                    continue;
                }
                let request = directory.tech.request(method.parse().unwrap(), path).json(&json!({"name": "x"}));
                let answer = send(request).await;
                answer.refused(405, "This path does not take that method");
                let mut told: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
                told.sort_unstable();
                let mut allowed = allowed.to_vec();
                allowed.sort_unstable();
                assert_eq!(told, allowed, "{method} {path}");
            }
        }
        directory.is_untouched("other methods").await;
        nexus.stop().await;
    }

    async fn a_query_that_the_database_could_not_hold_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        for query in ["email=%00", "search=a%00b", "company_account_number=%00", "sort=%00", "page=%00"] {
            directory.tech.get(&format!("/api/contacts?{query}")).await.problem(400);
        }
        directory.tech.get("/api/companies?search=%00").await.problem(400);
        for odd in ["search=%FF", "search=%", "search=%zz", "email=%F0%9F%A6%80", "unknown=1", "&&&", "="] {
            assert_eq!(directory.tech.get(&format!("/api/contacts?{odd}")).await.status, 200, "{odd}");
        }
        nexus.stop().await;
    }

    async fn the_character_zero_is_refused_wherever_it_comes(world: World) {
        let nexus = Nexus::serve(world).await;
        let mut browser = nexus.logged_in("boss", "admin").await;
        let jobs = nexus.caller("jobs", "technician", &[]).await;
        let directory = Directory::new(&nexus).await;
        for (path, form) in [
            ("/companies/new", vec![("name", "a\0"), ("account_number", "7")]),
            ("/contacts/bulk", vec![("all", "true"), ("do", "archive"), ("query", "search=%00")]),
            ("/contacts/bulk", vec![("all", "true"), ("do", "archive"), ("query", "company=a%00")]),
            ("/sync/refusals/again", vec![("source", "\0"), ("entity", "company"), ("external_id", "1")]),
        ] {
            assert_eq!(browser.post_with(path, &form).await.status, 400, "{path}");
        }
        let started = jobs.post("/api/sync/runs", &json!({"job": "sync-datto", "trigger": "manual"})).await;
        let run = format!("/api/sync/runs/{}", started.json()["id"]);
        for (path, body) in [
            (format!("{run}/progress"), json!({"message": "a\0", "done": 1})),
            (format!("{run}/kept"), json!({"kept": {"a": "b\0"}})),
        ] {
            assert!(jobs.put(&path, &body).await.status.as_u16() < 500, "{path}");
        }
        assert!(jobs.post("/api/sync/runs", &json!({"job": "a\0", "trigger": "manual"})).await.status.as_u16() < 500);
        directory.is_untouched("the character 0").await;
        nexus.stop().await;
    }

    async fn a_list_of_companies_is_bounded_and_each_is_named_once(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        let many: Vec<String> = (0..1_001).map(|n| n.to_string()).collect();
        let contact = json!({"name": "Ada", "email": "ada@x.example", "company_account_numbers": many});
        assert_eq!(directory.tech.post("/api/contacts", &contact).await.blamed(), ["company_account_numbers"]);
        let same = json!({"name": "Ada", "email": "ada@x.example", "company_account_numbers": vec!["1"; 1_000]});
        assert_eq!(directory.tech.post("/api/contacts", &same).await.status, 201);
        // What belongs to one company is told one, and members of other kinds are no members.
        for (path, name) in [
            (format!("/api/assets/{}", directory.ids.asset), "company_account_numbers"),
            (format!("/api/assets/{}", directory.ids.asset), "features"),
            (format!("/api/locations/{}", directory.ids.location), "company_account_numbers"),
            (format!("/api/contacts/{}", directory.ids.contact), "datto_site_uid"),
            ("/api/companies/1".to_owned(), "asset_ids"),
        ] {
            assert_eq!(directory.tech.put(&path, &json!({name: ["1"]})).await.blamed(), [name], "{path}");
        }
        nexus.stop().await;
    }

    async fn the_faults_of_a_caller_without_rights_tell_nothing(world: World) {
        let nexus = Nexus::serve(world).await;
        let directory = Directory::new(&nexus).await;
        for (method, path, _) in writers(&directory.ids) {
            let answer = send(nexus.nobody().request(method.clone(), &path).header("content-type", "text/plain").body("{")).await;
            answer.refused(401, "Token is missing");
        }
        for role in [Role::Billing, Role::Client] {
            let caller = nexus.caller(role.as_str(), role.as_str(), &[]).await;
            for (method, path, good) in writers(&directory.ids) {
                let mut body = good;
                body["nonsense"] = json!(1);
                send(caller.request(method.clone(), &path).json(&body)).await.problem(403);
                send(caller.request(method, &path).header("content-type", "text/plain").body("{")).await.problem(403);
            }
        }
        let records = dump(nexus.db(), Entity::Company).await.unwrap();
        assert_eq!(records.len(), 1);
        nexus.stop().await;
    }
}
