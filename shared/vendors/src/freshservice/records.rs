//! The records of Freshservice API v2, in the vendor's words.
//!
//! Every field but the id may be missing: accounts differ in age, plan and product, and the vendor's own samples differ
//! from what its servers send.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::lenient::{CustomFields, Fields, Unreadable};

/// A department; in MSP mode, a client company. Source: Freshservice API v2.
#[derive(Debug, Clone, PartialEq)]
pub struct Department {
    /// Unique in the account.
    pub id: i64,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Fields that the customer defined.
    pub custom_fields: CustomFields,
    /// Requester or agent who heads the department.
    pub head_user_id: Option<i64>,
    /// Name of the head; newer accounts only.
    pub head_name: Option<String>,
    /// Requester or agent who is the prime user.
    pub prime_user_id: Option<i64>,
    /// Name of the prime user; newer accounts only.
    pub prime_user_name: Option<String>,
    /// E-mail domains whose senders belong to the department.
    pub domains: Vec<String>,
    /// Workspace; newer accounts only. In Freshservice for MSPs, the client.
    pub workspace_id: Option<i64>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl Department {
    pub(crate) fn read(id: i64, fields: &mut Fields) -> Result<Self, Unreadable> {
        Ok(Self {
            id,
            name: fields.text("name")?,
            description: fields.text("description")?,
            custom_fields: fields.custom_fields()?,
            head_user_id: fields.integer("head_user_id")?,
            head_name: fields.text("head_name")?,
            prime_user_id: fields.integer("prime_user_id")?,
            prime_user_name: fields.text("prime_user_name")?,
            domains: fields.texts("domains")?,
            workspace_id: fields.integer("workspace_id")?,
            created_at: fields.time("created_at"),
            updated_at: fields.time("updated_at"),
        })
    }
}

/// A requester: a person who may raise tickets; in Freshservice for MSPs, a contact. Source: Freshservice API v2.
#[derive(Debug, Clone, PartialEq)]
pub struct Requester {
    /// Unique in the account.
    pub id: i64,
    /// Whether the requester is not deactivated.
    pub active: Option<bool>,
    /// Whether the person is an agent.
    pub is_agent: Option<bool>,
    /// Whether the person has logged in to the portal at least once.
    pub has_logged_in: Option<bool>,
    /// Whether the person is marked as VIP.
    pub vip_user: Option<bool>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address; a requester with a phone number needs none.
    pub primary_email: Option<String>,
    /// Further e-mail addresses.
    pub secondary_emails: Vec<String>,
    /// Phone at work.
    pub work_phone_number: Option<String>,
    /// Mobile phone.
    pub mobile_phone_number: Option<String>,
    /// Id in the customer's own systems.
    pub external_id: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Language of the portal, such as `en`.
    pub language: Option<String>,
    /// Time zone in the vendor's naming, such as `Edinburgh`.
    pub time_zone: Option<String>,
    /// `12h` or `24h`.
    pub time_format: Option<String>,
    /// Departments the person belongs to; none, one or several.
    pub department_ids: Vec<i64>,
    /// Names of these departments; newer accounts only.
    pub department_names: Vec<String>,
    /// Requester or agent the person reports to.
    pub reporting_manager_id: Option<i64>,
    /// Location.
    pub location_id: Option<i64>,
    /// Name of the location; newer accounts only.
    pub location_name: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Notes about the person.
    pub background_information: Option<String>,
    /// Work schedule.
    pub work_schedule_id: Option<i64>,
    /// Whether the person sees the tickets of the departments.
    pub can_see_all_tickets_from_associated_departments: Option<bool>,
    /// Whether the person sees the changes of the departments.
    pub can_see_all_changes_from_associated_departments: Option<bool>,
    /// Clients the person belongs to; Freshservice for MSPs only.
    pub belongs_to_workspace_ids: Vec<i64>,
    /// Clients whose tickets the person sees; Freshservice for MSPs only.
    pub can_see_all_tickets_from_associated_workspace_ids: Vec<i64>,
    /// Fields that the customer defined.
    pub custom_fields: CustomFields,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl Requester {
    pub(crate) fn read(id: i64, fields: &mut Fields) -> Result<Self, Unreadable> {
        Ok(Self {
            id,
            active: fields.flag("active")?,
            is_agent: fields.flag("is_agent")?,
            has_logged_in: fields.flag("has_logged_in")?,
            vip_user: fields.flag("vip_user")?,
            first_name: fields.text("first_name")?,
            last_name: fields.text("last_name")?,
            primary_email: fields.text("primary_email")?,
            secondary_emails: fields.texts("secondary_emails")?,
            work_phone_number: fields.text("work_phone_number")?,
            mobile_phone_number: fields.text("mobile_phone_number")?,
            external_id: fields.text("external_id")?,
            job_title: fields.text("job_title")?,
            language: fields.text("language")?,
            time_zone: fields.text("time_zone")?,
            time_format: fields.text("time_format")?,
            department_ids: fields.integers("department_ids")?,
            department_names: fields.texts("department_names")?,
            reporting_manager_id: fields.integer("reporting_manager_id")?,
            location_id: fields.integer("location_id")?,
            location_name: fields.text("location_name")?,
            address: fields.text("address")?,
            background_information: fields.text("background_information")?,
            work_schedule_id: fields.integer("work_schedule_id")?,
            can_see_all_tickets_from_associated_departments: fields
                .flag("can_see_all_tickets_from_associated_departments")?,
            can_see_all_changes_from_associated_departments: fields
                .flag("can_see_all_changes_from_associated_departments")?,
            belongs_to_workspace_ids: fields.integers("belongs_to_workspace_ids")?,
            can_see_all_tickets_from_associated_workspace_ids: fields
                .integers("can_see_all_tickets_from_associated_workspace_ids")?,
            custom_fields: fields.custom_fields()?,
            created_at: fields.time("created_at"),
            updated_at: fields.time("updated_at"),
        })
    }
}

/// A workspace; in Freshservice for MSPs, a client company. Source: Freshservice API v2.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// Unique in the account.
    pub id: i64,
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// `workspace`, or `client` in Freshservice for MSPs.
    pub r#type: Option<String>,
    /// `active` or `inactive`.
    pub state: Option<String>,
    /// Whether it is the account's first one.
    pub primary: Option<bool>,
    /// Whether only its members see it.
    pub restricted: Option<bool>,
    /// Template it was made from, such as `it`.
    pub template_name: Option<String>,
    /// What Freshservice for MSPs knows about the client.
    pub metadata: Option<WorkspaceMetadata>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
}

impl Workspace {
    /// Whether this is a client company of Freshservice for MSPs.
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.r#type.as_deref().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("client"))
    }

    pub(crate) fn read(id: i64, fields: &mut Fields) -> Result<Self, Unreadable> {
        Ok(Self {
            id,
            name: fields.text("name")?,
            description: fields.text("description")?,
            r#type: fields.text("type")?,
            state: fields.text("state")?,
            primary: fields.flag("primary")?,
            restricted: fields.flag("restricted")?,
            template_name: fields.text("template_name")?,
            metadata: fields.object("metadata")?.map(WorkspaceMetadata::read).transpose()?,
            created_at: fields.time("created_at"),
            updated_at: fields.time("updated_at"),
        })
    }
}

/// `metadata` of a [`Workspace`]. Source: Freshservice API v2.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkspaceMetadata {
    /// The person to turn to.
    pub primary_contact: Option<PrimaryContact>,
    /// E-mail domains whose senders belong to the client.
    pub email_domains: Vec<String>,
    /// Fields that the customer defined.
    pub custom_fields: CustomFields,
    /// All of it as it came, to be sent back with a change.
    pub(super) as_read: Map<String, Value>,
}

impl WorkspaceMetadata {
    fn read(mut fields: Fields) -> Result<Self, Unreadable> {
        Ok(Self {
            as_read: fields.as_map().clone(),
            primary_contact: fields.object("primary_contact")?.map(PrimaryContact::read).transpose()?,
            email_domains: fields.texts("email_domains")?,
            custom_fields: fields.custom_fields()?,
        })
    }
}

/// `primary_contact` of a client's [`WorkspaceMetadata`]. Source: Freshservice API v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryContact {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone.
    pub phone: Option<String>,
}

impl PrimaryContact {
    fn read(mut fields: Fields) -> Result<Self, Unreadable> {
        Ok(Self {
            first_name: fields.text("first_name")?,
            last_name: fields.text("last_name")?,
            email: fields.text("email")?,
            phone: fields.text("phone")?,
        })
    }
}

/// A field of a form, as an administrator defined it. Source: Freshservice API v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    /// Name in records: `account_number`.
    pub name: Option<String>,
}

impl FormField {
    pub(super) fn read(fields: &mut Fields) -> Result<Self, Unreadable> {
        Ok(Self { name: fields.text("name")? })
    }
}

/// The agent who owns the API key, as far as a check needs. Source: Freshservice API v2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Unique in the account.
    pub id: i64,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether the agent is not deactivated.
    pub active: Option<bool>,
}

impl Agent {
    pub(crate) fn read(id: i64, fields: &mut Fields) -> Result<Self, Unreadable> {
        Ok(Self {
            id,
            first_name: fields.text("first_name")?,
            last_name: fields.text("last_name")?,
            email: fields.text("email")?,
            active: fields.flag("active")?,
        })
    }
}
