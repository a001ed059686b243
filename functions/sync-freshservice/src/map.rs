//! From the vendor's records to ours. Values are passed on as they are; whether they are valid is for Nexus to say.

use std::collections::BTreeMap;

use nexus_core::Fields;
use nexus_jobs::Record;
use nexus_vendors::freshservice::{Department, Requester};
use serde_json::Value;

/// Fields of a company that are custom fields of a department, under the same names.
const CUSTOM: [&str; 8] = [
    "account_number",
    "plan_selected",
    "profit_or_non_profit",
    "company_main_number",
    "address",
    "company_start_date",
    "phone_system",
    "email_system",
];

/// The company that a department is.
pub(crate) fn company(department: Department) -> Record {
    let mut fields = Fields::new();
    for name in CUSTOM {
        // Numbers and truth values get one canonical text: an account number comes as integer, float or text.
        set(&mut fields, name, department.custom_fields.text(name).into());
    }
    set(&mut fields, "name", text(department.name));
    set(&mut fields, "freshservice_id", department.id.into());
    set(&mut fields, "description", text(department.description));
    set(&mut fields, "head_name", text(department.head_name));
    set(&mut fields, "primary_contact_name", text(department.prime_user_name));
    set(&mut fields, "domains", department.domains.into());
    Record { external_id: department.id.to_string(), fields, links: BTreeMap::new() }
}

/// The place of the company that a department is: Freshservice has one address for it.
pub(crate) fn main_office(department: &Department) -> Record {
    let mut fields = Fields::new();
    set(&mut fields, "name", "Main Office".into());
    set(&mut fields, "address", department.custom_fields.text("address").into());
    set(&mut fields, "phone_number", department.custom_fields.text("company_main_number").into());
    let id = department.id.to_string();
    let links = BTreeMap::from([("company_id".to_owned(), vec![id.clone()])]);
    Record { external_id: id, fields, links }
}

/// The contact that a requester is.
pub(crate) fn contact(requester: Requester) -> Record {
    let mut fields = Fields::new();
    set(&mut fields, "name", name(&requester).into());
    set(&mut fields, "email", text(requester.primary_email));
    set(&mut fields, "title", text(requester.job_title));
    set(&mut fields, "active", requester.active.into());
    set(&mut fields, "mobile_phone_number", text(requester.mobile_phone_number));
    set(&mut fields, "work_phone_number", text(requester.work_phone_number));
    set(&mut fields, "secondary_emails", requester.secondary_emails.into());
    let companies = requester.department_ids.iter().map(i64::to_string).collect();
    let links = BTreeMap::from([("company_ids".to_owned(), companies)]);
    Record { external_id: requester.id.to_string(), fields, links }
}

/// First and last name, as far as they are there. What somebody without a name is called is for Nexus to say, and only
/// when the person is new: a made-up name would overwrite a real one.
fn name(requester: &Requester) -> Option<String> {
    let parts = [&requester.first_name, &requester.last_name].into_iter().flatten();
    let parts: Vec<&str> = parts.map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn set(fields: &mut Fields, name: &str, value: Value) {
    fields.insert(name.to_owned(), value);
}

/// Blank is null: the vendor has no value.
fn text(text: Option<String>) -> Value {
    text.filter(|text| !text.trim().is_empty()).into()
}
