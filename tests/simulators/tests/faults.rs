//! Every fault, seen from outside.

mod support;

use std::time::{Duration, Instant};

use nexus_simulators::{DateForm, Fault, Pick, RetryAfter, UdfForm};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Fresh, Rmm, body, json, list, next_link, status};

#[tokio::test]
async fn a_fault_meets_the_page_and_the_number_of_calls_it_was_set_for() {
    let fresh = Fresh::start().await;
    let fault = fresh.vendor.fault(Fault::Status(500).on("/requesters").page(2).after(2).times(2));
    let second = || fresh.get("/requesters?page=2");
    assert_eq!(status(second()).await, StatusCode::OK, "the first two go well");
    assert_eq!(status(second()).await, StatusCode::OK);
    assert_eq!(status(fresh.get("/requesters")).await, StatusCode::OK, "another page");
    assert_eq!(status(fresh.get("/departments?page=2")).await, StatusCode::OK, "another list");
    assert_eq!(status(second()).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(status(second()).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(status(second()).await, StatusCode::OK, "over");
    assert_eq!(fresh.vendor.fault_hits(fault), 2);
    assert_eq!(fresh.vendor.calls().iter().filter(|call| call.status == 500).count(), 2);
}

#[tokio::test]
async fn a_path_means_itself_and_what_is_below_unless_it_is_exact() {
    let fresh = Fresh::start().await;
    let person = fresh.vendor.edit(|world| {
        world.requesters.iter().find(|it| !it.is_agent).map(|it| format!("/requesters/{}", it.id)).expect("a person")
    });
    let below = fresh.vendor.fault(Fault::Status(403).on("/api/v2/requesters"));
    assert_eq!(status(fresh.get(&person)).await, StatusCode::FORBIDDEN);
    fresh.vendor.clear_fault(below);
    fresh.vendor.fault(Fault::Status(404).on_exactly("/requesters"));
    assert_eq!(status(fresh.get("/requesters")).await, StatusCode::NOT_FOUND);
    assert_eq!(status(fresh.get(&person)).await, StatusCode::OK);
    fresh.vendor.clear_faults();
    assert_eq!(status(fresh.get("/requesters")).await, StatusCode::OK);
}

#[tokio::test]
async fn slowness_and_latency_take_their_time() {
    let fresh = Fresh::start().await;
    fresh.vendor.set_latency(Duration::from_millis(15));
    fresh.vendor.fault(Fault::Slow(Duration::from_millis(15)).on("/departments").page(1));
    let begun = Instant::now();
    assert_eq!(status(fresh.get("/departments")).await, StatusCode::OK);
    assert!(begun.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn a_429_comes_with_any_header_or_none() {
    let fresh = Fresh::start().await;
    let date = "Wed, 21 Oct 2026 07:28:00 GMT";
    let cases = [
        (RetryAfter::Absent, None),
        (RetryAfter::Seconds(1_521), Some("1521")),
        (RetryAfter::Text(date.to_owned()), Some(date)),
    ];
    for (set, expected) in cases {
        fresh.vendor.fault(Fault::RateLimited(set).times(1));
        let answer = fresh.get("/departments").send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers().get("retry-after").and_then(|it| it.to_str().ok()), expected);
    }
    assert_eq!(status(fresh.get("/departments")).await, StatusCode::OK);
}

#[tokio::test]
async fn a_401_in_mid_sweep_is_healed_by_a_new_token_only() {
    let mut rmm = Rmm::start().await;
    rmm.vendor.fault(Fault::Status(401).on("/account/devices").page(1).times(1));
    assert_eq!(status(rmm.get("/account/devices")).await, StatusCode::OK);
    let second = "/account/devices?page=1";
    assert_eq!(status(rmm.get(second)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(rmm.get(second)).await, StatusCode::UNAUTHORIZED, "the old token stays refused");
    rmm.renew().await;
    assert_eq!(status(rmm.get(second)).await, StatusCode::OK);
}

#[tokio::test]
async fn one_site_fails_and_the_others_answer() {
    let rmm = Rmm::start().await;
    let uids = rmm.vendor.edit(|world| world.sites.iter().map(|site| site.uid.clone()).collect::<Vec<_>>());
    let path = format!("/site/{}/devices", uids[3]);
    rmm.vendor.fault(Fault::Status(500).on(&path));
    let answer = rmm.get(&path).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let error = json(answer).await;
    assert_eq!((&error["status"], &error["error"]), (&json!(500), &json!("Internal Server Error")));
    assert_eq!(status(rmm.get(&format!("/site/{}/devices", uids[4]))).await, StatusCode::OK);
}

#[tokio::test]
async fn a_connection_breaks_in_mid_body_and_a_page_is_no_json() {
    let fresh = Fresh::start().await;
    fresh.vendor.fault(Fault::Dropped.times(1));
    let answer = fresh.get("/departments").send().await.expect("the head arrives");
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.bytes().await.is_err());
    fresh.vendor.fault(Fault::NotJson.times(1));
    let answer = fresh.get("/departments").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.text().await.expect("text").starts_with("<!DOCTYPE html>"));
    assert_eq!(status(fresh.get("/departments")).await, StatusCode::OK);
}

#[tokio::test]
async fn pages_are_empty_short_or_end_the_list_too_soon() {
    let fresh = Fresh::start().await;
    fresh.vendor.fault(Fault::EmptyPage.on("/requesters").page(2).times(1));
    let empty = fresh.get("/requesters?page=2").send().await.expect("an answer");
    assert!(next_link(&empty).is_some());
    assert_eq!(list(&json(empty).await, "requesters").len(), 0);
    fresh.vendor.fault(Fault::ShortPage(3).on("/requesters").page(1).times(1));
    let (people, pages) = fresh.sweep("/requesters", "requesters").await;
    assert_eq!((people.len(), pages), (130 - 27, 5));
    fresh.vendor.fault(Fault::NoNextLink.on("/requesters").page(2).times(1));
    let (people, pages) = fresh.sweep("/requesters", "requesters").await;
    assert_eq!((people.len(), pages), (60, 2));

    let rmm = Rmm::start().await;
    rmm.vendor.fault(Fault::ShortPage(3).on("/account/devices"));
    let page = body(rmm.get("/account/devices")).await;
    assert_eq!((&page["pageDetails"]["count"], &page["pageDetails"]["totalCount"]), (&json!(3), &json!(600)));
    assert!(page["pageDetails"]["nextPageUrl"].is_string());
}

#[tokio::test]
async fn next_links_lead_elsewhere_or_in_a_circle() {
    let fresh = Fresh::start().await;
    let rmm = Rmm::start().await;
    let elsewhere = || Fault::NextLinkTo("https://elsewhere.example".to_owned()).times(1);
    fresh.vendor.fault(elsewhere());
    let answer = fresh.get("/requesters").send().await.expect("an answer");
    let expected = "https://elsewhere.example/api/v2/requesters?page=2&per_page=30";
    assert_eq!(next_link(&answer).as_deref(), Some(expected));
    rmm.vendor.fault(elsewhere());
    let page = body(rmm.get("/account/devices")).await;
    let expected = "https://elsewhere.example/api/v2/account/devices?max=250&page=1";
    assert_eq!(page["pageDetails"]["nextPageUrl"], expected);

    fresh.vendor.fault(Fault::RepeatingNextLink.times(1));
    let answer = fresh.get("/departments?page=1").send().await.expect("an answer");
    let itself = format!("{}/api/v2/departments?page=1", fresh.vendor.base_url());
    assert_eq!(next_link(&answer), Some(itself), "on the last page too");
    rmm.vendor.fault(Fault::RepeatingNextLink.times(1));
    let page = body(rmm.get("/account/devices?page=1")).await;
    let itself = format!("{}/api/v2/account/devices?page=1", rmm.vendor.base_url());
    assert_eq!(page["pageDetails"]["nextPageUrl"], itself);
}

#[tokio::test]
async fn a_record_stands_on_two_pages() {
    let fresh = Fresh::start().await;
    fresh.vendor.fault(Fault::DuplicateRecord.on("/requesters").page(2));
    let (people, pages) = fresh.sweep("/requesters?per_page=50", "requesters").await;
    assert_eq!((people.len(), pages), (131, 3));
    assert_eq!(people[49], people[50]);
    let rmm = Rmm::start().await;
    rmm.vendor.fault(Fault::DuplicateRecord.on("/account/devices").page(1));
    let (devices, _) = rmm.sweep("/account/devices", "devices").await;
    assert_eq!(devices.len(), 601);
    assert_eq!(devices[249], devices[250]);
}

#[tokio::test]
async fn the_envelope_lacks_a_key() {
    let fresh = Fresh::start().await;
    fresh.vendor.fault(Fault::MissingKey("requesters".into()));
    assert_eq!(body(fresh.get("/requesters")).await, json!({}));
    let rmm = Rmm::start().await;
    rmm.vendor.fault(Fault::MissingKey("pageDetails".into()));
    let page = body(rmm.get("/account/devices")).await;
    assert_eq!(page.get("pageDetails"), None);
    assert_eq!(list(&page, "devices").len(), 250);
}

#[tokio::test]
async fn fields_are_null_in_one_record_or_in_all() {
    let fresh = Fresh::start().await;
    let id = fresh.vendor.edit(|world| world.departments[5].id);
    fresh.vendor.fault(Fault::NullField("custom_fields".into(), Pick::from(id)).on("/departments"));
    let departments = list(&body(fresh.get("/departments")).await, "departments");
    assert_eq!(departments.iter().filter(|it| it["custom_fields"].is_null()).count(), 1);
    assert!(departments[5]["custom_fields"].is_null());
    let single = body(fresh.get(&format!("/departments/{id}"))).await;
    assert!(single["department"]["custom_fields"].is_null() && single["department"]["name"].is_string());

    fresh.vendor.fault(Fault::NullField("department_ids".into(), Pick::Every).on("/requesters"));
    let people = list(&body(fresh.get("/requesters")).await, "requesters");
    assert!(people.iter().all(|it| it["department_ids"].is_null()));

    let rmm = Rmm::start().await;
    rmm.vendor.fault(Fault::NullFields(Pick::Nth(2)).on("/account/devices"));
    let devices = list(&body(rmm.get("/account/devices")).await, "devices");
    let set = |device: &Value| device.as_object().map_or(0, |it| it.values().filter(|value| !value.is_null()).count());
    assert_eq!(set(&devices[2]), 2, "id and uid");
    assert!(set(&devices[1]) > 2);
}

#[tokio::test]
async fn records_are_of_wrong_types_or_no_records() {
    let rmm = Rmm::start().await;
    let uid = rmm.vendor.edit(|world| world.devices[1].uid.clone());
    rmm.vendor.fault(Fault::WrongTypes(Pick::from(uid.as_str())).on("/account/devices"));
    rmm.vendor.fault(Fault::Garbage(Pick::Nth(0)).on("/account/devices"));
    rmm.vendor.fault(Fault::UnknownKeys.on("/account/devices"));
    let devices = list(&body(rmm.get("/account/devices")).await, "devices");
    assert!(devices[0].is_string());
    assert_eq!(devices[1]["uid"], uid.as_str());
    assert!(devices[1]["hostname"].is_number() && devices[1]["udf"].is_number() && devices[1]["online"].is_string());
    assert!(devices[2]["hostname"].is_string() && devices[2]["x_newFeature"].is_object());
    assert_eq!(devices.len(), 250);
}

#[tokio::test]
async fn ids_are_text() {
    let fresh = Fresh::start().await;
    fresh.vendor.fault(Fault::TextIds);
    let people = list(&body(fresh.get("/requesters?per_page=100")).await, "requesters");
    assert!(people.iter().all(|person| person["id"].is_string()));
    let ids = people.iter().filter_map(|person| person["department_ids"].as_array()).flatten();
    assert!(ids.clone().count() > 50 && ids.clone().all(Value::is_string));
}

#[tokio::test]
async fn dates_come_in_every_form() {
    let rmm = Rmm::start().await;
    let fresh = Fresh::start().await;
    rmm.vendor.edit(|world| world.devices[0].last_seen = Some(1_770_145_539_983));
    fresh.vendor.edit(|world| world.departments[0].created_at = "2026-02-03T19:05:39.983Z".to_owned());
    let cases = [
        (DateForm::Milliseconds, json!(1_770_145_539_983_i64)),
        (DateForm::Seconds, json!(1_770_145_539.983)),
        (DateForm::Text, json!("2026-02-03T19:05:39.983Z")),
        (DateForm::TextWithOffset, json!("2026-02-04T00:35:39.983+05:30")),
        (DateForm::Sentinel, json!(-62_135_596_800_000_i64)),
    ];
    for (form, expected) in cases {
        rmm.vendor.fault(Fault::Dates(form).times(1));
        assert_eq!(body(rmm.get("/account/devices?max=1")).await["devices"][0]["lastSeen"], expected);
        fresh.vendor.fault(Fault::Dates(form).times(1));
        assert_eq!(body(fresh.get("/departments?per_page=1")).await["departments"][0]["created_at"], expected);
    }
}

#[tokio::test]
async fn user_defined_fields_come_in_every_form() {
    let rmm = Rmm::start().await;
    let uid = rmm.vendor.edit(|world| {
        let device = &mut world.devices[0];
        device.udf.clear();
        device.set_udf(7, "Laptop");
        device.set_udf(300, "last");
        device.uid.clone()
    });
    let with = async |form: UdfForm| {
        rmm.vendor.fault(Fault::Udf(form).times(1));
        body(rmm.get(&format!("/device/{uid}"))).await
    };
    assert_eq!(with(UdfForm::Absent).await.get("udf"), None);
    assert_eq!(with(UdfForm::Null).await.get("udf"), Some(&Value::Null));
    let keys = |device: &Value| device["udf"].as_object().map(serde_json::Map::len);
    assert_eq!(keys(&with(UdfForm::Thirty).await), Some(30));
    let full = with(UdfForm::ThreeHundred).await;
    assert_eq!((keys(&full), &full["udf"]["udf300"]), (Some(300), &json!("last")));
    let listed = with(UdfForm::List).await;
    assert_eq!(listed.get("udf"), None);
    let udfs: Vec<_> =
        list(&listed, "udfs").iter().map(|it| (it["ordinal"].clone(), it["valueString"].clone())).collect();
    assert_eq!(udfs, [(json!(7), json!("Laptop")), (json!(300), json!("last"))]);
    rmm.vendor.edit(|world| world.udf_keys = 30);
    assert_eq!(keys(&body(rmm.get(&format!("/device/{uid}"))).await), Some(30));
}

#[tokio::test]
async fn variables_are_listed_twice_or_masked() {
    let rmm = Rmm::start().await;
    let uid = rmm.vendor.edit(|world| {
        world.sites[0].variables.retain(|it| it.name.as_deref() == Some("AccountNumber"));
        world.sites[0].uid.clone()
    });
    let path = format!("/site/{uid}/variables");
    rmm.vendor.fault(Fault::DuplicateVariables.times(1));
    let variables = list(&body(rmm.get(&path)).await, "variables");
    assert_eq!(variables.len(), 2);
    assert_eq!(variables[0]["name"], variables[1]["name"]);
    assert_ne!(variables[0]["id"], variables[1]["id"]);
    rmm.vendor.fault(Fault::MaskedVariables.on(&path));
    let variables = list(&body(rmm.get(&path)).await, "variables");
    assert_eq!((&variables[0]["masked"], &variables[0]["value"]), (&json!(true), &json!("********")));
}

#[tokio::test]
async fn a_write_conflicts_once_and_then_works() {
    let rmm = Rmm::start().await;
    let uid = rmm.vendor.edit(|world| world.sites[0].uid.clone());
    rmm.vendor.fault(Fault::Status(409).on("/site").method("PUT").times(1));
    assert_eq!(status(rmm.get(&format!("/site/{uid}/variables"))).await, StatusCode::OK, "a read is no write");
    let put = || rmm.write(Method::PUT, &format!("/site/{uid}/variable"), &json!({ "name": "A", "value": "1" }));
    assert_eq!(status(put()).await, StatusCode::CONFLICT);
    assert_eq!(status(put()).await, StatusCode::OK);
    assert_eq!(rmm.vendor.edit(|world| world.sites[0].variable("A").map(str::to_owned)).as_deref(), Some("1"));
}

#[tokio::test]
async fn a_write_answers_200_and_does_not_take() {
    let rmm = Rmm::start().await;
    let fresh = Fresh::start().await;
    let uid = rmm.vendor.edit(|world| world.sites[0].uid.clone());
    rmm.vendor.fault(Fault::IgnoredWrite);
    let put = rmm.write(Method::PUT, &format!("/site/{uid}/variable"), &json!({ "name": "A", "value": "1" }));
    assert_eq!(status(put).await, StatusCode::OK);
    assert_eq!(rmm.vendor.edit(|world| world.sites[0].variable("A").map(str::to_owned)), None);

    let (id, number) = fresh.vendor.edit(|world| (world.departments[0].id, world.departments[0].account_number()));
    fresh.vendor.fault(Fault::IgnoredWrite.on("/departments").times(1));
    let change = json!({ "custom_fields": { "account_number": 999_998 } });
    let answer = body(fresh.put(&format!("/departments/{id}"), &change)).await;
    assert_eq!(answer["department"]["custom_fields"]["account_number"], 999_998, "the answer lies");
    assert_eq!(fresh.vendor.edit(|world| world.departments[0].account_number()), number);
}
