//! The typed client of Nexus's own REST API: for other services, for the jobs and for the tests.
//!
//! [`Client`] speaks as an [`Account`], whose token it renews in time, or with an API key. [`Client::companies`],
//! [`Client::contacts`], [`Client::assets`], [`Client::locations`], [`Client::users`], [`Client::plans`] and
//! [`Client::features`] give the [`Records`] of a kind, to be read, listed and changed. [`Client::search`] finds,
//! [`Client::follow`] tells what changes, and [`Client::start_run`] to [`Client::complete_run`] are the protocol of a sync
//! run. What has no method of its own is reached by [`Client::get`], [`Client::put`], [`Client::post`] and
//! [`Client::delete`].
//!
//! ```no_run
//! use futures_util::TryStreamExt as _;
//! use nexus_client::{Client, Credentials, Error, Options};
//! use serde_json::json;
//!
//! # async fn example(key: secrecy::SecretString, mut cursor: i64) -> Result<(), Box<dyn std::error::Error>> {
//! // Connect.
//! let nexus = Client::new("https://nexus.example", Credentials::api_key(key), &Options::default())?;
//!
//! // List assets as a stream: a page is read when its first record is asked for.
//! let mut laptops = nexus.assets().list().company("102030").search("laptop").sort("last_seen").into_stream();
//! while let Some(asset) = laptops.try_next().await? {
//!     println!("{} {:?}", asset.hostname, asset.last_seen);
//! }
//!
//! // Update at the version that was read: what somebody else wrote meanwhile is not undone.
//! let company = nexus.companies().get("102030").await?.ok_or("there is no such company")?;
//! let changes = json!({ "head_name": "Ada Ackermann" });
//! match nexus.companies().update("102030", company.version, &changes).await {
//!     Ok(saved) => println!("now at version {}", saved.version),
//!     Err(Error::Stale(_)) => println!("somebody was faster: read it again"),
//!     Err(error) => return Err(error.into()),
//! }
//!
//! // Follow the feed from where the last run of this service stopped.
//! let mut news = nexus.follow(cursor);
//! while let Some(part) = news.try_next().await? {
//!     for change in part.changes {
//!         println!("{} {:?} {}", change.action, change.entity, change.id);
//!     }
//!     cursor = part.next; // keep it
//! }
//! # Ok(()) }
//! ```
//!
//! # What is repeated, and when
//!
//! | | 429 | 502, 503, 504 | no connection | answer lost |
//! |---|---|---|---|---|
//! | GET, PUT, DELETE, sign-in | yes | yes | yes | yes |
//! | POST with an `Idempotency-Key` | yes | yes | yes | yes |
//! | any other POST | yes | 503 with `Retry-After` only | yes | no |
//!
//! A wait that is asked for (`Retry-After`) is kept, up to [`Options::longest_wait`]; otherwise the wait doubles with each
//! try, and a random part of it is left out. [`Options::tries`] ends it.
//!
//! A typed `POST` that creates or restores carries an `Idempotency-Key` of its own, under which Nexus carries it out once,
//! so that it is sent again with the same key. While Nexus still carries out the one whose answer was lost, it says 409,
//! and the client asks again. [`Client::post`] has no key, and is repeated only where Nexus cannot have acted on it;
//! [`Client::complete_run`] has a rule of its own.
//!
//! A change at a version, or a `DELETE`, that is repeated after a lost answer may be refused (412, 404) because the lost
//! one was carried out. The call then fails with the loss and not with the refusal: [`Error::is_lost`] says to read
//! the record.
//!
//! # What does not belong here
//!
//! - What a job does with a run, its event or its deadline: that is `nexus-jobs`.
//! - The records and the words of the protocol: they are `nexus-core`'s.
//! - Vendors, the database, and reading configuration or the environment: the caller hands over address and account.

mod address;
mod batch;
mod client;
mod companies;
mod credentials;
mod error;
mod feed;
mod keys;
mod lists;
mod pages;
mod path;
mod records;
mod request;
mod retry;
mod runs;
mod token;

pub use batch::{BatchFull, EncodedBatch};
pub use client::{Client, Options};
pub use credentials::{Account, Credentials};
pub use error::{ConfigError, Error, Problem};
pub use keys::{MadeKey, NewKey};
pub use lists::{List, OfCompany, Part, Whole};
pub use pages::Pages;
pub use records::{Pinnable, Record, Records, Saved};
