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
pub async fn record_failure(db: &Db, subjects: &[String; 2]) -> Result<()> {
    let now = db.clock().now();
    let mut tx = db.write().await?;
    for subject in subjects {
        let find = Query::new("SELECT failures, last_at FROM login_failures WHERE subject = $1").bind(subject.as_str());
        let before = tx.optional::<(i64, String)>(find).await?;
        let recent =
            before.filter(|(_, last)| instant::parse(last).is_some_and(|last| now.duration_since(last) < FORGET));
        let failures = recent.map_or(0, |(failures, _)| failures) + 1;
        let until = (failures > FREE).then(|| {
            let wait = SignedDuration::from_secs(1_i64 << (failures - FREE - 1).min(10)).min(LONGEST);
            instant::canonical(now.saturating_add(wait).unwrap_or(now))
        });
        let write = Query::new(
            "INSERT INTO login_failures (subject, failures, last_at, blocked_until) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at, \
             blocked_until = excluded.blocked_until",
        );
        tx.execute(write.bind(subject.as_str()).bind(failures).bind(instant::canonical(now)).bind(until)).await?;
    }
    tx.commit().await
}

/// A login succeeded: the account's count starts anew. The address keeps its own, or an attacker with one good account
/// could go on guessing.
pub async fn clear(db: &Db, account: &str) -> Result<()> {
    let mut tx = db.write().await?;
    tx.execute(Query::new("DELETE FROM login_failures WHERE subject = $1").bind(account)).await?;
    tx.commit().await
}
