//! The job `push-account-numbers`: writes the account number of each company into the sites of Datto RMM that are tied to it.
//!
//! | read | of it |
//! |---|---|
//! | `GET /api/companies` of Nexus | the live companies with their numbers, and the sites that are tied to them |
//! | `GET /v2/account/sites` of Datto RMM | what the sites are called |
//! | `GET /v2/site/{uid}/variables`, every page, of each tied site | the variable `AccountNumber` |
//!
//! The plan is a pure function of what was read. A site whose variable says the company's number is left alone; one that has
//! no such variable gets it (`PUT`), one whose variable says something else has it changed by its id (`POST`). The number is
//! text. What is not clear is told and not written: several variables of the name or a masked one, a site that is tied to
//! several companies, and a variable that has the number of another company, because then nobody here knows which of the two
//! ties is right, unless a person made the tie. A dry run tells the plan and writes nothing.
//!
//! Each write is made upon the variables as they are at that moment, and read back.
//!
//! How what fails ends:
//!
//! - the companies or the list of sites cannot be read, or a key is refused: the run fails with a sentence that says what to
//!   check, and nothing is written.
//! - the variables of a site cannot be read, or a write is refused, does not take or cannot be read back: it is told as failed,
//!   and the other sites are written.
//! - a write may not be made at all (401, 403, a rate limit without end): it is told as failed, and so are the others, untried.
//!
//! What does not belong here: HTTP, pacing, decoding and the looking again (`nexus-vendors`), the protocol of a run
//! (`nexus-jobs`), and the ties between sites and companies, which `sync-datto` makes.

mod apply;
mod job;
mod plan;
mod sites;

pub use job::{NAME, PushAccountNumbers, ReadError, job};
pub use nexus_jobs::datto::NotConfigured;
