//! What the REST API tells of the directory beside the records themselves.

use serde::{Deserialize, Serialize};

use crate::Entity;
use crate::records::{Asset, Company, Contact, Location};

/// A feature, as a company has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompanyFeature {
    /// The feature's id.
    pub id: i64,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "Backup"))]
    pub name: String,
    /// What the company has: its own value, or else its plan's; null: nothing.
    pub value: Option<String>,
    /// What the company's plan includes.
    pub plan_value: Option<String>,
    /// What the company has of its own; null: what its plan says.
    pub own_value: Option<String>,
}

/// A company with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WholeCompany {
    /// The company.
    pub company: Company,
    /// Its devices.
    pub assets: Vec<Asset>,
    /// Its people.
    pub contacts: Vec<Contact>,
    /// Its places.
    pub locations: Vec<Location>,
}

/// What billing reads of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BilledAsset {
    /// The device's id.
    pub id: i64,
    /// Name of the device.
    pub hostname: String,
    /// Kind of hardware.
    pub hardware_type: Option<String>,
    /// Operating system.
    pub operating_system: Option<String>,
}

/// A portal user, as billing reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BilledUser {
    /// User name.
    pub username: String,
    /// E-mail address.
    pub email: Option<String>,
}

/// A person, as billing reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BilledContact {
    /// The person's id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Works there at present.
    pub active: bool,
    /// E.g. `Full Time`.
    pub employment_type: Option<String>,
}

/// What is billed of a company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BillingSummary {
    /// The company's key.
    pub account_number: String,
    /// Its name.
    pub name: String,
    /// Its plan.
    pub plan_selected: Option<String>,
    /// Its telephone number.
    pub company_main_number: Option<String>,
    /// Its e-mail domains: a text that holds a JSON array of texts.
    #[cfg_attr(feature = "openapi", schema(example = "[\"ackermann.example\"]"))]
    pub domains: String,
    /// Its devices.
    pub assets: Vec<BilledAsset>,
    /// Its portal users.
    pub users: Vec<BilledUser>,
    /// Its people.
    pub contacts: Vec<BilledContact>,
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hit {
    /// Kind of record: `company`, `contact` or `asset`.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(rename = "type"))]
    pub kind: Entity,
    /// Its id.
    pub id: i64,
    /// What it is called: a company's or a person's name, a device's hostname.
    #[cfg_attr(feature = "openapi", schema(example = "Ackermann Tooling"))]
    pub name: String,
    /// What tells it from its namesakes: the account number, the e-mail address, the operating system.
    pub detail: Option<String>,
    /// Its company, or the first of them.
    pub account_number: Option<String>,
    /// How well it fits, the best first: 0 it is just that, 1 it begins so, 2 one of its words does, 3 it is somewhere in
    /// its texts.
    pub rank: i64,
}

/// An API key. Its secret is told once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// Id.
    pub id: i64,
    /// The account that it stands for.
    pub user_id: i64,
    /// What it is for.
    pub name: Option<String>,
    /// Its first letters, to know it by.
    #[cfg_attr(feature = "openapi", schema(example = "nexus_k3J9xQ"))]
    pub prefix: String,
    /// What it may do.
    pub role: String,
    /// When it was made.
    pub created_at: String,
    /// Who made it.
    pub created_by: Option<String>,
    /// Until when it can be used; null: until it is taken out of use.
    pub expires_at: Option<String>,
    /// When it was last used, to the minute; null: never.
    pub last_used_at: Option<String>,
}
