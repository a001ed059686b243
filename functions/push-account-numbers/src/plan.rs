//! Which site gets which number. Pure: what was read is given.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nexus_jobs::datto::account_number;
use nexus_vendors::datto::Variable;

/// A company of Nexus, as far as its sites are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Company {
    pub(crate) account_number: String,
    pub(crate) name: String,
    pub(crate) sites: Vec<String>,
    /// Those of them that a person tied to it.
    pub(crate) tied: Vec<String>,
}

/// Whose numbers there are: names of the live companies by their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners(HashMap<String, String>);

impl Owners {
    pub(crate) fn of(companies: &[Company]) -> Self {
        let one = |company: &Company| (canonical(&company.account_number), company.name.clone());
        Self(companies.iter().map(one).collect())
    }
}

/// Whose number may not be written over in a site: anybody's, but what a person tied has its company's number, whatever it says.
pub(crate) fn respected(site: &str, companies: &[&Company], owners: &Arc<Owners>) -> Arc<Owners> {
    let is_tied = companies.iter().any(|company| company.tied.iter().any(|tied| tied == site));
    if is_tied { Arc::default() } else { owners.clone() }
}

/// The sites that are tied to companies, each with its companies.
pub(crate) fn ties(companies: &[Company]) -> BTreeMap<&str, Vec<&Company>> {
    let mut ties: BTreeMap<&str, Vec<&Company>> = BTreeMap::new();
    for company in companies {
        for site in &company.sites {
            ties.entry(site).or_default().push(company);
        }
    }
    ties
}

/// What is to be done about a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It has the number.
    Unchanged,
    /// It has no variable: one is made.
    Create,
    /// Its variable says something else.
    Update {
        /// The variable.
        id: i64,
        /// Its name, in the case of letters that it has there.
        name: String,
        /// Its value.
        before: Option<String>,
    },
    /// A person should look at it.
    Tell(String),
}

/// Plans a tied site.
pub(crate) fn plan(companies: &[&Company], variables: &[Variable], owners: &Owners) -> Step {
    if let [company] = companies {
        return step(&company.account_number, variables, owners);
    }
    let named = companies.iter().map(|company| format!("{} ({})", company.name, company.account_number));
    let named = named.collect::<Vec<_>>().join(", ");
    Step::Tell(format!("It is tied to several companies: {named}. It can have the number of one only."))
}

/// What makes the number of a site be the wanted one.
pub(crate) fn step(wanted: &str, variables: &[Variable], owners: &Owners) -> Step {
    let variable = match account_number(variables) {
        Ok(Some(variable)) => variable,
        Ok(None) => return Step::Create,
        Err(unclear) => return Step::Tell(unclear.to_string()),
    };
    let held = canonical(variable.value.as_deref().unwrap_or_default());
    if held == canonical(wanted) {
        return Step::Unchanged;
    }
    if let Some(owner) = owners.0.get(&held) {
        return Step::Tell(format!(
            "Its variable AccountNumber is {held}, the number of {owner}, but it is tied to the company {wanted}. Correct one \
             of the two."
        ));
    }
    let (name, before) = (variable.name.clone().unwrap_or_default(), variable.value.clone());
    Step::Update { id: variable.id, name, before }
}

/// One text for one number, however it was typed: blanks around it and the case of letters do not count.
fn canonical(number: &str) -> String {
    number.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company(account_number: &str, name: &str, sites: &[&str]) -> Company {
        let sites = sites.iter().map(|site| (*site).to_owned()).collect();
        Company { account_number: account_number.into(), name: name.into(), sites, tied: Vec::new() }
    }

    fn variable(id: i64, name: &str, value: &str) -> Variable {
        Variable { id, name: Some(name.into()), value: Some(value.into()), masked: false }
    }

    fn owners() -> Owners {
        Owners::of(&[company("100001", "Alpha", &[]), company("100002", "Bravo", &[]), company("B-7", "Bees", &[])])
    }

    fn planned(variables: &[Variable]) -> Step {
        step("100001", variables, &owners())
    }

    #[test]
    fn a_site_without_the_variable_gets_it_and_another_value_is_changed_by_its_id() {
        assert_eq!(planned(&[]), Step::Create);
        assert_eq!(planned(&[variable(1, "Domain", "100002")]), Step::Create, "another variable is none of ours");
        let update = |name: &str, before: &str| Step::Update { id: 2, name: name.into(), before: Some(before.into()) };
        for before in ["", " ", "123", "100001x", "0100001"] {
            let variables = [variable(1, "Domain", "x"), variable(2, "AccountNumber", before)];
            assert_eq!(planned(&variables), update("AccountNumber", before), "{before:?}");
        }
        assert_eq!(planned(&[variable(2, "accountnumber", "1")]), update("accountnumber", "1"), "its name stays");
    }

    #[test]
    fn the_same_number_is_unchanged_however_it_was_typed() {
        for held in ["100001", " 100001\n"] {
            assert_eq!(planned(&[variable(2, "AccountNumber", held)]), Step::Unchanged, "{held:?}");
        }
        assert_eq!(step("B-7", &[variable(2, "AccountNumber", "b-7")], &owners()), Step::Unchanged);
    }

    #[test]
    fn what_is_not_clear_is_told_and_not_written() {
        let two = [variable(1, "AccountNumber", "100001"), variable(2, "ACCOUNTNUMBER", "100001")];
        let masked = [Variable { masked: true, ..variable(1, "AccountNumber", "********") }];
        let anothers = [variable(1, "AccountNumber", " 100002 ")];
        for (variables, word) in [(&two[..], "several"), (&masked, "masked"), (&anothers, "the number of Bravo")] {
            let Step::Tell(reason) = planned(variables) else { panic!("{variables:?} is not told") };
            assert!(reason.contains(word), "{reason}");
        }
    }

    #[test]
    fn a_site_of_several_companies_is_told_whatever_it_says() {
        let companies = [company("100001", "Alpha", &["s", "t"]), company("100002", "Bravo", &["s"])];
        let ties = ties(&companies);
        assert_eq!(ties.keys().collect::<Vec<_>>(), [&"s", &"t"]);
        for variables in [vec![], vec![variable(1, "AccountNumber", "100001")]] {
            let Step::Tell(reason) = plan(&ties["s"], &variables, &owners()) else { panic!("it is not told") };
            assert!(reason.contains("Alpha (100001), Bravo (100002)"), "{reason}");
            assert_ne!(plan(&ties["t"], &variables, &owners()), Step::Tell(reason));
        }
    }

    #[test]
    fn a_plan_that_was_carried_out_plans_nothing() {
        for before in [vec![], vec![variable(2, "accountNumber", "7")]] {
            let after = match planned(&before) {
                Step::Create => variable(9, nexus_jobs::datto::ACCOUNT_NUMBER, "100001"),
                Step::Update { id, name, .. } => variable(id, &name, "100001"),
                other => panic!("{other:?}"),
            };
            assert_eq!(planned(&[after]), Step::Unchanged);
        }
    }
}
