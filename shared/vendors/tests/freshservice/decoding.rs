//! Reading what Freshservice sends, documents, and might send.

use nexus_vendors::freshservice::{Department, Requester};
use nexus_vendors::{Error, Page, Quarantined};

use crate::server::{Server, json};
use crate::{client, sweep};

async fn departments(body: &'static str) -> Result<Page<Department>, Error> {
    let server = Server::start(move |_, _| json(body)).await;
    sweep(client(&server).departments()).await.map(|mut pages| pages.remove(0))
}

async fn requesters(body: &'static str) -> Result<Page<Requester>, Error> {
    let server = Server::start(move |_, _| json(body)).await;
    sweep(client(&server).requesters()).await.map(|mut pages| pages.remove(0))
}

#[tokio::test]
async fn a_department_of_a_normal_account_is_read() {
    let page = departments(
        r#"{"departments":[{"id":39000380032,"name":"Acme GmbH","description":null,"head_user_id":39000912345,
        "head_name":"Ada","prime_user_id":null,"prime_user_name":null,"domains":["acme.example"],"workspace_id":2,
        "custom_fields":{"account_number":123456.0,"plan_selected":"Gold","managed_network":true,"address":null},
        "created_at":"2026-02-03T19:05:39Z","updated_at":"2026-02-04T00:35:39.983+05:30","some_new_key":{"a":[1]}}]}"#,
    )
    .await
    .unwrap();
    let department = &page.records[0];
    assert_eq!(department.id, 39_000_380_032);
    assert_eq!(department.name.as_deref(), Some("Acme GmbH"));
    assert_eq!(department.head_user_id, Some(39_000_912_345));
    assert_eq!(department.domains, ["acme.example"]);
    assert_eq!(department.custom_fields.text("account_number").as_deref(), Some("123456"));
    assert_eq!(department.custom_fields.iter().count(), 4);
    assert_eq!(department.created_at.unwrap().to_string(), "2026-02-03T19:05:39Z");
    assert_eq!(department.updated_at.unwrap().to_string(), "2026-02-03T19:05:39.983Z");
}

#[tokio::test]
async fn a_department_of_freshservice_for_msps_with_a_text_id_is_read() {
    let page = departments(
        r#"{"departments":[{"id":"39000380032","name":"Legal","custom_fields":{"location":"Level 2"},"workspace_id":4}]}"#,
    )
    .await
    .unwrap();
    assert_eq!((page.records[0].id, page.records[0].workspace_id), (39_000_380_032, Some(4)));
}

#[tokio::test]
async fn every_field_but_the_id_may_be_null_or_missing() {
    let page = departments(
        r#"{"departments":[{"id":1},{"id":2,"name":null,"description":null,"custom_fields":null,"head_user_id":null,
        "head_name":null,"prime_user_id":null,"prime_user_name":null,"domains":null,"workspace_id":null,
        "created_at":null,"updated_at":"2019-04-02 09:31:52"}]}"#,
    )
    .await
    .unwrap();
    assert_eq!(page.quarantined, []);
    let [missing, null] = page.records.as_slice() else { panic!("{page:?}") };
    assert_eq!(Department { id: 2, ..missing.clone() }, *null);
    assert!(null.domains.is_empty() && null.custom_fields.is_empty() && null.updated_at.is_none());

    let page = requesters(
        r#"{"requesters":[{"id":1},{"id":2,"active":null,"first_name":null,"primary_email":null,"secondary_emails":null,
        "work_phone_number":null,"external_id":null,"department_ids":null,"department_names":null,"location_id":null,
        "belongs_to_workspace_ids":null,"custom_fields":null,"created_at":null}]}"#,
    )
    .await
    .unwrap();
    assert_eq!(page.quarantined, []);
    let [missing, null] = page.records.as_slice() else { panic!("{page:?}") };
    assert_eq!(Requester { id: 2, ..missing.clone() }, *null);
}

#[tokio::test]
async fn a_requester_with_numbers_where_the_docs_promise_them_is_read() {
    let page = requesters(
        r#"{"requesters":[{"id":39000912345,"active":true,"is_agent":false,"has_logged_in":true,"vip_user":false,
        "first_name":"Ada","last_name":"King","primary_email":"ada@acme.example","secondary_emails":["ak@acme.example"],
        "work_phone_number":62442,"mobile_phone_number":"+49 170 1234567","external_id":4711,"job_title":"Engineer",
        "language":"en","time_zone":"Edinburgh","time_format":"12h","department_ids":[39000380032,"554"],
        "department_names":["Acme","Legal"],"reporting_manager_id":656,"location_id":23,"location_name":"HQ",
        "address":"Tower","background_information":"","work_schedule_id":1,
        "can_see_all_tickets_from_associated_departments":false,"can_see_all_changes_from_associated_departments":true,
        "custom_fields":{"user_number":"7"},"created_at":"2026-02-03T19:05:39Z","updated_at":"2026-02-03T19:05:39Z"}]}"#,
    )
    .await
    .unwrap();
    let ada = &page.records[0];
    assert_eq!(ada.work_phone_number.as_deref(), Some("62442"));
    assert_eq!(ada.mobile_phone_number.as_deref(), Some("+49 170 1234567"));
    assert_eq!(ada.external_id.as_deref(), Some("4711"));
    assert_eq!(ada.department_ids, [39_000_380_032, 554]);
    assert_eq!((ada.active, ada.is_agent, ada.vip_user), (Some(true), Some(false), Some(false)));
    assert_eq!((ada.location_name.as_deref(), ada.work_schedule_id), (Some("HQ"), Some(1)));
    assert_eq!(ada.can_see_all_changes_from_associated_departments, Some(true));
}

#[tokio::test]
async fn a_list_of_requesters_in_the_misspelt_envelope_of_the_docs_is_read() {
    let page = requesters(r#"{"requester":[{"id":888,"belongs_to_workspace_ids":[551]},{"id":889}]}"#).await.unwrap();
    assert_eq!(page.records.len(), 2);
    assert_eq!(page.records[0].belongs_to_workspace_ids, [551]);
}

#[tokio::test]
async fn one_broken_record_is_quarantined_and_the_others_are_kept() {
    let page = requesters(
        r#"{"requesters":[{"id":1},{"id":2,"first_name":"Ada","department_ids":[{"id":3}]},{"first_name":"Bob"},"x",{"id":5}]}"#,
    )
    .await
    .unwrap();
    assert_eq!(page.records.iter().map(|requester| requester.id).collect::<Vec<_>>(), [1, 5]);
    let quarantined = |id: Option<&str>, reason: &str| Quarantined { id: id.map(Into::into), reason: reason.into() };
    assert_eq!(
        page.quarantined,
        [
            quarantined(Some("2"), "department_ids: expected a list of whole numbers"),
            quarantined(None, "id: expected a whole number"),
            quarantined(None, "record: expected an object"),
        ]
    );
}

#[tokio::test]
async fn an_answer_without_its_envelope_is_an_error_and_not_an_empty_list() {
    for body in
        ["{}", r#"{"requesters":[]}"#, r#"{"departments":null}"#, "[]", "", "<!DOCTYPE html><title>Maintenance</title>"]
    {
        let error = departments(body).await.unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{body}: {error:?}");
        assert!(!error.is_transient());
    }
    assert_eq!(departments(r#"{"departments":[]}"#).await.unwrap().records, []);
}

#[tokio::test]
async fn a_client_workspace_is_read_with_its_metadata() {
    let server = Server::start(|_, _| {
        json(
            r#"{"workspaces":[{"created_at":"2023-09-21T13:48:19Z","description":null,"id":4,"name":"Client A",
            "primary":true,"restricted":false,"state":"active","template_name":"it","type":"client",
            "metadata":{"primary_contact":{"first_name":"Ada","email":"ada@a.example","phone":976543},
            "email_domains":["a.example"],"custom_fields":{"account_number":"123456"}}}]}"#,
        )
    })
    .await;
    let workspace = client(&server).workspaces().await.unwrap().remove(0);
    assert!(workspace.is_client());
    assert_eq!((workspace.state.as_deref(), workspace.primary), (Some("active"), Some(true)));
    let metadata = workspace.metadata.unwrap();
    assert_eq!(metadata.primary_contact.unwrap().phone.as_deref(), Some("976543"));
    assert_eq!(metadata.email_domains, ["a.example"]);
    assert_eq!(metadata.custom_fields.text("account_number").as_deref(), Some("123456"));
}

#[tokio::test]
async fn a_workspace_that_cannot_be_read_is_an_error() {
    let server = Server::start(|_, _| json(r#"{"workspaces":[{"id":4,"type":["client"]}]}"#)).await;
    let error = client(&server).workspaces().await.unwrap_err();
    assert_eq!(error, Error::Malformed { path: "$.workspaces[]".into(), reason: "type: expected a text".into() });
}
