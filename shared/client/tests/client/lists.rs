//! Lists, page by page.

use futures_util::{StreamExt as _, TryStreamExt as _};
use nexus_client::Error;
use serde_json::{Value, json};

use crate::client;
use crate::server::{Server, TOKEN, answer, json as answer_json, problem, token};

fn company(id: i64) -> Value {
    json!({
        "id": id, "account_number": format!("00{id}"), "name": "Ackermann Tooling", "freshservice_id": null,
        "description": null, "plan_selected": null, "billing_plan": null, "profit_or_non_profit": null,
        "company_main_number": null, "company_start_date": null, "head_name": null, "primary_contact_name": null,
        "domains": "[]", "features": {}, "feature_overrides": {}, "pinned_fields": [], "address": null, "datto_site_uid": null, "datto_site_uids": [], "tied_site_uids": [], "phone_system": null,
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
    let mut pages = client(&server).companies().list().pages();
    assert_eq!(pages.next().await.unwrap().unwrap().len(), 2);
    assert_eq!(pages.next().await.unwrap_err().status(), Some(500));
    assert_eq!(pages.next().await.unwrap().unwrap()[0].account_number, "003");
    assert_eq!(pages.next().await.unwrap(), None);
    assert_eq!(client(&server).companies().list().all().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_list_with_one_page_needs_no_link() {
    let server = two_pages().await;
    assert_eq!(client(&server).contacts().list().all().await.unwrap(), []);
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

#[tokio::test]
async fn a_list_is_streamed_record_by_record_and_ends_with_its_first_error() {
    let server = two_pages().await;
    let mut companies = client(&server).companies().list().into_stream();
    assert_eq!(companies.try_next().await.unwrap().unwrap().id, 1);
    assert_eq!(server.seen().len(), 1, "the second page is not read before it is asked for");
    assert_eq!(companies.try_next().await.unwrap().unwrap().id, 2);
    assert_eq!(companies.try_next().await.unwrap_err().status(), Some(500));
    assert!(companies.next().await.is_none());
    let ids = client(&server).companies().list().into_stream().map_ok(|company| company.id);
    assert_eq!(ids.try_collect::<Vec<_>>().await.unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn a_list_is_narrowed_and_sorted_as_the_caller_says() {
    let server = two_pages().await;
    let nexus = client(&server);
    let assets = nexus.assets().list().company("00 7").hostname("a&b").search("lap top").search("desk");
    assert_eq!(assets.sort("last_seen").descending().per_page(7).all().await.unwrap(), []);
    assert_eq!(nexus.contacts().list().email("a+b@x.example").active(false).archived().all().await.unwrap(), []);
    assert_eq!(nexus.companies().list().freshservice_id(-7).all().await.unwrap(), []);
    assert_eq!(nexus.users().list().company("1").all().await.unwrap(), []);
    assert_eq!(nexus.locations().list().company("1").all().await.unwrap(), []);
    assert_eq!(nexus.plans().list().all().await.unwrap(), []);
    assert_eq!(nexus.features().list().all().await.unwrap(), []);
    assert_eq!(nexus.companies().assets("0/7").search("x").all().await.unwrap(), []);
    assert_eq!(nexus.companies().contacts("7").all().await.unwrap(), []);
    assert_eq!(nexus.companies().locations("7").all().await.unwrap(), []);
    assert_eq!(nexus.companies().users("7").archived().all().await.unwrap(), []);
    assert_eq!(nexus.companies().bulk().all().await.unwrap(), []);
    assert_eq!(nexus.billing_summary().all().await.unwrap(), []);
    let seen: Vec<String> = server.seen().into_iter().map(|seen| seen.what).collect();
    assert_eq!(
        seen,
        [
            "GET /api/assets?page=1&per_page=7&company_account_number=00+7&hostname=a%26b&search=desk&sort=last_seen&order=desc",
            "GET /api/contacts?page=1&per_page=1000&email=a%2Bb%40x.example&active=false&archived=true",
            "GET /api/companies?page=1&per_page=1000&freshservice_id=-7",
            "GET /api/users?page=1&per_page=1000&company_account_number=1",
            "GET /api/locations?page=1&per_page=1000&company_account_number=1",
            "GET /api/plans?page=1&per_page=1000",
            "GET /api/features?page=1&per_page=1000",
            "GET /api/companies/0%2F7/assets?page=1&per_page=1000&search=x",
            "GET /api/companies/7/contacts?page=1&per_page=1000",
            "GET /api/companies/7/locations?page=1&per_page=1000",
            "GET /api/companies/7/users?page=1&per_page=1000&archived=true",
            "GET /api/companies/bulk?page=1&per_page=100",
            "GET /api/billing_summary?page=1&per_page=100",
        ]
    );
}
