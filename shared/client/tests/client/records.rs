//! Reading and changing records: what is sent, and what comes of it.

use nexus_client::{Error, Saved};
use serde_json::json;

use crate::client;
use crate::server::{Server, answer, json as answer_json, problem};

/// A record that was changed, by id and by number.
fn changed() -> axum::http::Response<axum::body::Body> {
    answer(200, &[("etag", "\"4\"")], r#"{"message":"Done","id":7}"#)
}

fn company_changed() -> axum::http::Response<axum::body::Body> {
    answer(200, &[("etag", "\"4\"")], r#"{"message":"Done","account_number":"007"}"#)
}

fn whats(server: &Server) -> Vec<(String, String, String)> {
    let told = |seen: crate::server::Seen| (seen.what.clone(), seen.header("if-match").to_owned(), seen.body);
    server.seen().into_iter().map(told).collect()
}

#[tokio::test]
async fn a_record_is_changed_by_its_id_at_the_version_that_is_named() {
    let server = Server::script(vec![changed]).await;
    let assets = client(&server).assets();
    let saved = Saved { key: 7, version: 4 };
    assert_eq!(assets.update(7, 3, &json!({ "online": true })).await.unwrap(), saved);
    assert_eq!(assets.update(7, None, &json!({})).await.unwrap(), saved);
    assets.archive(7, 4).await.unwrap();
    assert_eq!(assets.restore(7).await.unwrap(), saved);
    assert_eq!(assets.pin(7, "last_seen", 4).await.unwrap(), saved);
    assert_eq!(assets.release(7, "..", None).await.unwrap(), saved);
    let told = whats(&server);
    let told: Vec<_> =
        told.iter().map(|(what, version, body)| (what.as_str(), version.as_str(), body.as_str())).collect();
    assert_eq!(
        told,
        [
            ("PUT /api/assets/7", "\"3\"", r#"{"online":true}"#),
            ("PUT /api/assets/7", "", "{}"),
            ("DELETE /api/assets/7", "\"4\"", ""),
            ("POST /api/assets/7/restore", "", ""),
            ("PUT /api/assets/7/pins/last_seen", "\"4\"", ""),
            ("DELETE /api/assets/7/pins/%20..", "", ""),
        ]
    );
    assert!(!server.seen()[3].header("idempotency-key").is_empty());
}

#[tokio::test]
async fn a_company_is_named_by_its_number() {
    let server = Server::script(vec![company_changed]).await;
    let companies = client(&server).companies();
    let saved = Saved { key: "007".to_owned(), version: 4 };
    assert_eq!(companies.create(&json!({ "account_number": "007", "name": "Seven" })).await.unwrap(), saved);
    assert_eq!(companies.update("0/7", 3, &json!({})).await.unwrap(), saved);
    assert_eq!(companies.set_feature("007", 5, "Daily", 4).await.unwrap(), saved);
    assert_eq!(companies.clear_feature("..", 5, None).await.unwrap(), saved);
    let told = whats(&server);
    let told: Vec<_> =
        told.iter().map(|(what, version, body)| (what.as_str(), version.as_str(), body.as_str())).collect();
    assert_eq!(
        told[1..],
        [
            ("PUT /api/companies/0%2F7", "\"3\"", "{}"),
            ("PUT /api/companies/007/features/5", "\"4\"", r#"{"value":"Daily"}"#),
            ("DELETE /api/companies/%20../features/5", "", ""),
        ]
    );
}

#[tokio::test]
async fn a_record_that_is_not_there_is_none_and_one_out_of_sight_an_error() {
    let server = Server::script(vec![|| problem(404, "Asset not found"), || problem(403, "Access denied")]).await;
    let nexus = client(&server);
    assert_eq!(nexus.assets().get(7).await.unwrap(), None);
    assert_eq!(nexus.companies().get("1").await.unwrap_err().status(), Some(403));
}

#[tokio::test]
async fn a_change_at_an_old_version_is_an_error_of_its_own() {
    let server = Server::script(vec![|| problem(412, "The record is at version 4 by now")]).await;
    let error = client(&server).plans().update(7, 3, &json!({})).await.unwrap_err();
    let Error::Stale(problem) = &error else { panic!("{error:?}") };
    assert_eq!((problem.detail.as_str(), error.status()), ("The record is at version 4 by now", Some(412)));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_without_a_version_is_malformed() {
    let server = Server::script(vec![|| answer_json(r#"{"message":"Done","id":7}"#)]).await;
    let error = client(&server).features().update(7, None, &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
}

#[tokio::test]
async fn the_features_of_a_company_and_the_keys_of_an_account_are_read() {
    let server = Server::script(vec![
        || answer_json(r#"[{"id":5,"name":"Backup","value":"Daily","plan_value":null,"own_value":"Daily"}]"#),
        || answer_json("[]"),
        || answer_json(r#"{"message":"API key deleted successfully"}"#),
        || answer_json(r#"[{"type":"asset","id":7,"name":"LT","detail":null,"account_number":"1","rank":0}]"#),
    ])
    .await;
    let nexus = client(&server);
    let features = nexus.companies().features("007").await.unwrap();
    assert_eq!((features[0].id, features[0].value.as_deref()), (5, Some("Daily")));
    assert_eq!(nexus.users().keys(7).await.unwrap(), []);
    nexus.users().revoke_key(3).await.unwrap();
    assert_eq!(nexus.search("a b&c", 5).await.unwrap()[0].name, "LT");
    let whats: Vec<String> = server.seen().into_iter().map(|seen| seen.what).collect();
    assert_eq!(
        whats,
        [
            "GET /api/companies/007/features",
            "GET /api/users/7/keys",
            "DELETE /api/keys/3",
            "GET /api/search?q=a+b%26c&limit=5"
        ]
    );
}
