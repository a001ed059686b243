//! What every job shares: the event that starts it, its time, and the protocol of a sync run.
//!
//! A job implements [`Job`]: it reads its vendor list by list into a [`Sink`]. [`run`] does the rest. It starts the run,
//! sends what the job observes in batches while the job reads on, tells how far it is, and completes the run: with what
//! was read, or with the sentence that says why nothing should be done with it.
//!
//! ```no_run
//! use nexus_client::Client;
//! use nexus_core::Entity;
//! use nexus_jobs::{Deadline, Event, Job, JobError, Record, Silent, Sink, Stopped};
//!
//! struct Countdown;
//!
//! impl Job for Countdown {
//!     type Error = Stopped;
//!
//!     fn name(&self) -> &'static str {
//!         "countdown"
//!     }
//!
//!     async fn work(&self, sink: &mut Sink<'_>) -> Result<(), Stopped> {
//!         sink.step("Companies", Some(3));
//!         let mut companies = sink.scope("companies", Entity::Company);
//!         for n in 1..=3 {
//!             companies.observe(Record { external_id: n.to_string(), ..Record::default() }).await?;
//!         }
//!         companies.complete();
//!         Ok(())
//!     }
//! }
//!
//! # async fn example(client: Client) -> Result<(), JobError> {
//! let run = nexus_jobs::run(&Countdown, &client, &Event::manual("countdown"), Deadline::none(), &Silent).await?;
//! println!("{}", run.state.as_str());
//! # Ok(()) }
//! ```
//!
//! A job that writes to its vendor plans everything first and hands its [`Write`]s to [`apply`], which carries them out one by
//! one, looks at each record before and after, and tells how each ended; in a dry run it only tells.
//!
//! # What does not belong here
//!
//! - Anything of one job: its lists, its mapping, its judgement of an error. What several jobs of a vendor share stands in
//!   [`freshservice`] and [`datto`].
//! - HTTP: `nexus-client` speaks to Nexus, `nexus-vendors` to the vendors.
//! - Matching, planning and archiving: Nexus does that when the run is completed.
//! - The database.

mod apply;
pub mod datto;
mod deadline;
mod error;
mod event;
pub mod freshservice;
#[cfg(feature = "lambda")]
pub mod lambda;
mod pause;
mod progress;
mod run;
mod sink;

pub use apply::{Write, apply};
pub use deadline::Deadline;
pub use error::JobError;
pub use event::{Event, EventError};
pub use progress::{Reporter, Silent};
pub use run::{Job, run};
pub use sink::{Place, Record, Scope, Sink, Stopped};
