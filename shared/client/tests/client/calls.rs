//! What is sent, and how an answer is told.

use nexus_client::{Account, Client, ConfigError, Error, Options};
use nexus_core::FieldError;
use serde_json::{Value, json};

use crate::server::{Server, TOKEN, answer, json as answer_json, no_content, ok, problem};
use crate::{account, client, options};

#[tokio::test]
async fn a_call_carries_the_token_and_a_json_body() {
    let server = Server::script(vec![ok, no_content, ok]).await;
    let client = client(&server);
    let read: Value = client.get("/api/x?a=b").await.unwrap();
    assert_eq!(read, json!({ "fine": true }));
    let (): () = client.put("/api/x", &json!({ "n": 1 })).await.unwrap();
    let _: Value = client.post("/api/x", &json!([2])).await.unwrap();
    let seen = server.seen();
    let told: Vec<_> = seen.iter().map(|seen| (seen.what.as_str(), seen.body.as_str())).collect();
    assert_eq!(told, [("GET /api/x?a=b", ""), ("PUT /api/x", r#"{"n":1}"#), ("POST /api/x", "[2]")]);
    for seen in &seen {
        assert_eq!(seen.header("authorization"), format!("Bearer {TOKEN}"));
        assert_eq!(seen.header("accept"), "application/json");
        assert!(seen.header("user-agent").starts_with("Nexus/"));
    }
    assert_eq!(seen[1].header("content-type"), "application/json");
}

#[tokio::test]
async fn a_refusal_is_told_with_its_fields_and_the_id_of_the_request() {
    fn refusal() -> axum::http::Response<axum::body::Body> {
        let errors = r#""errors":[{"field":"name","message":"must have a value"}]"#;
        answer(
            400,
            &[],
            format!(r#"{{"status":400,"detail":"Some fields are not valid","request_id":"req-1",{errors}}}"#),
        )
    }
    let server = Server::script(vec![refusal]).await;
    let error = client(&server).post::<Value>("/api/companies", &json!({})).await.unwrap_err();
    let told = error.problem().unwrap();
    assert_eq!((told.status, told.detail.as_str()), (400, "Some fields are not valid"));
    assert_eq!(told.request_id.as_deref(), Some("req-1"));
    assert_eq!(told.errors, [FieldError::new("name", "must have a value")]);
    assert_eq!(
        error.to_string(),
        "Nexus answered 400: Some fields are not valid; name must have a value (request req-1)"
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_refusal_that_is_no_problem_document_is_told_by_its_status() {
    for (body, detail) in [
        ("<html>Bad</html>", "Forbidden"),
        ("", "Forbidden"),
        ("[1]", "Forbidden"),
        (r#"{"message":"Forbidden by the gateway"}"#, "Forbidden by the gateway"),
        (r#"{"detail":" ","error":"Access denied"}"#, "Access denied"),
    ] {
        let server = Server::start(move |seen, _| {
            if seen.what.ends_with("/token") { crate::server::token(TOKEN, None) } else { answer(403, &[], body) }
        })
        .await;
        let error = client(&server).get::<Value>("/api/x").await.unwrap_err();
        assert_eq!(error.problem().unwrap().detail, detail, "{body}");
    }
}

#[tokio::test]
async fn an_answer_of_another_form_is_an_error_that_quotes_nothing() {
    let server = Server::script(vec![|| answer_json(r#"{"id":"confidential"}"#), || answer_json("confidential")]).await;
    for reason in ["it has another form", "it is not JSON"] {
        let error = client(&server).run(7).await.unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("GET /api/sync/runs/7") && text.contains(reason), "{text}");
        assert!(!text.contains("confidential"), "{text}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::script(vec![|| answer(302, &[("location", "https://evil.example/")], "")]).await;
    assert_eq!(client(&server).get::<Value>("/api/x").await.unwrap_err().status(), Some(302));
}

#[tokio::test]
async fn a_nexus_that_is_not_there_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(&address, account(), &Options { tries: 1, ..options() }).unwrap();
    let error = client.get::<Value>("/api/x").await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { address: at, .. } if *at == address), "{error:?}");
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn a_client_is_not_built_for_an_address_or_a_root_that_cannot_be() {
    let new = |address: &str, root: Option<&str>| {
        let options = Options { root: root.map(|pem| pem.as_bytes().to_vec()), ..Options::default() };
        Client::new(address, Account { username: "a".into(), password: "b".into() }, &options).map(drop)
    };
    assert!(matches!(new("http://nexus.example", None), Err(ConfigError::Address { .. })));
    assert_eq!(new("https://127.0.0.1:5000", Some("not a certificate")), Err(ConfigError::Root));
    assert_eq!(new("https://127.0.0.1:5000", Some("")), Err(ConfigError::Root));
    assert_eq!(new("https://127.0.0.1:5000", None), Ok(()));
}

#[tokio::test]
async fn a_conflict_is_told_by_its_status() {
    let server = Server::script(vec![|| problem(409, "A run of sync-freshservice is going")]).await;
    let error = client(&server).get::<Value>("/api/x").await.unwrap_err();
    assert_eq!(error.status(), Some(409));
}
