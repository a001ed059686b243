//! Password and token stay where they belong.

use nexus_client::{Client, ConfigError, Credentials, Error, NewKey};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::server::{Server, TOKEN, answer, broken, json, ok, problem};
use crate::{PASSWORD, account, client, options};

fn assert_clean(text: &str) {
    assert!(!text.contains(PASSWORD) && !text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn neither_the_client_nor_what_it_gives_out_shows_a_secret() {
    let server = Server::script(vec![ok]).await;
    let client = client(&server);
    let _: Value = client.get("/api/x").await.unwrap();
    let text =
        format!("{client:?} {client:#?} {:?} {:?} {:?}", client.companies().list().pages(), account(), options());
    assert_clean(&text);
    assert!(text.contains("127.0.0.1") && text.contains("nexus-jobs"), "these may be shown: {text}");
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    let server = Server::script(vec![|| problem(500, "oops"), || answer(200, &[], "{"), broken]).await;
    let client = client(&server);
    let mut errors: Vec<Error> = Vec::new();
    for _ in 0..3 {
        errors.push(client.post::<Value>("/api/x", &PASSWORD).await.unwrap_err());
    }
    let refusing = Server::start(|_, _| problem(401, "Invalid credentials")).await;
    errors.push(crate::client(&refusing).get::<Value>("/api/x").await.unwrap_err());
    for error in errors {
        assert_clean(&format!("{error} {error:?}"));
    }
}

#[tokio::test]
async fn an_api_key_is_sent_with_each_call_and_shown_nowhere() {
    let server = Server::script(vec![ok, || problem(401, "Invalid API Key")]).await;
    let credentials = Credentials::api_key(PASSWORD);
    assert_clean(&format!("{credentials:?} {:?}", Credentials::account("a", PASSWORD)));
    let client = Client::new(&server.address, credentials, &options()).unwrap();
    let _: Value = client.get("/api/x").await.unwrap();
    let error = client.get::<Value>("/api/x").await.unwrap_err();
    assert_eq!(error.problem().unwrap().detail, "Invalid API Key");
    assert_clean(&format!("{client:?} {error} {error:?}"));
    let seen = server.seen();
    assert_eq!((seen.len(), server.sign_ins().len()), (2, 0), "there is no token to be renewed");
    for seen in seen {
        assert_eq!((seen.header("x-api-key"), seen.header("authorization")), (PASSWORD, ""));
    }
}

#[test]
fn a_key_that_cannot_be_sent_makes_no_client() {
    for key in ["", " ", "a\nb"] {
        let built = Client::new("https://nexus.example", Credentials::api_key(key), &options()).map(drop);
        assert_eq!(built, Err(ConfigError::ApiKey), "{key:?}");
    }
}

#[tokio::test]
async fn a_key_that_was_made_is_handed_out_and_not_shown() {
    let server = Server::script(vec![|| {
        json(format!(
            r#"{{"key":"{PASSWORD}","id":3,"user_id":7,"name":null,"prefix":"nexus_k3J9xQ","role":"billing",
            "created_at":"2026-02-03T19:05:39.000Z","created_by":"ada","expires_at":null,"last_used_at":null}}"#
        ))
    }])
    .await;
    let made = client(&server).users().create_key(7, &NewKey::default()).await.unwrap();
    assert_eq!((made.secret.expose_secret(), made.known.id), (PASSWORD, 3));
    assert_clean(&format!("{made:?}"));
    assert_eq!(server.seen()[0].what, "POST /api/users/7/keys");
}
