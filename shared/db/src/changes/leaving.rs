//! Taking a source away.

use super::numbers::lock_feed;
use super::plan::supersede;
use super::{ChangeError, Deed, Done, Edit, change_in};
use crate::{Db, Query, sources};

/// Takes what waits of a source off the table and, if it is to be, archives what came from it alone. The ties stay: whoever adds
/// the source again gets the same records back, with their ids.
///
/// # Errors
/// As [`super::change`].
pub async fn leave_source(db: &Db, deed: &Deed, source: &str, archive: bool) -> std::result::Result<Done, ChangeError> {
    let now = db.now();
    let mut tx = db.write().await?;
    lock_feed(&mut tx).await?;
    supersede(&mut tx, &format!("sync-{source}"), i64::MAX, &now).await?;
    let own = if archive { sources::own(&mut tx, source).await? } else { Vec::new() };
    let edits = own.into_iter().map(|(entity, id)| Edit::Archive { entity, id, version: None }).collect();
    let done = change_in(&mut tx, deed, edits, &now).await?;
    if let Some(changeset_id) = done.changeset_id {
        // As if its runs had missed them: they come back with the source.
        let query = "UPDATE source_links SET archived_run_id = 0 WHERE source = $1 AND (entity, record_id) IN \
                     (SELECT c.entity, c.record_id FROM changes c WHERE c.changeset_id = $2)";
        tx.execute(Query::new(query).bind(source).bind(changeset_id)).await?;
    }
    tx.commit().await?;
    db.committed(true);
    Ok(done)
}
