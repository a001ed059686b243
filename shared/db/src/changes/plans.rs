//! A company names its plan, so a plan that changes its name takes its companies with it.

use nexus_core::Fields;
use nexus_core::entity::Entity;
use serde_json::Value;

use super::row::{Action, Outcome, Row};
use super::{ChangeError, Edit};
use crate::query::Batch;
use crate::{Query, Tx, records};

/// Adds the companies of plans that are renamed, and refuses to archive a plan that companies have.
pub(super) async fn follow(tx: &mut Tx, rows: &mut Vec<Row>) -> Result<(), ChangeError> {
    let mut companies = Vec::new();
    for row in rows.iter().filter(|row| row.entity == Entity::Plan && row.id != 0) {
        let name = row.wanted.get("name");
        if row.action != Action::Archive && name.is_none() {
            continue;
        }
        let Some(plan) = records::load(tx, Entity::Plan, &[row.id]).await?.remove(&row.id) else { continue };
        let old = plan.fields.get("name");
        if plan.archived_at.is_some() || name == old {
            continue;
        }
        let key = old.and_then(records::key).unwrap_or_default();
        let live = "SELECT id FROM companies WHERE archived_at IS NULL AND lower(plan_selected) = $1 ORDER BY id";
        let having = tx.all::<(i64,)>(Query::new(live).bind(key)).await?;
        match (row.action, name) {
            (Action::Archive, _) if !having.is_empty() => return Err(ChangeError::HasCompanies(having.len())),
            (Action::Update, Some(name)) => companies.extend(having.into_iter().map(|(id,)| (id, name.clone()))),
            _ => {}
        }
    }
    for (id, name) in companies {
        if !rows.iter().any(|row| (row.entity, row.id) == (Entity::Company, id)) {
            let fields = Fields::from_iter([("plan_selected".to_owned(), name)]);
            rows.push(Edit::Update { entity: Entity::Company, id, version: None, fields }.into());
        }
    }
    Ok(())
}

/// Archived companies come back with the plan that they had, whatever it is called by then.
pub(super) fn rename_archived(rows: &[Row], batch: &mut Batch) {
    for row in rows.iter().filter(|row| row.entity == Entity::Plan && row.action == Action::Update) {
        let Outcome::Write { before, after, .. } = &row.outcome else { continue };
        let (Some(old), Some(Value::String(new))) = (before.get("name").and_then(records::key), after.get("name"))
        else {
            continue;
        };
        let archived =
            "UPDATE companies SET plan_selected = $2 WHERE archived_at IS NOT NULL AND lower(plan_selected) = $1";
        batch.push(Query::new(archived).bind(old).bind(new.as_str()));
    }
}
