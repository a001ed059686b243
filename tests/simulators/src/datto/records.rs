//! Datto's records, in its own words.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

/// Text that is often one of a few: 100 000 devices share the names of their operating systems.
pub type Text = Cow<'static, str>;

/// The service provider's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Of the account.
    pub id: i64,
    /// Not a UUID.
    pub uid: String,
    /// Of the service provider.
    pub name: String,
    /// Three letters.
    pub currency: String,
}

/// A site. `devicesStatus` is counted when it is answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Site {
    /// Of the site.
    pub id: i64,
    /// A UUID, but for [`DELETED_DEVICES`](crate::DELETED_DEVICES).
    pub uid: String,
    /// Not a UUID.
    pub account_uid: Option<String>,
    /// Not unique.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// Whether its agents check in about once a week only.
    pub on_demand: Option<bool>,
    /// A setting.
    pub splashtop_auto_install: Option<bool>,
    /// With a password in it.
    pub proxy_settings: Option<Value>,
    /// Only with the Autotask integration.
    pub autotask_company_name: Option<String>,
    /// Only with the Autotask integration; text.
    pub autotask_company_id: Option<String>,
    /// For people.
    pub portal_url: Option<String>,
    /// Told by `GET /site/{uid}/variables`.
    #[serde(skip)]
    pub variables: Vec<Variable>,
}

impl Site {
    /// A site with this id, uid and name, and nothing else.
    #[must_use]
    pub fn new(id: i64, uid: &str, name: &str) -> Self {
        Self {
            id,
            uid: uid.to_owned(),
            account_uid: Some("sim4dcc0001".to_owned()),
            name: Some(name.to_owned()),
            description: None,
            notes: None,
            on_demand: Some(false),
            splashtop_auto_install: Some(true),
            proxy_settings: None,
            autotask_company_name: None,
            autotask_company_id: None,
            portal_url: None,
            variables: Vec::new(),
        }
    }

    /// The value of the first variable of this name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|variable| variable.name.as_deref() == Some(name))?.value.as_deref()
    }
}

/// A variable of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Of the variable.
    pub id: i64,
    /// Not proven unique.
    pub name: Option<String>,
    /// Text, also for numbers.
    pub value: Option<String>,
    /// Whether the value is answered as asterisks.
    pub masked: Option<bool>,
}

/// A device. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are the vendor's, and nowhere defined better than by their names")]
pub struct Device {
    pub id: i64,
    pub uid: String,
    pub site_id: Option<i64>,
    pub site_uid: Option<Text>,
    pub site_name: Option<Text>,
    pub device_type: Option<DeviceType>,
    pub hostname: Option<Text>,
    pub int_ip_address: Option<Text>,
    pub operating_system: Option<Text>,
    pub last_logged_in_user: Option<Text>,
    pub domain: Option<Text>,
    pub cag_version: Option<Text>,
    pub display_version: Option<Text>,
    pub ext_ip_address: Option<Text>,
    pub description: Option<Text>,
    #[serde(rename = "a64Bit")]
    pub a64_bit: Option<bool>,
    pub reboot_required: Option<bool>,
    pub online: Option<bool>,
    pub suspended: Option<bool>,
    pub deleted: Option<bool>,
    pub last_seen: Option<i64>,
    pub last_reboot: Option<i64>,
    pub last_audit_date: Option<i64>,
    pub creation_date: Option<i64>,
    /// Ordinal and value of the fields that have one; all others are answered as null.
    #[serde(skip)]
    pub udf: Vec<(u16, Text)>,
    pub snmp_enabled: Option<bool>,
    pub network_probe: Option<bool>,
    pub onboarded_via_network_monitor: Option<bool>,
    pub device_class: Option<Text>,
    pub portal_url: Option<Text>,
    pub warranty_date: Option<Text>,
    pub antivirus: Option<Antivirus>,
    pub patch_management: Option<PatchManagement>,
    pub software_status: Option<Text>,
    pub web_remote_url: Option<Text>,
}

/// Free text, in the language of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceType {
    /// `Desktop`, `Server`, …
    pub category: Option<Text>,
    /// `Main System Chassis`, …
    #[serde(rename = "type")]
    pub kind: Option<Text>,
}

/// What protects a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Antivirus {
    /// The product.
    #[serde(rename = "antivirusProduct")]
    pub product: Option<Text>,
    /// `RunningAndUpToDate`, `RunningAndNotUpToDate`, `NotRunning`, `NotDetected`, or what the vendor adds.
    #[serde(rename = "antivirusStatus")]
    pub status: Option<Text>,
}

/// How a device stands with patches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PatchManagement {
    /// `FullyPatched`, `ApprovedPending`, …
    pub patch_status: Option<Text>,
    /// A count.
    pub patches_approved_pending: Option<i64>,
    /// A count.
    pub patches_not_approved: Option<i64>,
    /// A count.
    pub patches_installed: Option<i64>,
}

impl Device {
    /// A device with these names on this site, and null everywhere else.
    #[must_use]
    pub fn new(id: i64, uid: &str, site: &Site, hostname: &str) -> Self {
        Self {
            id,
            uid: uid.to_owned(),
            site_id: Some(site.id),
            site_uid: Some(site.uid.clone().into()),
            site_name: site.name.clone().map(Into::into),
            device_type: None,
            hostname: Some(hostname.to_owned().into()),
            int_ip_address: None,
            operating_system: None,
            last_logged_in_user: None,
            domain: None,
            cag_version: None,
            display_version: None,
            ext_ip_address: None,
            description: None,
            a64_bit: None,
            reboot_required: None,
            online: Some(true),
            suspended: Some(false),
            deleted: Some(false),
            last_seen: None,
            last_reboot: None,
            last_audit_date: None,
            creation_date: None,
            udf: Vec::new(),
            snmp_enabled: Some(false),
            network_probe: None,
            onboarded_via_network_monitor: None,
            device_class: Some("device".into()),
            portal_url: None,
            warranty_date: None,
            antivirus: None,
            patch_management: None,
            software_status: None,
            web_remote_url: None,
        }
    }

    /// Sets the user-defined field with this ordinal; an empty text removes it, as at the vendor.
    pub fn set_udf(&mut self, ordinal: u16, value: impl Into<Text>) {
        self.udf.retain(|(held, _)| *held != ordinal);
        let value = value.into();
        if !value.is_empty() {
            self.udf.push((ordinal, value));
        }
    }
}
