//! Readings of devices: what changes by itself from run to run.

use super::decide::{Failure, decide};
use super::draft::Proposal;
use super::numbers::allocate;
use super::row::{Outcome, Row};
use super::{ChangeError, write};
use crate::query::Batch;
use crate::{Dialect, Tx};

/// Takes over what a source says of its records, where nothing but readings is new, if anything: those that change are at a new
/// version, and neither history nor feed tells it.
///
/// # Errors
/// When the store fails.
pub async fn take_readings(
    tx: &mut Tx,
    proposals: Vec<Proposal>,
    run_id: i64,
    now: &str,
) -> std::result::Result<(), ChangeError> {
    if proposals.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<Row> = proposals.into_iter().map(Row::from).collect();
    decide(tx, &mut rows, Failure::Skip, false).await?;
    rows.retain(|row| matches!(row.outcome, Outcome::Write { .. } | Outcome::Unchanged(_)));
    let (dialect, mut batch): (Dialect, Batch) = (tx.dialect(), Batch::default());
    write::write_records(dialect, &mut rows, "", now, &mut batch);
    write::write_source_links(dialect, &rows, run_id, now, &mut batch);
    write::refresh_bodies(dialect, &rows, &mut batch);
    tx.run(batch).await?;
    allocate(tx, "revision", 1).await?;
    Ok(())
}
