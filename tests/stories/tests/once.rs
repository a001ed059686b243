//! `Idempotency-Key`: a request that is sent twice is carried out once.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use jiff::SignedDuration;
use nexus_core::{Actor, Entity, Fields};
use nexus_db::changes::{ChangeError, Deed, Edit, Origin, change};
use nexus_db::{Error, Query};
use nexus_test_databases::both;
use nexus_tests::{Answer, Caller, Nexus, send};
use serde_json::{Value, json};

async fn post(caller: &Caller<'_>, path: &str, key: &str, body: &Value) -> Answer {
    send(caller.request(Method::POST, path).header("idempotency-key", key).json(body)).await
}

fn person(name: &str) -> Value {
    json!({"name": name, "email": format!("{name}@x.example")})
}

async fn people(caller: &Caller<'_>) -> usize {
    caller.get("/api/contacts").await.json().as_array().unwrap().len()
}

/// The same account with a new token, which a token of the first day is not any more; the account is what counts.
async fn again(mut caller: Caller<'_>) -> Caller<'_> {
    caller.token = None;
    let login = caller.post("/api/token", &json!({"username": "tech", "password": nexus_tests::PASSWORD})).await;
    caller.token = login.json()["token"].as_str().map(str::to_owned);
    caller
}

both! {
    async fn the_same_request_is_answered_again_and_carried_out_once(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let first = post(&tech, "/api/contacts", "k", &person("ada")).await;
        assert_eq!((first.status.as_u16(), first.header("idempotent-replayed")), (201, ""));
        let n = nexus.written().await;
        for _ in 0..2 {
            let again = post(&tech, "/api/contacts", "k", &person("ada")).await;
            assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (201, "true"));
            assert_eq!(again.text, first.text);
            for header in ["etag", "location", "content-type"] {
                assert_eq!(again.header(header), first.header(header), "{header}");
            }
        }
        // Even after the record has changed or gone.
        tech.delete(first.header("location")).await;
        assert_eq!(post(&tech, "/api/contacts", "k", &person("ada")).await.text, first.text);
        assert_eq!((people(&tech).await, nexus.written().await), (0, n + 1));
        // A page is no API, a GET and a PUT are what they are.
        let put = tech.request(Method::PUT, "/api/contacts/99").header("idempotency-key", "k").json(&json!({}));
        send(put).await.refused(404, "Contact not found");
        assert_eq!(send(tech.request(Method::GET, "/api/contacts").header("idempotency-key", "")).await.status, 200);
        nexus.stop().await;
    }

    async fn a_key_names_one_request(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("1", "One").await;
        assert_eq!(post(&tech, "/api/contacts", "k", &person("ada")).await.status, 201);
        for (path, body) in [
            ("/api/contacts", person("bob")),
            ("/api/contacts", json!({})),
            ("/api/contacts?x=1", person("ada")),
            ("/api/assets", json!({"hostname": "A", "company_account_number": "1"})),
            ("/api/companies/1/restore", json!({})),
        ] {
            post(&tech, path, "k", &body).await.problem(422);
        }
        let other_bytes = tech
            .request(Method::POST, "/api/contacts")
            .header("idempotency-key", "k")
            .header("content-type", "application/json");
        send(other_bytes.body(" {\"name\":\"ada\",\"email\":\"ada@x.example\"}")).await.problem(422);
        assert_eq!((people(&tech).await, tech.get("/api/assets").await.json()), (1, json!([])));
        assert_eq!(post(&tech, "/api/contacts", "K", &person("bob")).await.status, 201, "letter case tells keys apart");
        nexus.stop().await;
    }

    async fn keys_of_two_callers_do_not_meet(world: World) {
        let nexus = Nexus::serve(world).await;
        let (one, two) = (nexus.caller("one", "technician", &[]).await, nexus.caller("two", "technician", &[]).await);
        let billing = nexus.caller("billing", "billing", &[]).await;
        assert_eq!(post(&one, "/api/contacts", "k", &person("ada")).await.status, 201);
        assert_eq!(post(&two, "/api/contacts", "k", &person("ada")).await.problem(409)["status"], 409);
        assert_eq!(post(&two, "/api/contacts", "k", &person("bob")).await.status, 201);
        // Nobody learns from a key what another was answered.
        post(&billing, "/api/contacts", "k", &person("ada")).await.refused(403, "Insufficient permissions");
        post(&nexus.nobody(), "/api/contacts", "k", &person("ada")).await.refused(401, "Token is missing");
        assert_eq!(post(&one, "/api/contacts", "k", &person("ada")).await.header("idempotent-replayed"), "true");
        nexus.stop().await;
    }

    async fn what_was_answered_is_not_told_to_who_may_not_ask_any_more(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        assert_eq!(post(&tech, "/api/contacts", "k", &person("ada")).await.status, 201);
        let list = admin.get("/api/users").await.json();
        let id = list.as_array().unwrap().iter().find(|one| one["username"] == "tech").unwrap()["id"].clone();
        admin.delete(&format!("/api/users/{id}")).await;
        post(&tech, "/api/contacts", "k", &person("ada")).await.refused(401, "User not found");
        nexus.stop().await;
    }

    async fn after_a_day_a_key_is_new(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let first = post(&tech, "/api/contacts", "k", &person("ada")).await;
        nexus.world.clock.advance(SignedDuration::from_secs(24 * 3_600 - 1));
        assert_eq!(post(&tech, "/api/contacts", "k", &person("ada")).await.text, first.text);
        post(&tech, "/api/contacts", "k", &person("bob")).await.problem(422);
        nexus.world.clock.advance(SignedDuration::from_secs(1));
        let tech = again(tech).await;
        let anew = post(&tech, "/api/contacts", "k", &person("bob")).await;
        assert_eq!((anew.status.as_u16(), anew.header("idempotent-replayed")), (201, ""), "{}", anew.text);
        assert_eq!(people(&tech).await, 2);
        assert_eq!(post(&tech, "/api/contacts", "k", &person("bob")).await.header("idempotent-replayed"), "true");
        nexus.stop().await;
    }

    async fn what_was_refused_may_come_again(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let asset = json!({"hostname": "A", "company_account_number": "1"});
        assert_eq!(post(&tech, "/api/assets", "k", &asset).await.blamed(), ["company_account_number"]);
        post(&tech, "/api/companies/1/restore", "r", &json!({})).await.refused(404, "Company not found");
        nexus.company("1", "One").await;
        // The same key, the same body, and by now another answer; and the key was not spent on the refused body.
        assert_eq!(post(&tech, "/api/assets", "k", &asset).await.status, 201);
        assert_eq!(post(&tech, "/api/assets", "k", &asset).await.header("idempotent-replayed"), "true");
        tech.delete("/api/companies/1").await;
        assert_eq!(post(&tech, "/api/companies/1/restore", "r", &json!({})).await.status, 200);
        tech.delete("/api/companies/1").await;
        assert_eq!(
            post(&tech, "/api/companies/1/restore", "r", &json!({})).await.header("idempotent-replayed"),
            "true"
        );
        tech.get("/api/companies/1").await.refused(404, "Company not found");
        nexus.stop().await;
    }

    async fn two_at_once_make_one_record(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("1", "One").await;
        // A hostname is no key, so nothing but the header keeps them from becoming many.
        let body = json!({"hostname": "A", "company_account_number": "1"});
        let answers = futures_util::future::join_all((0..8).map(|_| post(&tech, "/api/assets", "k", &body))).await;
        let mut first = 0;
        for answer in &answers {
            match answer.status.as_u16() {
                201 => first += usize::from(answer.header("idempotent-replayed").is_empty()),
                409 => drop(answer.problem(409)),
                other => panic!("{other}: {}", answer.text),
            }
        }
        assert_eq!(first, 1);
        assert_eq!(tech.get("/api/assets").await.json().as_array().unwrap().len(), 1);
        let again = post(&tech, "/api/assets", "k", &body).await;
        assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (201, "true"));
        nexus.stop().await;
    }

    async fn a_secret_is_not_kept_to_be_told_again(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let service = nexus.account("jobs", "technician", &[]).await;
        let path = format!("/api/users/{service}/keys");
        let first = post(&admin, &path, "k", &json!({"name": "one"})).await;
        let key = first.json()["key"].as_str().unwrap().to_owned();
        let again = post(&admin, &path, "k", &json!({"name": "one"})).await;
        assert_eq!(again.problem(409)["status"], 409);
        assert!(!again.text.contains(&key));
        assert_eq!(admin.get(&path).await.json().as_array().unwrap().len(), 1);
        // Nor is a token, whoever asks for it.
        let login = json!({"username": "admin", "password": nexus_tests::PASSWORD});
        let token = post(&admin, "/api/token", "t", &login).await;
        assert_eq!(token.status, 200, "{}", token.text);
        let token = token.json()["token"].as_str().unwrap().to_owned();
        let kept = "SELECT coalesce(headers, '') || coalesce(answer, '') FROM requests";
        for (kept,) in nexus.db().all::<(String,)>(Query::new(kept)).await.unwrap() {
            assert!(!kept.contains(&key) && !kept.contains(&token), "{kept}");
        }
        nexus.stop().await;
    }

    async fn a_long_answer_is_kept_as_well(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let deed = || Deed::new(Actor { user_id: None, name: "story".into() }, Origin::System, "a story");
        let named = |name: &str| Fields::from_iter([("name".to_owned(), json!(name))]);
        let edits = (0..3_000).map(|_| Edit::Create { entity: Entity::Contact, fields: named("Ada") });
        let made = change(nexus.db(), &deed(), edits.collect()).await.unwrap();
        let edits = made.records.iter().map(|one| Edit::Update {
            entity: Entity::Contact,
            id: one.id,
            version: None,
            fields: named("Bob"),
        });
        change(nexus.db(), &deed(), edits.collect()).await.unwrap();
        // Every record has changed since, and each is named.
        let path = format!("/api/changesets/{}/revert", made.changeset_id.unwrap());
        let first = post(&tech, &path, "k", &json!({})).await;
        assert_eq!(first.status, 200, "{}", first.text);
        assert_eq!(first.json()["left_alone"].as_array().unwrap().len(), 3_000);
        let again = post(&tech, &path, "k", &json!({})).await;
        assert_eq!((again.header("idempotent-replayed"), again.text == first.text), ("true", true));
        nexus.stop().await;
    }

    async fn a_key_that_cannot_be_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        for key in [&b""[..], &[b'x'; 256], b"\xff", "é".as_bytes()] {
            let request =
                tech.request(Method::POST, "/api/contacts").header("idempotency-key", key).json(&person("ada"));
            assert_eq!(send(request).await.blamed(), ["Idempotency-Key"]);
        }
        assert_eq!(people(&tech).await, 0);
        for (n, key) in
            ["x".repeat(255).as_str(), " k ", "'; DROP TABLE requests; --", "\"q\"", "%00"].iter().enumerate()
        {
            assert_eq!(post(&tech, "/api/contacts", key, &person(&format!("n{n}"))).await.status, 201, "{key}");
        }
        nexus.stop().await;
    }

    async fn faults_of_a_body_are_told_as_without_a_key(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        let raw = |kind: &str, body: Vec<u8>| {
            let request = tech.request(Method::POST, "/api/contacts").header("idempotency-key", "k");
            send(request.header("content-type", kind).body(body))
        };
        raw("application/json", vec![b' '; 1024 * 1024 + 1]).await.refused(413, "The body is too large");
        raw("text/plain", b"{}".to_vec()).await.refused(415, "Send a body of type application/json");
        raw("application/json", b"{\"name\":\"\xff\"}".to_vec()).await.problem(400);
        raw("application/json", Vec::new()).await.problem(400);
        for path in ["/api/nothing", "/api/contacts/1", "/api/companies/1"] {
            let answer = post(&tech, path, "k", &json!({})).await;
            answer.problem(if path.ends_with("nothing") { 404 } else { 405 });
        }
        assert_eq!(post(&tech, "/api/contacts", "k", &person("ada")).await.status, 201);
        nexus.stop().await;
    }

    async fn a_request_whose_answer_was_lost_is_not_written_a_second_time(world: World) {
        let nexus = Nexus::serve(world).await;
        let tech = nexus.caller("tech", "technician", &[]).await;
        nexus.company("1", "One").await;
        let body = json!({"hostname": "A", "company_account_number": "1"});
        assert_eq!(post(&tech, "/api/assets", "k", &body).await.status, 201);
        // As if Nexus had died after it wrote the record and before it kept the answer.
        let lost = "UPDATE requests SET status = NULL, headers = NULL, answer = NULL RETURNING claimed_at";
        let mut tx = nexus.db().write().await.unwrap();
        tx.one::<(String,)>(Query::new(lost)).await.unwrap();
        tx.commit().await.unwrap();
        post(&tech, "/api/assets", "k", &body).await.problem(409);
        nexus.world.clock.advance(SignedDuration::from_mins(16));
        post(&tech, "/api/assets", "k", &body).await.problem(409);
        let told = post(&tech, "/api/assets", "k", &body).await.problem(409);
        assert!(told["detail"].as_str().unwrap().contains("its answer was lost"), "{told}");
        assert_eq!(tech.get("/api/assets").await.json().as_array().unwrap().len(), 1);
        nexus.world.clock.advance(SignedDuration::from_hours(25));
        let tech = again(tech).await;
        assert_eq!(post(&tech, "/api/assets", "k", &body).await.status, 201, "after a day the key is new");
        // The database itself holds it: two change sets of one request cannot be.
        let actor = Actor { user_id: None, name: "story".into() };
        let deed = Deed { request_key: Some("r".into()), ..Deed::new(actor, Origin::Api, "a story") };
        let edit = |name: &str| {
            let fields = Fields::from_iter([("name".to_owned(), json!(name))]);
            vec![Edit::Create { entity: Entity::Contact, fields }]
        };
        change(nexus.db(), &deed, edit("Ada")).await.unwrap();
        let twice = change(nexus.db(), &deed, edit("Bob")).await;
        assert!(matches!(twice, Err(ChangeError::Store(Error::Conflict { .. }))), "{twice:?}");
        assert_eq!(people(&tech).await, 1);
        nexus.stop().await;
    }
}
