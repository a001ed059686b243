//! What this group reads.

use nexus_db::{Db, Query};
use nexus_web::Error;

/// The live companies of a plan (ids), by its name.
pub(crate) async fn companies_of(db: &Db, plan: &str) -> Result<Vec<i64>, Error> {
    let query =
        Query::new("SELECT id FROM companies WHERE archived_at IS NULL AND lower(plan_selected) = $1 ORDER BY id");
    let found = db.all::<(i64,)>(query.bind(plan.to_ascii_lowercase())).await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}
