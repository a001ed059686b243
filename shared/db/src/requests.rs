//! Requests that are carried out once, however often they are sent (`Idempotency-Key`).
//!
//! A request is claimed before it is carried out, and its answer is kept for a day. Should Nexus die between the two, the
//! change set that the request made carries its name, and a second one cannot be written.

use jiff::SignedDuration;
use nexus_core::instant;

use crate::{Db, Query, Result};

/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// A claim without an answer is given up after so long: no request takes longer.
const GIVEN_UP: SignedDuration = SignedDuration::from_mins(15);

/// A kept answer.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Answer {
    /// Status.
    pub status: i64,
    /// Some of its headers, as JSON.
    pub headers: String,
    /// Its body.
    pub answer: String,
}

/// What is to be done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Carry it out, and say what came of it.
    New,
    /// It was carried out before.
    Answered(Answer),
    /// It is being carried out.
    Going,
    /// Its key was used for another request.
    Other,
}

#[derive(sqlx::FromRow)]
struct Known {
    fingerprint: String,
    claimed_at: String,
    status: Option<i64>,
    headers: Option<String>,
    answer: Option<String>,
}

/// Claims a request. `request_key` names caller and key, `fingerprint` what is asked.
pub async fn claim(db: &Db, request_key: &str, fingerprint: &str) -> Result<Claim> {
    let now = db.clock().now();
    let before = |age| instant::canonical(now.saturating_sub(age).unwrap_or(now));
    let mut tx = db.write().await?;
    // After a day a key is new, for the change sets as well.
    let forget = "UPDATE changesets SET request_key = NULL WHERE request_key IN \
                  (SELECT request_key FROM requests WHERE claimed_at <= $1)";
    tx.execute(Query::new(forget).bind(before(KEPT))).await?;
    tx.execute(Query::new("DELETE FROM requests WHERE claimed_at <= $1").bind(before(KEPT))).await?;
    // Whoever comes second waits here, and then finds the first one's row.
    let claimed = Query::new(
        "INSERT INTO requests (request_key, fingerprint, claimed_at) VALUES ($1, $2, $3) ON CONFLICT (request_key) DO NOTHING",
    );
    if tx.execute(claimed.bind(request_key).bind(fingerprint).bind(instant::canonical(now))).await? == 1 {
        tx.commit().await?;
        return Ok(Claim::New);
    }
    let find =
        Query::new("SELECT fingerprint, claimed_at, status, headers, answer FROM requests WHERE request_key = $1");
    // It may have been let go of in this moment; whoever asks again finds out.
    let Some(known) = tx.optional::<Known>(find.bind(request_key)).await? else { return Ok(Claim::Going) };
    let claim = match known {
        _ if known.fingerprint != fingerprint => Claim::Other,
        Known { status: Some(status), headers, answer, .. } => {
            Claim::Answered(Answer { status, headers: headers.unwrap_or_default(), answer: answer.unwrap_or_default() })
        }
        _ if known.claimed_at > before(GIVEN_UP) => Claim::Going,
        _ => {
            let again = Query::new("UPDATE requests SET claimed_at = $2 WHERE request_key = $1");
            tx.execute(again.bind(request_key).bind(instant::canonical(now))).await?;
            Claim::New
        }
    };
    tx.commit().await?;
    Ok(claim)
}

/// Keeps the answer of a request that was carried out.
pub async fn answer(db: &Db, request_key: &str, answer: &Answer) -> Result<()> {
    let mut tx = db.write().await?;
    let query = Query::new("UPDATE requests SET status = $2, headers = $3, answer = $4 WHERE request_key = $1");
    let query = query.bind(request_key).bind(answer.status).bind(answer.headers.as_str()).bind(answer.answer.as_str());
    tx.execute(query).await?;
    tx.commit().await
}

/// Lets go of a request that was refused: nothing was written, so it may come again.
pub async fn release(db: &Db, request_key: &str) -> Result<()> {
    let mut tx = db.write().await?;
    tx.execute(Query::new("DELETE FROM requests WHERE request_key = $1").bind(request_key)).await?;
    tx.commit().await
}
