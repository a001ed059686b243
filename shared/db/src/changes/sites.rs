//! Datto sites that a person ties to a company, or unties, on their way to `source_links`.

use std::collections::{BTreeSet, HashMap};

use nexus_core::entity::{Entity, TIED_SITES};
use serde_json::{Value, json};

use super::numbers::lock_feed;
use super::row::{Outcome, Row};
use super::{ChangeError, Deed, Done, Edit, change_in};
use crate::query::Batch;
use crate::{Db, Dialect, Query, Result, Tx, records};

/// Ties a Datto site to a live company, or unties it; a tie to another company ends with that.
///
/// # Errors
/// As [`super::change`].
pub async fn tie_site(
    db: &Db,
    deed: &Deed,
    (company, version): (i64, Option<i64>),
    site: &str,
    tied: bool,
) -> std::result::Result<Done, ChangeError> {
    let now = db.now();
    let mut tx = db.write().await?;
    lock_feed(&mut tx).await?;
    let mut edits = Vec::new();
    let mut holders = holders(&mut tx, site).await?;
    holders.insert(company);
    for (id, record) in records::load(&mut tx, Entity::Company, &holders.into_iter().collect::<Vec<_>>()).await? {
        let before = texts(record.fields.get(TIED_SITES));
        let mut after = before.clone();
        if tied && id == company {
            after.insert(site)
        } else {
            after.remove(site)
        };
        if id == company || after != before {
            let fields = [(TIED_SITES.to_owned(), json!(after))].into_iter().collect();
            let version = version.filter(|_| id == company);
            edits.push(Edit::Update { entity: Entity::Company, id, version, fields });
        }
    }
    // The company that was asked for comes first in what is told.
    edits.sort_by_key(|edit| !matches!(edit, Edit::Update { id, .. } if *id == company));
    let done = change_in(&mut tx, deed, edits, &now).await?;
    tx.commit().await?;
    db.committed(false);
    Ok(done)
}

/// The companies that a person tied a site to: one at most, but for what an undo has brought back.
async fn holders(tx: &mut Tx, site: &str) -> Result<BTreeSet<i64>> {
    let sql = format!(
        "SELECT c.id FROM companies c WHERE c.archived_at IS NULL AND c.tied_site_uids <> '[]' \
         AND EXISTS (SELECT 1 FROM {} WHERE e.value = $1)",
        tx.dialect().elements("c.tied_site_uids", "e")
    );
    Ok(tx.all::<(i64,)>(Query::new(sql).bind(site)).await?.into_iter().map(|(id,)| id).collect())
}

/// The sites that people tied to live companies, with the company.
pub async fn tied_sites(tx: &mut Tx) -> Result<HashMap<String, i64>> {
    let sql = format!(
        "SELECT e.value, c.id FROM companies c, {} WHERE c.archived_at IS NULL AND c.tied_site_uids <> '[]' ORDER BY c.id DESC",
        tx.dialect().elements("c.tied_site_uids", "e")
    );
    Ok(tx.all::<(String, i64)>(Query::new(sql)).await?.into_iter().collect())
}

fn texts(value: Option<&Value>) -> BTreeSet<&str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Moves what the sync knows of a site along with it: to the company that it is tied to; of one that is untied it is forgotten,
/// so that the next run finds out anew. Returns the sites.
pub(super) fn write(dialect: Dialect, rows: &[Row], batch: &mut Batch) -> BTreeSet<String> {
    let (mut tied, mut untied) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.entity == Entity::Company) {
        let Outcome::Write { before, after, .. } = &row.outcome else { continue };
        let (before, after) = (texts(before.get(TIED_SITES)), texts(after.get(TIED_SITES)));
        let line = |site: &&str| json!({"site": site, "company": row.id});
        tied.extend(after.difference(&before).map(line));
        untied.extend(before.difference(&after).map(line));
    }
    let sites = tied.iter().chain(&untied).filter_map(|line| line["site"].as_str().map(str::to_owned)).collect();
    let each = dialect.each(1);
    let of_site = "source_links.source = 'datto' AND source_links.entity = 'company' \
                   AND source_links.external_id = x.value->>'site'";
    if !untied.is_empty() {
        let sql = format!(
            "DELETE FROM source_links WHERE EXISTS (SELECT 1 FROM {each} WHERE {of_site} \
             AND source_links.record_id = CAST(x.value->>'company' AS BIGINT))"
        );
        batch.push(Query::new(sql).bind(Value::from(untied)));
    }
    if !tied.is_empty() {
        let sql = format!(
            "UPDATE source_links SET record_id = CAST(x.value->>'company' AS BIGINT) FROM {each} WHERE {of_site}"
        );
        batch.push(Query::new(sql).bind(Value::from(tied)));
    }
    sites
}
