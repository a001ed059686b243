//! Every form in which the vendor sends a record, and the record that becomes of it.

use std::collections::BTreeMap;

use nexus_core::entity::{Field, TIED_SITES};
use nexus_core::sync::Observation;
use nexus_core::{Entity, Fields};
use serde_json::{Value, json};

use crate::nexus::Nexus;
use crate::vendor::Vendor;
use crate::{job, run};

async fn companies(departments: Value) -> Vec<Observation> {
    let (vendor, nexus) = (Vendor::with(departments, json!([])).await, Nexus::start().await);
    run(&job(&vendor.address, "key"), &nexus).await;
    nexus.observations(Entity::Company)
}

async fn contacts(requesters: Value) -> Vec<Observation> {
    let (vendor, nexus) = (Vendor::with(json!([]), requesters).await, Nexus::start().await);
    run(&job(&vendor.address, "key"), &nexus).await;
    nexus.observations(Entity::Contact)
}

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => panic!("no fields: {other}"),
    }
}

#[tokio::test]
async fn a_department_becomes_a_company() {
    let full = json!({
        "id": 39_000_380_032_i64, "name": "Ackermann Tooling", "description": "Client since 2019",
        "head_user_id": 39_000_100_002_i64, "head_name": "Jana Weiss",
        "prime_user_id": 39_000_100_003_i64, "prime_user_name": "Tom Adler",
        "domains": ["ackermann.example", "mail.ackermann.example"], "workspace_id": 2,
        "custom_fields": {
            "account_number": 102_030, "plan_selected": "Managed", "managed_users": 17, "contract_term": "2 Year",
            "profit_or_non_profit": "For Profit", "company_main_number": "+49 30 1234567",
            "address": "Hafenstraße 1\n10115 Berlin", "company_start_date": "2019-04-04", "phone_system": "3CX",
            "email_system": "Exchange", "datto_portal_url": null
        },
        "created_at": "2019-04-04T04:45:15Z", "updated_at": "2026-02-03T19:05:39Z"
    });
    let observed = companies(json!([full])).await;
    let expected = Observation {
        entity: Entity::Company,
        external_id: "39000380032".into(),
        scope: "companies".into(),
        fields: fields(json!({
            "account_number": "102030", "name": "Ackermann Tooling", "freshservice_id": 39_000_380_032_i64,
            "description": "Client since 2019", "plan_selected": "Managed", "profit_or_non_profit": "For Profit",
            "company_main_number": "+49 30 1234567", "company_start_date": "2019-04-04", "head_name": "Jana Weiss",
            "primary_contact_name": "Tom Adler", "domains": ["ackermann.example", "mail.ackermann.example"],
            "address": "Hafenstraße 1\n10115 Berlin", "phone_system": "3CX", "email_system": "Exchange"
        })),
        links: BTreeMap::new(),
    };
    assert_eq!(observed, [expected]);
}

#[tokio::test]
async fn every_field_of_a_company_is_named_even_when_the_vendor_has_none() {
    for bare in [
        json!({ "id": 7 }),
        json!({ "id": "7", "name": null, "description": "", "custom_fields": null, "domains": null, "head_name": "  " }),
        json!({ "id": 7, "custom_fields": {}, "domains": [] }),
    ] {
        let observed = companies(json!([bare])).await.remove(0);
        assert_eq!(observed.external_id, "7");
        // What people tie is none of the vendor's.
        let told = |field: &&Field| field.is_column() && field.name != TIED_SITES;
        for field in Entity::Company.fields().iter().filter(told) {
            let expected = match field.name {
                "freshservice_id" => json!(7),
                "domains" => json!([]),
                _ => Value::Null,
            };
            assert_eq!(observed.fields.get(field.name), Some(&expected), "{} of {bare}", field.name);
        }
    }
}

#[tokio::test]
async fn a_custom_field_of_any_form_has_one_text() {
    let number = |value: Value| json!({ "id": 7, "custom_fields": { "account_number": value } });
    for (value, text) in [
        (json!(102_030), json!("102030")),
        (json!(102_030.0), json!("102030")),
        (json!("102030"), json!("102030")),
        (json!(" 0102030 "), json!("0102030")),
        (json!("ACME-1"), json!("ACME-1")),
        (json!("not a number!"), json!("not a number!")),
        (json!(true), json!("true")),
        (json!(""), Value::Null),
        (json!(null), Value::Null),
        (json!(["102030"]), Value::Null),
    ] {
        assert_eq!(companies(json!([number(value.clone())])).await[0].fields["account_number"], text, "{value}");
    }
    let others =
        json!({ "id": 7, "custom_fields": { "phone_system": false, "company_main_number": 49_301_234_567_i64 } });
    let observed = companies(json!([others])).await.remove(0);
    assert_eq!(observed.fields["phone_system"], "false");
    assert_eq!(observed.fields["company_main_number"], "49301234567");
}

#[tokio::test]
async fn a_requester_becomes_a_contact_of_its_companies() {
    let full = json!({
        "id": 39_000_100_002_i64, "active": true, "is_agent": false, "has_logged_in": true, "vip_user": false,
        "first_name": "Jana", "last_name": "Weiss", "primary_email": "Jana.Weiss@ackermann.example",
        "secondary_emails": ["jw@ackermann.example"], "work_phone_number": "+49 30 1234567-12",
        "mobile_phone_number": 491_701_234_567_i64, "external_id": "A-17", "job_title": "Head of Sales",
        "language": "de", "department_ids": [39_000_380_032_i64, 39_000_380_040_i64],
        "department_names": ["Ackermann Tooling", "Brandt Logistics"], "custom_fields": { "user_number": 12 },
        "created_at": "2019-04-04T04:45:15.983Z", "updated_at": "2026-02-03T19:05:39+05:30"
    });
    let observed = contacts(json!([full])).await;
    let expected = Observation {
        entity: Entity::Contact,
        external_id: "39000100002".into(),
        scope: "contacts".into(),
        fields: fields(json!({
            "name": "Jana Weiss", "email": "Jana.Weiss@ackermann.example", "title": "Head of Sales", "active": true,
            "mobile_phone_number": "491701234567", "work_phone_number": "+49 30 1234567-12",
            "secondary_emails": ["jw@ackermann.example"]
        })),
        links: BTreeMap::from([("company_ids".into(), vec!["39000380032".into(), "39000380040".into()])]),
    };
    assert_eq!(observed, [expected]);
}

#[tokio::test]
async fn a_name_is_what_there_is_of_it_and_never_made_up() {
    for (first, last, email, name) in [
        (json!("Jana"), json!("Weiss"), json!("j@w.example"), json!("Jana Weiss")),
        (json!(" Jana "), json!(" Weiss "), json!(null), json!("Jana Weiss")),
        (json!("Jana"), json!(null), json!("j@w.example"), json!("Jana")),
        (json!(""), json!("Weiss"), json!(null), json!("Weiss")),
        (json!("Anna Maria"), json!(""), json!(null), json!("Anna Maria")),
        (json!(null), json!("  "), json!(" j@w.example "), json!(null)),
        (json!(null), json!(null), json!(null), json!(null)),
    ] {
        let person = json!({ "id": 7, "first_name": first, "last_name": last, "primary_email": email });
        assert_eq!(contacts(json!([person])).await[0].fields["name"], name, "{person}");
    }
}

#[tokio::test]
async fn a_person_of_no_company_or_without_anything_is_kept() {
    for bare in [
        json!({ "id": 7 }),
        json!({ "id": 7, "department_ids": null, "secondary_emails": null, "active": null, "primary_email": null }),
        json!({ "id": "7", "department_ids": [], "job_title": "", "mobile_phone_number": " " }),
    ] {
        let observed = contacts(json!([bare])).await.remove(0);
        let expected = json!({
            "name": null, "email": null, "title": null, "active": null, "mobile_phone_number": null,
            "work_phone_number": null, "secondary_emails": []
        });
        assert_eq!(observed.fields, fields(expected), "{bare}");
        assert_eq!(observed.links, BTreeMap::from([("company_ids".into(), vec![])]), "{bare}");
    }
}

#[tokio::test]
async fn what_is_too_long_or_wrong_is_for_nexus_to_judge() {
    let long = "x".repeat(5_000);
    let person = json!({ "id": 7, "first_name": long, "primary_email": "not an address", "is_agent": true });
    let observed = contacts(json!([person])).await.remove(0);
    assert_eq!(observed.fields["name"], long);
    assert_eq!(observed.fields["email"], "not an address");
}
