//! The job `assign-account-numbers`: gives each company of Freshservice that has no account number one of its own.
//!
//! | read | of it |
//! |---|---|
//! | `GET /workspaces` of Freshservice | which kind of account it is: companies are departments, or in Freshservice for MSPs clients |
//! | `GET /departments`, or the clients among the workspaces | the companies, and the numbers that they have |
//! | `GET /department_fields`, or `/workspace_form_fields` | that there is a field `account_number` |
//! | `GET /api/companies` of Nexus, live and archived | the numbers that are in use there |
//!
//! The plan is a pure function of what was read and of random numbers. A number has six digits, is drawn at random, and is
//! none that stands anywhere in the field of a company or as the number of one. What stands in the field already is left
//! alone: something that is no six-digit number is told. Numbers go to Freshservice only, as integers; `sync-freshservice`
//! brings the companies on its next run. A dry run tells the plan and writes nothing.
//!
//! Each write is made upon the company as it is at that moment, with all its custom fields, and read back.
//!
//! How what fails ends:
//!
//! - either side cannot be read completely (a list breaks off, a record cannot be understood, the key is refused), or there is
//!   no field: the run fails with a sentence that says what to check, and nothing is written. A number might be in use where
//!   nobody could look.
//! - a write is refused, does not take, or cannot be read back: it is told as failed, and the others are made.
//! - a write may not be made at all (401, 403, a rate limit without end), or has changed another custom field: it is told as
//!   failed, and so are the others, untried.
//!
//! What does not belong here: HTTP, pacing, decoding and the looking again (`nexus-vendors`), the protocol of a run
//! (`nexus-jobs`), and the companies of Nexus, which the sync brings.

mod apply;
mod companies;
mod job;
mod plan;

pub use job::{AssignAccountNumbers, Draw, NAME, ReadError, job};
pub use nexus_jobs::freshservice::NotConfigured;
