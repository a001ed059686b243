//! The API keys of service accounts.
#![expect(clippy::unwrap_used, reason = "a story fails where it breaks")]

use http::Method;
use jiff::SignedDuration;
use nexus_test_databases::both;
use nexus_tests::{Answer, Caller, Nexus, send};
use serde_json::{Value, json};

/// A new service account and a key of it, made by the administrator: the account, the key's answer.
async fn with_key(nexus: &Nexus, admin: &Caller<'_>, role: &str, body: Value) -> (i64, Value) {
    let id = nexus.account(&format!("jobs-{role}"), role, &[]).await;
    let made = admin.post(&format!("/api/users/{id}/keys"), &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (id, made.json())
}

async fn by_key(nexus: &Nexus, key: &str, path: &str) -> Answer {
    send(nexus.nobody().request(Method::GET, path).header("x-api-key", key)).await
}

both! {
    async fn an_api_key_is_shown_once_and_known_by_its_first_letters(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let (id, made) = with_key(&nexus, &admin, "billing", json!({"name": "billing, production"})).await;
        let key = made["key"].as_str().unwrap().to_owned();
        assert!(
            key.starts_with("nexus_") && key.len() >= 38 && key.starts_with(made["prefix"].as_str().unwrap()),
            "{made}"
        );
        assert!(made["prefix"].as_str().unwrap().len() <= 12);
        assert_eq!(
            (&made["role"], &made["created_by"], &made["name"]),
            (&json!("billing"), &json!("admin"), &json!("billing, production"))
        );
        assert_eq!(made["last_used_at"], Value::Null);
        assert_eq!(by_key(&nexus, &key, "/api/companies").await.status, 200);
        let list = admin.get(&format!("/api/users/{id}/keys")).await;
        assert_eq!(list.json().as_array().unwrap().len(), 1);
        assert!(list.json()[0].get("key").is_none());
        let mut told = vec![list.text];
        for path in
            ["/api/users", "/api/changes", "/api/changesets", &format!("/api/users/{id}"), "/api/users?search=nexus_"]
        {
            told.push(admin.get(path).await.text);
        }
        told.extend(nexus.texts().await.into_iter().map(|(_, text)| text));
        for text in told {
            assert!(!text.contains(&key) && !text.contains(&key[12..]), "{text}");
        }
        let person = nexus.account("person", "technician", &[]).await;
        admin
            .post(&format!("/api/users/{person}/keys"), &json!({}))
            .await
            .refused(409, "Only service accounts have API keys");
        admin.post("/api/users/99999/keys", &json!({})).await.refused(404, "User not found");
        admin.get("/api/users/99999/keys").await.refused(404, "User not found");
        nexus.stop().await;
    }

    async fn a_key_that_cannot_be_is_refused(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let id = nexus.account("jobs", "technician", &[]).await;
        let path = format!("/api/users/{id}/keys");
        for (body, field) in [
            (json!({"role": "admin"}), "role"),
            (json!({"role": "client"}), "role"),
            (json!({"role": "root"}), "role"),
            (json!({"role": 1}), "role"),
            (json!({"expires_at": "2026-03-02T08:00:00Z"}), "expires_at"),
            (json!({"expires_at": "2020-01-01T00:00:00Z"}), "expires_at"),
            (json!({"expires_at": "2027-03-03T08:00:01Z"}), "expires_at"),
            (json!({"expires_at": "9999-12-31T23:59:59Z"}), "expires_at"),
            (json!({"expires_at": "soon"}), "expires_at"),
            (json!({"expires_at": 5}), "expires_at"),
            (json!({"name": "x".repeat(256)}), "name"),
            (json!({"name": "a\u{0}b"}), "name"),
            (json!({"name": 5}), "name"),
            (json!({"key": "mine"}), "key"),
            (json!({"permission_level": "admin"}), "permission_level"),
        ] {
            assert_eq!(admin.post(&path, &body).await.blamed(), [field], "{body}");
        }
        assert_eq!(admin.get(&path).await.json(), json!([]));
        // The longest that this Nexus gives is also what is given when nothing is asked.
        for body in [
            json!({}),
            json!({"expires_at": null, "role": null, "name": " "}),
            json!({"expires_at": "2027-03-03T08:00:00Z"}),
        ] {
            let made = admin.post(&path, &body).await;
            assert_eq!(made.status, 201, "{}", made.text);
            assert_eq!(
                (&made.json()["expires_at"], &made.json()["role"], &made.json()["name"]),
                (&json!("2027-03-03T08:00:00.000Z"), &json!("technician"), &Value::Null)
            );
            assert_eq!(made.header("cache-control"), "no-store");
        }
        nexus.stop().await;
    }

    async fn a_key_does_what_its_role_says_and_never_more_than_its_account_may(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let own = nexus.company("001", "One").await;
        nexus.company("002", "Two").await;
        let (id, made) = with_key(&nexus, &admin, "admin", json!({"role": "technician"})).await;
        let (key, path) = (made["key"].as_str().unwrap(), format!("/api/users/{id}"));
        by_key(&nexus, key, "/api/users").await.refused(403, "Insufficient permissions");
        assert_eq!(by_key(&nexus, key, "/api/contacts").await.status, 200);
        let write = |number: &str| {
            let body = json!({"account_number": number, "name": number});
            send(nexus.nobody().request(Method::POST, "/api/companies").header("x-api-key", key).json(&body))
        };
        assert_eq!(write("003").await.status, 201);
        admin.put(&path, &json!({"permission_level": "billing"})).await;
        write("004").await.refused(403, "Insufficient permissions");
        assert_eq!(by_key(&nexus, key, "/api/companies").await.status, 200);
        admin.put(&path, &json!({"permission_level": "client", "company_account_numbers": ["001"]})).await;
        by_key(&nexus, key, "/api/companies").await.refused(403, "Insufficient permissions");
        by_key(&nexus, key, "/api/companies/002").await.refused(403, "Access denied");
        assert_eq!(by_key(&nexus, key, "/api/companies/001").await.json()["id"], own);
        admin.put(&path, &json!({"permission_level": "admin"})).await;
        by_key(&nexus, key, "/api/users").await.refused(403, "Insufficient permissions");
        nexus.stop().await;
    }

    async fn a_clients_key_stays_a_clients_key(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let own = nexus.company("001", "One").await;
        nexus.company("002", "Two").await;
        let id = nexus.account("jobs", "client", &[own]).await;
        let made = admin.post(&format!("/api/users/{id}/keys"), &json!({"role": "client"})).await.json();
        let key = made["key"].as_str().unwrap();
        by_key(&nexus, key, "/api/companies/002").await.refused(403, "Access denied");
        admin.put(&format!("/api/users/{id}"), &json!({"permission_level": "admin"})).await;
        by_key(&nexus, key, "/api/users").await.refused(403, "Insufficient permissions");
        by_key(&nexus, key, "/api/companies/002").await.refused(403, "Access denied");
        assert_eq!(by_key(&nexus, key, "/api/companies/001").await.status, 200);
        nexus.stop().await;
    }

    async fn a_key_ends_with_its_time_its_revocation_or_its_account(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let (id, made) = with_key(&nexus, &admin, "technician", json!({"expires_at": "2026-03-02T09:00:00Z"})).await;
        let short = made["key"].as_str().unwrap().to_owned();
        let make = async || admin.post(&format!("/api/users/{id}/keys"), &json!({})).await.json();
        let (revoked, gone) = (make().await, make().await);
        nexus.world.clock.advance(SignedDuration::from_secs(3_599));
        assert_eq!(by_key(&nexus, &short, "/api/companies").await.status, 200);
        nexus.world.clock.advance(SignedDuration::from_secs(1));
        by_key(&nexus, &short, "/api/companies").await.refused(401, "Invalid API Key");
        let (revoked_key, gone_key) = (revoked["key"].as_str().unwrap(), gone["key"].as_str().unwrap());
        assert_eq!(by_key(&nexus, revoked_key, "/api/companies").await.status, 200);
        let path = format!("/api/keys/{}", revoked["id"]);
        assert_eq!(admin.delete(&path).await.json(), json!({"message": "API key deleted successfully"}));
        by_key(&nexus, revoked_key, "/api/companies").await.refused(401, "Invalid API Key");
        admin.delete(&path).await.refused(404, "API key not found");
        admin.delete("/api/keys/99999").await.refused(404, "API key not found");
        assert_eq!(by_key(&nexus, gone_key, "/api/companies").await.status, 200);
        // An account that is a person's now has no keys.
        admin.put(&format!("/api/users/{id}"), &json!({"service_account": false})).await;
        by_key(&nexus, gone_key, "/api/companies").await.refused(401, "Invalid API Key");
        admin.put(&format!("/api/users/{id}"), &json!({"service_account": true})).await;
        assert_eq!(by_key(&nexus, gone_key, "/api/companies").await.status, 200);
        admin.delete(&format!("/api/users/{id}")).await;
        by_key(&nexus, gone_key, "/api/companies").await.refused(401, "Invalid API Key");
        admin.post(&format!("/api/users/{id}/restore"), &json!({})).await;
        assert_eq!(by_key(&nexus, gone_key, "/api/companies").await.status, 200);
        nexus.stop().await;
    }

    async fn the_use_of_a_key_is_noted_to_the_minute(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let (id, made) = with_key(&nexus, &admin, "billing", json!({})).await;
        let key = made["key"].as_str().unwrap();
        let last = async || admin.get(&format!("/api/users/{id}/keys")).await.json()[0]["last_used_at"].clone();
        let n = nexus.written().await;
        for (seconds, noted) in
            [(0, "2026-03-02T08:00:00.000Z"), (59, "2026-03-02T08:00:00.000Z"), (1, "2026-03-02T08:01:00.000Z")]
        {
            nexus.world.clock.advance(SignedDuration::from_secs(seconds));
            assert_eq!(by_key(&nexus, key, "/api/companies").await.status, 200);
            assert_eq!(last().await, noted);
        }
        by_key(&nexus, "nexus_wrong", "/api/companies").await.refused(401, "Invalid API Key");
        assert_eq!(nexus.written().await, n);
        nexus.stop().await;
    }

    async fn an_api_key_is_looked_at_before_the_token(world: World) {
        let nexus = Nexus::serve(world).await;
        let admin = nexus.caller("admin", "admin", &[]).await;
        let (_, made) = with_key(&nexus, &admin, "billing", json!({})).await;
        let key = made["key"].as_str().unwrap().to_owned();
        for wrong in ["", "x", "nexus_", &key[..12], &format!("{key}x"), &key.to_uppercase(), "' OR 1=1 --"] {
            let request = admin.request(Method::GET, "/api/companies").header("x-api-key", wrong);
            send(request).await.refused(401, "Invalid API Key");
        }
        send(admin.request(Method::GET, "/api/companies").header("x-api-key", &b"\xff"[..]))
            .await
            .refused(401, "Invalid API Key");
        // The administrator's token does not lift what the key may do.
        let request = admin.request(Method::GET, "/api/users").header("x-api-key", key.as_str());
        send(request).await.refused(403, "Insufficient permissions");
        let request = nexus
            .nobody()
            .request(Method::GET, "/api/companies")
            .header("x-api-key", key.as_str())
            .bearer_auth("nonsense");
        assert_eq!(send(request).await.status, 200);
        nexus.stop().await;
    }
}
