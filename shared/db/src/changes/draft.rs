//! Making a plan: a change set that is stored row by row before it is applied.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use nexus_core::Fields;
use nexus_core::entity::Entity;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::decide::{Failure, decide_with};
use super::numbers::{allocate, lock_feed};
use super::row::{Action, Link, Outcome, Row};
use super::{ChangeError, Deed, write};
use crate::{Query, Result, Tx};

/// A row of a plan.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Kind of record.
    pub entity: Entity,
    /// The record; for a new one an id from [`reserve`].
    pub id: i64,
    /// What is to happen.
    pub action: Action,
    /// The version that the plan was made from; none for a new record.
    pub version: Option<i64>,
    /// The fields to set.
    pub fields: Fields,
    /// Why.
    pub reason: Option<String>,
    /// The tie to the source that comes with it.
    pub link: Option<Link>,
}

/// Takes ids for records that a plan will create: the first of `n`. An id that is not used in the end stays unused.
pub async fn reserve(tx: &mut Tx, entity: Entity, n: usize) -> Result<i64> {
    allocate(tx, entity.as_str(), n).await
}

/// A row that has no place in a plan, because it could not be applied even now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its record.
    pub id: i64,
    /// Why.
    pub reason: String,
}

/// A plan under construction. Rows come in chunks, so that a large plan needs no large memory.
#[derive(Debug)]
pub struct Draft {
    changeset_id: i64,
    now: String,
    digest: Sha256,
    planned: BTreeMap<Entity, BTreeSet<i64>>,
    rows: u64,
}

impl Draft {
    /// Begins a plan of a run.
    pub async fn begin(tx: &mut Tx, deed: &Deed, run_id: i64, now: &str) -> Result<Self> {
        lock_feed(tx).await?;
        let query = Query::new(
            "INSERT INTO changesets (id, state, origin, author_id, author, reason, run_id, created_at) \
             VALUES ($7, 'proposed', $1, $2, $3, $4, $5, $6)",
        )
        .bind(deed.origin.as_str())
        .bind(deed.actor.user_id)
        .bind(deed.actor.name.as_str())
        .bind(deed.reason.as_str())
        .bind(run_id)
        .bind(now);
        let changeset_id = allocate(tx, "changeset", 1).await?;
        tx.execute(query.bind(changeset_id)).await?;
        let (digest, planned) = (Sha256::new(), BTreeMap::new());
        Ok(Self { changeset_id, now: now.to_owned(), digest, planned, rows: 0 })
    }

    /// Stores rows, and gives back those that could not be applied even now; one that would change nothing is left out.
    ///
    /// # Errors
    /// [`ChangeError::Twice`] when the rows name a record twice.
    pub async fn add(
        &mut self,
        tx: &mut Tx,
        proposals: Vec<Proposal>,
    ) -> std::result::Result<Vec<Refused>, ChangeError> {
        let mut rows: Vec<Row> = proposals.into_iter().map(Row::from).collect();
        decide_with(tx, &mut rows, Failure::Skip, false, &self.planned).await?;
        let mut refused = Vec::new();
        rows.retain(|row| match &row.outcome {
            Outcome::Stale(reason) => {
                refused.push(Refused { id: row.id, reason: reason.clone() });
                false
            }
            Outcome::Unchanged(_) => row.action == Action::Link,
            _ => true,
        });
        for row in &rows {
            let line = json!([row.entity, row.id, row.action.as_str(), row.version, row.wanted, row.link]);
            self.digest.update(line.to_string());
            self.digest.update(b"\n");
            if row.action == Action::Create {
                self.planned.entry(row.entity).or_default().insert(row.id);
            }
        }
        self.rows += rows.len() as u64;
        tx.execute(write::insert_changes(tx.dialect(), self.changeset_id, &rows, None, &self.now)).await?;
        Ok(refused)
    }

    /// Ends the plan: the change set, or none when there is nothing to do.
    pub async fn finish(self, tx: &mut Tx) -> Result<Option<i64>> {
        if self.rows == 0 {
            tx.execute(Query::new("DELETE FROM changesets WHERE id = $1").bind(self.changeset_id)).await?;
            return Ok(None);
        }
        let query = Query::new("UPDATE changesets SET digest = $2 WHERE id = $1").bind(self.changeset_id);
        tx.execute(query.bind(hex(&self.digest.finalize()))).await?;
        Ok(Some(self.changeset_id))
    }
}

/// Covers every row: what was reviewed and what is applied have the same digest, or are not the same.
fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl From<Proposal> for Row {
    fn from(proposal: Proposal) -> Self {
        let Proposal { entity, id, action, version, fields, reason, link } = proposal;
        Self { change_id: None, entity, id, action, version, wanted: fields, reason, link, outcome: Outcome::Undecided }
    }
}
