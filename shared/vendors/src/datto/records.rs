//! The records of Datto RMM API v2, in the vendor's words.
//!
//! The vendor says of no field that it is always there; `id` and `uid` are relied upon, nothing else. Sources: the
//! vendor's OpenAPI documents, builds 201 and 235.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use crate::lenient::{Fields, Unreadable, canonical_text};

/// A site: a customer, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Number of the site.
    pub id: i64,
    /// What identifies it.
    pub uid: String,
    /// Name; need not be unique.
    pub name: Option<String>,
    /// `devicesStatus.numberOfDevices`.
    pub devices: Option<u64>,
}

impl Site {
    pub(crate) fn read(id: i64, fields: &mut Fields) -> Result<Self, Unreadable> {
        let devices = match fields.object("devicesStatus")? {
            Some(mut status) => status.integer("numberOfDevices")?,
            None => None,
        };
        Ok(Self {
            id,
            uid: uid(fields)?,
            name: fields.text("name")?,
            devices: devices.and_then(|devices| u64::try_from(devices).ok()),
        })
    }

    /// Whether it is the pseudo-site "Deleted Devices", which has no UUID for a uid and answers no call.
    #[must_use]
    pub fn is_pseudo(&self) -> bool {
        let groups: Vec<&str> = self.uid.split('-').collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        !(lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit())))
    }
}

/// A variable of a site.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// Number of the variable.
    pub id: i64,
    /// Name; two may have the same.
    pub name: Option<String>,
    /// Value; of a masked variable a mask.
    pub value: Option<String>,
    /// Whether the value is kept from readers.
    pub masked: bool,
}

impl Variable {
    pub(crate) fn read(id: i64, fields: &mut Fields) -> Result<Self, Unreadable> {
        Ok(Self {
            id,
            name: fields.text("name")?,
            value: fields.text("value")?,
            masked: fields.flag("masked")?.unwrap_or_default(),
        })
    }
}

/// Customers keep secrets in variables.
impl fmt::Debug for Variable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, masked, .. } = self;
        out.debug_struct("Variable").field("id", id).field("name", name).field("masked", masked).finish_non_exhaustive()
    }
}

/// A device.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Number of the device.
    pub id: i64,
    /// What identifies it.
    pub uid: String,
    /// Its site.
    pub site_uid: Option<String>,
    /// Name of its site.
    pub site_name: Option<String>,
    /// Name; need not be unique.
    pub hostname: Option<String>,
    /// `deviceType.category`, such as `Laptop`; free text.
    pub category: Option<String>,
    /// `device`, `printer`, `esxihost`, `rmmnetworkdevice` or something newer.
    pub device_class: Option<String>,
    /// Operating system.
    pub operating_system: Option<String>,
    /// Who was last logged in.
    pub last_logged_in_user: Option<String>,
    /// Windows domain or workgroup.
    pub domain: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Internal IP address.
    pub int_ip_address: Option<String>,
    /// External IP address.
    pub ext_ip_address: Option<String>,
    /// Whether it is online.
    pub online: Option<bool>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// When it was last seen.
    pub last_seen: Option<Timestamp>,
    /// When it was last started.
    pub last_reboot: Option<Timestamp>,
    /// When it was last audited.
    pub last_audit: Option<Timestamp>,
    /// `antivirus.antivirusProduct`.
    pub antivirus_product: Option<String>,
    /// `patchManagement.patchStatus`, such as `FullyPatched`.
    pub patch_status: Option<String>,
    /// The fields that the customer defined.
    pub user_defined: UserDefined,
    /// Its page in the portal.
    pub portal_url: Option<String>,
    /// Remote control in the browser.
    pub web_remote_url: Option<String>,
}

impl Device {
    pub(crate) fn read(id: i64, fields: &mut Fields) -> Result<Self, Unreadable> {
        let within = |fields: &mut Fields, object, field| match fields.object(object)? {
            Some(mut inner) => inner.text(field),
            None => Ok(None),
        };
        Ok(Self {
            id,
            uid: uid(fields)?,
            site_uid: fields.text("siteUid")?,
            site_name: fields.text("siteName")?,
            hostname: fields.text("hostname")?,
            category: within(fields, "deviceType", "category")?,
            device_class: fields.text("deviceClass")?,
            operating_system: fields.text("operatingSystem")?,
            last_logged_in_user: fields.text("lastLoggedInUser")?,
            domain: fields.text("domain")?,
            description: fields.text("description")?,
            int_ip_address: fields.text("intIpAddress")?,
            ext_ip_address: fields.text("extIpAddress")?,
            online: fields.flag("online")?,
            deleted: fields.flag("deleted")?.unwrap_or_default(),
            last_seen: fields.any_time("lastSeen"),
            last_reboot: fields.any_time("lastReboot"),
            last_audit: fields.any_time("lastAuditDate"),
            antivirus_product: within(fields, "antivirus", "antivirusProduct")?,
            patch_status: within(fields, "patchManagement", "patchStatus")?,
            user_defined: UserDefined::read(fields)?,
            portal_url: fields.text("portalUrl")?,
            web_remote_url: fields.text("webRemoteUrl")?,
        })
    }
}

/// The user-defined fields of a device that are not blank, by their number (1 to 300).
///
/// API v2 sends them as `udf` with a key for each, v3 as `udfs`, a list. They hold secrets in practice, so no debug text
/// shows a value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserDefined(BTreeMap<u16, String>);

impl UserDefined {
    fn read(fields: &mut Fields) -> Result<Self, Unreadable> {
        let mut found = BTreeMap::new();
        if let Some(map) = fields.object("udf")? {
            found.extend(map.into_iter().filter_map(|(name, value)| {
                let number = name.strip_prefix("udf")?.parse().ok()?;
                Some((number, canonical_text(&value)?))
            }));
        }
        for field in fields.objects("udfs")? {
            let value = ["valueString", "valueNumber", "valueBoolean", "valueDate"];
            let value = value.iter().find_map(|name| canonical_text(field.get(*name)?));
            let number = field.get("ordinal").and_then(Value::as_u64).and_then(|number| u16::try_from(number).ok());
            found.extend(number.zip(value));
        }
        Ok(Self(found))
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<&str> {
        self.0.get(&number).map(String::as_str)
    }
}

impl fmt::Debug for UserDefined {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

fn uid(fields: &mut Fields) -> Result<String, Unreadable> {
    fields.text("uid")?.filter(|uid| !uid.trim().is_empty()).ok_or(Unreadable { field: "uid", expected: "a text" })
}
