//! Freshservice as its documentation has it.

mod support;

use std::time::Duration;

use nexus_simulators::{CustomFieldWrites, Department, FreshserviceQuota, Requester, Size};
use reqwest::StatusCode;
use serde_json::{Value, json};
use support::{Fresh, body, json, list, next_link, status};

#[tokio::test]
async fn a_sweep_by_next_links_reads_every_requester_once() {
    let fresh = Fresh::start().await;
    let (people, pages) = fresh.sweep("/requesters?per_page=50", "requesters").await;
    assert_eq!((people.len(), pages), (130, 3));
    let mut ids: Vec<i64> = people.iter().filter_map(|person| person["id"].as_i64()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 130);
    assert!(people.iter().all(|person| person["is_agent"] == false));
    assert_eq!(fresh.vendor.calls_to("/requesters"), 3);
    assert!(fresh.vendor.calls()[1].path.contains("page=2"));
}

#[tokio::test]
async fn the_last_page_has_no_link_and_a_page_past_the_end_is_empty() {
    let fresh = Fresh::start().await;
    let last = fresh.get("/departments?per_page=25").send().await.expect("an answer");
    assert_eq!(next_link(&last), None);
    assert_eq!(list(&json(last).await, "departments").len(), 25);
    let past = fresh.get("/departments?page=9").send().await.expect("an answer");
    assert_eq!(past.status(), StatusCode::OK);
    assert_eq!(list(&json(past).await, "departments").len(), 0);
    assert_eq!(list(&body(fresh.get("/requesters")).await, "requesters").len(), 30, "the default");
}

#[tokio::test]
async fn a_page_size_out_of_range_is_an_error_and_not_cut() {
    let fresh = Fresh::start().await;
    for query in ["per_page=101", "per_page=0", "per_page=x", "page=0", "page=-1", "query=%22name:1%22"] {
        let answer = fresh.get(&format!("/requesters?{query}")).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
        assert!(json(answer).await["errors"][0]["code"].is_string(), "{query}");
    }
}

#[tokio::test]
async fn only_the_api_key_opens() {
    let fresh = Fresh::start().await;
    let url = format!("{}/api/v2/departments", fresh.vendor.base_url());
    let answers = [
        fresh.http.get(&url),
        fresh.http.get(&url).basic_auth("wrong", Some("X")),
        fresh.http.get(&url).bearer_auth(fresh.vendor.api_key()),
    ];
    for answer in answers {
        let answer = answer.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(json(answer).await["code"], "invalid_credentials");
    }
    let any_password = fresh.http.get(&url).basic_auth(fresh.vendor.api_key(), Some("other"));
    assert_eq!(status(any_password).await, StatusCode::OK);
    assert_eq!(body(fresh.get("/agents/me")).await["agent"]["active"], true);
}

#[tokio::test]
async fn agents_are_listed_only_on_request_and_found_by_no_requester_id() {
    let fresh = Fresh::start().await;
    let (people, _) = fresh.sweep("/requesters?include_agents=true&per_page=100", "requesters").await;
    assert_eq!(people.len(), 131, "the parameter stays in the next link");
    let agent = people.iter().find(|person| person["is_agent"] == true).expect("an agent");
    assert_eq!(status(fresh.get(&format!("/requesters/{}", agent["id"]))).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_address_finds_its_owner_in_any_case() {
    let fresh = Fresh::start().await;
    fresh.vendor.edit(|world| world.requesters[0].primary_email = Some("jana.weiss@firma.example".to_owned()));
    let found = body(fresh.get("/requesters?email=Jana.Weiss@firma.example")).await;
    assert_eq!(list(&found, "requesters").len(), 1);
}

#[tokio::test]
async fn a_write_merges_custom_fields_or_replaces_them_as_set() {
    let fresh = Fresh::start().await;
    let (id, plan) = fresh.vendor.edit(|world| {
        let department = &mut world.departments[7];
        department.custom_fields.insert("plan_selected".to_owned(), json!("Managed"));
        (department.id, department.custom_fields["plan_selected"].clone())
    });
    let path = format!("/departments/{id}");
    let change = json!({ "custom_fields": { "account_number": 123_456 } });
    let written = body(fresh.put(&path, &change)).await;
    assert_eq!(written["department"]["custom_fields"]["account_number"], 123_456);
    let read = body(fresh.get(&path)).await;
    assert_eq!(read["department"]["custom_fields"]["plan_selected"], plan);
    assert_eq!(read["department"]["updated_at"], "2026-02-01T00:00:01Z");
    assert_eq!(fresh.vendor.calls()[0].body, change.to_string());

    fresh.vendor.edit(|world| world.custom_field_writes = CustomFieldWrites::Replace);
    let wrapped = json!({ "department": { "custom_fields": { "account_number": 654_321 } } });
    assert_eq!(status(fresh.put(&path, &wrapped)).await, StatusCode::OK);
    let department = fresh.vendor.edit(|world| world.departments[7].clone());
    assert_eq!(department.account_number(), Some(654_321));
    assert_eq!(department.custom_fields["plan_selected"], Value::Null);

    fresh.vendor.edit(|world| world.custom_field_writes = CustomFieldWrites::Lose);
    let named = json!({ "custom_fields": { "account_number": 654_322, "plan_selected": "Gold" } });
    assert_eq!(status(fresh.put(&path, &named)).await, StatusCode::OK);
    let department = fresh.vendor.edit(|world| world.departments[7].clone());
    assert_eq!(
        (department.account_number(), &department.custom_fields["plan_selected"]),
        (Some(654_322), &Value::Null)
    );
}

#[tokio::test]
async fn a_write_that_is_not_right_changes_nothing() {
    let fresh = Fresh::start().await;
    let before = fresh.vendor.edit(|world| world.departments[0].clone());
    let path = format!("/departments/{}", before.id);
    let cases = [
        (json!({ "nmae": "Typo" }), "invalid_field"),
        (json!({ "id": 3 }), "invalid_field"),
        (json!({ "custom_fields": { "acount_number": 1 } }), "invalid_field"),
        (json!({ "custom_fields": { "account_number": "123456" } }), "datatype_mismatch"),
        (json!({ "custom_fields": null }), "datatype_mismatch"),
        (json!({ "name": " " }), "invalid_value"),
    ];
    for (change, code) in cases {
        let answer = fresh.put(&path, &change).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{change}");
        assert_eq!(json(answer).await["errors"][0]["code"], code, "{change}");
    }
    let no_json = fresh.put(&path, &json!({})).body("{").send().await.expect("an answer");
    assert_eq!(json(no_json).await["code"], "invalid_json");
    assert_eq!(status(fresh.put("/departments/1", &json!({}))).await, StatusCode::NOT_FOUND);
    assert_eq!(fresh.vendor.edit(|world| world.departments[0].clone()), before);
}

#[tokio::test]
async fn the_department_fields_name_the_account_number() {
    let fresh = Fresh::start().await;
    let fields = list(&body(fresh.get("/department_fields")).await, "department_fields");
    assert!(fields.iter().any(|field| field["name"] == "account_number" && field["is_default_field"] == false));
    fresh.vendor.edit(|world| world.department_fields.retain(|field| field.name != "account_number"));
    let id = fresh.vendor.edit(|world| world.departments[0].id);
    let change = json!({ "custom_fields": { "account_number": 123_456 } });
    assert_eq!(status(fresh.put(&format!("/departments/{id}"), &change)).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_test_changes_the_world() {
    let fresh = Fresh::with(Size { companies: 1, contacts: 0, devices: 0 }).await;
    fresh.vendor.edit(|world| {
        world.departments.push(Department::new(39_000_000_001, "Nachzügler AG"));
        world.requesters.push(Requester::new(39_000_000_002, "Zoë", "Spät", &[39_000_000_001]));
    });
    let person = body(fresh.get("/requesters/39000000002")).await;
    assert_eq!(person["requester"]["department_names"], json!(["Nachzügler AG"]));
    fresh.put("/departments/39000000001", &json!({ "name": "Pünktlich AG" })).send().await.expect("an answer");
    let person = body(fresh.get("/requesters/39000000002")).await;
    assert_eq!(person["requester"]["department_names"], json!(["Pünktlich AG"]));
    fresh.vendor.edit(|world| world.requesters.clear());
    assert_eq!(status(fresh.get("/requesters/39000000002")).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_spent_quota_answers_429_and_says_when_to_come_back() {
    let fresh = Fresh::start().await;
    fresh.vendor.set_quota(FreshserviceQuota { overall: 3, list_requesters: 1, ..FreshserviceQuota::GROWTH });
    let header = |answer: &reqwest::Response, name: &str| {
        answer.headers().get(name).and_then(|it| it.to_str().ok()).and_then(|it| it.parse::<u32>().ok())
    };
    let first = fresh.get("/requesters").send().await.expect("an answer");
    assert_eq!((header(&first, "x-ratelimit-total"), header(&first, "x-ratelimit-remaining")), (Some(3), Some(2)));
    let second = fresh.get("/requesters").send().await.expect("an answer");
    assert_eq!(second.status(), StatusCode::TOO_MANY_REQUESTS, "lists of requesters have a budget of their own");
    assert!(header(&second, "retry-after").is_some_and(|seconds| (50..=60).contains(&seconds)));
    assert_eq!(status(fresh.get("/departments")).await, StatusCode::OK);
    assert_eq!(status(fresh.get("/departments")).await, StatusCode::TOO_MANY_REQUESTS);
    fresh.vendor.set_quota(None);
    assert_eq!(status(fresh.get("/requesters")).await, StatusCode::OK);
}

#[tokio::test]
async fn an_account_for_msps_tells_only_of_the_client_that_is_named() {
    let fresh = Fresh::start().await;
    assert!(list(&body(fresh.get("/workspaces")).await, "workspaces").iter().all(|it| it["type"] == "workspace"));
    let company = fresh.vendor.edit(|world| {
        let company = world.departments[0].clone();
        world.become_for_msps();
        company
    });
    let (workspaces, _) = fresh.sweep("/workspaces?per_page=100", "workspaces").await;
    let clients: Vec<&Value> = workspaces.iter().filter(|it| it["type"] == "client").collect();
    assert_eq!(clients.len(), 26, "one per company and the default client");
    let client = clients.iter().find(|it| it["name"] == company.name.as_str()).expect("the company");
    assert_eq!(client["metadata"]["email_domains"], json!(company.domains));

    assert_eq!(list(&body(fresh.get("/departments")).await, "departments").len(), 0, "client 2 has none");
    let named = body(fresh.get(&format!("/departments?workspace_id={}", client["id"]))).await;
    assert_eq!(named["departments"][0]["id"], company.id.to_string());
    assert_eq!(named["departments"][0].get("domains"), None);
    let single = body(fresh.get(&format!("/departments/{}", company.id))).await;
    assert_eq!(single["departments"]["workspace_id"], client["id"]);

    let mut people = 0;
    for client in clients {
        let path = format!("/requesters?per_page=100&belongs_to_workspace_ids={}", client["id"]);
        let (of_client, _) = fresh.sweep(&path, "requester").await;
        assert!(of_client.iter().all(|person| person["belongs_to_workspace_ids"].is_array()));
        people += of_client.len();
    }
    assert!(people >= 130, "people of two clients are told twice");
    let path = format!("/workspaces/{}", workspaces[3]["id"]);
    let change = json!({ "metadata": { "custom_fields": { "account_number": 111_111 } } });
    let written = body(fresh.put(&path, &change)).await;
    assert_eq!(written["workspace"]["metadata"]["custom_fields"]["account_number"], 111_111);
    let kept = &written["workspace"]["metadata"]["custom_fields"]["contract_start_date"];
    assert_eq!(kept, &workspaces[3]["metadata"]["custom_fields"]["contract_start_date"]);
    assert!(kept.is_string());
}

#[tokio::test]
async fn a_stopped_vendor_refuses_connections() {
    let fresh = Fresh::start().await;
    let other = fresh.vendor.clone();
    fresh.vendor.stop().await;
    assert!(fresh.get("/departments").send().await.is_err_and(|error| error.is_connect()));
    // A second time is no harm.
    other.stop().await;
}

#[tokio::test]
async fn the_last_handle_stops_the_vendor_and_no_other_does() {
    let Fresh { vendor, http } = Fresh::start().await;
    let call = http.get(format!("{}/api/v2/departments", vendor.base_url())).basic_auth(vendor.api_key(), Some("X"));
    let call = || call.try_clone().expect("a call without body").send();
    let last = vendor.clone();
    drop(vendor);
    assert!(call().await.is_ok());
    drop(last);
    for _ in 0..100 {
        if call().await.is_err_and(|error| error.is_connect()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("still answers");
}
