//! The typed client of Nexus's own REST API, for the jobs and the tests.
//!
//! [`Client`] signs in with a [`Account`], renews its token in time, repeats what failed in passing, and tells every
//! refusal as the [`Problem`] that Nexus sent. Besides the plain [`Client::get`], [`Client::put`] and [`Client::post`]
//! it speaks the protocol of a sync run ([`Client::start_run`] to [`Client::complete_run`]) and reads lists page by
//! page.
//!
//! What is repeated, and when:
//!
//! | | 429 | 502, 503, 504 | no connection | answer lost |
//! |---|---|---|---|---|
//! | GET, PUT, sign-in | yes | yes | yes | yes |
//! | POST | yes | 503 with `Retry-After` only | yes | no |
//!
//! A `POST` is repeated only where Nexus cannot have acted on it. [`Client::complete_run`] has a rule of its own.
//!
//! # What does not belong here
//!
//! - What a job does with a run, its event or its deadline: that is `nexus-jobs`.
//! - The records and the words of the protocol: they are `nexus-core`'s.
//! - Vendors, the database, and reading configuration or the environment: the caller hands over address and account.

mod address;
mod batch;
mod client;
mod error;
mod pages;
mod retry;
mod runs;
mod token;

pub use batch::{BatchFull, EncodedBatch};
pub use client::{Client, Options};
pub use error::{ConfigError, Error, Problem};
pub use pages::Pages;
pub use token::Account;
