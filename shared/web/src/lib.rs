//! What every route group shares: one error type that the router turns into a problem or a page, extractors that answer
//! with it, who is asking ([`auth`]), paging, versions, and the shell of a page.
//!
//! What does not belong here: SQL (`nexus-db`), and anything that a single route group needs.

/// Templates name what they use by the crate, also those of this crate.
extern crate self as nexus_web;

mod address;
pub mod auth;
mod body;
mod drain;
mod edit_page;
mod error;
mod etag;
pub mod facts;
mod features;
mod form;
mod found;
mod frame;
pub mod grid;
pub mod history;
mod idempotency;
mod input;
#[cfg(feature = "lambda")]
pub mod lambda;
mod list;
pub mod openapi;
pub mod page;
mod paging;
pub mod record;
mod request;
mod routes;
pub mod setup;
mod state;
pub mod words;

pub use address::Address;
pub use auth::{Admin, Auth, Editor, Principal, Visitor};
pub(crate) use body::json_array;
pub use body::{json, json_newest_first, json_text};
pub use edit_page::EditPage;
pub use error::{Error, Problem};
pub use etag::{IfMatch, etag};
pub use features::feature_values;
pub use form::FormKind;
pub use found::Found;
pub use frame::{Limits, RequestId, frame};
pub use idempotency::GivenOnce;
pub use input::{
    TextList, account_numbers_by_id, archived_targets, both, company_ids, company_named, company_number,
    company_numbers, is_blank, missing, record_fields,
};
pub use list::{List, Parts};
pub use paging::{Listing, Pages, Paging, X_TOTAL_COUNT};
pub use record::{FieldSource, Include, Outcome};
pub use request::{CsrfForm, Json, Path, Query};
#[cfg(feature = "openapi")]
pub use routes::routes;
pub use state::State;

/// The files that pages load.
pub use nexus_statics as statics;

/// What a handler gives back.
pub type Result<T> = std::result::Result<T, Error>;
