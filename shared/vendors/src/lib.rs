//! Clients of the vendors' APIs: paced, retried, paged and leniently decoded reads, and the few writes that jobs make.
//!
//! [`freshservice::Freshservice`] speaks Freshservice API v2, [`datto::Datto`] Datto RMM API v2. Every client goes through
//! the same transport, which keeps to a pace that all clones of a client share, repeats a read that failed in passing, waits
//! when the vendor says so (up to a ceiling), and never lets a credential into an error, a log line or another host.
//!
//! Four rules run through the crate, because a job archives what a vendor no longer lists, and a wrong number at a vendor
//! is a wrong bill:
//!
//! 1. A read that failed is an [`Error`], never an empty list: 403, 404, a missing envelope key, a foreign or circular
//!    next link all end the sweep.
//! 2. One record that cannot be read does not lose the others: it is [`Quarantined`] and counted, and the caller
//!    treats the sweep as incomplete.
//! 3. Nothing is guessed: unknown keys are ignored, absent fields are `None`, and the structs keep the vendor's words.
//! 4. A write is never sent twice on the chance that the first did not take: [`settle`] looks at the record before, in
//!    between and afterwards.
//!
//! # What does not belong here
//!
//! - Mapping to our own records, matching, and deciding what is gone: that is the job's and the sync's.
//! - The database, the REST client of Nexus, and any other I/O than HTTP to a vendor.
//! - Reading configuration or the environment, or taking the time: the caller hands over a [`BaseUrl`], a key and a
//!   [`TransportConfig`].
//! - Anything that only one job needs.

mod base_url;
pub mod datto;
mod error;
mod excerpt;
pub mod freshservice;
mod lenient;
mod link;
mod pacing;
mod page;
mod retry;
mod settle;
mod transport;
mod walk;

pub use base_url::BaseUrl;
pub use error::{ConfigError, Error, TransportKind};
pub use lenient::CustomFields;
pub use page::{Page, Quarantined};
pub use settle::{Settled, Target, Unsettled, Verdict, settle};
pub use transport::{CallCounts, TransportConfig};
pub use walk::ListPlace;
