//! The sites of the companies.

use serde_json::json;

use super::records::{Site, Variable};
use crate::companies::Company;
use crate::random::Random;

/// The uid of the pseudo-site that holds deleted devices. It is listed among the sites, is no UUID, and answers 404.
pub const DELETED_DEVICES: &str = "deleted_devices";

/// One site per company, and the pseudo-site at the end.
pub(super) fn generate(companies: &[Company], seed: u64) -> Vec<Site> {
    let mut random = Random::new(seed, 7);
    let mut id = 210_000;
    let mut sites: Vec<Site> = companies
        .iter()
        .enumerate()
        .map(|(index, company)| {
            id += random.between(1, 5);
            site(&mut random, id, index, company)
        })
        .collect();
    sites.push(Site {
        description: Some("Devices that were deleted".to_owned()),
        ..Site::new(id + 1, DELETED_DEVICES, "Deleted Devices")
    });
    sites
}

fn site(random: &mut Random, id: i64, index: usize, company: &Company) -> Site {
    // People name sites by hand: what names the company in one place is not always its name in the other.
    let name = match random.below(12) {
        0 => format!("{} - Main Office", company.name),
        1 => company.name.to_uppercase(),
        2 => company.name.split(' ').take(2).collect::<Vec<_>>().join(" "),
        _ => company.name.clone(),
    };
    let mut site = Site {
        description: random.percent(20).then(|| company.address.replace('\n', ", ")),
        on_demand: Some(index % 40 == 33),
        splashtop_auto_install: random.percent(90).then_some(true),
        proxy_settings: random.percent(2).then(|| {
            json!({ "host": "10.0.0.8", "password": "sim-proxy-secret", "port": 3128, "type": "http", "username": "proxy" })
        }),
        portal_url: Some(format!("https://simulated.centrastage.net/csm/profile/summary/{id}")),
        ..Site::new(id, &random.uuid(), &name)
    };
    let mut add = |offset: i64, name: &str, value: String, masked: bool| {
        site.variables.push(Variable {
            id: id * 10 + offset,
            name: Some(name.to_owned()),
            value: Some(value),
            masked: Some(masked),
        });
    };
    if random.percent(30) {
        add(1, "OnboardingKey", "********".to_owned(), true);
    }
    if random.percent(25) {
        add(2, "PrimaryDomain", company.domain.clone(), false);
    }
    // A few sites never got their number, although the company has one.
    if let Some(number) = company.account_number.filter(|_| index % 50 != 11) {
        add(3, "AccountNumber", number.to_string(), false);
    }
    site
}
