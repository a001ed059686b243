//! The job `sync-datto`: reads sites and devices from Datto RMM and hands them over to Nexus.
//!
//! | Datto RMM | list of the run | becomes |
//! |---|---|---|
//! | `GET /v2/account/sites`, `GET /v2/site/{uid}/variables` | `sites` | the tie between a site and its company |
//! | `GET /v2/account/devices`, `GET /v2/site/{uid}/devices` | `site:{uid}`, one for each site | assets |
//!
//! A site belongs to the company whose account number stands in its variable `AccountNumber`. Datto makes and changes no
//! company; a site whose number is missing, unclear or nobody's is told as a gap.
//!
//! All devices are asked for in few calls, and the list is not trusted: a site of which it shows another number than the site
//! itself tells is read on its own. Each site is complete or not by itself, so that one that fails keeps no other from being
//! compared.
//!
//! How a read that fails ends:
//!
//! - Datto refuses the keys (401) or a list (403): the run fails with a sentence that says what to check, and nothing of it is
//!   used. A 403 can also be a block after too many calls; asking on would only make it longer.
//! - the list of sites cannot be read at all: the run fails. It breaks off later: the sites before are used.
//! - the variables of a site cannot be read: the site is left out and told, and no site counts as gone.
//! - the devices of a site cannot be read: what was read is used, and none of the site's devices counts as gone.
//!
//! What does not belong here: HTTP, pacing and decoding (`nexus-vendors`), the protocol of a run (`nexus-jobs`), and
//! matching, validating or archiving records, which Nexus does.

mod devices;
mod job;
mod map;
mod position;
mod sites;

pub use job::{NAME, ReadError, SyncDatto, job};
pub use nexus_jobs::datto::NotConfigured;
