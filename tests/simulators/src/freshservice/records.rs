//! Freshservice's records, in its own words.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::companies::{Company, NOW, rfc3339};
use crate::random::Random;
use crate::words;

/// A department, which an account in MSP mode shows as "Company".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Department {
    /// Eleven digits.
    pub id: i64,
    /// The company's name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// By name in snake case; `account_number` is an integer.
    pub custom_fields: Map<String, Value>,
    /// A requester.
    pub head_user_id: Option<i64>,
    /// The name that belongs to `head_user_id`.
    pub head_name: Option<String>,
    /// A requester.
    pub prime_user_id: Option<i64>,
    /// The name that belongs to `prime_user_id`.
    pub prime_user_name: Option<String>,
    /// Of the company's addresses.
    pub domains: Vec<String>,
    /// The workspace it belongs to; in Freshservice for MSPs the client.
    pub workspace_id: i64,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}

impl Department {
    /// A department with this id and name, and nothing else.
    #[must_use]
    pub fn new(id: i64, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            description: None,
            custom_fields: Map::new(),
            head_user_id: None,
            head_name: None,
            prime_user_id: None,
            prime_user_name: None,
            domains: Vec::new(),
            workspace_id: 2,
            created_at: rfc3339(NOW),
            updated_at: rfc3339(NOW),
        }
    }

    /// `custom_fields.account_number`, when it is an integer.
    #[must_use]
    pub fn account_number(&self) -> Option<i64> {
        self.custom_fields.get("account_number")?.as_i64()
    }
}

/// What an administrator has defined for departments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DepartmentField {
    /// In snake case.
    pub name: String,
    /// As people see it.
    pub label: String,
    /// Whether people must fill it in.
    pub mandatory: bool,
    /// `false` for custom fields.
    pub is_default_field: bool,
    /// `2019-04-02 09:31:52`, unlike every other time of this API.
    pub created_at: String,
    /// As `created_at`.
    pub updated_at: String,
}

impl DepartmentField {
    /// A custom field.
    #[must_use]
    pub fn custom(name: &str, label: &str) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            mandatory: false,
            is_default_field: false,
            created_at: "2019-04-02 09:31:52".to_owned(),
            updated_at: "2019-04-02 10:30:46".to_owned(),
        }
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the vendor's record has them")]
pub struct Requester {
    /// Eleven digits.
    pub id: i64,
    /// `false` after deactivation.
    pub active: bool,
    /// Agents are listed only on request.
    pub is_agent: bool,
    /// Whether the portal was ever used.
    pub has_logged_in: bool,
    /// Marked as important.
    pub vip_user: bool,
    /// Never missing.
    pub first_name: String,
    /// May be missing.
    pub last_name: Option<String>,
    /// May be missing when there is a phone number.
    pub primary_email: Option<String>,
    /// Other addresses.
    pub secondary_emails: Vec<String>,
    /// In any format.
    pub work_phone_number: Option<String>,
    /// In any format.
    pub mobile_phone_number: Option<String>,
    /// From the customer's own directory.
    pub external_id: Option<String>,
    /// Free text.
    pub job_title: Option<String>,
    /// `en`, `de`, …
    pub language: Option<String>,
    /// The vendor's name of a zone.
    pub time_zone: Option<String>,
    /// `12h` or `24h`.
    pub time_format: Option<String>,
    /// The companies; null, empty, one or several.
    pub department_ids: Option<Vec<i64>>,
    /// Follows `department_ids` by itself.
    pub department_names: Option<Vec<String>>,
    /// Another requester.
    pub reporting_manager_id: Option<i64>,
    /// A location.
    pub location_id: Option<i64>,
    /// The name that belongs to `location_id`.
    pub location_name: Option<String>,
    /// Postal.
    pub address: Option<String>,
    /// Free text.
    pub background_information: Option<String>,
    /// Working hours.
    pub work_schedule_id: Option<i64>,
    /// A right.
    pub can_see_all_tickets_from_associated_departments: bool,
    /// A right.
    pub can_see_all_changes_from_associated_departments: bool,
    /// By name in snake case.
    pub custom_fields: Map<String, Value>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// The clients; in Freshservice for MSPs only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub belongs_to_workspace_ids: Option<Vec<i64>>,
    /// A right; in Freshservice for MSPs only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_see_all_tickets_from_associated_workspace_ids: Option<Vec<i64>>,
}

impl Requester {
    /// An active person of these departments, known by name only.
    #[must_use]
    pub fn new(id: i64, first_name: &str, last_name: &str, department_ids: &[i64]) -> Self {
        Self {
            id,
            active: true,
            is_agent: false,
            has_logged_in: false,
            vip_user: false,
            first_name: first_name.to_owned(),
            last_name: Some(last_name.to_owned()),
            primary_email: None,
            secondary_emails: Vec::new(),
            work_phone_number: None,
            mobile_phone_number: None,
            external_id: None,
            job_title: None,
            language: None,
            time_zone: None,
            time_format: None,
            department_ids: Some(department_ids.to_vec()),
            department_names: None,
            reporting_manager_id: None,
            location_id: None,
            location_name: None,
            address: None,
            background_information: None,
            work_schedule_id: None,
            can_see_all_tickets_from_associated_departments: false,
            can_see_all_changes_from_associated_departments: false,
            custom_fields: Map::new(),
            created_at: rfc3339(NOW),
            updated_at: rfc3339(NOW),
            belongs_to_workspace_ids: None,
            can_see_all_tickets_from_associated_workspace_ids: None,
        }
    }
}

/// A workspace, or a client of a service provider.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Workspace {
    /// A small number.
    pub id: i64,
    /// The client's name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// `workspace` or `client`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `active` or `inactive`.
    pub state: String,
    /// Whether it is the account's first.
    pub primary: bool,
    /// Whether it hides its records from other workspaces.
    pub restricted: bool,
    /// `it`, `hr`, …
    pub template_name: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// `primary_contact`, `email_domains` and `custom_fields` of a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

impl Workspace {
    /// An active workspace of this type.
    #[must_use]
    pub fn new(id: i64, name: &str, kind: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            description: None,
            kind: kind.to_owned(),
            state: "active".to_owned(),
            primary: false,
            restricted: false,
            template_name: "it".to_owned(),
            created_at: "2023-09-21T13:48:19Z".to_owned(),
            updated_at: "2023-09-21T13:48:19Z".to_owned(),
            metadata: None,
        }
    }
}

pub(super) fn workspaces() -> Vec<Workspace> {
    vec![
        Workspace { primary: true, ..Workspace::new(2, "IT", "workspace") },
        Workspace { template_name: "hr".to_owned(), ..Workspace::new(3, "HR", "workspace") },
    ]
}

pub(super) fn department_fields() -> Vec<DepartmentField> {
    let default = |name, label, mandatory| DepartmentField {
        mandatory,
        is_default_field: true,
        ..DepartmentField::custom(name, label)
    };
    vec![
        default("name", "Department Name", true),
        default("description", "Description", false),
        default("head_user_id", "Department Head", false),
        default("prime_user_id", "Prime User", false),
        default("domains", "Domains", false),
        DepartmentField::custom("account_number", "Account Number"),
        DepartmentField::custom("plan_selected", "Plan Selected"),
        DepartmentField::custom("managed_users", "Managed Users"),
        DepartmentField::custom("managed_devices", "Managed Devices"),
        DepartmentField::custom("managed_network", "Managed Network"),
        DepartmentField::custom("contract_term", "Contract Term"),
        DepartmentField::custom("contract_start_date", "Contract Start Date"),
        DepartmentField::custom("profit_or_non_profit", "Profit or Non-Profit"),
        DepartmentField::custom("company_main_number", "Company Main Number"),
        DepartmentField::custom("address", "Address"),
        DepartmentField::custom("company_start_date", "Company Start Date"),
        DepartmentField::custom("phone_system", "Phone System"),
        DepartmentField::custom("email_system", "Email System"),
        DepartmentField::custom("datto_portal_url", "Datto Portal URL"),
    ]
}

pub(super) fn departments(companies: &[Company], seed: u64) -> Vec<Department> {
    let mut random = Random::new(seed, 3);
    let mut id = 39_000_380_000;
    companies
        .iter()
        .map(|company| {
            id += random.between(1, 40);
            let mut domains = vec![company.domain.clone()];
            if random.percent(10) {
                domains.push(format!("mail.{}", company.domain));
            }
            Department {
                description: random.percent(30).then(|| format!("Client since {}", &rfc3339(company.since)[..4])),
                custom_fields: custom_fields(company, &mut random),
                domains,
                created_at: rfc3339(company.since),
                updated_at: rfc3339(NOW - random.between(0, 80) * 86_400 - random.between(0, 86_399)),
                ..Department::new(id, &company.name)
            }
        })
        .collect()
}

fn custom_fields(company: &Company, random: &mut Random) -> Map<String, Value> {
    let day = |seconds: i64| rfc3339(seconds)[..10].to_owned();
    let start = company.since + random.between(0, 60) * 86_400;
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    set("account_number", json!(company.account_number));
    set("plan_selected", if random.percent(95) { json!(random.pick(words::PLANS)) } else { Value::Null });
    set("managed_users", if random.percent(60) { json!(random.between(1, 180)) } else { Value::Null });
    set("managed_devices", if random.percent(60) { json!(random.between(1, 240)) } else { Value::Null });
    set("managed_network", json!(random.percent(40)));
    set("contract_term", json!(random.pick(&["1 Year", "2 Year", "3 Year", "Month to Month"])));
    set("contract_start_date", json!(day(start)));
    set("profit_or_non_profit", json!(if company.non_profit { "Non-Profit" } else { "For Profit" }));
    set("company_main_number", if random.percent(93) { json!(company.main_number) } else { Value::Null });
    set("address", if random.percent(93) { json!(company.address) } else { Value::Null });
    set("company_start_date", json!(day(company.since)));
    set("phone_system", if random.percent(80) { json!(random.pick(words::PHONE_SYSTEMS)) } else { Value::Null });
    set("email_system", if random.percent(90) { json!(random.pick(words::EMAIL_SYSTEMS)) } else { Value::Null });
    set("datto_portal_url", Value::Null);
    fields
}
