//! Datto RMM as its documentation and measurements have it.

mod support;

use std::time::{Duration, Instant};

use nexus_simulators::{DELETED_DEVICES, DattoQuota, Device, ExistingVariable, IpBlock};
use reqwest::{Method, StatusCode};
use serde_json::json;
use support::{Rmm, body, json, list, status};

#[tokio::test]
async fn a_token_is_given_for_key_and_secret_only() {
    let rmm = Rmm::start().await;
    let (key, secret) = (rmm.vendor.api_key().to_owned(), rmm.vendor.api_secret().to_owned());
    let token = body(rmm.token_call(&key, &secret)).await;
    assert_eq!((&token["expires_in"], &token["token_type"]), (&json!(360_000), &json!("bearer")));
    assert!(token["refresh_token"].is_string());
    assert_eq!(status(rmm.token_call(&key, "wrong")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(rmm.token_call(&key, &format!("{secret}%0A"))).await, StatusCode::UNAUTHORIZED, "a newline");
    let url = format!("{}/auth/oauth/token", rmm.vendor.base_url());
    assert_eq!(status(rmm.http.post(url).basic_auth(&key, Some(&secret))).await, StatusCode::UNAUTHORIZED);
    let inside = format!("{}/api/auth/oauth/token", rmm.vendor.base_url());
    assert!(status(rmm.http.post(inside)).await.is_client_error(), "the token lies outside /api");
    assert!(rmm.vendor.calls().iter().all(|call| !call.body.contains(&secret)));
}

#[tokio::test]
async fn a_token_ends_and_can_be_revoked() {
    let mut rmm = Rmm::start().await;
    rmm.vendor.revoke_tokens();
    let answer = rmm.get("/account").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(json(answer).await["path"], "/v2/account");
    rmm.renew().await;
    assert_eq!(status(rmm.get("/account")).await, StatusCode::OK);
    rmm.vendor.set_token_lifetime(Duration::ZERO);
    rmm.renew().await;
    assert_eq!(status(rmm.get("/account")).await, StatusCode::UNAUTHORIZED);
    rmm.token.clear();
    assert_eq!(status(rmm.get("/system/status")).await, StatusCode::OK, "needs no token");
}

#[tokio::test]
async fn a_sweep_by_next_urls_reads_every_device_once_and_max_is_cut_to_250() {
    let rmm = Rmm::start().await;
    let (devices, pages) = rmm.sweep("/account/devices?max=1000", "devices").await;
    assert_eq!((devices.len(), pages), (600, 3));
    let first = body(rmm.get("/account/devices?max=1000")).await;
    let details = &first["pageDetails"];
    assert_eq!((&details["count"], &details["totalCount"]), (&json!(250), &json!(600)));
    assert_eq!(details["prevPageUrl"], json!(null));
    let next = format!("{}/api/v2/account/devices?max=250&page=1", rmm.vendor.base_url());
    assert_eq!(details["nextPageUrl"], json!(next));
    assert_eq!(first["devices"][0]["udf"].as_object().map(serde_json::Map::len), Some(300));
    assert_eq!(list(&body(rmm.get("/account/devices?page=99")).await, "devices").len(), 0);
    assert_eq!(status(rmm.get("/account/devices?max=x")).await, StatusCode::BAD_REQUEST);
    assert_eq!(body(rmm.get("/system/pagination")).await, json!({ "max": 250 }));
}

#[tokio::test]
async fn the_devices_of_all_sites_are_the_devices_of_the_account() {
    let rmm = Rmm::start().await;
    let (sites, _) = rmm.sweep("/account/sites?max=10", "sites").await;
    assert_eq!(sites.len(), 26);
    let mut devices = 0;
    for site in sites.iter().filter(|site| site["uid"] != DELETED_DEVICES) {
        let (of_site, _) =
            rmm.sweep(&format!("/site/{}/devices", site["uid"].as_str().expect("text")), "devices").await;
        assert_eq!(site["devicesStatus"]["numberOfDevices"], json!(of_site.len()));
        assert!(of_site.iter().all(|device| device["siteUid"] == site["uid"] && device["siteName"] == site["name"]));
        devices += of_site.len();
    }
    assert_eq!(devices, 600);
    let account = body(rmm.get("/account")).await;
    assert_eq!(account["devicesStatus"]["numberOfDevices"], 600);
}

#[tokio::test]
async fn the_pseudo_site_is_listed_but_cannot_be_used() {
    let rmm = Rmm::start().await;
    let uid = rmm.vendor.edit(|world| {
        let uid = world.devices[0].uid.clone();
        assert!(world.delete_device(&uid));
        uid
    });
    for path in ["", "/devices", "/variables"] {
        assert_eq!(status(rmm.get(&format!("/site/{DELETED_DEVICES}{path}"))).await, StatusCode::NOT_FOUND);
    }
    let device = body(rmm.get(&format!("/device/{uid}"))).await;
    assert_eq!((&device["deleted"], &device["siteUid"]), (&json!(true), &json!(DELETED_DEVICES)));
    assert_eq!(status(rmm.get("/device/none")).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn filters_match_any_part_in_any_case() {
    let rmm = Rmm::start().await;
    rmm.vendor.edit(|world| {
        let site = world.sites[0].clone();
        world.devices.push(Device::new(1, "uid-1", &site, "ODDBALL-1"));
        world.devices.push(Device::new(2, "uid-2", &site, "the-oddball"));
    });
    let found = body(rmm.get("/account/devices?hostname=OddBall&max=1")).await;
    assert_eq!(found["pageDetails"]["totalCount"], 2);
    assert!(found["pageDetails"]["nextPageUrl"].as_str().is_some_and(|url| url.contains("hostname=OddBall")));
    assert_eq!(body(rmm.get("/account/sites?siteName=DELETED")).await["pageDetails"]["totalCount"], 1);
}

#[tokio::test]
async fn a_site_is_answered_bare_and_its_variable_is_created_and_changed() {
    let rmm = Rmm::start().await;
    let uid = rmm.vendor.edit(|world| {
        world.sites[11].variables.clear();
        world.sites[11].uid.clone()
    });
    assert_eq!(body(rmm.get(&format!("/site/{uid}"))).await["uid"], uid.as_str());
    let path = format!("/site/{uid}/variable");
    let number = json!({ "name": "AccountNumber", "value": "123456", "masked": false });
    let created = rmm.write(Method::PUT, &path, &number).send().await.expect("an answer");
    assert_eq!(created.status(), StatusCode::OK);
    assert_eq!(created.text().await.expect("text"), "");
    let variables = list(&body(rmm.get(&format!("{path}s"))).await, "variables");
    assert_eq!(variables[0]["value"], "123456");

    let one = format!("{path}/{}", variables[0]["id"]);
    let change = json!({ "name": "AccountNumber", "value": "654321" });
    assert_eq!(status(rmm.write(Method::POST, &one, &change)).await, StatusCode::OK);
    assert_eq!(
        rmm.vendor.edit(|world| world.sites[11].variable("AccountNumber").map(str::to_owned)).as_deref(),
        Some("654321")
    );
    assert_eq!(status(rmm.write(Method::POST, &format!("{path}/1"), &change)).await, StatusCode::NOT_FOUND);
    let as_number = json!({ "name": "AccountNumber", "value": 654_321 });
    assert_eq!(status(rmm.write(Method::POST, &one, &as_number)).await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_variable_that_exists_is_created_again_overwritten_or_refused_as_set() {
    let rmm = Rmm::start().await;
    let uid = rmm.vendor.edit(|world| {
        world.sites[0].variables.retain(|it| it.name.as_deref() == Some("AccountNumber"));
        world.sites[0].uid.clone()
    });
    let path = format!("/site/{uid}/variable");
    let number = json!({ "name": "AccountNumber", "value": "111111" });
    let cases = [
        (ExistingVariable::Refuse, StatusCode::BAD_REQUEST, 1),
        (ExistingVariable::Overwrite, StatusCode::OK, 1),
        (ExistingVariable::Duplicate, StatusCode::OK, 2),
    ];
    for (setting, answer, count) in cases {
        rmm.vendor.edit(|world| world.existing_variable = setting);
        assert_eq!(status(rmm.write(Method::PUT, &path, &number)).await, answer, "{setting:?}");
        assert_eq!(rmm.vendor.edit(|world| world.sites[0].variables.len()), count, "{setting:?}");
    }
}

#[tokio::test]
async fn a_masked_variable_hides_its_value() {
    let rmm = Rmm::start().await;
    let uid = rmm.vendor.edit(|world| world.sites[0].uid.clone());
    let secret = json!({ "name": "Secret", "value": "hunter2", "masked": true });
    rmm.write(Method::PUT, &format!("/site/{uid}/variable"), &secret).send().await.expect("an answer");
    let answer =
        rmm.get(&format!("/site/{uid}/variables")).send().await.expect("an answer").text().await.expect("text");
    assert!(answer.contains("Secret") && !answer.contains("hunter2"));
}

#[tokio::test]
async fn the_quota_brakes_then_refuses_then_blocks() {
    let rmm = Rmm::start().await;
    let brake = Duration::from_millis(30);
    rmm.vendor.set_quota(DattoQuota {
        reads: 10,
        brake,
        retry_after: true,
        block: Some(IpBlock { after: 2, lasts: Duration::from_mins(5) }),
        ..DattoQuota::default()
    });
    for _ in 0..9 {
        assert_eq!(status(rmm.get("/system/pagination")).await, StatusCode::OK);
    }
    let begun = Instant::now();
    let rate = body(rmm.get("/system/request_rate")).await;
    assert!(begun.elapsed() >= brake, "above 90 % every answer is delayed");
    assert_eq!((&rate["accountCount"], &rate["accountRateLimit"]), (&json!(10), &json!(10)));
    assert_eq!(rate["operationWriteStatus"]["site-variable-create"], json!({ "limit": 100, "count": 0 }));
    let refused = rmm.get("/account").send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let seconds = refused.headers()["retry-after"].to_str().expect("text").parse::<u32>().expect("a number");
    assert!((50..=60).contains(&seconds));
    assert_eq!(status(rmm.get("/account")).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status(rmm.get("/account")).await, StatusCode::FORBIDDEN, "who goes on is blocked");
}

#[tokio::test]
async fn writes_have_budgets_of_their_own() {
    let rmm = Rmm::start().await;
    let uid = rmm.vendor.edit(|world| world.sites[0].uid.clone());
    let brake = Duration::ZERO;
    rmm.vendor.set_quota(DattoQuota { reads: 1, writes_per_operation: 1, brake, ..DattoQuota::default() });
    let put = || rmm.write(Method::PUT, &format!("/site/{uid}/variable"), &json!({ "name": "A", "value": "1" }));
    assert_eq!(status(rmm.get("/account")).await, StatusCode::OK);
    let refused = rmm.get("/account").send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers().get("retry-after"), None);
    assert_eq!(status(put()).await, StatusCode::OK);
    assert_eq!(status(put()).await, StatusCode::TOO_MANY_REQUESTS);
}
