//! The write of one number.

use std::sync::Arc;

use nexus_jobs::datto::ACCOUNT_NUMBER;
use nexus_vendors::datto::{Datto, Variable};
use nexus_vendors::{Error, Target, Verdict};

use crate::plan::{Owners, Step, step};

/// A site that is to have a number.
pub(crate) struct Push {
    pub(crate) vendor: Datto,
    pub(crate) uid: String,
    pub(crate) number: String,
    pub(crate) owners: Arc<Owners>,
}

impl Push {
    fn step(&self, variables: &[Variable]) -> Step {
        step(&self.number, variables, &self.owners)
    }
}

impl Target for Push {
    type Seen = Vec<Variable>;

    async fn read(&self) -> Result<Vec<Variable>, Error> {
        self.vendor.variables_of(&self.uid).await
    }

    /// The same rules as the plan's, of what is there now.
    fn judge(&self, _: Option<&Vec<Variable>>, now: &Vec<Variable>) -> Verdict {
        match self.step(now) {
            Step::Unchanged => Verdict::Done,
            Step::Create | Step::Update { .. } => Verdict::Due,
            Step::Tell(reason) => Verdict::Stop(reason),
        }
    }

    async fn write(&self, now: &Vec<Variable>) -> Result<(), Error> {
        let Self { vendor, uid, number, .. } = self;
        match self.step(now) {
            Step::Create => vendor.create_variable(uid, ACCOUNT_NUMBER, number).await,
            Step::Update { id, name, .. } => vendor.update_variable(uid, id, &name, number).await,
            Step::Unchanged | Step::Tell(_) => Ok(()),
        }
    }
}
