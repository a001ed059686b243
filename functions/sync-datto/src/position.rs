//! Where a run goes on that has paused.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use nexus_vendors::ListPlace;
use nexus_vendors::datto::Site;
use serde::{Deserialize, Serialize};

/// How far a run is.
#[derive(Serialize, Deserialize)]
pub(crate) struct Position {
    /// The sites, and whether that is all of them.
    pub(crate) sites: Vec<Site>,
    pub(crate) whole: bool,
    pub(crate) at: At,
}

/// At which of its parts.
#[derive(Serialize, Deserialize)]
pub(crate) enum At {
    /// The account numbers: the sites that have been asked.
    Numbers { numbered: BTreeSet<String> },
    /// The list of all devices: how many it has shown of each site, and the devices that came already.
    Devices { place: ListPlace, shown: BTreeMap<String, u64>, seen: HashSet<i64> },
    /// The sites that are still to be read on their own, and the devices that came already.
    Sweeps { short: BTreeSet<String>, seen: HashSet<i64> },
}
