//! Reads Freshservice list by list, and judges what a failure means.

use std::fmt;

use nexus_core::Entity;
use nexus_core::config::Config;
use nexus_jobs::freshservice::{Access, NoAccess, NotConfigured, clients};
use nexus_jobs::{Job, Place, Record, Sink, Stopped};
use nexus_vendors::freshservice::{Department, Freshservice, Pages};
use nexus_vendors::{Error, ListPlace};
use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

use crate::map;

/// The name of the job, in Nexus and of the function.
pub const NAME: &str = "sync-freshservice";

/// Why a run was given up: the sentence is for the person who has to do something about it.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum ReadError {
    /// Freshservice does not let the job in.
    #[error("{0}. Nothing was changed")]
    NoAccess(#[from] NoAccess),
    /// The product Freshservice for MSPs.
    #[error(
        "This account is of Freshservice for MSPs, where companies are client workspaces ({clients} of them); Nexus \
         reads departments only and would see next to nothing. Nothing was changed"
    )]
    ClientWorkspaces {
        /// Workspaces of type `client`.
        clients: usize,
    },
    /// No page of any list was read.
    #[error("Freshservice could not be read ({list}): {error}. Nothing was changed")]
    NothingRead {
        /// The list that failed, in the vendor's words.
        list: &'static str,
        /// Why.
        error: Error,
    },
    /// Nexus takes no more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The job of this configuration.
pub fn job(config: &Config) -> Result<SyncFreshservice, NotConfigured> {
    Access::of(config).map(SyncFreshservice::new)
}

/// The job, ready to be run any number of times.
#[derive(Clone, Debug)]
pub struct SyncFreshservice {
    access: Access,
}

impl SyncFreshservice {
    /// The job that reads this account.
    #[must_use]
    pub const fn new(access: Access) -> Self {
        Self { access }
    }
}

impl Job for SyncFreshservice {
    type Error = ReadError;

    fn name(&self) -> &'static str {
        NAME
    }

    async fn work(&self, sink: &mut Sink<'_>) -> Result<(), ReadError> {
        let vendor = self.access.connect()?;
        sink.calls_per_minute(vendor.calls_per_minute());
        let position: Option<Position> = sink.resumed()?;
        sink.step("Kind of account", None);
        let kind = refuse_client_workspaces(&vendor).await;
        sink.vendor_calls(vendor.calls().calls);
        kind?;

        let (places, offices) = (sink.open("companies", Entity::Company), sink.open("locations", Entity::Location));
        if position.as_ref().is_none_or(|position| position.list == DEPARTMENTS) {
            sink.step("Companies", None);
            let companies = List { vendor: &vendor, words: DEPARTMENTS, ours: "companies", place: places };
            let company = |department: Department| {
                let office = map::main_office(&department);
                [Some((places, map::company(department))), Some((offices, office))]
            };
            let ended = companies.read(sink, vendor.departments(), position.as_ref(), company).await?;
            let locations = sink.at(offices);
            match ended {
                Ended::Whole => locations.complete(),
                Ended::Quarantined => {
                    locations.fail("Some companies could not be understood, and so not where they are");
                }
                Ended::AtPage(page, error) => {
                    locations.fail(format!("The list of companies broke off: {error}"));
                    let reason = format!("Not read, because the list of companies broke off: {error}");
                    sink.scope("contacts", Entity::Contact).fail(reason);
                    // Of a first page that failed there is nothing to go on with.
                    return if page == 1 { Err(ReadError::NothingRead { list: DEPARTMENTS, error }) } else { Ok(()) };
                }
            }
        }

        sink.step("Contacts", None);
        let place = sink.open("contacts", Entity::Contact);
        let contacts = List { vendor: &vendor, words: REQUESTERS, ours: "contacts", place };
        let position = position.filter(|position| position.list == REQUESTERS);
        let contact = |requester| [Some((place, map::contact(requester))), None];
        contacts.read(sink, vendor.requesters(), position.as_ref(), contact).await?;
        Ok(())
    }
}

/// The vendor's lists, in its words.
const DEPARTMENTS: &str = "departments";
const REQUESTERS: &str = "requesters";

/// Where a run goes on that has paused.
#[derive(Serialize, Deserialize)]
struct Position {
    /// Of which list.
    list: String,
    place: ListPlace,
    /// Whether every record of it was understood so far.
    whole: bool,
    /// Records of it that came more than once so far.
    duplicates: usize,
}

/// In Freshservice for MSPs a list of departments tells of one client only, and nothing says so: every company would
/// look absent.
async fn refuse_client_workspaces(vendor: &Freshservice) -> Result<(), ReadError> {
    const LIST: &str = "workspaces";
    match clients(vendor).await {
        Ok(clients) if clients.is_empty() => Ok(()),
        Ok(clients) => Err(ReadError::ClientWorkspaces { clients: clients.len() }),
        Err(error) => Err(refused(&error, LIST).unwrap_or(ReadError::NothingRead { list: LIST, error })),
    }
}

/// What no list after this one would be spared.
fn refused(error: &Error, list: &'static str) -> Option<ReadError> {
    NoAccess::of(error, list).map(ReadError::from)
}

/// How the reading of a list ended.
enum Ended {
    Whole,
    /// At its end, but some records could not be understood.
    Quarantined,
    AtPage(u32, Error),
}

/// One list of the vendor.
struct List<'a> {
    vendor: &'a Freshservice,
    /// Its records in the vendor's words.
    words: &'static str,
    /// Its records in ours.
    ours: &'static str,
    /// The list of the run that it is.
    place: Place,
}

impl List<'_> {
    /// Reads page after page, from where the run paused if it did; Nexus gets each batch while the next pages are read. A record
    /// may be one of two lists of the run.
    async fn read<T>(
        &self,
        sink: &mut Sink<'_>,
        mut pages: Pages<T>,
        position: Option<&Position>,
        map: impl Fn(T) -> [Option<(Place, Record)>; 2],
    ) -> Result<Ended, ReadError> {
        let Self { vendor, words, ours, place } = *self;
        let (mut number, mut duplicates, mut ended) = (0, 0, Ended::Whole);
        if let Some(position) = position {
            pages.go_on(&position.place).map_err(|error| ReadError::NothingRead { list: words, error })?;
            (number, duplicates) = (position.place.pages(), position.duplicates);
            ended = if position.whole { Ended::Whole } else { Ended::Quarantined };
        }
        let first = number;
        loop {
            // A page at least is read in each event, so that the run comes to its end.
            if number > first && sink.time_is_up() {
                let whole = matches!(ended, Ended::Whole);
                let position = Position { list: words.to_owned(), place: pages.place(), whole, duplicates };
                return Err(sink.pause(&position).into());
            }
            number += 1;
            let page = pages.next().await;
            sink.vendor_calls(vendor.calls().calls);
            let page = match page {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) => {
                    if let Some(refused) = refused(&error, words) {
                        sink.at(place).fail(refused.to_string());
                        return Err(refused);
                    }
                    sink.at(place).fail(format!("Page {number} of {words} could not be read: {error}"));
                    return Ok(Ended::AtPage(number, error));
                }
            };
            for quarantined in page.quarantined {
                ended = Ended::Quarantined;
                sink.at(place).quarantine(quarantined.id, quarantined.reason);
            }
            for (place, record) in page.records.into_iter().flat_map(&map).flatten() {
                sink.at(place).observe(record).await?;
            }
            duplicates += page.duplicates;
        }
        if duplicates > 0 {
            sink.at(place).step(Twice { duplicates, ours }.to_string());
        }
        sink.at(place).complete();
        Ok(ended)
    }
}

/// Lists shift while people edit, so a record can appear on two pages.
struct Twice {
    duplicates: usize,
    ours: &'static str,
}

impl fmt::Display for Twice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { duplicates, ours } = self;
        write!(out, "Read all {ours}; {duplicates} came more than once, of which the first was kept")
    }
}
