//! Jobs against a small Nexus that plays the protocol of a run.

#![expect(clippy::expect_used, reason = "a test server or client that cannot be set up fails the test")]

mod events;
mod failing;
mod nexus;
mod running;

use nexus_core::sync::Run;
use nexus_core::{Entity, Fields};
use nexus_jobs::{Deadline, Event, Job, JobError, Record, Silent, Sink, Stopped};
use serde_json::json;
use thiserror::Error;

use crate::nexus::Nexus;

const NAME: &str = "sync-test";

/// A job that reads what a test says.
#[derive(Clone, Debug, Default)]
struct Script {
    lists: Vec<List>,
    end: End,
}

#[derive(Clone, Debug)]
struct List {
    name: &'static str,
    records: usize,
    /// Characters of each record's name.
    size: usize,
    quarantined: usize,
    end: ListEnd,
}

#[derive(Clone, Copy, Debug)]
enum ListEnd {
    Complete,
    Failed,
    Forgotten,
}

#[derive(Clone, Copy, Debug, Default)]
enum End {
    #[default]
    Good,
    GivesUp,
    Hangs,
}

#[derive(Debug, Error)]
enum Sad {
    #[error("the vendor is on holiday")]
    Vendor,
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl List {
    fn of(records: usize) -> Self {
        Self { name: "companies", records, size: 5, quarantined: 0, end: ListEnd::Complete }
    }
}

impl Script {
    fn of(list: List) -> Self {
        Self { lists: vec![list], end: End::Good }
    }
}

impl Job for Script {
    type Error = Sad;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn work(&self, sink: &mut Sink<'_>) -> Result<(), Sad> {
        for (n, list) in self.lists.iter().enumerate() {
            sink.step(list.name, Some(list.records as u64));
            let mut scope = sink.scope(list.name, Entity::Company);
            for id in 0..list.records {
                let fields = Fields::from_iter([("name".to_owned(), json!("x".repeat(list.size)))]);
                scope.observe(Record { external_id: id.to_string(), fields, ..Record::default() }).await?;
            }
            for _ in 0..list.quarantined {
                scope.quarantine(Some("q".into()), "name: expected a text".into());
            }
            scope.vendor_calls(n as u64 + 1);
            match list.end {
                ListEnd::Complete => scope.complete(),
                ListEnd::Failed => scope.fail("Page 2 was not answered"),
                ListEnd::Forgotten => {}
            }
        }
        match self.end {
            End::Good => Ok(()),
            End::GivesUp => Err(Sad::Vendor),
            End::Hangs => std::future::pending().await,
        }
    }
}

async fn run(script: &Script, nexus: &Nexus) -> Result<Run, JobError> {
    nexus_jobs::run(script, &nexus.client(), &Event::schedule(), Deadline::none(), &Silent).await
}
