//! The devices: all of them in few calls, and again by site wherever the counts differ.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::{StreamExt as _, stream};
use nexus_core::Entity;
use nexus_jobs::datto::AT_A_TIME;
use nexus_jobs::{Place, Sink};
use nexus_vendors::datto::{Datto, Device, Site};
use nexus_vendors::{Error, Quarantined};

use crate::job::{ReadError, refused};
use crate::map;
use crate::position::{At, Position};
use crate::sites::DEVICES_OF;

/// A site on the way.
struct Home {
    place: Place,
    /// Devices that the list of all has shown of it.
    shown: u64,
}

/// Reads the devices of these sites.
pub(crate) async fn read(
    vendor: &Datto,
    sink: &mut Sink<'_>,
    (sites, whole): (Vec<Site>, bool),
    at: Option<At>,
) -> Result<(), ReadError> {
    let expected = sites.iter().map(|site| site.devices).sum::<Option<u64>>();
    sink.step("Devices", expected);
    let mut homes: BTreeMap<&str, Home> = BTreeMap::new();
    for site in &sites {
        let place = sink.open(&format!("{DEVICES_OF}{}", site.uid), Entity::Asset);
        homes.insert(&site.uid, Home { place, shown: 0 });
    }
    let (mut short, mut seen) = match at {
        Some(At::Sweeps { short, seen }) => (short, seen),
        at => match read_all(vendor, sink, &mut homes, at).await? {
            Read::Paused(at) => return Err(sink.pause(&Position { sites, whole, at }).into()),
            Read::Ended(seen) => {
                let mut short = BTreeSet::new();
                for site in &sites {
                    let home = &homes[site.uid.as_str()];
                    if site.devices == Some(home.shown) {
                        sink.at(home.place).complete();
                    } else {
                        short.insert(site.uid.clone());
                    }
                }
                (short, seen)
            }
        },
    };
    if short.is_empty() {
        return Ok(());
    }
    sink.step(
        format!("Devices of {} sites on their own, because their own counts say otherwise", short.len()),
        expected,
    );
    let left: Vec<(Place, String)> = short.iter().map(|uid| (homes[uid.as_str()].place, uid.clone())).collect();
    let mut sweeps = stream::iter(left.into_iter().map(|(place, uid)| async move {
        let swept = sweep(vendor, &uid).await;
        (place, uid, swept)
    }))
    .buffer_unordered(AT_A_TIME)
    .boxed();
    while let Some((place, uid, swept)) = sweeps.next().await {
        sink.vendor_calls(vendor.calls().calls);
        take(sink, place, swept, &mut seen).await?;
        short.remove(&uid);
        if !short.is_empty() && sink.time_is_up() {
            drop(sweeps);
            let at = At::Sweeps { short, seen };
            return Err(sink.pause(&Position { sites, whole, at }).into());
        }
    }
    Ok(())
}

/// How the reading of the list of all devices ended: with the devices that came, or before.
enum Read {
    Ended(HashSet<i64>),
    Paused(At),
}

/// Reads the list of all devices as far as it goes, from where the run paused if it did.
async fn read_all(
    vendor: &Datto,
    sink: &mut Sink<'_>,
    homes: &mut BTreeMap<&str, Home>,
    at: Option<At>,
) -> Result<Read, ReadError> {
    let (mut pages, mut seen) = (vendor.devices(), HashSet::new());
    if let Some(At::Devices { place, shown, seen: before }) = at {
        seen = before;
        pages.go_on(&place).map_err(|error| ReadError::NothingRead { list: "devices", error })?;
        for (uid, shown) in shown {
            if let Some(home) = homes.get_mut(uid.as_str()) {
                home.shown = shown;
            }
        }
    }
    let mut read = 0;
    loop {
        // A page at least is read in each event, so that the run comes to its end.
        if read > 0 && sink.time_is_up() {
            let shown = homes.iter().map(|(uid, home)| ((*uid).to_owned(), home.shown)).collect();
            return Ok(Read::Paused(At::Devices { place: pages.place(), shown, seen }));
        }
        read += 1;
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
            Ok(None) => return Ok(Read::Ended(seen)),
            Err(error) => {
                if let Some(refused) = refused(&error, "devices") {
                    return Err(refused);
                }
                tracing::warn!(%error, "the list of all devices broke off");
                return Ok(Read::Ended(seen));
            }
        }
    }
}

/// Takes what a site has on its own, but for what came with all devices.
async fn take(sink: &mut Sink<'_>, place: Place, swept: Swept, seen: &mut HashSet<i64>) -> Result<(), ReadError> {
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
    Ok(())
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
