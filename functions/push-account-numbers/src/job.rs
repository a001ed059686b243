//! The job: reads both sides, plans, and has the plan carried out.

use std::sync::Arc;

use nexus_core::config::Config;
use nexus_core::sync::{Outcome, OutcomeState};
use nexus_core::{Entity, records};
use nexus_jobs::datto::{Access, NoAccess, NotConfigured};
use nexus_jobs::{Job, Sink, Stopped, Write, apply};
use nexus_vendors::{Error, Unsettled};
use thiserror::Error as ThisError;

use crate::apply::Push;
use crate::plan::{Company, Owners, Step, plan, respected, ties};
use crate::sites;

/// The name of the job, in Nexus and of the function.
pub const NAME: &str = "push-account-numbers";

/// Why a run was given up before anything was written: the sentence is for the person who has to do something about it.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum ReadError {
    /// Datto RMM does not let the job in.
    #[error("{0}. Nothing was written")]
    NoAccess(#[from] NoAccess),
    /// The sites were not read.
    #[error("Datto RMM could not be read ({list}): {error}. Nothing was written")]
    NotRead {
        /// In our words.
        list: &'static str,
        /// Why.
        error: Error,
    },
    /// The companies were not read.
    #[error("The companies of Nexus could not be read completely: {0}. Nothing was written")]
    Nexus(#[from] nexus_client::Error),
    /// Nexus takes no more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The job of this configuration.
pub fn job(config: &Config) -> Result<PushAccountNumbers, NotConfigured> {
    Access::of(config).map(PushAccountNumbers::new)
}

/// The job, ready to be run any number of times.
#[derive(Clone, Debug)]
pub struct PushAccountNumbers {
    access: Access,
}

impl PushAccountNumbers {
    /// The job that writes into this account.
    #[must_use]
    pub const fn new(access: Access) -> Self {
        Self { access }
    }
}

impl Job for PushAccountNumbers {
    type Error = ReadError;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn work(&self, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        sink.step("Companies", None);
        let companies = sink.client().companies().list().all().await?;
        let companies: Vec<Company> = companies.into_iter().map(company).collect();
        let owners = Arc::new(Owners::of(&companies));
        let ties = ties(&companies);

        let vendor = self.access.connect(sink).await?;
        let names = sites::names(&vendor, sink).await?;
        let mut writes = Vec::new();
        for (uid, variables) in sites::variables(&vendor, sink, ties.keys().copied().collect()).await? {
            let companies = &ties[uid];
            let respected = respected(uid, companies, &owners);
            let number = companies[0].account_number.clone();
            let told = |before, after, state, reason| Outcome {
                entity: Entity::Company,
                external_id: uid.to_owned(),
                name: names.get(uid).unwrap_or(&companies[0].name).clone(),
                before,
                after,
                state,
                reason,
            };
            let step = match variables {
                Ok(variables) => plan(companies, &variables, &respected),
                Err(Error::Rejected { status: 404, .. }) => {
                    Step::Tell("Datto RMM does not have this site any more.".to_owned())
                }
                Err(error) => {
                    let reason = format!("Its variables could not be read: {error}");
                    sink.outcome(told(None, Some(number), OutcomeState::Failed, Some(reason)));
                    continue;
                }
            };
            let before = match step {
                Step::Unchanged => {
                    sink.unchanged(Entity::Company, 1);
                    continue;
                }
                Step::Tell(reason) => {
                    sink.outcome(told(None, None, OutcomeState::Skipped, Some(reason)));
                    continue;
                }
                Step::Create => None,
                Step::Update { before, .. } => before,
            };
            let outcome = told(before, Some(number.clone()), OutcomeState::Planned, None);
            let target = Push { vendor: vendor.clone(), uid: uid.to_owned(), number, owners: respected };
            writes.push(Write { outcome, target });
        }

        let ends = |unsettled: &Unsettled| {
            let refused = NoAccess::of_write(unsettled.error()?, "the variables of sites");
            refused.map(|refused| refused.to_string())
        };
        apply(sink, writes, || vendor.calls().calls, ends).await;
        Ok(())
    }
}

fn company(company: records::Company) -> Company {
    let records::Company { account_number, name, datto_site_uids, tied_site_uids, .. } = company;
    Company { account_number, name, sites: datto_site_uids, tied: tied_site_uids }
}
