//! What a reader may see, as SQL. Every read of directory records asks for a [`Scope`].

use nexus_core::{Entity, Scope};

use crate::Query;

/// The condition under which a record of table `t` is in sight; none: always.
#[must_use]
pub fn condition(entity: Entity, scope: &Scope) -> Option<String> {
    let Scope::Companies(ids) = scope else { return None };
    let ids = list(ids);
    Some(match entity {
        Entity::Company => format!("t.id IN ({ids})"),
        Entity::Location | Entity::Asset => format!("t.company_id IN ({ids})"),
        Entity::Contact => linked("contact_companies", "contact_id", &ids),
        Entity::User => linked("user_companies", "user_id", &ids),
        // What the others have agreed on is nobody's business; one's own is told with the company.
        Entity::Plan | Entity::Feature => "FALSE".to_owned(),
    })
}

/// Narrows a query, which has its `WHERE` already, to the records of table `t` that are in sight.
#[must_use]
pub fn within(query: Query, entity: Entity, scope: &Scope) -> Query {
    match condition(entity, scope) {
        Some(seen) => query.push(" AND ").push(&seen),
        None => query,
    }
}

fn linked(table: &str, owner: &str, ids: &str) -> String {
    format!("EXISTS (SELECT 1 FROM {table} s WHERE s.{owner} = t.id AND s.company_id IN ({ids}))")
}

/// Ids as a list of SQL. They are numbers of our own, so the text of a query holds no foreign word.
pub(crate) fn list(ids: &[i64]) -> String {
    if ids.is_empty() {
        return "NULL".to_owned();
    }
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")
}
