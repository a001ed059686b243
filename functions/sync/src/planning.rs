//! From a run's observations to a plan: reads what is known, plans record by record, keeps the rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nexus_core::entity::Kind;
use nexus_core::sync::{Batch, Complete, Gap, Observation, Quarantined, ScopeReport};
use nexus_core::{Actor, Clock, Entity, Fields, instant};
use nexus_db::changes::{Action, ChangeError, Deed, Draft, Origin, Proposal, Refused, reserve, take_readings};
use nexus_db::records::{self, Record};
use nexus_db::runs::{self, Report};
use nexus_db::sources::{self, SourceLink};
use nexus_db::{Error, Tx, refusals};
use serde_json::Value;

use crate::known::Known;
use crate::plan::{Match, Observed, Planned, location_key, plan, read};
use crate::policy::{self, Role, Vanished, Weight};

/// Records that are planned together; see the chunks of `nexus_db::changes::apply`.
const CHUNK: usize = 250;

/// A plan that is stored, and what is to be told of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The change set; none when there is nothing to do.
    pub(crate) changeset_id: Option<i64>,
    /// For the run.
    pub(crate) report: Report,
    /// Why it waits for a person, if it does.
    pub(crate) hold: Option<String>,
}

/// Plans a run whose source was read.
pub(crate) async fn plan_run(
    tx: &mut Tx,
    clock: &Clock,
    (run_id, source, dry_run): (i64, &str, bool),
    actor: Actor,
    complete: Complete,
) -> Result<Outcome, ChangeError> {
    let now = instant::canonical(clock.now());
    let deed = Deed::new(actor, Origin::Sync, format!("Read from {source}"));
    let draft = Draft::begin(tx, &deed, run_id, &now).await?;
    let Complete { scopes, quarantined, gaps, .. } = complete;
    let doubtful: BTreeSet<(Entity, Option<String>)> =
        quarantined.iter().map(|one| (one.entity, one.scope.clone())).collect();
    let report = Report { scopes, quarantined, gaps, ..Report::default() };
    let mut planning = Planning {
        clock,
        now,
        run_id,
        source,
        dry_run,
        draft,
        report,
        ids: HashMap::new(),
        archived: BTreeSet::new(),
        weights: BTreeMap::new(),
        first: true,
    };
    for (entity, scope) in doubtful {
        planning.doubt(entity, scope.as_deref(), "Some records could not be understood.");
    }
    for entity in Entity::ALL {
        planning.entity(tx, entity).await?;
    }
    let Planning { draft, report, mut weights, first, .. } = planning;
    for (name, weight) in &mut weights {
        weight.part = report.scopes.iter().any(|whole| is_part(whole, name));
    }
    let hold = policy::hold_reason(first, &weights);
    Ok(Outcome { changeset_id: draft.finish(tx).await?, report, hold })
}

struct Planning<'a> {
    clock: &'a Clock,
    now: String,
    run_id: i64,
    source: &'a str,
    dry_run: bool,
    draft: Draft,
    report: Report,
    /// Our ids of the source's records, known and planned.
    ids: HashMap<(Entity, String), i64>,
    /// Those of our records that are archived.
    archived: BTreeSet<(Entity, i64)>,
    weights: BTreeMap<String, Weight>,
    /// The source has no record of ours yet.
    first: bool,
}

impl Planning<'_> {
    async fn entity(&mut self, tx: &mut Tx, entity: Entity) -> Result<(), ChangeError> {
        let links = sources::list(tx, self.source, entity).await?;
        if !self.report.scopes.iter().any(|scope| scope.entity == entity) && links.is_empty() {
            return Ok(());
        }
        self.first &= links.is_empty();
        let mut known = Known::load(tx, self.source, entity, links).await?;
        for (external_id, link) in &known.links {
            self.ids.insert((entity, external_id.clone()), link.record_id);
            if link.archived_at.is_some() {
                self.archived.insert((entity, link.record_id));
            }
            self.weights.entry(link.scope.clone()).or_default().known += u64::from(link.archived_at.is_none());
        }
        for n in runs::batch_numbers(tx, self.run_id).await? {
            let payload = runs::batch(tx, self.run_id, n).await?;
            let batch: Batch = serde_json::from_str(&payload)
                .map_err(|_| Error::Corrupt { table: "observations", column: "payload" })?;
            drop(payload);
            let mut observations = batch.observations.into_iter().filter(|one| one.entity == entity).peekable();
            while observations.peek().is_some() {
                let chunk: Vec<Observation> = observations.by_ref().take(CHUNK).collect();
                self.batch(tx, entity, &mut known, chunk).await?;
            }
        }
        refusals::forget(tx, self.source, entity.as_str(), &known.back()).await?;
        let quarantined = self.report.quarantined.iter().filter(|one| one.entity == entity).count() as u64;
        self.count(entity, "quarantined", quarantined);
        let reported: u64 =
            self.report.scopes.iter().filter(|scope| scope.entity == entity).map(|scope| scope.records).sum();
        let live = known.links.values().filter(|link| link.archived_at.is_none()).count();
        if known.seen.is_empty() && live > 0 {
            self.doubt(entity, None, "The list came back empty, which it was not before.");
        }
        if reported > known.seen.len() as u64 {
            self.doubt(entity, None, "Fewer records arrived than were read.");
        }
        // What could not be understood is there all the same.
        known.seen.extend(self.report.quarantined.iter().filter_map(|one| one.external_id.clone()));
        self.missing(tx, entity, &known).await
    }

    /// Plans some of a batch: what is unchanged is only confirmed.
    async fn batch(
        &mut self,
        tx: &mut Tx,
        entity: Entity,
        known: &mut Known,
        observations: Vec<Observation>,
    ) -> Result<(), ChangeError> {
        let mut changed: Vec<(Observed, String)> = Vec::new();
        let mut confirmed: Vec<String> = Vec::new();
        for observation in observations {
            let external_id = observation.external_id.clone();
            if !known.seen.insert(external_id.clone()) {
                continue;
            }
            let scope = observation.scope.clone();
            let mut observed = match read(observation) {
                Ok(observed) => observed,
                Err(reason) => {
                    self.quarantine(entity, external_id, scope, reason);
                    continue;
                }
            };
            self.compare_key(entity, known, &observed);
            observed.resolve(entity, |target, id| self.ids.get(&(target, id.to_owned())).copied());
            let hash = observed.hash();
            if known.refused.get(&external_id) == Some(&hash) {
                self.count(entity, "refused", 1);
                confirmed.extend(known.links.contains_key(&external_id).then_some(external_id));
            } else if known.is_unchanged(&external_id, &hash) {
                self.count(entity, "unchanged", 1);
                confirmed.push(external_id);
            } else {
                changed.push((observed, hash));
            }
        }
        let ids: Vec<&str> = confirmed.iter().map(String::as_str).collect();
        sources::confirm(tx, self.source, entity, &ids, self.run_id, &self.now).await?;
        self.plan(tx, entity, known, changed).await
    }

    async fn plan(
        &mut self,
        tx: &mut Tx,
        entity: Entity,
        known: &mut Known,
        changed: Vec<(Observed, String)>,
    ) -> Result<(), ChangeError> {
        let by_key = self.find_by_key(tx, entity, known, &changed).await?;
        let ours: Vec<Option<i64>> = changed
            .iter()
            .map(|(observed, _)| known.ours(&observed.external_id, observed.key(entity).as_ref(), &by_key))
            .collect();
        let wanted: BTreeSet<i64> = ours.iter().copied().flatten().collect();
        let records = records::load(tx, entity, &wanted.into_iter().collect::<Vec<_>>()).await?;
        let fresh = ours.iter().filter(|id| id.is_none()).count();
        let mut new_ids = if fresh == 0 { 0..0 } else { ids_from(reserve(tx, entity, fresh).await?, fresh) };
        let (mut rows, mut quiet) = (Vec::with_capacity(changed.len()), Vec::new());
        let mut planned: BTreeMap<i64, (Observed, Action, bool)> = BTreeMap::new();
        for ((observed, hash), record_id) in changed.into_iter().zip(ours) {
            if record_id.is_none() && self.waits(entity, &observed) {
                self.count(entity, "waiting", 1);
                continue;
            }
            if let Some(reason) = self.gap(entity, known, &observed, record_id) {
                self.tell_gap(entity, &observed, reason);
                continue;
            }
            let matched = match record_id.and_then(|id| records.get(&id).map(|record| (id, record))) {
                Some((id, record)) => Match::Known { id, link: known.links.get(&observed.external_id), record },
                None => match new_ids.next() {
                    Some(id) if record_id.is_none() => Match::New(id),
                    _ => return Err(Error::Corrupt { table: "source_links", column: "record_id" }.into()),
                },
            };
            let id = match matched {
                Match::New(id) | Match::Known { id, .. } => id,
            };
            if let Some(key) = observed.key(entity) {
                known.claimed.insert(key, observed.external_id.clone());
            }
            known.taken.insert(id, observed.external_id.clone());
            self.ids.insert((entity, observed.external_id.clone()), id);
            let is_pinned = |id: i64, field: &str| known.pins.contains(&(id, field.to_owned()));
            match plan(self.source, entity, &observed, &hash, &matched, is_pinned) {
                Planned::LeftArchived => self.count(entity, "left_archived", 1),
                Planned::Quiet(row) => {
                    self.count(entity, if row.fields.is_empty() { "unchanged" } else { "reading" }, 1);
                    quiet.push(*row);
                }
                Planned::Row(row) => {
                    let foreign = row.action == Action::Update && row.link.as_ref().is_some_and(|link| !link.created);
                    planned.insert(id, (observed, row.action, foreign));
                    rows.push(*row);
                }
            }
        }
        if !self.dry_run {
            take_readings(tx, quiet, self.run_id, &self.now).await?;
        }
        for Refused { id, reason } in self.draft.add(tx, rows).await? {
            let Some((observed, action, _)) = planned.remove(&id) else { continue };
            if action == Action::Create {
                self.ids.remove(&(entity, observed.external_id.clone()));
            }
            self.tell_gap(entity, &observed, format!("It cannot be taken over: {reason}."));
        }
        for (observed, action, foreign) in planned.into_values() {
            self.weights.entry(observed.scope).or_default().foreign += u64::from(foreign);
            self.count(entity, action.as_str(), 1);
        }
        Ok(())
    }

    /// Our records that have the strong key of one of the source's that is not linked yet.
    async fn find_by_key(
        &self,
        tx: &mut Tx,
        entity: Entity,
        known: &Known,
        changed: &[(Observed, String)],
    ) -> Result<HashMap<String, i64>, Error> {
        let Some(field) = policy::strong_key(entity) else { return Ok(HashMap::new()) };
        let keys: Vec<String> = changed
            .iter()
            .filter(|(observed, _)| !known.links.contains_key(&observed.external_id))
            .filter_map(|(observed, _)| observed.key(entity))
            .collect();
        if entity == Entity::Location {
            let companies: BTreeSet<i64> = changed
                .iter()
                .filter_map(|(observed, _)| observed.fields.get("company_id").and_then(Value::as_i64))
                .collect();
            let found = records::locations_of(tx, &companies.into_iter().collect::<Vec<_>>()).await?;
            return Ok(found.into_iter().map(|(company, name, id)| (location_key(company, &name), id)).collect());
        }
        records::find_by_key(tx, entity, field, keys.iter().map(String::as_str)).await
    }

    /// Whether a new record belongs to one that is not in the directory, or not any more: it comes with that.
    fn waits(&self, entity: Entity, observed: &Observed) -> bool {
        entity.fields().iter().filter(|field| field.required).any(|field| {
            let Kind::Reference(target) = field.kind else { return false };
            let id = observed.fields.get(field.name).and_then(Value::as_i64);
            id.is_none_or(|id| self.archived.contains(&(target, id)))
        })
    }

    /// Why a record of the source has no place in the directory: something for a person to settle.
    fn gap(&self, entity: Entity, known: &Known, observed: &Observed, record_id: Option<i64>) -> Option<String> {
        let key = observed.key(entity);
        if known.role == Role::Refers {
            let field = policy::key_name(entity).replace('_', " ");
            return record_id.is_none().then(|| match key {
                Some(key) => {
                    format!("No {} has its {field} {key}. Correct it, or add the {}.", entity.as_str(), entity.as_str())
                }
                None => format!("It has no {field}, so that nobody knows whose it is. Give it one."),
            });
        }
        let other = |id: &i64| known.taken.get(id).filter(|external| **external != observed.external_id);
        if let Some(other) = record_id.as_ref().and_then(other) {
            return Some(format!(
                "{} {other} of {} is this {} already; give one of the two another {}.",
                entity.as_str(),
                self.source,
                entity.as_str(),
                policy::key_name(entity),
            ));
        }
        if record_id.is_some() {
            return None;
        }
        if let Some(other) = key.as_ref().and_then(|key| known.claimed.get(key)) {
            let field = policy::key_name(entity);
            return Some(format!("It has the same {field} as {other}; give one of the two another."));
        }
        (entity == Entity::Company && key.is_none())
            .then(|| "It has no account number. It is added once it has one.".to_owned())
    }

    /// Records that a complete list did not show. Only such a list may say that something is missing.
    async fn missing(&mut self, tx: &mut Tx, entity: Entity, known: &Known) -> Result<(), ChangeError> {
        let whole: BTreeSet<String> = self
            .report
            .scopes
            .iter()
            .filter(|scope| scope.entity == entity && scope.complete)
            .map(|scope| scope.name.clone())
            .collect();
        let absent: Vec<&SourceLink> = known
            .links
            .values()
            .filter(|link| (whole.contains(&link.scope) || self.is_gone(&link.scope)) && link.archived_at.is_none())
            .filter(|link| !known.seen.contains(&link.external_id))
            .collect();
        let ids: Vec<&str> = absent.iter().map(|link| link.external_id.as_str()).collect();
        sources::mark_missing(tx, self.source, entity, &ids, &self.now).await?;
        self.count(entity, "missing", ids.len() as u64);
        let (refused, due): (Vec<&SourceLink>, Vec<&SourceLink>) =
            absent.iter().filter(|link| self.is_due(link)).partition(|link| known.is_kept(&link.external_id));
        self.count(entity, "refused", refused.len() as u64);
        let due: Vec<i64> = due.iter().map(|link| link.record_id).collect();
        let records = records::load(tx, entity, &due).await?;
        let mut rows = Vec::new();
        for link in absent {
            let Some(record) = records.get(&link.record_id) else { continue };
            let Some((action, fields)) = farewell(known.role, entity, record) else { continue };
            if fields.keys().any(|field| known.pins.contains(&(link.record_id, field.clone()))) {
                continue;
            }
            self.weights.entry(link.scope.clone()).or_default().vanishing += 1;
            self.count(entity, if action == Action::Archive { "archive" } else { "update" }, 1);
            rows.push(Proposal {
                entity,
                id: link.record_id,
                action,
                version: Some(record.version),
                fields,
                reason: Some(format!("missing from {} for 7 days", self.source)),
                link: None,
            });
        }
        rows.sort_by_key(|row| row.id);
        // Nothing can stand against it that a record goes.
        self.draft.add(tx, rows).await.map(drop)
    }

    /// Whether a list is gone: the list that it is a part of is complete, and does not tell of it any more.
    fn is_gone(&self, scope: &str) -> bool {
        self.report.scopes.iter().any(|whole| whole.complete && is_part(whole, scope))
            && !self.report.scopes.iter().any(|told| told.name == scope)
    }

    /// A record that refers to one of ours by its key and is tied to another one stays where it is, and a person is told.
    fn compare_key(&mut self, entity: Entity, known: &Known, observed: &Observed) {
        if known.tied.contains_key(&observed.external_id) {
            return;
        }
        let Some(tied) = known.links.get(&observed.external_id).and_then(|link| known.keys.get(&link.record_id)) else {
            return;
        };
        if let Some(key) = observed.key(entity).filter(|key| key != tied) {
            let (kind, field) = (entity.as_str(), policy::key_name(entity).replace('_', " "));
            let reason = format!("Its {field} is {key}, but it is tied to the {kind} {tied}. Correct one of the two.");
            self.tell_gap(entity, observed, reason);
        }
    }

    fn tell_gap(&mut self, entity: Entity, observed: &Observed, reason: String) {
        self.count(entity, "gap", 1);
        // What the job has told of it already says more.
        let told = |gap: &Gap| gap.entity == entity && gap.external_id == observed.external_id;
        if !self.report.gaps.iter().any(told) {
            let (external_id, name) = (observed.external_id.clone(), observed.name());
            self.report.gaps.push(Gap { entity, external_id, name, reason });
        }
    }

    fn is_due(&self, link: &SourceLink) -> bool {
        let since = link.missing_since.as_deref().and_then(instant::parse);
        since.is_some_and(|since| self.clock.now().duration_since(since) >= policy::GRACE)
    }

    fn quarantine(&mut self, entity: Entity, external_id: String, scope: String, reason: String) {
        self.doubt(entity, Some(&scope), "Some records could not be understood.");
        let (external_id, scope) = (Some(external_id), Some(scope));
        self.report.quarantined.push(Quarantined { entity, external_id, scope, reason });
    }

    /// Takes away the proof that a list was read completely; without a name that of every list of a kind.
    fn doubt(&mut self, entity: Entity, name: Option<&str>, why: &str) {
        let meant = |scope: &&mut ScopeReport| {
            scope.entity == entity && scope.complete && name.is_none_or(|name| name == scope.name)
        };
        for scope in self.report.scopes.iter_mut().filter(meant) {
            scope.complete = false;
            scope.error = Some(why.to_owned());
        }
    }

    fn count(&mut self, entity: Entity, what: &str, n: u64) {
        if n > 0 {
            *self.report.counts.entry(entity.as_str().into()).or_default().entry(what.into()).or_default() += n;
        }
    }
}

/// Whether a list belongs to a record of another.
fn is_part(whole: &ScopeReport, name: &str) -> bool {
    whole.parts.as_deref().is_some_and(|prefix| name.starts_with(prefix))
}

fn ids_from(first: i64, n: usize) -> std::ops::Range<i64> {
    first..first + i64::try_from(n).unwrap_or(i64::MAX - first)
}

/// What happens to a record whose time is up, if it did not happen before.
fn farewell(role: Role, entity: Entity, record: &Record) -> Option<(Action, Fields)> {
    match policy::vanished(role, entity) {
        Vanished::Stay => None,
        Vanished::Archive => Some((Action::Archive, Fields::new())),
        Vanished::Deactivate => {
            let active = record.fields.get("active") == Some(&Value::Bool(true));
            active.then(|| (Action::Update, Fields::from_iter([("active".to_owned(), Value::Bool(false))])))
        }
    }
}
