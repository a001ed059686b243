//! What callers send, for the OpenAPI document alone: which values a field takes is said by `nexus_core::entity`.

use serde::Serialize;
use utoipa::ToSchema;

/// A new asset.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewAsset {
    /// Name of the device; need not be unique.
    #[schema(example = "ACK-LT-0042")]
    hostname: String,
    /// Its company.
    #[schema(example = "102030")]
    company_account_number: String,
    #[serde(flatten)]
    others: AssetChanges,
}

/// The fields of an asset to set; null or blank empties one. Whatever else an asset is read with is passed over, so one
/// may be sent back as it came. Times are RFC 3339 or the older `YYYY-MM-DD HH:MM:SS` in UTC.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssetChanges {
    /// Name of the device.
    hostname: Option<String>,
    /// Its company; null for none.
    company_account_number: Option<String>,
    /// Kind of hardware.
    hardware_type: Option<String>,
    /// Operating system.
    operating_system: Option<String>,
    /// Who was last logged in.
    last_logged_in_user: Option<String>,
    /// Name of its Datto site.
    datto_site_name: Option<String>,
    /// Antivirus.
    antivirus_product: Option<String>,
    /// Free text.
    description: Option<String>,
    /// External IP address.
    ext_ip_address: Option<String>,
    /// Internal IP address.
    int_ip_address: Option<String>,
    /// Windows domain or workgroup.
    domain: Option<String>,
    /// Last audit.
    #[schema(example = "2026-02-03T19:05:39Z")]
    last_audit_date: Option<String>,
    /// Last start.
    last_reboot: Option<String>,
    /// When it was last seen.
    last_seen: Option<String>,
    /// Whether it is online.
    online: Option<bool>,
    /// State of its patches.
    patch_status: Option<String>,
    /// Size of its backup in terabytes, two decimals.
    #[schema(example = "1.25")]
    backup_usage_tb: Option<String>,
    /// Size of its backup in bytes.
    backup_data_bytes: Option<i64>,
    /// Accounts with administrator's rights.
    enabled_administrators: Option<String>,
    /// Kind of device as billing knows it.
    device_type: Option<String>,
    /// Its page in the RMM.
    portal_url: Option<String>,
    /// Remote control in the browser.
    web_remote_url: Option<String>,
    /// The people it belongs to (ids of contacts): all of them.
    contact_ids: Option<Vec<i64>>,
}
