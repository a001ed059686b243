//! Lists, page by page.

use nexus_client::Error;
use serde_json::{Value, json};

use crate::client;
use crate::server::{Server, TOKEN, answer, json as answer_json, problem, token};

fn company(id: i64) -> Value {
    json!({
        "id": id, "account_number": format!("00{id}"), "name": "Ackermann Tooling", "freshservice_id": null,
        "description": null, "plan_selected": null, "billing_plan": null, "profit_or_non_profit": null,
        "company_main_number": null, "company_start_date": null, "head_name": null, "primary_contact_name": null,
        "domains": "[]", "address": null, "datto_site_uid": null, "datto_site_uids": [], "phone_system": null,
        "email_system": null, "version": 1, "created_at": "2026-02-03T19:05:39.000Z",
        "updated_at": "2026-02-03T19:05:39.000Z", "archived_at": null
    })
}

/// Two pages of companies; the second one fails once.
async fn two_pages() -> Server {
    Server::start(|seen, before| match (seen.what.as_str(), before) {
        ("POST /api/token", _) => token(TOKEN, None),
        ("GET /api/companies?page=1&per_page=1000", _) => {
            let links = "</api/companies?page=2&per_page=1000>; rel=\"next\", </api/companies?page=2&per_page=1000>; rel=\"last\"";
            answer(200, &[("link", links)], json!([company(1), company(2)]).to_string())
        }
        ("GET /api/companies?page=2&per_page=1000", 0) => problem(500, "oops"),
        ("GET /api/companies?page=2&per_page=1000", _) => {
            let links = "</api/companies?page=1&per_page=1000>; rel=\"prev\"";
            answer(200, &[("link", links)], json!([company(3)]).to_string())
        }
        _ => answer_json("[]"),
    })
    .await
}

#[tokio::test]
async fn a_list_is_read_along_its_links_and_goes_on_at_the_page_that_failed() {
    let server = two_pages().await;
    let mut pages = client(&server).companies();
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 2);
    assert_eq!(pages.next().await.unwrap_err().status(), Some(500));
    assert_eq!(pages.next().await.unwrap().unwrap()[0].account_number, "003");
    assert_eq!(pages.next().await.unwrap(), None);
    assert_eq!(client(&server).companies().all().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_list_with_one_page_needs_no_link() {
    let server = two_pages().await;
    assert_eq!(client(&server).contacts().all().await.unwrap(), []);
    assert_eq!(server.seen()[0].what, "GET /api/contacts?page=1&per_page=1000");
}

#[tokio::test]
async fn a_link_that_leads_away_or_nowhere_is_an_error_and_is_not_followed() {
    for link in ["</api/x?page=1>; rel=\"next\"", "<https://evil.example/api/x?page=2>; rel=\"next\"", "<x>; rel=next"]
    {
        let server = Server::start(move |seen, _| {
            if seen.what.ends_with("/token") { token(TOKEN, None) } else { answer(200, &[("link", link)], "[]") }
        })
        .await;
        let error = client(&server).list::<Value>("/api/x?page=1").next().await.unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{link}: {error:?}");
        assert_eq!(server.seen().len(), 1);
    }
}
