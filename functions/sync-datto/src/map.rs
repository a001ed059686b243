//! From the vendor's records to ours. Values are passed on as they are; whether they are valid is for Nexus to say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nexus_core::{Fields, instant};
use nexus_jobs::Record;
use nexus_vendors::datto::{Device, Site};
use serde_json::Value;

/// User-defined fields with a meaning: names of enabled administrators, bytes of the backup, the kind of device.
const ADMINISTRATORS: u16 = 4;
const BACKUP_BYTES: u16 = 6;
const DEVICE_TYPE: u16 = 7;

/// The tie of a site to its company, which is found by its account number.
pub(crate) fn site(site: &Site, account_number: Option<String>) -> Record {
    let mut fields = Fields::new();
    set(&mut fields, "account_number", account_number.into());
    set(&mut fields, "name", text(site.name.clone()));
    Record { external_id: site.uid.clone(), fields, links: BTreeMap::new() }
}

/// The asset that a device is.
pub(crate) fn device(device: Device) -> Record {
    let mut fields = Fields::new();
    let backup = device.user_defined.get(BACKUP_BYTES).and_then(bytes);
    set(&mut fields, "hostname", text(device.hostname));
    set(&mut fields, "hardware_type", text(device.category));
    set(&mut fields, "operating_system", text(device.operating_system));
    set(&mut fields, "last_logged_in_user", text(device.last_logged_in_user));
    set(&mut fields, "datto_site_name", text(device.site_name));
    set(&mut fields, "antivirus_product", text(device.antivirus_product));
    set(&mut fields, "description", text(device.description));
    set(&mut fields, "ext_ip_address", text(device.ext_ip_address));
    set(&mut fields, "int_ip_address", text(device.int_ip_address));
    set(&mut fields, "domain", text(device.domain));
    set(&mut fields, "last_audit_date", time(device.last_audit));
    set(&mut fields, "last_reboot", time(device.last_reboot));
    set(&mut fields, "last_seen", time(device.last_seen));
    set(&mut fields, "online", device.online.into());
    set(&mut fields, "patch_status", text(device.patch_status));
    set(&mut fields, "backup_data_bytes", backup.into());
    set(&mut fields, "backup_usage_tb", backup.map(terabytes).into());
    set(&mut fields, "enabled_administrators", device.user_defined.get(ADMINISTRATORS).into());
    set(&mut fields, "device_type", device.user_defined.get(DEVICE_TYPE).into());
    set(&mut fields, "portal_url", text(device.portal_url));
    set(&mut fields, "web_remote_url", text(device.web_remote_url));
    let links = BTreeMap::from([("company_id".to_owned(), device.site_uid.into_iter().collect())]);
    Record { external_id: device.uid, fields, links }
}

/// A number of bytes, as people and scripts write it into a text field.
fn bytes(text: &str) -> Option<i64> {
    text.trim().parse().ok().filter(|bytes| *bytes >= 0)
}

/// Terabytes of 1,024⁴ bytes with two decimals: the readers of the first Nexus reckon back with that number.
fn terabytes(bytes: i64) -> String {
    const TERABYTE: i128 = 1_i128 << 40;
    let hundredths = (i128::from(bytes) * 100 + TERABYTE / 2) / TERABYTE;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn set(fields: &mut Fields, name: &str, value: Value) {
    fields.insert(name.to_owned(), value);
}

/// Blank is null: the vendor has no value.
fn text(text: Option<String>) -> Value {
    text.filter(|text| !text.trim().is_empty()).into()
}

fn time(time: Option<Timestamp>) -> Value {
    time.map(instant::canonical).into()
}

#[cfg(test)]
mod tests {
    use super::{bytes, terabytes};

    #[test]
    fn the_size_of_a_backup_is_told_in_terabytes() {
        for (given, told) in
            [(0, "0.00"), (5_497_558_138, "0.00"), (5_497_558_139, "0.01"), (1 << 40, "1.00"), (i64::MAX, "8388608.00")]
        {
            assert_eq!(terabytes(given), told, "{given}");
        }
    }

    #[test]
    fn what_is_no_number_of_bytes_is_no_size() {
        assert_eq!(bytes(" 20000000000 "), Some(20_000_000_000));
        for none in ["", "1.5 TB", "-1", "99999999999999999999"] {
            assert_eq!(bytes(none), None, "{none}");
        }
    }
}
