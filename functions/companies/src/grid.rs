//! The list of companies.

use nexus_core::{Entity, Role};
use nexus_web::FormKind;
use nexus_web::grid::{Column, Filter, Grid, Of, Show};

use crate::store::PLANS;

pub(crate) static GRID: Grid = Grid {
    entity: Entity::Company,
    path: "/companies",
    section: "companies",
    title: "Companies",
    one: "company",
    many: "companies",
    searched: "Name, number, address, domain…",
    empty: "There are no companies yet. Run the Freshservice sync, or add one.",
    readers: &[Role::Admin, Role::Technician, Role::Billing],
    columns: &[
        Column::new("name", "Name").shown(Show::Record).sorts(),
        Column::new("account_number", "Account number").shown(Show::Number).sorts(),
        Column::new("plan_selected", "Plan").sorts(),
        Column::new("company_main_number", "Main number").shown(Show::Number),
        Column::new("primary_contact_name", "Primary contact"),
        Column::new("domains", "Domains").shown(Show::List).more(),
        Column::new("address", "Address").more(),
        Column::new("head_name", "Head").more(),
        Column::new("company_start_date", "Since").more(),
        Column::new("profit_or_non_profit", "Kind").more(),
        Column::new("phone_system", "Telephone system").more(),
        Column::new("email_system", "E-mail system").more(),
        Column::new("created_at", "Added").shown(Show::Instant).sorts().more(),
        Column::new("updated_at", "Changed").shown(Show::Instant).sorts().more(),
    ],
    filters: &[
        Filter { name: "plan", label: "Plan", of: Of::Text("plan_selected") },
        Filter { name: "kind", label: "Kind", of: Of::Text("profit_or_non_profit") },
        Filter { name: "phone_system", label: "Telephone system", of: Of::Text("phone_system") },
        Filter { name: "email_system", label: "E-mail system", of: Of::Text("email_system") },
        Filter {
            name: "site",
            label: "Datto site",
            of: Of::Choice(&[
                (
                    "with",
                    "has one",
                    "EXISTS (SELECT 1 FROM source_links l WHERE l.entity = 'company' AND l.record_id = t.id AND l.source = 'datto')",
                ),
                (
                    "without",
                    "has none",
                    "NOT EXISTS (SELECT 1 FROM source_links l WHERE l.entity = 'company' AND l.record_id = t.id AND l.source = 'datto')",
                ),
            ]),
        },
    ],
    bulk: &[
        ("plan_selected", "Plan", FormKind::Choice),
        ("profit_or_non_profit", "Kind", FormKind::Line),
        ("phone_system", "Telephone system", FormKind::Line),
        ("email_system", "E-mail system", FormKind::Line),
    ],
    offers: &[("plan_selected", PLANS)],
};
