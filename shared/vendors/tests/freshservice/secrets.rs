//! The key stays where it belongs.

use nexus_vendors::Error;

use crate::server::{Server, answer, departments};
use crate::{KEY, client, sweep};

/// base64 of the key with its password.
const CREDENTIALS: &str = "azN5VGhhdE11c3ROb3RMZWFrOlg=";

fn assert_clean(text: &str) {
    assert!(!text.contains(KEY) && !text.contains(CREDENTIALS), "{text}");
}

#[tokio::test]
async fn neither_the_client_nor_its_pages_show_the_key() {
    let server = Server::start(|_, _| departments(&[1], None)).await;
    let client = client(&server);
    let mut pages = client.departments();
    pages.next().await.unwrap();
    let text = format!("{client:?} {client:#?} {pages:?} {:?}", client.calls());
    assert_clean(&text);
    assert!(text.contains("127.0.0.1"), "the address may be shown: {text}");
}

#[tokio::test]
async fn a_vendor_that_echoes_the_credentials_does_not_get_them_into_an_error() {
    let server = Server::start(|request, _| {
        let body = format!("{}\u{1b}[2J Authorization: {} for {KEY}", "\n", request.header("authorization"));
        answer(400, &[], body)
    })
    .await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert_clean(&format!("{error} {error:?}"));
    let excerpt = "[2J Authorization: Basic [hidden] for [hidden]".to_owned();
    assert_eq!(error, Error::Rejected { status: 400, excerpt });
}

#[tokio::test]
async fn a_refusal_shows_the_beginning_of_its_body_only() {
    let server = Server::start(|_, _| answer(403, &[], "no ".repeat(1_000_000))).await;
    let Error::Rejected { excerpt, .. } = sweep(client(&server).departments()).await.unwrap_err() else {
        panic!("another error")
    };
    assert!(excerpt.starts_with("no no no") && excerpt.chars().count() == 201, "{excerpt}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_quoted() {
    let server = Server::start(|_, _| answer(200, &[], format!(r#""{KEY} confidential""#))).await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert_clean(&format!("{error} {error:?}"));
    assert!(!format!("{error:?}").contains("confidential"));
}
