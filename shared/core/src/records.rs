//! The records as the REST API sends them. The database builds this JSON itself; the client, the pages and the OpenAPI
//! document read it here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Role;

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
    /// Those of them that a person tied to it.
    pub tied_site_uids: Vec<String>,
    /// Telephone system.
    pub phone_system: Option<String>,
    /// E-mail system.
    pub email_system: Option<String>,
    /// What the company has, by feature: what its plan includes, and what it has of its own.
    #[cfg_attr(feature = "openapi", schema(example = json!({"Antivirus": "Managed", "Backup": "Daily"})))]
    pub features: BTreeMap<String, String>,
    /// What the company has of its own, by feature: it goes before what its plan says.
    #[cfg_attr(feature = "openapi", schema(example = json!({"Backup": "Daily"})))]
    pub feature_overrides: BTreeMap<String, String>,
    /// The fields that a person pinned: they do not follow a source.
    pub pinned_fields: Vec<String>,
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
    /// The devices of the person (ids).
    pub asset_ids: Vec<i64>,
    /// The fields that a person pinned: they do not follow a source.
    pub pinned_fields: Vec<String>,
    /// Counts the changes of this record; its `ETag`.
    pub version: i64,
    /// When Nexus first had it.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was archived; null while it is live.
    pub archived_at: Option<String>,
}

/// A place of a company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    /// Id; never used again.
    pub id: i64,
    /// Its company; null while that is archived.
    #[cfg_attr(feature = "openapi", schema(example = "102030"))]
    pub company_account_number: Option<String>,
    /// Name.
    #[cfg_attr(feature = "openapi", schema(example = "Main Office"))]
    pub name: String,
    /// Postal address.
    pub address: Option<String>,
    /// Telephone number, as typed.
    pub phone_number: Option<String>,
    /// The fields that a person pinned: they do not follow a source.
    pub pinned_fields: Vec<String>,
    /// Counts the changes of this record; its `ETag`.
    pub version: i64,
    /// When Nexus first had it.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was archived; null while it is live.
    pub archived_at: Option<String>,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Asset {
    /// Id; never used again.
    pub id: i64,
    /// Name of the device; not unique, and no key.
    #[cfg_attr(feature = "openapi", schema(example = "ACK-LT-0042"))]
    pub hostname: String,
    /// Its company; null for one that belongs to none.
    #[cfg_attr(feature = "openapi", schema(example = "102030"))]
    pub company_account_number: Option<String>,
    /// Kind of hardware, e.g. `Laptop`.
    pub hardware_type: Option<String>,
    /// Operating system.
    pub operating_system: Option<String>,
    /// Who was last logged in.
    pub last_logged_in_user: Option<String>,
    /// Name of its Datto site.
    pub datto_site_name: Option<String>,
    /// Antivirus.
    pub antivirus_product: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// External IP address.
    pub ext_ip_address: Option<String>,
    /// Internal IP address.
    pub int_ip_address: Option<String>,
    /// Windows domain or workgroup.
    pub domain: Option<String>,
    /// Last audit, RFC 3339.
    pub last_audit_date: Option<String>,
    /// Last start, RFC 3339.
    pub last_reboot: Option<String>,
    /// When it was last seen, RFC 3339.
    pub last_seen: Option<String>,
    /// Whether it was online when its source was last read.
    pub online: Option<bool>,
    /// State of its patches.
    pub patch_status: Option<String>,
    /// Size of its backup in terabytes: text with two decimals.
    #[cfg_attr(feature = "openapi", schema(example = "1.25"))]
    pub backup_usage_tb: Option<String>,
    /// Size of its backup in bytes (64 bits).
    pub backup_data_bytes: Option<i64>,
    /// Accounts with administrator's rights.
    pub enabled_administrators: Option<String>,
    /// Kind of device as billing knows it.
    pub device_type: Option<String>,
    /// Its page in the RMM.
    pub portal_url: Option<String>,
    /// Remote control in the browser.
    pub web_remote_url: Option<String>,
    /// The people it belongs to (ids of contacts).
    pub contact_ids: Vec<i64>,
    /// The fields that a person pinned: they do not follow a source.
    pub pinned_fields: Vec<String>,
    /// Counts the changes of this record; its `ETag`.
    pub version: i64,
    /// When Nexus first had it.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was archived; null while it is live.
    pub archived_at: Option<String>,
}

/// A portal user or service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// Id; never used again.
    pub id: i64,
    /// User name, unique without regard to case.
    #[cfg_attr(feature = "openapi", schema(example = "billing"))]
    pub username: String,
    /// E-mail address.
    pub email: Option<String>,
    /// What the user may do.
    pub permission_level: Role,
    /// Used by a service, not by a person: it may have API keys.
    pub service_account: bool,
    /// A client's first company.
    pub company_account_number: Option<String>,
    /// A client's companies.
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

/// What a company may have agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Plan {
    /// Id; never used again.
    pub id: i64,
    /// Name, unique without regard to case: the value of a company's `plan_selected`.
    #[cfg_attr(feature = "openapi", schema(example = "Complete"))]
    pub name: String,
    /// What it means.
    pub description: Option<String>,
    /// Its place in a list; the smallest comes first.
    pub position: i64,
    /// What it includes, by feature.
    #[cfg_attr(feature = "openapi", schema(example = json!({"Antivirus": "Managed"})))]
    pub features: BTreeMap<String, String>,
    /// Counts the changes of this record; its `ETag`.
    pub version: i64,
    /// When Nexus first had it.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was archived; null while it is live.
    pub archived_at: Option<String>,
}

/// Something that a plan may include.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Feature {
    /// Id; never used again.
    pub id: i64,
    /// Name, unique without regard to case.
    #[cfg_attr(feature = "openapi", schema(example = "Backup"))]
    pub name: String,
    /// What it means.
    pub description: Option<String>,
    /// Its place in a list; the smallest comes first.
    pub position: i64,
    /// Counts the changes of this record; its `ETag`.
    pub version: i64,
    /// When Nexus first had it.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// When it was archived; null while it is live.
    pub archived_at: Option<String>,
}
