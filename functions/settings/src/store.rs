//! The group's own reads.

use std::collections::BTreeSet;

use nexus_core::{Entity, Fields};
use nexus_db::{Db, Query};
use nexus_web::Error;
use sqlx::types::Json;

/// What a source tells of a kind of record.
#[derive(Debug)]
pub(crate) struct Tells {
    pub(crate) source: String,
    pub(crate) entity: Entity,
    pub(crate) fields: BTreeSet<String>,
}

/// What each source has told so far. It tells the same fields of every record of a kind, so one of them is enough to know.
pub(crate) async fn told(db: &Db) -> Result<Vec<Tells>, Error> {
    let kinds = Query::new("SELECT DISTINCT source, entity FROM source_links ORDER BY source, entity");
    let mut told = Vec::new();
    for (source, kind) in db.all::<(String, String)>(kinds).await? {
        let Some(entity) = Entity::parse(&kind) else { continue };
        let sample = Query::new(
            "SELECT vendor_values FROM source_links WHERE source = $1 AND entity = $2 ORDER BY external_id LIMIT 1",
        );
        let sample = db.optional::<(Json<Fields>,)>(sample.bind(source.as_str()).bind(kind)).await?;
        let fields = sample.map(|(Json(values),)| values.into_iter().map(|(name, _)| name).collect());
        told.push(Tells { source, entity, fields: fields.unwrap_or_default() });
    }
    Ok(told)
}
