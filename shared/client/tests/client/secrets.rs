//! Password and token stay where they belong.

use nexus_client::Error;
use serde_json::Value;

use crate::server::{Server, TOKEN, answer, broken, ok, problem};
use crate::{PASSWORD, account, client};

fn assert_clean(text: &str) {
    assert!(!text.contains(PASSWORD) && !text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn neither_the_client_nor_what_it_gives_out_shows_a_secret() {
    let server = Server::script(vec![ok]).await;
    let client = client(&server);
    let _: Value = client.get("/api/x").await.unwrap();
    let text = format!("{client:?} {client:#?} {:?} {:?} {:?}", client.companies(), account(), crate::options());
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
