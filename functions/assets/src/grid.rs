//! The list of assets.

use nexus_core::{Entity, Role};
use nexus_web::FormKind;
use nexus_web::grid::{Column, Filter, Grid, Of, Show};

pub(crate) static GRID: Grid = Grid {
    entity: Entity::Asset,
    path: "/assets",
    section: "assets",
    title: "Assets",
    one: "asset",
    many: "assets",
    searched: "Name, user, address, system…",
    empty: "There are no assets yet. Run the Datto RMM sync, or add one.",
    readers: &[Role::Admin, Role::Technician, Role::Billing, Role::Client],
    columns: &[
        Column::new("hostname", "Name").shown(Show::Record).sorts(),
        Column::new("company_account_number", "Company").shown(Show::Companies),
        Column::new("hardware_type", "Hardware").sorts(),
        Column::new("operating_system", "Operating system").sorts(),
        Column::new("last_logged_in_user", "Last user"),
        Column::new("antivirus_product", "Antivirus").sorts(),
        Column::new("patch_status", "Patches").sorts(),
        Column::new("online", "Online").shown(Show::Tick),
        Column::new("last_seen", "Last seen").shown(Show::Instant).sorts(),
        Column::new("web_remote_url", "Open").shown(Show::Go),
        Column::new("device_type", "Billed as").sorts().more(),
        Column::new("datto_site_name", "Datto site").more(),
        Column::new("int_ip_address", "Internal address").shown(Show::Number).more(),
        Column::new("ext_ip_address", "External address").shown(Show::Number).more(),
        Column::new("domain", "Domain").more(),
        Column::new("last_reboot", "Last start").shown(Show::Instant).more(),
        Column::new("last_audit_date", "Last audit").shown(Show::Instant).more(),
        Column::new("backup_usage_tb", "Backup (TB)").shown(Show::Number).more(),
        Column::new("enabled_administrators", "Administrators").more(),
        Column::new("description", "Description").more(),
        Column::new("created_at", "Added").shown(Show::Instant).sorts().more(),
        Column::new("updated_at", "Changed").shown(Show::Instant).sorts().more(),
    ],
    filters: &[
        Filter { name: "company", label: "Company", of: Of::Company },
        Filter { name: "hardware_type", label: "Hardware", of: Of::Text("hardware_type") },
        Filter { name: "operating_system", label: "Operating system", of: Of::Text("operating_system") },
        Filter { name: "antivirus", label: "Antivirus", of: Of::Text("antivirus_product") },
        Filter { name: "patches", label: "Patches", of: Of::Text("patch_status") },
        Filter { name: "device_type", label: "Billed as", of: Of::Text("device_type") },
        Filter {
            name: "online",
            label: "Online",
            of: Of::Choice(&[("yes", "yes", "t.online"), ("no", "no", "NOT coalesce(t.online, FALSE)")]),
        },
        Filter { name: "unseen", label: "Not seen for", of: Of::DaysAgo("last_seen", &["7", "30", "90"]) },
        Filter {
            name: "contact",
            label: "Contact",
            of: Of::Choice(&[
                (
                    "with",
                    "has one",
                    "EXISTS (SELECT 1 FROM asset_contacts l JOIN contacts p ON p.id = l.contact_id \
                     AND p.archived_at IS NULL WHERE l.asset_id = t.id)",
                ),
                (
                    "without",
                    "has none",
                    "NOT EXISTS (SELECT 1 FROM asset_contacts l JOIN contacts p ON p.id = l.contact_id \
                     AND p.archived_at IS NULL WHERE l.asset_id = t.id)",
                ),
            ]),
        },
    ],
    bulk: &[
        ("company_account_number", "Account number of the company", FormKind::Line),
        ("device_type", "Billed as", FormKind::Line),
        ("hardware_type", "Hardware", FormKind::Line),
        ("description", "Description", FormKind::Lines),
    ],
    offers: &[],
};
