//! Tokens and keys: what the consumers of the first Nexus rely on.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a story fails where it breaks")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use jiff::SignedDuration;
use local_runner::certificate;
use nexus_core::{Entity, Role};
use nexus_db::changes::Edit;
use nexus_test_databases::both;
use nexus_tests::{Answer, Caller, Nexus, PASSWORD, send};
use nexus_web::auth::{Claims, Keys};
use serde_json::{Value, json};

/// Something that every role but a client may read.
const READ: &str = "/api/companies";

async fn token(caller: &Caller<'_>, username: &str, password: &str) -> Answer {
    caller.post("/api/token", &json!({"username": username, "password": password})).await
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Verifies a token as another service does: from the key set alone.
fn verified(token: &str, jwks: &Value) -> bool {
    let kid = part(token, 0)["kid"].clone();
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).expect("the key of the token");
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (&json!("EC"), &json!("P-256"), &json!("ES256"), &json!("sig"))
    );
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point)
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .is_ok()
}

async fn with_token(nexus: &Nexus, token: &str) -> Answer {
    let mut caller = nexus.nobody();
    caller.token = Some(token.to_owned());
    caller.get(READ).await
}

fn fields(given: &Value) -> nexus_core::Fields {
    nexus_core::fields::parse(Entity::User, given.as_object().unwrap()).unwrap()
}

both! {
    async fn a_name_and_a_password_get_a_token_that_the_key_set_verifies(world: World) {
        let nexus = Nexus::serve(world).await;
        let company = nexus.company("007", "Bond").await;
        let id = nexus.account("bond", "client", &[company]).await;
        let answer = token(&nexus.nobody(), "bond", PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        let answer = answer.json();
        assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(86_400)));
        let token = answer["token"].as_str().unwrap();

        let claims = part(token, 1);
        let now = nexus_test_databases::start().as_second();
        assert_eq!(claims["user_id"], id);
        assert_eq!(claims["permission_level"], "client");
        assert_eq!(claims["company_account_number"], "007");
        assert_eq!(claims["exp"], now + 86_400);
        assert_eq!(claims["iat"], now);
        assert_eq!((&claims["iss"], &claims["aud"], &claims["sub"]), (&json!("nexus"), &json!("nexus"), &json!(id.to_string())));
        assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() >= 16));
        assert_eq!((&part(token, 0)["kid"], &part(token, 0)["alg"]), (&json!("first"), &json!("ES256")));

        let jwks = nexus.nobody().get("/.well-known/jwks.json").await;
        assert_eq!(jwks.status, 200);
        assert!(verified(token, &jwks.json()));
        let other = token.replace(token.split('.').nth(1).unwrap(), &URL_SAFE_NO_PAD.encode("{}"));
        assert!(!verified(&other, &jwks.json()));
        assert!(!jwks.text.contains("\"d\""), "the key set holds no private part");
        nexus.stop().await;
    }

    async fn somebody_without_a_company_has_null_for_it_in_the_token(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("ada", "admin", &[]).await;
        let claims = part(admin.token.as_ref().unwrap(), 1);
        assert_eq!(claims["company_account_number"], Value::Null);
        assert_eq!(claims["permission_level"], "admin");
        nexus.stop().await;
    }

    async fn a_token_request_without_both_parts_is_told_which_are_missing(world: World) {
        let nexus = Nexus::serve(world).await;
        let nobody = nexus.nobody();
        for body in [
            json!({}),
            json!({"username": "ada"}),
            json!({"password": "secret"}),
            json!({"username": null, "password": null}),
            json!({"username": "", "password": ""}),
        ] {
            nobody.post("/api/token", &body).await.refused(400, "Missing username or password");
        }
        let wrong = nobody.post("/api/token", &json!({"username": 7, "password": "x"})).await;
        assert_eq!(wrong.blamed(), ["username"]);
        nobody.get("/api/token").await.refused(405, "This path does not take that method");
        nexus.stop().await;
    }

    async fn a_wrong_password_and_an_unknown_name_are_told_alike(world: World) {
        let nexus = Nexus::serve(world).await;
        nexus.account("ada", "admin", &[]).await;
        let nobody = nexus.nobody();
        let known = token(&nobody, "ada", "wrong").await;
        let unknown = token(&nobody, "nobody", "wrong").await;
        known.refused(401, "Invalid credentials");
        unknown.refused(401, "Invalid credentials");
        let names = |answer: &Answer| {
            let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(names(&known), names(&unknown));
        // Names that the database could not hold are unknown, too.
        token(&nobody, "a\0da", "wrong").await.refused(401, "Invalid credentials");
        token(&nobody, &"x".repeat(5_000), "wrong").await.refused(401, "Invalid credentials");
        nexus.stop().await;
    }

    async fn a_name_has_no_letter_case_and_a_password_counts_to_its_last_letter(world: World) {
        let nexus = Nexus::serve(world).await;
        let id = nexus.account("Ada", "admin", &[]).await;
        let nobody = nexus.nobody();
        assert_eq!(token(&nobody, "aDA", PASSWORD).await.status, 200);
        token(&nobody, "ada", &PASSWORD.to_uppercase()).await.refused(401, "Invalid credentials");
        token(&nobody, "ada", &format!("{PASSWORD} ")).await.refused(401, "Invalid credentials");

        let long = "ä".repeat(5_001);
        let hash = nexus.auth.passwords().hash(&long.clone().into()).await.unwrap();
        nexus_db::accounts::set_password(nexus.db(), id, &hash, false).await.unwrap();
        assert_eq!(token(&nobody, "ada", &long).await.status, 200);
        token(&nobody, "ada", &"ä".repeat(500)).await.refused(401, "Invalid credentials");
        token(&nobody, "ada", &"ä".repeat(5_000)).await.refused(401, "Invalid credentials");
        nexus.stop().await;
    }

    async fn a_token_of_the_older_key_lives_on_after_the_keys_are_rotated(world: World) {
        let (old, new) = (certificate::new_key().unwrap(), certificate::new_key().unwrap());
        let nexus = Nexus::serve_with(world.clone(), &[("2025", &old)]).await;
        let before = nexus.caller("ada", "admin", &[]).await.token.unwrap();
        nexus.stop().await;

        let nexus = Nexus::serve_with(world.clone(), &[("2026", &new), ("2025", &old)]).await;
        assert_eq!(with_token(&nexus, &before).await.status, 200);
        let jwks = nexus.nobody().get("/.well-known/jwks.json").await.json();
        let kids: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
        assert_eq!(kids, ["2026", "2025"]);
        assert!(verified(&before, &jwks));
        let after = token(&nexus.nobody(), "ada", PASSWORD).await.json()["token"].as_str().unwrap().to_owned();
        assert_eq!(part(&after, 0)["kid"], "2026");
        assert!(verified(&after, &jwks));
        nexus.stop().await;

        let nexus = Nexus::serve_with(world, &[("2026", &new)]).await;
        with_token(&nexus, &before).await.refused(401, "Token is invalid");
        assert_eq!(with_token(&nexus, &after).await.status, 200);
        nexus.stop().await;
    }

    async fn a_token_ends_with_its_time(world: World) {
        let nexus = Nexus::serve(world).await;
        let ada = nexus.caller("ada", "admin", &[]).await;
        nexus.world.clock.advance(SignedDuration::from_secs(86_399));
        assert_eq!(ada.get(READ).await.status, 200);
        nexus.world.clock.advance(SignedDuration::from_secs(1));
        ada.get(READ).await.refused(401, "Token has expired");
        nexus.stop().await;
    }

    async fn a_token_that_nexus_did_not_sign_is_invalid(world: World) {
        let nexus = Nexus::serve(world).await;
        let ada = nexus.caller("ada", "admin", &[]).await;
        let good = ada.token.clone().unwrap();
        let (header, payload, signature) = {
            let mut parts = good.split('.');
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
        };
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims: Claims = serde_json::from_value(part(&good, 1)).unwrap();
        let (foreign, own) = (certificate::new_key().unwrap(), "first");
        let forged = Keys::new([(own, &foreign)]).unwrap().sign(&claims).unwrap();
        let mut higher = part(&good, 1);
        higher["user_id"] = json!(1);
        for bad in [
            "garbage".to_owned(),
            "a.b.c".into(),
            "é".into(),
            forged,
            format!("{}.{payload}.", encode(json!({"alg": "none", "typ": "JWT", "kid": "first"}))),
            format!("{}.{payload}.{signature}", encode(json!({"alg": "none", "kid": "first"}))),
            format!("{}.{payload}.{signature}", encode(json!({"alg": "HS256", "kid": "first"}))),
            format!("{}.{payload}.{signature}", encode(json!({"alg": "ES256", "kid": "other"}))),
            format!("{}.{payload}.{signature}", encode(json!({"alg": "ES256"}))),
            format!("{header}.{}.{signature}", encode(higher)),
            format!("{header}.{payload}."),
            format!("{header}.{payload}"),
            "x".repeat(10_000),
        ] {
            with_token(&nexus, &bad).await.refused(401, "Token is invalid");
        }
        let mut other = claims.clone();
        other.iss = "somebody else".into();
        let mut another = claims;
        another.aud = "another service".into();
        let pem = certificate::new_key().unwrap();
        let keys = Keys::new([("k", &pem)]).unwrap();
        let second = Nexus::serve_with(nexus.world.clone(), &[("k", &pem)]).await;
        for claims in [other, another] {
            with_token(&second, &keys.sign(&claims).unwrap()).await.refused(401, "Token is invalid");
        }
        second.stop().await;
        nexus.stop().await;
    }

    async fn a_call_without_a_token_is_told_so(world: World) {
        let nexus = Nexus::serve(world).await;
        let nobody = nexus.nobody();
        let answer = nobody.get(READ).await;
        answer.refused(401, "Token is missing");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        for header in ["Basic YTpi", "Bearer", "token"] {
            send(nobody.request(Method::GET, READ).header("authorization", header)).await.refused(401, "Token is missing");
        }
        let ada = nexus.caller("ada", "admin", &[]).await;
        let lower = format!("bearer  {}", ada.token.as_ref().unwrap());
        assert_eq!(send(nobody.request(Method::GET, READ).header("authorization", lower)).await.status, 200);
        nexus.stop().await;
    }

    async fn an_api_key_is_looked_at_before_a_token(world: World) {
        let nexus = Nexus::serve(world).await;
        let ada = nexus.caller("ada", "admin", &[]).await;
        for key in ["wrong", "", "nx_0123456789"] {
            let answer = send(ada.request(Method::GET, READ).header("x-api-key", key)).await;
            answer.refused(401, "Invalid API Key");
        }
        let odd = send(ada.request(Method::GET, READ).header("x-api-key", &b"\xff"[..])).await;
        odd.refused(401, "Invalid API Key");
        nexus.stop().await;
    }

    async fn an_archived_user_stops_at_once(world: World) {
        let nexus = Nexus::serve(world).await;
        let ada = nexus.caller("ada", "admin", &[]).await;
        assert_eq!(ada.get(READ).await.status, 200);
        let id = part(ada.token.as_ref().unwrap(), 1)["user_id"].as_i64().unwrap();
        nexus.change(Edit::Archive { entity: Entity::User, id, version: None }).await;
        ada.get(READ).await.refused(401, "User not found");
        token(&nexus.nobody(), "ada", PASSWORD).await.refused(401, "Invalid credentials");
        nexus.stop().await;
    }

    async fn a_demotion_is_in_force_at_once_whatever_the_token_says(world: World) {
        let nexus = Nexus::serve(world).await;
        let ada = nexus.caller("ada", "admin", &[]).await;
        let id = part(ada.token.as_ref().unwrap(), 1)["user_id"].as_i64().unwrap();
        let body = json!({"account_number": "1", "name": "One"});
        assert_eq!(ada.post(READ, &body).await.status, 201);
        for (role, status) in [(Role::Billing, 200), (Role::Client, 403)] {
            let fields = fields(&json!({"role": role.as_str()}));
            nexus.change(Edit::Update { entity: Entity::User, id, version: None, fields }).await;
            assert_eq!(ada.get(READ).await.status, status, "{role:?}");
            ada.post(READ, &json!({"account_number": "2", "name": "Two"})).await.refused(403, "Insufficient permissions");
        }
        nexus.stop().await;
    }

    async fn a_client_sees_a_company_from_the_moment_it_belongs_to_it(world: World) {
        let nexus = Nexus::serve(world).await;
        let company = nexus.company("1", "One").await;
        let client = nexus.caller("cleo", "client", &[]).await;
        client.get("/api/companies/1").await.refused(403, "Access denied");
        let id = part(client.token.as_ref().unwrap(), 1)["user_id"].as_i64().unwrap();
        let fields = fields(&json!({"company_ids": [company]}));
        nexus.change(Edit::Update { entity: Entity::User, id, version: None, fields }).await;
        assert_eq!(client.get("/api/companies/1").await.status, 200);
        nexus.stop().await;
    }
}
