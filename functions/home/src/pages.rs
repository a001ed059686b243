//! The overview.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::Role;
use nexus_core::sync::Run;
use nexus_db::{Db, Query, runs};
use nexus_web::page::{self, Shell};
use nexus_web::{Error, Visitor};

const READERS: &[Role] = &[Role::Admin, Role::Technician, Role::Billing];

/// How many live records there are.
#[derive(Debug, sqlx::FromRow)]
struct Counts {
    companies: i64,
    contacts: i64,
    active: i64,
    lonely: i64,
}

#[derive(Template)]
#[template(path = "home/overview.html")]
struct Overview {
    shell: Shell,
    counts: Counts,
    runs: Vec<Run>,
}

pub(crate) async fn overview(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    let counts = db
        .one::<Counts>(Query::new(
            "SELECT (SELECT count(*) FROM companies WHERE archived_at IS NULL) AS companies, \
             (SELECT count(*) FROM contacts WHERE archived_at IS NULL) AS contacts, \
             (SELECT count(*) FROM contacts WHERE archived_at IS NULL AND active) AS active, \
             (SELECT count(*) FROM contacts t WHERE archived_at IS NULL AND NOT EXISTS \
             (SELECT 1 FROM contact_companies l JOIN companies c ON c.id = l.company_id \
             WHERE l.contact_id = t.id AND c.archived_at IS NULL)) AS lonely",
        ))
        .await?;
    let runs = if person.account.role.edits() { runs::list(&db, None, None, 5, 0).await? } else { Vec::new() };
    page::show(&visitor, &Overview { shell: Shell::new(&visitor, "home", "Overview"), counts, runs })
}
