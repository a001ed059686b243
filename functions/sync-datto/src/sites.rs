//! The sites, and the account number that each of them carries.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};
use nexus_core::Entity;
use nexus_core::sync::Gap;
use nexus_jobs::datto::{AT_A_TIME, Unclear, account_number};
use nexus_jobs::{Place, Sink};
use nexus_vendors::Error;
use nexus_vendors::datto::{Datto, Site, Variable};

use crate::job::{ReadError, refused};
use crate::map;
use crate::position::{At, Position};

/// The list of sites, and what begins the names of the lists of their devices.
pub(crate) const SITES: &str = "sites";
pub(crate) const DEVICES_OF: &str = "site:";

/// Reads the sites and ties them to their companies, from where the run paused if it did; those that can have devices, whether
/// they are all, and where their devices go on.
pub(crate) async fn read(
    vendor: &Datto,
    sink: &mut Sink<'_>,
    position: Option<Position>,
) -> Result<((Vec<Site>, bool), Option<At>), ReadError> {
    let place = sink.open(SITES, Entity::Company);
    sink.at(place).has_parts(DEVICES_OF);
    let (sites, whole, mut numbered) = match position {
        Some(Position { sites, whole, at: At::Numbers { numbered } }) => (sites, whole, numbered),
        Some(Position { sites, whole, at }) => return Ok(((sites, whole), Some(at))),
        None => {
            sink.step("Sites", None);
            let (sites, whole) = list(vendor, sink, place).await?;
            (sites, whole, BTreeSet::new())
        }
    };

    sink.step("Account numbers", Some(sites.len() as u64));
    let left: Vec<&Site> = sites.iter().filter(|site| !numbered.contains(&site.uid)).collect();
    // Boxed, so that the future of the whole run stays small.
    let mut numbers =
        stream::iter(left.into_iter().map(|site| async move { (site, vendor.variables_of(&site.uid).await) }))
            .buffer_unordered(AT_A_TIME)
            .boxed();
    while let Some((site, variables)) = numbers.next().await {
        sink.vendor_calls(vendor.calls().calls);
        tie(sink, place, site, variables).await?;
        numbered.insert(site.uid.clone());
        if numbered.len() < sites.len() && sink.time_is_up() {
            drop(numbers);
            return Err(sink.pause(&Position { sites, whole, at: At::Numbers { numbered } }).into());
        }
    }
    drop(numbers);
    if whole {
        sink.at(place).complete();
    }
    Ok(((sites, whole), None))
}

/// Ties a site to its company by its number, or tells why that is not possible.
async fn tie(
    sink: &mut Sink<'_>,
    place: Place,
    site: &Site,
    variables: Result<Vec<Variable>, Error>,
) -> Result<(), ReadError> {
    let number = match variables {
        Ok(variables) => number_of(&variables),
        Err(error) => {
            if let Some(refused) = refused(&error, "the variables of sites") {
                sink.at(place).fail(refused.to_string());
                return Err(refused);
            }
            // A number that could not be read is not a site without one.
            sink.at(place).quarantine(Some(site.uid.clone()), format!("its variables could not be read: {error}"));
            return Ok(());
        }
    };
    if let Err(reason) = &number {
        let name = site.name.clone().unwrap_or_else(|| site.uid.clone());
        let (external_id, reason) = (site.uid.clone(), reason.to_string());
        sink.gap(Gap { entity: Entity::Company, external_id, name, reason });
    }
    Ok(sink.at(place).observe(map::site(site, number.ok().flatten())).await?)
}

/// Every site but the pseudo-site, and whether that is all of them.
async fn list(vendor: &Datto, sink: &mut Sink<'_>, place: Place) -> Result<(Vec<Site>, bool), ReadError> {
    let (mut sites, mut pages, mut number) = (Vec::new(), vendor.sites(), 0);
    loop {
        number += 1;
        let page = pages.next().await;
        sink.vendor_calls(vendor.calls().calls);
        match page {
            Ok(Some(page)) => {
                for quarantined in page.quarantined {
                    sink.at(place).quarantine(quarantined.id, quarantined.reason);
                }
                sites.extend(page.records.into_iter().filter(|site| !site.is_pseudo()));
            }
            Ok(None) => return Ok((sites, true)),
            Err(error) => {
                let told = refused(&error, "sites");
                let told = told
                    .or_else(|| (number == 1).then(|| ReadError::NothingRead { list: "sites", error: error.clone() }));
                sink.at(place).fail(format!("Page {number} of the sites could not be read: {error}"));
                return told.map_or(Ok((sites, false)), Err);
            }
        }
    }
}

/// The account number among a site's variables.
fn number_of(variables: &[Variable]) -> Result<Option<String>, Unclear> {
    let value = account_number(variables)?.and_then(|variable| variable.value.as_deref());
    Ok(value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned))
}
