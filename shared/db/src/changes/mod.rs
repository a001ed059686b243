//! The one door for writes of directory records.
//!
//! Every write is a **change set**: an author, an origin, a reason, and one change per record. It runs in one
//! transaction: take the feed's lock, check versions, write the records set-based, write the change rows. The change
//! rows are the audit log, the feed for other services and the source for undo.
//!
//! - [`change`] decides and applies at once, as a request of a person or a service does: all of it or nothing.
//! - a [`Draft`] stores a plan; [`apply`] applies exactly the stored rows: those that moved meanwhile are skipped and
//!   told ([`RowState::Stale`]), the others are written.
//! - [`revert`] is a change set whose changes are the inverse.
//! - [`take_readings`] alone leaves no row: what a device shows by itself, such as when it was last seen, is no deed of anybody.
//!
//! The feed has no gaps and no reordering: its cursor is a counter in a row that each writer locks until it commits, so
//! cursors become visible in the order of their numbers.

mod decide;
mod draft;
mod feed;
mod history;
mod leaving;
mod numbers;
mod pins;
mod plan;
mod plans;
mod readings;
mod row;
mod sites;
mod undo;
mod write;

pub use draft::{Draft, Proposal, Refused, reserve};
pub use feed::{Feed, FeedRow, feed};
pub use history::{
    Entry, RowFilter, SetFilter, Tally, any_to_undo, count_sets, find_change, list_rows_where, list_sets, of_record,
    row_ids, since, tally,
};
pub use leaving::leave_source;
pub(crate) use numbers::lock_feed;
pub use pins::pin;
pub(crate) use plan::withdraw;
pub use plan::{Applied, SetHead, apply, find, hold, list_rows, reject, supersede};
pub use readings::take_readings;
pub use row::{Action, Link, RowState};
pub use sites::{tie_site, tied_sites};
pub use undo::{LeftAlone, revert};

use nexus_core::entity::Entity;
use nexus_core::{Actor, FieldError, Fields};
use thiserror::Error;

use crate::{Db, Tx};

/// Where a change set comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A call of the REST API.
    Api,
    /// A form of the web interface.
    Page,
    /// A sync's plan.
    Sync,
    /// The undoing of another change set.
    Undo,
    /// Nexus itself: its first start.
    System,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 5] = [Self::Api, Self::Page, Self::Sync, Self::Undo, Self::System];

    /// The word of the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Page => "page",
            Self::Sync => "sync",
            Self::Undo => "undo",
            Self::System => "system",
        }
    }
}

/// Who does something, by which way and why.
#[derive(Clone, Debug)]
pub struct Deed {
    /// The author.
    pub actor: Actor,
    /// The way.
    pub origin: Origin,
    /// A short sentence for the history.
    pub reason: String,
    /// Names the request of which it comes, if that must be carried out once at most (`Idempotency-Key`).
    pub request_key: Option<String>,
}

impl Deed {
    /// Something that is done, whatever request it comes of.
    pub fn new(actor: Actor, origin: Origin, reason: impl Into<String>) -> Self {
        Self { actor, origin, reason: reason.into(), request_key: None }
    }

    /// Whether a person or a service means just these fields, so that no source may replace them.
    const fn pins(&self) -> bool {
        matches!(self.origin, Origin::Api | Origin::Page)
    }
}

/// One record's change as its author wants it. A change set holds each record once at most.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// A new record. Fields that are not given take their defaults.
    Create {
        /// Its kind.
        entity: Entity,
        /// Its fields, parsed (`nexus_core::fields::parse`).
        fields: Fields,
    },
    /// New values for some fields of a live record.
    Update {
        /// Its kind.
        entity: Entity,
        /// Its id.
        id: i64,
        /// The version that the author saw; none: whatever it is now.
        version: Option<i64>,
        /// The fields to change, parsed.
        fields: Fields,
    },
    /// Takes a record out of the live directory, with its links.
    Archive {
        /// Its kind.
        entity: Entity,
        /// Its id.
        id: i64,
        /// As in `Update`.
        version: Option<i64>,
    },
    /// Brings an archived record back, with its links.
    Restore {
        /// Its kind.
        entity: Entity,
        /// Its id.
        id: i64,
        /// As in `Update`.
        version: Option<i64>,
    },
}

impl Edit {
    /// The kind of its record.
    #[must_use]
    pub const fn entity(&self) -> Entity {
        match *self {
            Self::Create { entity, .. }
            | Self::Update { entity, .. }
            | Self::Archive { entity, .. }
            | Self::Restore { entity, .. } => entity,
        }
    }
}

/// What came of a change set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The change set; none when nothing was to be changed.
    pub changeset_id: Option<i64>,
    /// Each edit's record after it, in the order of the edits.
    pub records: Vec<Touched>,
}

/// A record after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Its id.
    pub id: i64,
    /// Its version now.
    pub version: i64,
    /// The change set that changed it; none when nothing was to be changed.
    pub changeset_id: Option<i64>,
}

/// Why a change set is not applied. With [`change`], nothing was written.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// There is no such live (to restore: archived) record.
    #[error("{} {id} does not exist", entity.as_str())]
    NotFound {
        /// Kind.
        entity: Entity,
        /// Id.
        id: i64,
    },
    /// The record moved since the author saw it.
    #[error("{} {id} has changed meanwhile; it is at version {current}", entity.as_str())]
    Stale {
        /// Kind.
        entity: Entity,
        /// Id.
        id: i64,
        /// Its version now.
        current: i64,
    },
    /// Another live record holds a value that only one may hold.
    #[error("another {} has this {field}", entity.as_str())]
    Taken {
        /// Kind.
        entity: Entity,
        /// The unique field.
        field: &'static str,
    },
    /// Fields that no record may have.
    #[error("some fields are not valid")]
    Invalid(Vec<FieldError>),
    /// No person would be left who may do everything.
    #[error("one person must stay an administrator")]
    LastAdmin,
    /// Companies have the plan that was to be archived.
    #[error("companies have this plan ({0}); give them another first")]
    HasCompanies(usize),
    /// The change set names a record twice.
    #[error("{} {id} is changed twice in one change set", entity.as_str())]
    Twice {
        /// Kind.
        entity: Entity,
        /// Id.
        id: i64,
    },
    /// There is no such change set.
    #[error("change set {0} does not exist")]
    NoChangeset(i64),
    /// The change set was decided before, or is not of the state that this needs.
    #[error("the change set is {state}; this needs one that is {needed}")]
    Decided {
        /// Its state.
        state: String,
        /// The state needed.
        needed: &'static str,
    },
    /// The change set is not the one that was reviewed.
    #[error("the plan is not the one that was reviewed")]
    OtherDigest,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] crate::Error),
}

/// Applies these edits now, all or none.
///
/// An update that changes nothing is no change: no version, no row, no change set.
///
/// # Errors
/// The first edit that cannot be applied.
pub async fn change(db: &Db, deed: &Deed, edits: Vec<Edit>) -> Result<Done, ChangeError> {
    let mut tx = db.write().await?;
    let touches_users = edits.iter().any(|edit| edit.entity().is_of_accounts());
    let done = change_in(&mut tx, deed, edits, &db.now()).await?;
    tx.commit().await?;
    db.committed(touches_users);
    Ok(done)
}

/// As [`change`], as a part of a transaction.
pub(crate) async fn change_in(tx: &mut Tx, deed: &Deed, edits: Vec<Edit>, now: &str) -> Result<Done, ChangeError> {
    lock_feed(tx).await?;
    let mut rows: Vec<row::Row> = edits.into_iter().map(row::Row::from).collect();
    plans::follow(tx, &mut rows).await?;
    decide::decide(tx, &mut rows, decide::Failure::Abort, deed.pins()).await?;
    Ok(write::write_new(tx, deed, rows, None, now).await?)
}
