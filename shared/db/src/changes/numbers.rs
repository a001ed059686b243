//! The numbers that a change set takes: ids of new records, places in the feed, its own.

use std::collections::{BTreeMap, BTreeSet};

use nexus_core::entity::Entity;
use serde_json::{Value, json};

use super::row::{Action, Outcome, Row};
use crate::{Dialect, Query, Result, Tx};

/// Becomes the only writer until the transaction ends. In SQLite the transaction is that already.
pub(crate) async fn lock_feed(tx: &mut Tx) -> Result<()> {
    if tx.dialect() == Dialect::Postgres {
        tx.one::<(i64,)>(Query::new("SELECT value FROM sequences WHERE name = 'feed' FOR UPDATE")).await?;
    }
    Ok(())
}

/// Takes `n` numbers of a sequence: the first of them.
pub(super) async fn allocate(tx: &mut Tx, sequence: &str, n: usize) -> Result<i64> {
    Ok(Numbers::take(tx, &[], &[(sequence, n)]).await?.first(sequence))
}

/// Numbers that were taken: the first and the last by sequence.
pub(super) struct Numbers(BTreeMap<String, (i64, i64)>);

impl Numbers {
    /// Takes ids for the new rows that have none yet, and so many of each other sequence.
    pub(super) async fn take(tx: &mut Tx, rows: &[Row], others: &[(&str, usize)]) -> Result<Self> {
        let mut wanted: BTreeMap<&str, usize> = others.iter().copied().filter(|(_, n)| *n > 0).collect();
        for row in rows.iter().filter(|row| is_unnumbered(row)) {
            *wanted.entry(row.entity.as_str()).or_default() += 1;
        }
        let sql = format!(
            "UPDATE sequences SET value = sequences.value + CAST(x.value->>'n' AS BIGINT) FROM {} \
             WHERE sequences.name = x.value->>'s' RETURNING name, sequences.value",
            tx.dialect().each(1)
        );
        let asked: Vec<Value> = wanted.iter().map(|(name, n)| json!({"s": name, "n": n})).collect();
        let taken = tx.all::<(String, i64)>(Query::new(sql).bind(Value::from(asked))).await?;
        let span = |(name, last): (String, i64)| {
            let n = wanted.get(name.as_str()).and_then(|n| i64::try_from(*n).ok()).unwrap_or_default();
            (name, (last - n + 1, last))
        };
        Ok(Self(taken.into_iter().map(span).collect()))
    }

    /// The first number of a sequence that was asked for.
    pub(super) fn first(&self, sequence: &str) -> i64 {
        self.0.get(sequence).map_or(0, |(first, _)| *first)
    }

    /// The last number of a sequence that was asked for.
    pub(super) fn last(&self, sequence: &str) -> i64 {
        self.0.get(sequence).map_or(0, |(_, last)| *last)
    }

    /// Gives new rows their ids.
    pub(super) fn give(&self, rows: &mut [Row]) {
        for entity in Entity::ALL {
            let new = rows.iter_mut().filter(|row| row.entity == entity && is_unnumbered(row));
            for (row, id) in new.zip(self.first(entity.as_str())..) {
                row.id = id;
                if let (Entity::Company, Outcome::Write { sight, .. }) = (entity, &mut row.outcome) {
                    sight.stays = BTreeSet::from([id]);
                }
            }
        }
    }
}

fn is_unnumbered(row: &Row) -> bool {
    row.id == 0 && row.action == Action::Create && matches!(row.outcome, Outcome::Write { .. })
}
