//! What callers send, for the OpenAPI document alone: which values a field takes is said by `nexus_core::entity`.

use nexus_web::TextList;
use serde::Serialize;
use utoipa::ToSchema;

/// A new company.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewCompany {
    /// 1 to 32 letters, digits, `-`, `_` or `.`; text, leading zeros count.
    #[schema(example = "102030")]
    account_number: String,
    /// Name.
    #[schema(example = "Ackermann Tooling")]
    name: String,
    #[serde(flatten)]
    others: CompanyChanges,
}

/// The fields of a company to set; null or blank empties one. Whatever else a company is read with is passed over, so
/// one may be sent back as it came.
#[derive(Serialize, ToSchema)]
pub(crate) struct CompanyChanges {
    /// 1 to 32 letters, digits, `-`, `_` or `.`; text, leading zeros count.
    account_number: Option<String>,
    /// Name.
    name: Option<String>,
    /// Id of the department in Freshservice.
    freshservice_id: Option<i64>,
    /// Free text.
    description: Option<String>,
    /// Billing plan.
    plan_selected: Option<String>,
    /// Another name of `plan_selected`, which goes before it.
    billing_plan: Option<String>,
    /// E.g. `profit`.
    profit_or_non_profit: Option<String>,
    /// Main telephone number.
    company_main_number: Option<String>,
    /// Start of the contract.
    company_start_date: Option<String>,
    /// Head of the company.
    head_name: Option<String>,
    /// Primary contact.
    primary_contact_name: Option<String>,
    /// E-mail domains.
    domains: Option<TextList>,
    /// Postal address.
    address: Option<String>,
    /// Telephone system.
    phone_system: Option<String>,
    /// E-mail system.
    email_system: Option<String>,
    /// What the company has of its own, by feature: all of it.
    #[schema(example = json!({"Backup": "Daily"}))]
    feature_overrides: Option<std::collections::BTreeMap<String, String>>,
}

/// A new location.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewLocation {
    /// Its company.
    #[schema(example = "102030")]
    company_account_number: String,
    /// Name.
    #[schema(example = "Main Office")]
    name: String,
    #[serde(flatten)]
    others: LocationChanges,
}

/// The fields of a location to set; null or blank empties one. Whatever else a location is read with is passed over.
#[derive(Serialize, ToSchema)]
pub(crate) struct LocationChanges {
    /// Its company.
    company_account_number: Option<String>,
    /// Name.
    name: Option<String>,
    /// Postal address.
    address: Option<String>,
    /// Telephone number.
    phone_number: Option<String>,
}
