//! The job: reads both sides, plans, and has the plan carried out.

use nexus_core::Entity;
use nexus_core::config::Config;
use nexus_core::sync::{Outcome, OutcomeState};
use nexus_jobs::freshservice::{Access, NoAccess, NotConfigured};
use nexus_jobs::{Job, Sink, Stopped, Write, apply};
use nexus_vendors::{Error, Unsettled};
use thiserror::Error as ThisError;

use crate::apply::Assignment;
use crate::companies;
use crate::plan::{Assigned, Plan, Told, plan};

/// The name of the job, in Nexus and of the function.
pub const NAME: &str = "assign-account-numbers";

/// Why a run was given up before anything was written: the sentence is for the person who has to do something about it.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum ReadError {
    /// Freshservice does not let the job in.
    #[error("{0}. Nothing was written")]
    NoAccess(#[from] NoAccess),
    /// A list was not read to its end, or a record of it not understood.
    #[error("Freshservice could not be read completely ({list}): {error}. Nothing was written")]
    NotRead {
        /// The list, in the vendor's words.
        list: &'static str,
        /// Why.
        error: Error,
    },
    /// Nobody has defined the field.
    #[error(
        "The {list} of Freshservice have no field account_number; an administrator has to add it there, as a number. Nothing \
         was written"
    )]
    NoField {
        /// Where it is missing, in the vendor's words.
        list: &'static str,
    },
    /// The numbers in use in Nexus were not read.
    #[error("The companies of Nexus could not be read completely: {0}. Nothing was written")]
    Nexus(#[from] nexus_client::Error),
    /// This machine gives no random numbers.
    #[error("This machine gives no random numbers: {0}. Nothing was written")]
    Random(#[from] getrandom::Error),
    /// Nexus takes no more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The job of this configuration.
pub fn job(config: &Config) -> Result<AssignAccountNumbers, NotConfigured> {
    Access::of(config).map(AssignAccountNumbers::new)
}

/// Gives a random number of 32 bits.
pub type Draw = fn() -> Result<u32, getrandom::Error>;

/// The job, ready to be run any number of times.
#[derive(Clone, Debug)]
pub struct AssignAccountNumbers {
    access: Access,
    draw: Draw,
}

impl AssignAccountNumbers {
    /// The job that writes into this account.
    #[must_use]
    pub const fn new(access: Access) -> Self {
        Self { access, draw: getrandom::u32 }
    }

    /// The same, with these numbers in the place of random ones: for tests.
    #[must_use]
    pub fn drawing(self, draw: Draw) -> Self {
        Self { draw, ..self }
    }
}

impl Job for AssignAccountNumbers {
    type Error = ReadError;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn work(&self, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let vendor = self.access.connect()?;
        sink.calls_per_minute(vendor.calls_per_minute());
        sink.step("Companies of Freshservice", None);
        let read = companies::read(&vendor).await;
        sink.vendor_calls(vendor.calls().calls);
        let (kind, companies) = read?;

        sink.step("Numbers in use", None);
        let nexus = sink.client().companies();
        let mut known = nexus.list().all().await?;
        known.extend(nexus.list().archived().all().await?);
        let known = known.iter().map(|company| company.account_number.as_str());

        let Plan { assigned, told, unchanged } = plan(&companies, known, self.draw)?;
        sink.unchanged(Entity::Company, unchanged);
        for told in told {
            sink.outcome(skipped(told));
        }
        let writes = assigned.into_iter().map(|assigned| {
            let target = Assignment { vendor: vendor.clone(), kind, id: assigned.id, number: assigned.number };
            Write { outcome: planned(assigned), target }
        });
        let ends = |unsettled: &Unsettled| match unsettled {
            // Whatever is wrong there would be wrong with every company.
            Unsettled::Spoilt(_) => Some("A write before it changed more than the number.".to_owned()),
            other => {
                let refused = other.error().and_then(|error| NoAccess::of_write(error, kind.list()));
                refused.map(|refused| refused.to_string())
            }
        };
        apply(sink, writes.collect(), || vendor.calls().calls, ends).await;
        Ok(())
    }
}

fn planned(Assigned { id, name, number }: Assigned) -> Outcome {
    Outcome {
        entity: Entity::Company,
        external_id: id.to_string(),
        name,
        before: None,
        after: Some(number.to_string()),
        state: OutcomeState::Planned,
        reason: None,
    }
}

fn skipped(Told { id, name, held, reason }: Told) -> Outcome {
    Outcome {
        entity: Entity::Company,
        external_id: id.to_string(),
        name,
        before: held,
        after: None,
        state: OutcomeState::Skipped,
        reason: Some(reason),
    }
}
