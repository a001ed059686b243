//! The people of the companies, and the provider's own agents.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::records::{Department, Requester};
use crate::companies::{Company, NOW, phone, rfc3339, slug};
use crate::random::Random;
use crate::words;

/// `contacts` people and one agent per hundred, ordered by first name as the vendor lists them.
pub(super) fn generate(
    contacts: usize,
    companies: &[Company],
    departments: &[Department],
    seed: u64,
) -> Vec<Requester> {
    let mut random = Random::new(seed, 4);
    let mut emails = HashSet::with_capacity(contacts);
    let mut id = 39_000_900_000;
    let mut people: Vec<Requester> = (0..contacts)
        .map(|index| {
            id += random.between(1, 9);
            person(&mut random, id, index, companies, departments, &mut emails)
        })
        .collect();
    people.extend((0..contacts / 100).map(|index| {
        id += 1;
        agent(&mut random, id, index)
    }));
    people.sort_by(|a, b| (&a.first_name, a.id).cmp(&(&b.first_name, b.id)));
    people
}

fn person(
    random: &mut Random,
    id: i64,
    index: usize,
    companies: &[Company],
    departments: &[Department],
    emails: &mut HashSet<String>,
) -> Requester {
    // Large companies and small ones: the smaller of two draws comes up more often at the front.
    let home = random.below(companies.len()).min(random.below(companies.len()));
    let company = companies.get(home);
    let region = company.map_or(0, |company| company.region);
    let names = if random.percent(85) { region } else { random.below(4) };
    let first_name = random.pick(words::FIRST_NAMES[names]);
    let last_name = random.pick(words::LAST_NAMES[names]);
    let domain = company.map_or("freelance.example", |company| &company.domain);
    let email = email(emails, first_name, last_name, domain, id);
    let created = NOW - random.between(1, 2_000) * 86_400 - random.between(0, 86_399);
    let work_phone = random.percent(70).then(|| phone(random, region));
    let without_email = index % 61 == 17;
    Requester {
        active: index % 33 != 12,
        has_logged_in: random.percent(45),
        vip_user: random.percent(3),
        // A person known by one name only, as a shared desk is.
        last_name: (index % 71 != 30).then(|| last_name.to_owned()),
        secondary_emails: if random.percent(4) { vec![format!("{id}@private.example")] } else { Vec::new() },
        // Without an address the vendor asks for a number.
        work_phone_number: if without_email { Some(phone(random, region)) } else { work_phone },
        primary_email: (!without_email).then_some(email),
        mobile_phone_number: random.percent(40).then(|| phone(random, region)),
        external_id: random.percent(10).then(|| format!("E{:05}", random.below(100_000))),
        job_title: random.percent(80).then(|| random.pick(words::TITLES).to_owned()),
        language: Some(words::LANGUAGES[region].to_owned()),
        time_zone: Some(words::TIME_ZONES[region].to_owned()),
        time_format: Some(if region == 0 { "12h" } else { "24h" }.to_owned()),
        department_ids: department_ids(random, index, home, departments),
        address: random.percent(10).then(|| company.map(|company| company.address.clone())).flatten(),
        background_information: random.percent(5).then(|| "Prefers to be called in the morning.".to_owned()),
        can_see_all_tickets_from_associated_departments: random.percent(6),
        custom_fields: user_number(random),
        created_at: rfc3339(created),
        updated_at: rfc3339((created + random.between(0, 400) * 86_400).min(NOW)),
        ..Requester::new(id, first_name, last_name, &[])
    }
}

/// Mostly the one; some have a second, a few an empty list or none. By position, so that a small world has them too.
fn department_ids(random: &mut Random, index: usize, home: usize, departments: &[Department]) -> Option<Vec<i64>> {
    if index % 83 == 40 {
        return None;
    }
    let Some(first) = departments.get(home).filter(|_| index % 79 != 25).map(|department| department.id) else {
        return Some(Vec::new());
    };
    let second = departments.get(random.below(departments.len())).map_or(first, |department| department.id);
    Some(if index % 19 == 6 && second != first { vec![first, second] } else { vec![first] })
}

fn email(taken: &mut HashSet<String>, first_name: &str, last_name: &str, domain: &str, id: i64) -> String {
    let (first, last) = (slug(first_name), slug(last_name));
    let mut email = format!("{first}.{last}@{domain}");
    if taken.contains(&email) {
        email = format!("{}{last}@{domain}", first.chars().take(1).collect::<String>());
    }
    if taken.contains(&email) {
        email = format!("{first}.{last}{}@{domain}", id % 10_000);
    }
    if taken.contains(&email) {
        email = format!("{id}@{domain}");
    }
    taken.insert(email.clone());
    email
}

fn user_number(random: &mut Random) -> Map<String, Value> {
    let number = if random.percent(50) { json!(random.between(1_000, 9_999)) } else { Value::Null };
    Map::from_iter([("user_number".to_owned(), number)])
}

fn agent(random: &mut Random, id: i64, index: usize) -> Requester {
    let first_name = random.pick(words::FIRST_NAMES[0]);
    let last_name = random.pick(words::LAST_NAMES[0]);
    Requester {
        is_agent: true,
        has_logged_in: true,
        primary_email: Some(format!("{}.{}{index}@provider.example", slug(first_name), slug(last_name))),
        job_title: Some("Support Engineer".to_owned()),
        language: Some("en".to_owned()),
        ..Requester::new(id, first_name, last_name, &[])
    }
}
