//! The list of contacts.

use nexus_core::{Entity, Role};
use nexus_web::FormKind;
use nexus_web::grid::{Column, Filter, Grid, Of, Show};

pub(crate) static GRID: Grid = Grid {
    entity: Entity::Contact,
    path: "/contacts",
    section: "contacts",
    title: "Contacts",
    one: "contact",
    many: "contacts",
    searched: "Name, e-mail, telephone, title…",
    empty: "There are no contacts yet. Run the Freshservice sync, or add one.",
    readers: &[Role::Admin, Role::Technician, Role::Billing, Role::Client],
    columns: &[
        Column::new("name", "Name").shown(Show::Record).sorts(),
        Column::new("company_account_numbers", "Companies").shown(Show::Companies),
        Column::new("title", "Title").sorts(),
        Column::new("email", "E-mail").shown(Show::Email).sorts(),
        Column::new("work_phone_number", "Work").shown(Show::Number),
        Column::new("mobile_phone_number", "Mobile").shown(Show::Number),
        Column::new("active", "Active").shown(Show::Tick),
        Column::new("employment_type", "Employment").more(),
        Column::new("secondary_emails", "Further addresses").shown(Show::List).more(),
        Column::new("created_at", "Added").shown(Show::Instant).sorts().more(),
        Column::new("updated_at", "Changed").shown(Show::Instant).sorts().more(),
    ],
    filters: &[
        Filter { name: "company", label: "Company", of: Of::Company },
        Filter {
            name: "active",
            label: "Active",
            of: Of::Choice(&[("yes", "yes", "t.active"), ("no", "no", "NOT t.active")]),
        },
        Filter {
            name: "companies",
            label: "Companies",
            of: Of::Choice(&[(
                "none",
                "belongs to none",
                "NOT EXISTS (SELECT 1 FROM contact_companies l JOIN companies c ON c.id = l.company_id \
                 AND c.archived_at IS NULL WHERE l.contact_id = t.id)",
            )]),
        },
        Filter { name: "employment", label: "Employment", of: Of::Text("employment_type") },
        Filter { name: "title", label: "Title", of: Of::Text("title") },
    ],
    bulk: &[
        ("title", "Title", FormKind::Line),
        ("employment_type", "Employment", FormKind::Line),
        ("active", "Works there at present", FormKind::Tick),
    ],
    offers: &[],
};
