//! Which company gets which number. Pure: what was read and what is drawn are given.

use std::collections::HashSet;

use nexus_vendors::CustomFields;

/// The custom field that has the number.
pub(crate) const FIELD: &str = "account_number";

/// The six-digit numbers.
const FIRST: u32 = 100_000;
const COUNT: u32 = 900_000;

/// A company of Freshservice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Company {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// Whether it should have a number.
    pub(crate) live: bool,
    pub(crate) held: Held,
}

/// What stands in the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Nothing,
    /// Six digits.
    Number(u32),
    /// Anything else.
    Odd(String),
}

impl Held {
    pub(crate) fn of(fields: &CustomFields) -> Self {
        match (fields.get(FIELD), fields.text(FIELD)) {
            (Some(value), None) if value.is_array() || value.is_object() => Self::Odd(value.to_string()),
            (_, None) => Self::Nothing,
            (_, Some(text)) => match text.parse() {
                Ok(number) if text.len() == 6 && (FIRST..FIRST + COUNT).contains(&number) => Self::Number(number),
                _ => Self::Odd(text),
            },
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) assigned: Vec<Assigned>,
    /// What a person should look at.
    pub(crate) told: Vec<Told>,
    /// Companies that have their number.
    pub(crate) unchanged: u64,
}

/// A company and its new number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assigned {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) number: u32,
}

/// A company that gets none, although it has none that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// What stands in the field.
    pub(crate) held: Option<String>,
    pub(crate) reason: String,
}

/// Gives each live company that has no number one that is not in use: neither by a company of Freshservice nor `elsewhere`.
/// `draw` gives random numbers of 32 bits, one for each company that gets one.
pub(crate) fn plan<E>(
    companies: &[Company],
    elsewhere: impl IntoIterator<Item = impl AsRef<str>>,
    mut draw: impl FnMut() -> Result<u32, E>,
) -> Result<Plan, E> {
    let mut used = HashSet::new();
    for number in elsewhere {
        used.extend(numbers_in(number.as_ref()));
    }
    for company in companies {
        match &company.held {
            Held::Nothing => {}
            Held::Number(number) => used.extend([*number]),
            Held::Odd(text) => used.extend(numbers_in(text)),
        }
    }
    let mut plan = Plan::default();
    for Company { id, name, live, held } in companies {
        let told = |held, reason| Told { id: *id, name: name.clone(), held, reason };
        match held {
            Held::Number(_) => plan.unchanged += 1,
            Held::Odd(text) => {
                let reason = "Its account number does not have six digits. Correct it in Freshservice, or empty the field, so \
                              that the company gets a number.";
                plan.told.push(told(Some(text.clone()), reason.to_owned()));
            }
            Held::Nothing if !live => {}
            Held::Nothing => match free(&used, draw()?) {
                Some(number) => {
                    used.insert(number);
                    plan.assigned.push(Assigned { id: *id, name: name.clone(), number });
                }
                None => plan.told.push(told(None, "Every number of six digits is in use.".to_owned())),
            },
        }
    }
    Ok(plan)
}

/// The first number that is free from where the drawn one points.
fn free(used: &HashSet<u32>, drawn: u32) -> Option<u32> {
    let start = drawn % COUNT;
    (start..COUNT).chain(0..start).map(|offset| FIRST + offset).find(|number| !used.contains(number))
}

/// Every number that somebody may see in a text: of `"123456 (old)"` or `0123456` one should not be given to another company,
/// which may be called so tomorrow.
fn numbers_in(text: &str) -> impl Iterator<Item = u32> {
    text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn company(id: i64, held: Held) -> Company {
        Company { id, name: format!("Company {id}"), live: true, held }
    }

    fn odd(text: &str) -> Held {
        Held::Odd(text.to_owned())
    }

    /// A plan with these draws, in turn.
    fn planned(companies: &[Company], elsewhere: &[&str], draws: &[u32]) -> Plan {
        let mut draws = draws.iter().copied();
        let Ok(plan) =
            plan(companies, elsewhere, || Ok::<_, Infallible>(draws.next().expect("a draw that was foreseen")));
        assert_eq!(draws.next(), None, "one draw for each number");
        plan
    }

    fn numbers(plan: &Plan) -> Vec<(i64, u32)> {
        plan.assigned.iter().map(|assigned| (assigned.id, assigned.number)).collect()
    }

    #[test]
    fn each_company_without_a_number_gets_the_one_that_was_drawn() {
        let companies = [
            company(1, Held::Nothing),
            company(2, Held::Number(123_456)),
            company(3, Held::Nothing),
            company(4, Held::Nothing),
            Company { live: false, ..company(5, Held::Nothing) },
        ];
        let plan = planned(&companies, &[], &[0, 899_999, 900_007]);
        assert_eq!(numbers(&plan), [(1, 100_000), (3, 999_999), (4, 100_007)]);
        assert_eq!((plan.unchanged, plan.told), (1, vec![]));
    }

    #[test]
    fn a_number_in_use_anywhere_is_never_given() {
        let companies = [
            company(1, Held::Nothing),
            company(2, Held::Number(100_000)),
            company(3, odd("100001 (old)")),
            company(4, odd("0100002")),
            company(5, Held::Nothing),
        ];
        let plan = planned(&companies, &["100003", "A-100004", "100005.0", "999999"], &[0, 899_999]);
        assert_eq!(numbers(&plan), [(1, 100_006), (5, 100_007)], "what was just given is in use, too");
    }

    #[test]
    fn what_stands_in_the_field_is_told_and_left_alone() {
        let companies = [company(1, odd("12345")), company(2, odd("none yet"))];
        let plan = planned(&companies, &[], &[]);
        assert_eq!((plan.assigned.len(), plan.unchanged), (0, 0));
        let told: Vec<_> = plan.told.iter().map(|told| (told.id, told.held.as_deref())).collect();
        assert_eq!(told, [(1, Some("12345")), (2, Some("none yet"))]);
    }

    #[test]
    fn when_no_number_is_left_that_is_told() {
        let all: Vec<String> = (FIRST..FIRST + COUNT).filter(|n| *n != 500_000).map(|n| n.to_string()).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let plan = planned(&[company(1, Held::Nothing), company(2, Held::Nothing)], &all, &[7, 8]);
        assert_eq!((numbers(&plan), plan.told[0].id), (vec![(1, 500_000)], 2));
    }

    #[test]
    fn a_field_holds_nothing_a_number_or_something_odd() {
        for (value, held) in [
            (serde_json::json!(null), Held::Nothing),
            (serde_json::json!("  "), Held::Nothing),
            (serde_json::json!(123_456), Held::Number(123_456)),
            (serde_json::json!(123_456.0), Held::Number(123_456)),
            (serde_json::json!(" 123456 "), Held::Number(123_456)),
            (serde_json::json!(12_345), odd("12345")),
            (serde_json::json!("012345"), odd("012345")),
            (serde_json::json!("+12345"), odd("+12345")),
            (serde_json::json!(1_234_567), odd("1234567")),
            (serde_json::json!(123_456.5), odd("123456.5")),
            (serde_json::json!("pending"), odd("pending")),
            (serde_json::json!(false), odd("false")),
            (serde_json::json!([123_456]), odd("[123456]")),
            (serde_json::json!({}), odd("{}")),
        ] {
            assert_eq!(Held::of(&CustomFields::default().with(FIELD, value.clone())), held, "{value}");
        }
        assert_eq!(Held::of(&CustomFields::default()), Held::Nothing, "a field that is not there");
    }

    proptest! {
        #[test]
        fn numbers_are_unique_and_a_plan_that_was_carried_out_plans_nothing(
            held in prop::collection::vec(prop_oneof![
                3 => Just(Held::Nothing),
                1 => (0..40_u32).prop_map(|n| Held::Number(FIRST + n)),
                1 => "[0-9 x]{0,9}".prop_map(Held::Odd),
            ], 0..60),
            elsewhere in prop::collection::vec(FIRST..FIRST + 60, 0..40),
            mut draws in prop::collection::vec(0..90_u32, 60),
        ) {
            let mut companies: Vec<Company> = (0..).zip(held).map(|(id, held)| company(id, held)).collect();
            let elsewhere: Vec<String> = elsewhere.iter().map(u32::to_string).collect();
            let Ok(first) = plan(&companies, &elsewhere, || Ok::<_, Infallible>(draws.pop().unwrap_or(0)));
            let mut taken: Vec<u32> = elsewhere.iter().filter_map(|number| number.parse().ok()).collect();
            taken.extend(companies.iter().filter_map(|company| match company.held {
                Held::Number(number) => Some(number),
                _ => None,
            }));
            for assigned in &first.assigned {
                prop_assert!((FIRST..FIRST + COUNT).contains(&assigned.number) && !taken.contains(&assigned.number));
                taken.push(assigned.number);
                let company = companies.iter_mut().find(|company| company.id == assigned.id);
                company.expect("one that was given").held = Held::Number(assigned.number);
            }
            prop_assert!(companies.iter().all(|company| company.held != Held::Nothing));
            let Ok(second) = plan(&companies, &elsewhere, || Ok::<_, Infallible>(0));
            prop_assert_eq!((second.assigned, second.told), (vec![], first.told));
        }
    }
}
