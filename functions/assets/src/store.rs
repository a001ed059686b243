//! What this group reads.

use nexus_core::{Entity, Scope};
use nexus_db::{Db, Query};
use nexus_web::{Error, Found};

/// One live asset; of one out of sight nothing is said.
pub(crate) async fn find(db: &Db, scope: &Scope, id: i64) -> Result<Option<Found>, Error> {
    Found::by_id(db, Entity::Asset, scope, id).await
}

/// Whether an asset belongs to a company that is archived.
pub(crate) async fn company_is_archived(db: &Db, id: i64) -> Result<bool, Error> {
    let query = Query::new(
        "SELECT count(*) FROM assets t JOIN companies c ON c.id = t.company_id \
         WHERE t.id = $1 AND c.archived_at IS NOT NULL",
    );
    Ok(db.one::<(i64,)>(query.bind(id)).await?.0 > 0)
}

/// The archived people of an asset (ids): out of sight, and back when they are.
pub(crate) async fn archived_people(db: &Db, id: i64) -> Result<Vec<i64>, Error> {
    let query = Query::new(
        "SELECT l.contact_id FROM asset_contacts l JOIN contacts c ON c.id = l.contact_id \
         WHERE l.asset_id = $1 AND c.archived_at IS NOT NULL",
    );
    Ok(db.all::<(i64,)>(query.bind(id)).await?.into_iter().map(|(id,)| id).collect())
}
