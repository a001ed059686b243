//! The custom fields of companies, written.

use nexus_simulators::{
    CustomFieldWrites, Fault, Freshservice as Vendor, FreshserviceState, RetryAfter, Size, Workspace as Client,
};
use nexus_vendors::freshservice::Freshservice;
use nexus_vendors::{BaseUrl, Error, TransportConfig, TransportKind};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{KEY, client_at, config};

async fn vendor() -> (Vendor, Freshservice) {
    let vendor = Vendor::start(Size { companies: 8, contacts: 0, devices: 0 }, 3).await.expect("a vendor");
    let base = BaseUrl::parse(&vendor.base_url()).expect("an address");
    let client = Freshservice::new(base, &SecretString::from(vendor.api_key()), &config()).expect("a client");
    (vendor, client)
}

/// What was sent, in order.
fn sent(vendor: &Vendor) -> Vec<Value> {
    let writes = vendor.calls().into_iter().filter(|call| call.method != "GET");
    writes.map(|call| serde_json::from_str(&call.body).expect("JSON")).collect()
}

#[tokio::test]
async fn a_department_keeps_its_other_fields_whatever_a_write_does_with_them() {
    for kind in [CustomFieldWrites::Merge, CustomFieldWrites::Replace] {
        let (vendor, client) = vendor().await;
        let before = vendor.edit(|state| {
            state.custom_field_writes = kind;
            state.departments[2].clone()
        });
        let read = client.department(before.id).await.unwrap();
        client.write_department(read.id, &read.custom_fields.with("account_number", 123_456)).await.unwrap();
        let mut wanted = before.custom_fields.clone();
        wanted.insert("account_number".into(), json!(123_456));
        assert_eq!(sent(&vendor), [json!({ "custom_fields": wanted })]);
        let now = client.department(before.id).await.unwrap();
        assert_eq!(read.custom_fields.differences(&now.custom_fields), ["account_number"], "{kind:?}");
        let now = vendor.edit(|state| state.departments[2].clone());
        assert_eq!((now.custom_fields, now.name, now.domains), (wanted, before.name, before.domains));
    }
}

#[tokio::test]
async fn a_client_of_freshservice_for_msps_keeps_its_metadata() {
    let (vendor, client) = vendor().await;
    vendor.edit(FreshserviceState::become_for_msps);
    let find = |state: &mut FreshserviceState| -> Client { state.workspaces[4].clone() };
    let before = vendor.edit(find);
    let read = client.workspace(before.id).await.unwrap();
    assert!(read.is_client());
    let fields = read.metadata.as_ref().unwrap().custom_fields.with("account_number", 123_456);
    client.write_workspace(&read, &fields).await.unwrap();
    let mut wanted = before.metadata.unwrap();
    wanted["custom_fields"]["account_number"] = json!(123_456);
    assert_eq!(sent(&vendor), [json!({ "metadata": wanted })]);
    assert_eq!(vendor.edit(find).metadata, Some(wanted));
}

#[tokio::test]
async fn a_department_is_found_by_its_id_in_every_envelope() {
    let (vendor, client) = vendor().await;
    let id = vendor.edit(|state| state.departments[0].id);
    assert_eq!(client.department(id).await.unwrap().id, id);
    vendor.edit(FreshserviceState::become_for_msps);
    assert_eq!(client.department(id).await.unwrap().id, id, "wrapped in the word of the list, its id as text");
    assert!(matches!(client.department(1).await, Err(Error::Rejected { status: 404, .. })));
}

#[tokio::test]
async fn the_fields_of_a_form_are_told_by_name() {
    let (vendor, client) = vendor().await;
    let has = |fields: Vec<nexus_vendors::freshservice::FormField>| {
        fields.iter().any(|field| field.name.as_deref() == Some("account_number"))
    };
    assert!(has(client.department_fields().await.unwrap()));
    vendor.edit(|state| state.department_fields.retain(|field| field.name != "account_number"));
    assert!(!has(client.department_fields().await.unwrap()));
    assert!(matches!(client.workspace_fields().await, Err(Error::Rejected { status: 404, .. })));
    vendor.edit(FreshserviceState::become_for_msps);
    assert!(has(client.workspace_fields().await.unwrap()));
    vendor.fault(Fault::MissingKey("department_fields".into()));
    assert!(client.department_fields().await.unwrap_err().to_string().contains("department_fields: missing"));
}

#[tokio::test]
async fn a_write_is_repeated_only_where_it_cannot_have_taken() {
    let (vendor, client) = vendor().await;
    let department = client.department(vendor.edit(|state| state.departments[0].id)).await.unwrap();
    let fields = department.custom_fields.with("account_number", 123_456);
    vendor.fault(Fault::RateLimited(RetryAfter::Seconds(0)).on("/departments").times(2));
    client.write_department(department.id, &fields).await.unwrap();
    assert_eq!(sent(&vendor).len(), 3);
    for (fault, unclear) in [
        (Fault::Status(502), true),
        (Fault::Status(409), true),
        (Fault::Dropped, true),
        (Fault::Status(400), false),
        (Fault::Status(401), false),
        (Fault::Status(403), false),
    ] {
        vendor.clear_faults();
        vendor.clear_calls();
        vendor.fault(fault.clone().on("/departments").method("PUT"));
        let error = client.write_department(department.id, &fields).await.unwrap_err();
        assert_eq!((sent(&vendor).len(), error.is_unclear()), (1, unclear), "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn a_write_that_found_no_connection_is_tried_again_as_often_as_a_read() {
    // A port on which nobody listens any more.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let client = client_at(&format!("http://{address}"), &TransportConfig { tries: 3, ..config() });
    let error = client.write_department(7, &nexus_vendors::CustomFields::default()).await.unwrap_err();
    assert!(matches!(error, Error::Transport { kind: TransportKind::Connect, .. }), "{error:?}");
    assert_eq!((client.calls().calls, error.is_unclear()), (3, false));
    assert!(!format!("{error} {error:?}").contains(KEY));
}
