//! Failed logins, counted in the database because no two of them need meet the same process.

use jiff::{SignedDuration, Timestamp};
use nexus_core::instant;

use crate::{Db, Query, Result};

/// Failures that cost nothing: people mistype.
const FREE: i64 = 5;
/// The longest wait.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// After so long without a failure the count starts anew.
const FORGET: SignedDuration = SignedDuration::from_hours(1);

/// Until when one of these subjects (an account, an address) must wait, if at all.
pub async fn blocked_until(db: &Db, subjects: &[String; 2]) -> Result<Option<Timestamp>> {
    let query = Query::new("SELECT max(blocked_until) FROM login_failures WHERE subject IN ($1, $2)");
    let (until,) = db.one::<(Option<String>,)>(query.bind(subjects[0].as_str()).bind(subjects[1].as_str())).await?;
    Ok(until.as_deref().and_then(instant::parse).filter(|until| *until > db.clock().now()))
}

/// Counts a failure of each subject; from the sixth on, each doubles the wait: 1 s, 2 s, 4 s … 15 min.
///
/// Guesses that come all at once have all been let try before any failed, in whatever processes. Here they come one after the
/// other, and of those that come after the wait has begun nothing is told but until when.
pub async fn record_failure(db: &Db, subjects: &[String; 2]) -> Result<Option<Timestamp>> {
    let now = db.clock().now();
    let mut tx = db.write().await?;
    for subject in subjects {
        // Writes nothing and holds the row: PostgreSQL would let two read the same count.
        let held = Query::new(
            "INSERT INTO login_failures (subject, failures, last_at) VALUES ($1, 0, $2) \
             ON CONFLICT (subject) DO UPDATE SET subject = excluded.subject RETURNING failures, last_at, blocked_until",
        );
        let held = held.bind(subject.as_str()).bind(instant::canonical(now));
        let (failures, last, until) = tx.one::<(i64, String, Option<String>)>(held).await?;
        let until = until.as_deref().and_then(instant::parse);
        if let Some(until) = until.filter(|until| *until > now) {
            return Ok(Some(until));
        }
        let recent = instant::parse(&last).is_some_and(|last| now.duration_since(last) < FORGET);
        let failures = if recent { failures } else { 0 } + 1;
        let until = (failures > FREE).then(|| {
            let wait = SignedDuration::from_secs(1_i64 << (failures - FREE - 1).min(10)).min(LONGEST);
            instant::canonical(now.saturating_add(wait).unwrap_or(now))
        });
        let write = "UPDATE login_failures SET failures = $1, last_at = $2, blocked_until = $3 WHERE subject = $4";
        let write = Query::new(write).bind(failures).bind(instant::canonical(now)).bind(until).bind(subject.as_str());
        tx.execute(write).await?;
    }
    tx.commit().await?;
    Ok(None)
}

/// A login succeeded: the account's count starts anew. The address keeps its own, or an attacker with one good account
/// could go on guessing.
pub async fn clear(db: &Db, account: &str) -> Result<()> {
    let mut tx = db.write().await?;
    tx.execute(Query::new("DELETE FROM login_failures WHERE subject = $1").bind(account)).await?;
    tx.commit().await
}
