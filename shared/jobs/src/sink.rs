//! Where a job puts what it reads.

use std::collections::BTreeMap;

use nexus_client::{Client, EncodedBatch};
use nexus_core::sync::{
    Complete, Counts, Gap, Keep, Observation, Outcome, Progress, Quarantined, ScopeReport, Started,
};
use nexus_core::{Entity, Fields};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::mpsc;

use crate::deadline::Deadline;
use crate::progress::{News, Reporter};

/// Records of a batch at most; the contract's limit.
const BATCH_RECORDS: usize = 1_000;

/// Bytes of a batch at most: below the 1 MiB that Nexus takes as a body unless it is set otherwise.
const BATCH_BYTES: usize = 768 * 1024;

/// One record as the vendor has it, in our field names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The vendor's id, as text.
    pub external_id: String,
    /// The vendor's values; null where it has none.
    pub fields: Fields,
    /// For fields that link to other records: the vendor's ids of those, by field name.
    pub links: BTreeMap<String, Vec<String>>,
}

/// The run takes nothing any more: what the job does is in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the run takes nothing any more")]
pub struct Stopped;

/// What is known of a run when it is completed, or when it pauses.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    scopes: Vec<ScopeReport>,
    quarantined: Vec<Quarantined>,
    gaps: Vec<Gap>,
    outcomes: Vec<Outcome>,
    counts: Counts,
    message: Option<String>,
    vendor_calls: u64,
    done: u64,
    /// Where a job that pauses wants to go on.
    #[serde(skip)]
    pub(crate) paused: Option<Value>,
}

impl Tally {
    pub(crate) fn into_report(self, error: Option<String>) -> Complete {
        let Self { scopes, quarantined, gaps, outcomes, counts, message, vendor_calls, .. } = self;
        Complete { scopes, quarantined, vendor_calls, gaps, outcomes, counts, message, error }
    }
}

/// What a run begins with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) run: Started,
    pub(crate) deadline: Deadline,
    /// Where the job paused, of a run that goes on.
    pub(crate) position: Option<Value>,
}

/// Names a list that was begun, to go on with it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(usize);

/// Takes what a job reads or did. Full batches go off to Nexus while the job reads on.
pub struct Sink<'a> {
    client: &'a Client,
    start: &'a Start,
    tally: &'a mut Tally,
    open: EncodedBatch,
    batches: mpsc::Sender<EncodedBatch>,
    news: News,
    reporter: &'a dyn Reporter,
    now: Progress,
    /// Calls that were made before the run paused.
    calls_before: u64,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(
        (client, start): (&'a Client, &'a Start),
        tally: &'a mut Tally,
        batches: mpsc::Sender<EncodedBatch>,
        news: News,
        reporter: &'a dyn Reporter,
    ) -> Self {
        let now = Progress { done: tally.done, vendor_calls: tally.vendor_calls, ..Progress::default() };
        let calls_before = tally.vendor_calls;
        Self { client, start, tally, open: EncodedBatch::default(), batches, news, reporter, now, calls_before }
    }

    /// Nexus, for a job that needs to know what it has.
    #[must_use]
    pub const fn client(&self) -> &'a Client {
        self.client
    }

    /// Whether the job is to look only: what it would write is told as planned, and not written.
    #[must_use]
    pub const fn dry_run(&self) -> bool {
        self.start.run.dry_run
    }

    /// What the job last asked to be kept for it.
    #[must_use]
    pub const fn kept(&self) -> Option<&'a Value> {
        self.start.run.kept.as_ref()
    }

    /// Keeps what the job wants to know when it is started again.
    pub async fn keep(&self, kept: Value) -> Result<(), nexus_client::Error> {
        self.client.keep(self.start.run.run_id, &Keep { kept, pause: false }).await
    }

    /// Begins a step, named for a person (`Companies`); `total` is the number of records in all, when known.
    pub fn step(&mut self, step: impl Into<String>, total: Option<u64>) {
        let step = step.into();
        tracing::info!(step, done = self.now.done, "job step");
        self.now = Progress { step, total, ..self.now.clone() };
        self.news.step(self.now.clone());
        self.reporter.report(&self.now);
    }

    /// Tells how many calls were made to the vendor so far, since the job was started. Worth saying after each one.
    pub fn vendor_calls(&mut self, calls: u64) {
        self.tally.vendor_calls = self.calls_before + calls;
        self.now.vendor_calls = self.tally.vendor_calls;
        self.publish_counts();
    }

    /// Whether the time of the job is nearly over: one that can go on later should [pause](Self::pause).
    #[must_use]
    pub fn time_is_up(&self) -> bool {
        self.start.deadline.is_near()
    }

    /// Stops here, to go on in a next event; what was read is kept. To be returned as the job's error.
    ///
    /// `position` is what [`Sink::resumed`] gives back then.
    pub fn pause(&mut self, position: &impl Serialize) -> Stopped {
        // What cannot be written is not paused, and so the run is given up.
        self.tally.paused = serde_json::to_value(position).ok();
        Stopped
    }

    /// Where the job paused, if it is started to go on with that run. Another version of the job may have put it in words that
    /// this one does not understand: then nothing can be done but to begin a new run.
    pub fn resumed<T: DeserializeOwned>(&self) -> Result<Option<T>, Stopped> {
        self.start.position.as_ref().map(T::deserialize).transpose().map_err(|_| Stopped)
    }

    /// The list of that name: begun now, or before the run paused.
    pub fn open(&mut self, name: &str, entity: Entity) -> Place {
        let known = self.tally.scopes.iter().position(|scope| scope.name == name);
        known.map_or_else(|| self.scope(name, entity).place(), Place)
    }

    /// Tells how many calls a minute the job allows itself.
    pub fn calls_per_minute(&mut self, calls: Option<u32>) {
        self.now.calls_per_minute = calls;
    }

    /// Tells what became of a write to the vendor.
    pub fn outcome(&mut self, outcome: Outcome) {
        let Outcome { entity, external_id, state, reason, .. } = &outcome;
        tracing::info!(entity = entity.as_str(), external_id, state = state.as_str(), reason, "outcome");
        self.now.done += 1;
        self.tally.outcomes.push(outcome);
        self.publish_counts();
    }

    /// So many more things are done.
    pub fn did(&mut self, n: u64) {
        self.now.done += n;
        self.publish_counts();
    }

    /// How many things are done so far.
    #[must_use]
    pub const fn done(&self) -> u64 {
        self.now.done
    }

    /// The sentence about the outcome, for a job that has better words than "3 written".
    pub fn say(&mut self, message: impl Into<String>) {
        self.tally.message = Some(message.into());
    }

    /// Counts records of a kind that are as they should be.
    pub fn unchanged(&mut self, entity: Entity, n: u64) {
        self.count(entity.as_str(), "unchanged", n);
    }

    /// Counts what became of things.
    pub fn count(&mut self, things: &str, what: &str, n: u64) {
        *self.tally.counts.entry(things.to_owned()).or_default().entry(what.to_owned()).or_default() += n;
    }

    /// Begins a list: the unit in which a read is complete or not.
    ///
    /// It counts as incomplete until [`Scope::complete`] is called, so that a job which leaves early cannot make the
    /// records that it did not see look absent.
    pub fn scope(&mut self, name: impl Into<String>, entity: Entity) -> Scope<'_, 'a> {
        let error = Some("The list was not read to its end".to_owned());
        let report = ScopeReport { name: name.into(), entity, complete: false, records: 0, error, parts: None };
        self.tally.scopes.push(report);
        let place = Place(self.tally.scopes.len() - 1);
        Scope { sink: self, place }
    }

    /// Goes on with a list: several can be read at a time.
    pub fn at(&mut self, place: Place) -> Scope<'_, 'a> {
        Scope { sink: self, place }
    }

    /// Tells of something that a person should look at.
    pub fn gap(&mut self, gap: Gap) {
        tracing::info!(entity = gap.entity.as_str(), external_id = gap.external_id, reason = gap.reason, "gap");
        self.tally.gaps.push(gap);
    }

    pub(crate) const fn is_paused(&self) -> bool {
        self.tally.paused.is_some()
    }

    /// Sends what is left.
    pub(crate) async fn close(mut self) -> Result<(), Stopped> {
        self.tally.done = self.now.done;
        if !self.tally.scopes.is_empty() && self.tally.paused.is_none() {
            self.step("Comparing with the directory", None);
        }
        if self.open.is_empty() { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<(), Stopped> {
        let batch = std::mem::take(&mut self.open);
        self.batches.send(batch).await.map_err(|_| Stopped)?;
        self.publish_counts();
        Ok(())
    }

    fn publish_counts(&self) {
        self.news.counts(self.now.clone());
        self.reporter.report(&self.now);
    }
}

/// One list of a run, being read.
pub struct Scope<'s, 'a> {
    sink: &'s mut Sink<'a>,
    place: Place,
}

impl Scope<'_, '_> {
    /// Takes a record of the list.
    ///
    /// A record that is too large to be sent is quarantined, so that it does not keep the others from Nexus.
    pub async fn observe(&mut self, record: Record) -> Result<(), Stopped> {
        let Record { external_id, fields, links } = record;
        let ScopeReport { name, entity, .. } = self.report();
        let observation = Observation { entity: *entity, external_id, scope: name.clone(), fields, links };
        let mut fits = self.sink.open.push(&observation, BATCH_BYTES).is_ok();
        if !fits && !self.sink.open.is_empty() {
            self.sink.flush().await?;
            fits = self.sink.open.push(&observation, BATCH_BYTES).is_ok();
        }
        if !fits {
            self.quarantine(Some(observation.external_id), format!("The record is larger than {BATCH_BYTES} bytes"));
            return Ok(());
        }
        self.sink.now.done += 1;
        self.report().records += 1;
        if self.sink.open.len() == BATCH_RECORDS { self.sink.flush().await } else { Ok(()) }
    }

    /// Leaves a record out that cannot be understood; the list is then not complete.
    pub fn quarantine(&mut self, external_id: Option<String>, reason: String) {
        let ScopeReport { name, entity, .. } = self.report();
        tracing::warn!(scope = name, external_id, reason, "record quarantined");
        let quarantined = Quarantined { entity: *entity, external_id, scope: Some(name.clone()), reason };
        self.sink.tally.quarantined.push(quarantined);
    }

    /// The lists whose names begin so belong to the records of this one: one that is not told of any more is gone.
    pub fn has_parts(&mut self, prefix: &str) {
        self.report().parts = Some(prefix.to_owned());
    }

    /// Where to go on with this list later.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// As [`Sink::step`].
    pub fn step(&mut self, step: impl Into<String>) {
        self.sink.step(step, self.sink.now.total);
    }

    /// As [`Sink::vendor_calls`].
    pub fn vendor_calls(&mut self, calls: u64) {
        self.sink.vendor_calls(calls);
    }

    /// The list was read to its end without an error. It is complete, if every record was understood.
    pub fn complete(mut self) {
        let name = &self.report().name.clone();
        let quarantined = self.sink.tally.quarantined.iter().filter(|one| one.scope.as_ref() == Some(name)).count();
        let error = match quarantined {
            0 => None,
            1 => Some("1 record could not be understood".to_owned()),
            several => Some(format!("{several} records could not be understood")),
        };
        let report = self.report();
        report.complete = error.is_none();
        report.error = error;
    }

    /// The list was not read to its end; `reason` is a sentence for a person.
    pub fn fail(mut self, reason: impl Into<String>) {
        let reason = reason.into();
        let report = self.report();
        tracing::warn!(scope = report.name, reason, "list not read to its end");
        report.error = Some(reason);
    }

    fn report(&mut self) -> &mut ScopeReport {
        &mut self.sink.tally.scopes[self.place.0]
    }
}
