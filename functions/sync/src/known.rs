//! What is known of a kind of record before a run's observations of it are looked at.

use std::collections::{BTreeSet, HashMap};

use nexus_core::Entity;
use nexus_db::changes::tied_sites;
use nexus_db::records::{self, Record};
use nexus_db::sources::{self, SourceLink};
use nexus_db::{Error, Tx, refusals};

use crate::policy::{self, Role};

/// Of one source, and what its run has shown so far.
pub(crate) struct Known {
    pub(crate) links: HashMap<String, SourceLink>,
    pub(crate) pins: BTreeSet<(i64, String)>,
    /// The source's ids by our ids: a record has one counterpart in a source.
    pub(crate) taken: HashMap<i64, String>,
    pub(crate) role: Role,
    /// Of sources that only refer to our records: the strong keys of those.
    pub(crate) keys: HashMap<i64, String>,
    /// And what people say of the source's records: which of ours they mean. It goes before everything else.
    pub(crate) tied: HashMap<String, i64>,
    /// What people took out of earlier plans: the hash of what it was planned from.
    pub(crate) refused: HashMap<String, String>,
    /// Keys that an earlier observation of this run has claimed for a new record.
    pub(crate) claimed: HashMap<String, String>,
    pub(crate) seen: BTreeSet<String>,
}

impl Known {
    /// Reads it, beside the source's links to records of the kind.
    pub(crate) async fn load(tx: &mut Tx, source: &str, entity: Entity, links: Vec<SourceLink>) -> Result<Self, Error> {
        let role = policy::role(source, entity);
        let refers = role == Role::Refers;
        Ok(Self {
            role,
            keys: if refers { keys_of(tx, entity, &links).await? } else { HashMap::new() },
            tied: if refers { tied_sites(tx).await? } else { HashMap::new() },
            refused: refusals::of_source(tx, source, entity).await?,
            pins: sources::pins(tx, entity).await?,
            taken: links.iter().map(|link| (link.record_id, link.external_id.clone())).collect(),
            links: links.into_iter().map(|link| (link.external_id.clone(), link)).collect(),
            claimed: HashMap::new(),
            seen: BTreeSet::new(),
        })
    }

    /// Whether the source says of a record what it said when it was last looked at. One that was missing is planned again, even
    /// if it comes back as it went.
    pub(crate) fn is_unchanged(&self, external_id: &str, hash: &str) -> bool {
        self.links.get(external_id).is_some_and(|link| {
            link.hash == hash
                && link.missing_since.is_none()
                && link.archived_run_id.is_none()
                && self.tied.get(external_id).is_none_or(|tied| *tied == link.record_id)
        })
    }

    /// Which of our records it is, if its tie, its link or its strong key say so.
    pub(crate) fn ours(&self, external_id: &str, key: Option<&String>, by_key: &HashMap<String, i64>) -> Option<i64> {
        let tied = self.tied.get(external_id).copied();
        let linked = || self.links.get(external_id).map(|link| link.record_id);
        tied.or_else(linked).or_else(|| key.and_then(|key| by_key.get(key).copied()))
    }

    /// Whether a person keeps a record although its source does not show it any more.
    pub(crate) fn is_kept(&self, external_id: &str) -> bool {
        self.refused.get(external_id).is_some_and(|hash| hash == refusals::MISSING)
    }

    /// Those of the kept ones that the source shows again: they may be missed anew.
    pub(crate) fn back(&self) -> Vec<&str> {
        self.refused.keys().map(String::as_str).filter(|id| self.is_kept(id) && self.seen.contains(*id)).collect()
    }
}

/// The strong keys of the records that these links tie.
async fn keys_of(tx: &mut Tx, entity: Entity, links: &[SourceLink]) -> Result<HashMap<i64, String>, Error> {
    let ids: BTreeSet<i64> = links.iter().map(|link| link.record_id).collect();
    let records = records::load(tx, entity, &ids.into_iter().collect::<Vec<_>>()).await?;
    let key = |record: &Record| records::key(record.fields.get(policy::strong_key(entity)?)?);
    Ok(records.into_iter().filter_map(|(id, record)| Some((id, key(&record)?))).collect())
}
