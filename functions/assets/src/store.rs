//! What this group reads.

use nexus_core::{Entity, Scope};
use nexus_db::Db;
use nexus_web::{Error, Found};

/// One live asset; of one out of sight nothing is said.
pub(crate) async fn find(db: &Db, scope: &Scope, id: i64) -> Result<Option<Found>, Error> {
    Found::by_id(db, Entity::Asset, scope, id).await
}
