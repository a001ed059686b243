//! What a person decides over plans and history, by the API or on a page.

use std::collections::BTreeSet;

use nexus_core::Role;
use nexus_db::changes::{self, Applied, ChangeError, Done, LeftAlone, Origin};
use nexus_db::{Db, Query};
use nexus_web::{Error, Principal};

/// Applies a plan but for `except`, if it is the one that was reviewed: the one of this digest.
pub(crate) async fn apply(
    db: &Db,
    principal: &Principal,
    id: i64,
    digest: &str,
    except: &BTreeSet<i64>,
) -> Result<Applied, ChangeError> {
    changes::apply(db, &principal.actor(), id, Some(digest), except).await
}

/// Takes a plan off the table.
pub(crate) async fn reject(db: &Db, principal: &Principal, id: i64) -> Result<(), ChangeError> {
    changes::reject(db, &principal.actor(), id).await
}

/// Undoes a change set, or `only` some of its changes. The outer error: whoever asks may not.
pub(crate) async fn undo(
    db: &Db,
    principal: &Principal,
    id: i64,
    only: Option<&BTreeSet<i64>>,
) -> Result<Result<(Done, Vec<LeftAlone>), ChangeError>, Error> {
    // Who may not write users, plans and features does not write them by an undo either.
    if holds_accounts(db, id).await? {
        principal.require(&[Role::Admin])?;
    }
    let what = if only.is_some() { "a part of change set" } else { "change set" };
    let deed = principal.deed(Origin::Undo, format!("Undo of {what} {id}"));
    Ok(changes::revert(db, &deed, id, only).await)
}

/// Whether a change set is about users, plans or features.
pub(crate) async fn holds_accounts(db: &Db, id: i64) -> Result<bool, Error> {
    let query = "SELECT count(*) FROM changes WHERE changeset_id = $1 AND entity IN ('user', 'plan', 'feature')";
    Ok(db.one::<(i64,)>(Query::new(query).bind(id)).await?.0 > 0)
}

/// A plan that is not what was reviewed is a conflict of minds, not of versions.
pub(crate) fn decided(error: ChangeError) -> Error {
    match error {
        ChangeError::OtherDigest => Error::Conflict("The plan is not the one that was reviewed".into()),
        ChangeError::NoChangeset(_) => Error::NotFound("Change set not found"),
        other => other.into(),
    }
}
