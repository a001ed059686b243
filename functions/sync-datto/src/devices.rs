//! The devices: all of them in few calls, and again by site wherever the counts differ.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt as _, stream};
use nexus_core::Entity;
use nexus_jobs::datto::AT_A_TIME;
use nexus_jobs::{Place, Sink};
use nexus_vendors::datto::{Datto, Device, Site};
use nexus_vendors::{Error, Quarantined};

use crate::job::{ReadError, refused};
use crate::map;
use crate::sites::DEVICES_OF;

/// A site on the way.
struct Home<'a> {
    site: &'a Site,
    place: Place,
    /// Devices that the list of all has shown of it.
    shown: u64,
}

/// Reads the devices of these sites.
pub(crate) async fn read(vendor: &Datto, sink: &mut Sink<'_>, sites: &[Site]) -> Result<(), ReadError> {
    let expected = sites.iter().map(|site| site.devices).sum::<Option<u64>>();
    sink.step("Devices", expected);
    let mut homes: HashMap<&str, Home<'_>> = HashMap::new();
    for site in sites {
        let place = sink.scope(format!("{DEVICES_OF}{}", site.uid), Entity::Asset).place();
        homes.insert(&site.uid, Home { site, place, shown: 0 });
    }
    let mut seen = HashSet::new();
    let broken = read_all(vendor, sink, &mut homes, &mut seen).await?;

    let mut short = Vec::new();
    for home in homes.values() {
        if home.site.devices == Some(home.shown) {
            sink.at(home.place).complete();
        } else {
            short.push((&home.site.uid, home.place));
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    let why = if broken {
        "the list of all devices broke off"
    } else {
        "the list of all devices shows another number of theirs"
    };
    sink.step(format!("Devices of {} sites on their own, because {why}", short.len()), expected);
    let mut sweeps = stream::iter(short.iter().map(|(uid, place)| async move { (*place, sweep(vendor, uid).await) }))
        .buffer_unordered(AT_A_TIME)
        .boxed();
    while let Some((place, swept)) = sweeps.next().await {
        sink.vendor_calls(vendor.calls().calls);
        for quarantined in swept.quarantined {
            sink.at(place).quarantine(quarantined.id, quarantined.reason);
        }
        for device in swept.devices.into_iter().filter(|device| seen.insert(device.id)) {
            observe(sink, place, device).await?;
        }
        match swept.error {
            None => sink.at(place).complete(),
            Some(error) => {
                let told = refused(&error, "the devices of a site");
                sink.at(place).fail(format!("The devices of the site could not be read: {error}"));
                if let Some(refused) = told {
                    return Err(refused);
                }
            }
        }
    }
    Ok(())
}

/// Reads the list of all devices as far as it goes; whether it broke off.
async fn read_all(
    vendor: &Datto,
    sink: &mut Sink<'_>,
    homes: &mut HashMap<&str, Home<'_>>,
    seen: &mut HashSet<i64>,
) -> Result<bool, ReadError> {
    let mut pages = vendor.devices();
    loop {
        let page = pages.next().await;
        sink.vendor_calls(vendor.calls().calls);
        match page {
            // One that cannot be read is missed in its site's count, which has the site read on its own.
            Ok(Some(page)) => {
                for device in page.records {
                    // What stands in no site of ours is in the pseudo-site, or came since.
                    let Some(home) = device.site_uid.as_deref().and_then(|uid| homes.get_mut(uid)) else { continue };
                    home.shown += 1;
                    let place = home.place;
                    seen.insert(device.id);
                    observe(sink, place, device).await?;
                }
            }
            Ok(None) => return Ok(false),
            Err(error) => {
                if let Some(refused) = refused(&error, "devices") {
                    return Err(refused);
                }
                tracing::warn!(%error, "the list of all devices broke off");
                return Ok(true);
            }
        }
    }
}

/// What one site has, as far as it could be read.
struct Swept {
    devices: Vec<Device>,
    quarantined: Vec<Quarantined>,
    error: Option<Error>,
}

async fn sweep(vendor: &Datto, site_uid: &str) -> Swept {
    let mut swept = Swept { devices: Vec::new(), quarantined: Vec::new(), error: None };
    let mut pages = vendor.devices_of(site_uid);
    loop {
        match pages.next().await {
            Ok(Some(page)) => {
                // Whatever a device says of its site: this is where it was found.
                let found =
                    page.records.into_iter().map(|device| Device { site_uid: Some(site_uid.to_owned()), ..device });
                swept.devices.extend(found);
                swept.quarantined.extend(page.quarantined);
            }
            Ok(None) => return swept,
            Err(error) => return Swept { error: Some(error), ..swept },
        }
    }
}

async fn observe(sink: &mut Sink<'_>, place: Place, device: Device) -> Result<(), ReadError> {
    // A deleted device waits to be purged; it is gone for us.
    if device.deleted {
        return Ok(());
    }
    Ok(sink.at(place).observe(map::device(device)).await?)
}
