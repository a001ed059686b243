//! Following the vendor's next links, and not following them.

use nexus_vendors::{Error, TransportConfig};

use crate::server::{Server, answer, departments, json};
use crate::{client, client_at, config, sweep};

#[tokio::test]
async fn the_list_goes_on_as_long_as_there_is_a_next_link_even_after_a_short_or_empty_page() {
    let server = Server::start(|request, _| match request.page() {
        1 => departments(&[1, 2], Some("/api/v2/departments?per_page=100&page=2")),
        2 => departments(&[], Some("/api/v2/departments?per_page=100&page=3")),
        _ => departments(&[3], None),
    })
    .await;
    let pages = sweep(client(&server).departments()).await.unwrap();
    let read: Vec<_> = pages.iter().map(|page| (page.number, page.records.len())).collect();
    assert_eq!(read, [(1, 2), (2, 0), (3, 1)]);
}

#[tokio::test]
async fn an_absolute_next_link_among_others_is_found() {
    let server = Server::start(|request, _| {
        let host = request.header("host");
        let link = format!(
            r#"<http://{host}/api/v2/departments?page=1>; rel="prev", <http://{host}/api/v2/departments?page=2>; title="a,b"; REL=next"#
        );
        match request.page() {
            1 => answer(200, &[("Link", &link)], r#"{"departments":[{"id":1}]}"#),
            _ => json(r#"{"departments":[{"id":2}]}"#),
        }
    })
    .await;
    assert_eq!(sweep(client(&server).departments()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_next_link_in_a_second_header_is_found() {
    let server = Server::start(|request, _| match request.page() {
        1 => {
            let headers = [("link", "</help>; rel=help"), ("link", "</api/v2/departments?page=2>; rel=next")];
            answer(200, &headers, r#"{"departments":[]}"#)
        }
        _ => departments(&[2], None),
    })
    .await;
    assert_eq!(sweep(client(&server).departments()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_next_link_to_another_place_ends_the_sweep_and_never_gets_the_key() {
    let elsewhere = Server::start(|_, _| departments(&[9], None)).await;
    let port = elsewhere.address.rsplit(':').next().unwrap().to_owned();
    for foreign in [
        format!("{}/api/v2/departments?page=2", elsewhere.address),
        format!("//127.0.0.1:{port}/api/v2/departments?page=2"),
        format!("http://localhost:{port}/api/v2/departments?page=2"),
        "https://evil.example/api/v2/departments?page=2".to_owned(),
        "data:text/plain,x".to_owned(),
    ] {
        let link = foreign.clone();
        let server = Server::start(move |_, _| departments(&[1], Some(&link))).await;
        let error = sweep(client(&server).departments()).await.unwrap_err();
        assert!(matches!(error, Error::ForeignLink { .. }), "{foreign}: {error:?}");
        assert_eq!(server.count(), 1);
    }
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test]
async fn a_next_link_with_another_scheme_or_a_login_is_foreign_too() {
    for rewrite in [("http://", "https://"), ("http://", "http://mallory:pw@")] {
        let server = Server::start(move |request, _| {
            let home = format!("http://{}/api/v2/departments?page=2", request.header("host"));
            departments(&[1], Some(&home.replace(rewrite.0, rewrite.1)))
        })
        .await;
        let error = sweep(client(&server).departments()).await.unwrap_err();
        assert!(matches!(error, Error::ForeignLink { .. }), "{error:?}");
        assert!(!error.to_string().contains("mallory"), "{error}");
    }
}

#[tokio::test]
async fn a_circle_of_next_links_is_found_and_not_walked() {
    let server = Server::start(|request, _| match request.page() {
        1 => departments(&[1], Some("/api/v2/departments?per_page=100&page=2")),
        2 => departments(&[2], Some("/api/v2/departments?per_page=100&page=3")),
        _ => departments(&[3], Some("/api/v2/departments?per_page=100&page=2#again")),
    })
    .await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert_eq!((error, server.count()), (Error::PageLoop { page: 3 }, 3));

    let server = Server::start(|_, _| departments(&[1], Some("?per_page=100&page=1"))).await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert_eq!((error, server.count()), (Error::PageLoop { page: 1 }, 1));
}

#[tokio::test]
async fn a_list_without_end_is_an_error_at_the_cap() {
    let server = Server::start(|request, _| {
        let next = format!("/api/v2/departments?per_page=100&page={}", request.page() + 1);
        departments(&[1], Some(&next))
    })
    .await;
    let client = client_at(&server.address, &TransportConfig { max_pages: 5, ..config() });
    let mut pages = client.departments();
    for _ in 0..5 {
        assert!(pages.next().await.unwrap().is_some());
    }
    assert_eq!(pages.next().await, Err(Error::TooManyPages { limit: 5 }));
    assert_eq!(pages.next().await, Err(Error::TooManyPages { limit: 5 }), "it stays an error");
    assert_eq!(server.count(), 5);
}

#[tokio::test]
async fn a_link_header_that_cannot_be_read_is_not_the_end_of_the_list() {
    let server = Server::start(|_, _| answer(200, &[("link", "page 2 is next")], r#"{"departments":[]}"#)).await;
    let error = sweep(client(&server).departments()).await.unwrap_err();
    assert!(matches!(&error, Error::Malformed { path, .. } if path == "Link"), "{error:?}");
}

#[tokio::test]
async fn a_record_that_comes_again_is_counted_and_left_out() {
    let server = Server::start(|request, _| match request.page() {
        1 => json_with_next(r#"{"departments":[{"id":1,"name":"first"},{"id":2},{"id":"2"}]}"#),
        _ => json(r#"{"departments":[{"id":1,"name":"later"},{"id":3}]}"#),
    })
    .await;
    let pages = sweep(client(&server).departments()).await.unwrap();
    assert_eq!(pages[0].records.iter().map(|department| department.id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(pages[0].records[0].name.as_deref(), Some("first"));
    assert_eq!(pages[1].records.iter().map(|department| department.id).collect::<Vec<_>>(), [3]);
    assert_eq!((pages[0].duplicates, pages[1].duplicates), (1, 1));
}

fn json_with_next(body: &str) -> axum::http::Response<axum::body::Body> {
    answer(200, &[("link", "</api/v2/departments?per_page=100&page=2>; rel=\"next\"")], body)
}

#[tokio::test]
async fn workspaces_are_read_over_all_pages() {
    let server = Server::start(|request, _| match request.page() {
        1 => answer(
            200,
            &[("link", "</api/v2/workspaces?per_page=100&page=2>; rel=\"next\"")],
            r#"{"workspaces":[{"id":2,"type":"workspace"}]}"#,
        ),
        _ => json(r#"{"workspaces":[{"id":4,"type":"client"}]}"#),
    })
    .await;
    let workspaces = client(&server).workspaces().await.unwrap();
    assert_eq!(workspaces.iter().map(|w| (w.id, w.is_client())).collect::<Vec<_>>(), [(2, false), (4, true)]);
}
