//! The job `sync-freshservice`: reads companies and people from Freshservice and hands them over to Nexus.
//!
//! | Freshservice | list of the run | becomes |
//! |---|---|---|
//! | `GET /workspaces` | – | tells which kind of account it is |
//! | `GET /departments` | `companies` | companies |
//! | | `locations` | their "Main Office", with address and telephone number |
//! | `GET /requesters` | `contacts` | contacts, with links to their companies |
//!
//! How a read that fails ends:
//!
//! - Freshservice refuses the key (401) or a list (403), or its companies are client workspaces: the run fails with a
//!   sentence that says what to check, and nothing of it is used.
//! - a list breaks off otherwise: what was read before is used, and the list counts as incomplete, as does every list
//!   after it. When nothing was read at all, the run fails.
//! - a record cannot be understood: it is left out and told, and its list counts as incomplete.
//!
//! What does not belong here: HTTP, pacing and decoding (`nexus-vendors`), the protocol of a run (`nexus-jobs`), and
//! matching, validating or archiving records, which Nexus does.

mod job;
mod map;

pub use job::{NAME, ReadError, SyncFreshservice, job};
pub use nexus_jobs::freshservice::NotConfigured;
