//! The records as the REST API sends them. The database builds this JSON itself; the client, the pages and the OpenAPI
//! document read it here.

use serde::{Deserialize, Serialize};

/// A client of the MSP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Company {
    /// Nexus's own id; survives a change of the account number and is never used again.
    pub id: i64,
    /// The key that other services use; text, leading zeros kept.
    #[cfg_attr(feature = "openapi", schema(example = "102030"))]
    pub account_number: String,
    /// Name.
    #[cfg_attr(feature = "openapi", schema(example = "Ackermann Tooling"))]
    pub name: String,
    /// Id of the department in Freshservice (64 bits).
    pub freshservice_id: Option<i64>,
    /// Free text.
    pub description: Option<String>,
    /// Billing plan.
    pub plan_selected: Option<String>,
    /// The same value as `plan_selected`, under the name that billing reads.
    pub billing_plan: Option<String>,
    /// As the source words it, e.g. `profit`.
    pub profit_or_non_profit: Option<String>,
    /// Main telephone number, as typed.
    pub company_main_number: Option<String>,
    /// Start of the contract, as the source words it.
    pub company_start_date: Option<String>,
    /// Head of the company.
    pub head_name: Option<String>,
    /// Primary contact.
    pub primary_contact_name: Option<String>,
    /// E-mail domains: a text that holds a JSON array of texts.
    #[cfg_attr(feature = "openapi", schema(example = "[\"ackermann.example\"]"))]
    pub domains: String,
    /// Postal address.
    pub address: Option<String>,
    /// First linked Datto site.
    pub datto_site_uid: Option<String>,
    /// All linked Datto sites.
    pub datto_site_uids: Vec<String>,
    /// Telephone system.
    pub phone_system: Option<String>,
    /// E-mail system.
    pub email_system: Option<String>,
    /// Counts the changes of this record; its `ETag`.
    pub version: i64,
    /// When Nexus first had it.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was archived; null while it is live.
    pub archived_at: Option<String>,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contact {
    /// Id; never used again.
    pub id: i64,
    /// Full name.
    #[cfg_attr(feature = "openapi", schema(example = "Ada Byron"))]
    pub name: String,
    /// E-mail address, unique without regard to case; null for people without one.
    #[cfg_attr(feature = "openapi", schema(example = "ada@ackermann.example"))]
    pub email: Option<String>,
    /// Job title.
    pub title: Option<String>,
    /// E.g. `Full Time`.
    pub employment_type: Option<String>,
    /// Works there at present.
    pub active: bool,
    /// Mobile number, as typed.
    pub mobile_phone_number: Option<String>,
    /// Work number, as typed.
    pub work_phone_number: Option<String>,
    /// Further addresses: a text that holds a JSON array of texts.
    #[cfg_attr(feature = "openapi", schema(example = "[]"))]
    pub secondary_emails: String,
    /// Account numbers of the companies.
    pub company_account_numbers: Vec<String>,
    /// Counts the changes of this record; its `ETag`.
    pub version: i64,
    /// When Nexus first had it.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was archived; null while it is live.
    pub archived_at: Option<String>,
}
