//! Plans and history: reading, deciding, undoing.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use http::header::LINK;
use http::{HeaderValue, Uri};
use nexus_core::FieldError;
use nexus_core::sync::{Change, ChangeSet};
use nexus_db::Db;
use nexus_db::changes::{self, Origin, SetFilter, SetHead};
use nexus_web::{Editor, Error, Json, Pages, Path, Problem, Query, X_TOTAL_COUNT};
use serde::{Deserialize, Serialize};

use crate::decisions::{self, decided};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only change sets of this state.
    #[param(pattern = "^(proposed|held|applied|rejected|stale|reverted)$")]
    state: Option<String>,
    /// Only change sets that came this way.
    #[param(pattern = "^(api|page|sync|undo|system)$")]
    origin: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    pages: Pages,
}

/// Read together for a list without pages.
const TOGETHER: i64 = 500;
/// Changes that are sent together.
const MOST: i64 = 1_000;

fn told(head: SetHead, changes: Vec<Change>) -> ChangeSet {
    ChangeSet {
        id: head.id,
        state: head.state,
        origin: head.origin,
        author: head.author,
        reason: head.reason,
        digest: head.digest,
        reverts_id: head.reverts_id,
        run_id: head.run_id,
        created_at: head.created_at,
        decided_at: head.decided_at,
        decided_by: head.decided_by,
        changes,
    }
}

/// Change sets, newest first
#[utoipa::path(get, path = "/api/changesets", tag = "sync", params(Filter, Pages), responses(
    (status = 200, description = "The change sets, without their changes; with paging `Link` and `X-Total-Count`",
     body = Vec<ChangeSet>),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(crate) async fn list_changesets(
    State(db): State<Db>,
    _: Editor,
    Query(asked): Query<Filter>,
    uri: Uri,
) -> Result<Response, Error> {
    one_of("state", asked.state.as_deref(), &SetHead::STATES)?;
    one_of("origin", asked.origin.as_deref(), &Origin::ALL.map(Origin::as_str))?;
    let filter = SetFilter { state: asked.state, origin: asked.origin, ..SetFilter::default() };
    let read = async |db: &Db, filter: &SetFilter, limit, offset| {
        let heads = changes::list_sets(db, filter, limit, offset).await?;
        Ok::<_, Error>(heads.into_iter().map(|head| told(head, Vec::new())).collect::<Vec<_>>())
    };
    let Some(page) = asked.pages.paging()? else {
        return Ok(nexus_web::json_newest_first(
            |set: &ChangeSet| set.id,
            move |before| {
                let (db, filter) = (db.clone(), SetFilter { before: Some(before), ..filter.clone() });
                async move { read(&db, &filter, TOGETHER, 0).await }
            },
        ));
    };
    let sets = read(&db, &filter, page.per_page, page.offset()).await?;
    page.respond_with(&uri, changes::count_sets(&db, &filter).await?, &sets)
}

fn one_of(name: &str, given: Option<&str>, known: &[&str]) -> Result<(), Error> {
    match given {
        Some(word) if !known.contains(&word) => {
            Err(Error::fields(vec![FieldError::new(name, format!("must be one of {}", known.join(", ")))]))
        }
        _ => Ok(()),
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Rows {
    /// Only changes after this one (its id).
    #[serde(default)]
    after: i64,
    /// At most so many changes, 1 to 1,000; 1,000 by default.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
}

/// One change set with its changes
///
/// A long one comes in parts: `Link` leads to the next, and `X-Total-Count` tells how many changes there are in all.
#[utoipa::path(get, path = "/api/changesets/{id}", tag = "sync",
    params(("id" = i64, Path, description = "Change set"), Rows), responses(
    (status = 200, description = "The change set", body = ChangeSet), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
))]
pub(crate) async fn get_changeset(
    State(db): State<Db>,
    _: Editor,
    Path(id): Path<i64>,
    Query(rows): Query<Rows>,
) -> Result<Response, Error> {
    let limit = rows.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        let fault = FieldError::new("limit", format!("must be a whole number from 1 to {MOST}"));
        return Err(Error::fields(vec![fault]));
    }
    let head = changes::find(&db, id).await?.ok_or(Error::NotFound("Change set not found"))?;
    let mut changed = changes::list_rows(&db, id, rows.after, limit + 1).await?;
    let more = i64::try_from(changed.len()).unwrap_or(i64::MAX) > limit;
    changed.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let last = changed.last().map_or(rows.after, |change| change.id);
    let total: i64 = changes::tally(&db, &[id]).await?.iter().map(|one| one.rows).sum();
    let mut response = nexus_web::json(&told(head, changed))?;
    response.headers_mut().insert(X_TOTAL_COUNT, total.into());
    if more {
        let link = format!("</api/changesets/{id}?after={last}&limit={limit}>; rel=\"next\"");
        response.headers_mut().extend(HeaderValue::from_str(&link).ok().map(|link| (LINK, link)));
    }
    Ok(response)
}

/// What was reviewed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Review {
    /// The digest of the plan that was looked at.
    digest: String,
    /// Changes (ids) that are not wanted.
    #[serde(default)]
    except: BTreeSet<i64>,
}

/// What came of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[expect(clippy::struct_field_names, reason = "the words of the contract")]
pub(crate) struct Applied {
    /// Changes written.
    applied: u64,
    /// Changes skipped because their record moved since the plan was made.
    stale: u64,
    /// Changes taken out.
    rejected: u64,
}

/// Apply exactly the plan that was reviewed
#[utoipa::path(post, path = "/api/changesets/{id}/apply", tag = "sync", request_body = Review,
    params(("id" = i64, Path, description = "Change set")), responses(
    (status = 200, description = "Applied", body = Applied), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, description = "Another digest, or decided already", body = Problem),
))]
pub(crate) async fn apply_changeset(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
    Json(review): Json<Review>,
) -> Result<Response, Error> {
    let applied = decisions::apply(&db, &principal, id, &review.digest, &review.except).await.map_err(decided)?;
    let written = applied.counts.values().sum();
    nexus_web::json(&Applied { applied: written, stale: applied.stale, rejected: applied.rejected })
}

/// Reject a plan
#[utoipa::path(post, path = "/api/changesets/{id}/reject", tag = "sync",
    params(("id" = i64, Path, description = "Change set")), responses(
    (status = 200, description = "Rejected; nothing of it is applied", body = ChangeSet),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, description = "Decided already", body = Problem),
))]
pub(crate) async fn reject_changeset(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    decisions::reject(&db, &principal, id).await.map_err(decided)?;
    let head = changes::find(&db, id).await?.ok_or(Error::NotFound("Change set not found"))?;
    nexus_web::json(&told(head, Vec::new()))
}

/// What is to be undone of a change set.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Undo {
    /// Only these of its changes (ids), each of which is of one record; left out: all of them.
    only: Option<BTreeSet<i64>>,
}

/// What an undo did and what it left.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Reverted {
    /// The change set that undid it; null when nothing could be undone.
    changeset_id: Option<i64>,
    /// The rows that were left as they are.
    left_alone: Vec<Left>,
}

/// A row that was left as it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Left {
    /// The change.
    change_id: i64,
    /// Kind of its record.
    entity: nexus_core::Entity,
    /// Its record.
    record_id: i64,
    /// Why.
    reason: String,
}

/// Undo an applied change set, or some of its changes
///
/// The change set of a run is its `changeset_id`. Without a body all of it is undone.
#[utoipa::path(post, path = "/api/changesets/{id}/revert", tag = "sync", request_body = Option<Undo>,
    params(("id" = i64, Path, description = "Change set")), responses(
    (status = 200, description = "Undone, but for the rows that changed later", body = Reverted),
    (status = 400, description = "A change that is not of this change set, or undone already", body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, description = "It is not applied", body = Problem),
))]
pub(crate) async fn revert_changeset(
    State(db): State<Db>,
    Editor(principal): Editor,
    Path(id): Path<i64>,
    undo: Option<Json<Option<Undo>>>,
) -> Result<Response, Error> {
    let only = undo.and_then(|Json(undo)| undo).and_then(|undo| undo.only);
    let (done, left) = decisions::undo(&db, &principal, id, only.as_ref()).await?.map_err(decided)?;
    let left_alone = left
        .into_iter()
        .map(|row| Left { change_id: row.change_id, entity: row.entity, record_id: row.id, reason: row.reason })
        .collect();
    nexus_web::json(&Reverted { changeset_id: done.changeset_id, left_alone })
}
