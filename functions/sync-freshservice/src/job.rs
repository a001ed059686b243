//! Reads Freshservice list by list, and judges what a failure means.

use std::fmt;

use nexus_core::Entity;
use nexus_core::config::Config;
use nexus_jobs::freshservice::{Access, NoAccess, NotConfigured, clients};
use nexus_jobs::{Job, Record, Scope, Sink, Stopped};
use nexus_vendors::Error;
use nexus_vendors::freshservice::{Department, Freshservice, Pages};
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
        sink.step("Kind of account", None);
        let kind = refuse_client_workspaces(&vendor).await;
        sink.vendor_calls(vendor.calls().calls);
        kind?;

        sink.step("Companies", None);
        let companies = List { vendor: &vendor, words: "departments", ours: "companies" };
        let mut offices = Vec::new();
        let company = |department: Department| {
            offices.push(map::main_office(&department));
            map::company(department)
        };
        let scope = sink.scope("companies", Entity::Company);
        let departments = companies.read(scope, vendor.departments(), company).await?;
        let mut locations = sink.scope("locations", Entity::Location);
        for office in offices {
            locations.observe(office).await?;
        }
        match departments {
            Ended::Whole => locations.complete(),
            Ended::Quarantined => locations.fail("Some companies could not be understood, and so not where they are"),
            Ended::AtPage(page, error) => {
                locations.fail(format!("The list of companies broke off: {error}"));
                let reason = format!("Not read, because the list of companies broke off: {error}");
                sink.scope("contacts", Entity::Contact).fail(reason);
                // Of a first page that failed there is nothing to go on with.
                return if page == 1 { Err(ReadError::NothingRead { list: "departments", error }) } else { Ok(()) };
            }
        }

        sink.step("Contacts", None);
        let contacts = List { vendor: &vendor, words: "requesters", ours: "contacts" };
        contacts.read(sink.scope("contacts", Entity::Contact), vendor.requesters(), map::contact).await?;
        Ok(())
    }
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
}

impl List<'_> {
    /// Reads page after page; Nexus gets each batch while the next pages are read.
    async fn read<T>(
        &self,
        mut scope: Scope<'_, '_>,
        mut pages: Pages<T>,
        mut map: impl FnMut(T) -> Record,
    ) -> Result<Ended, ReadError> {
        let (mut number, mut duplicates, mut ended) = (0, 0, Ended::Whole);
        loop {
            number += 1;
            let page = pages.next().await;
            scope.vendor_calls(self.vendor.calls().calls);
            let page = match page {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) => {
                    if let Some(refused) = refused(&error, self.words) {
                        scope.fail(refused.to_string());
                        return Err(refused);
                    }
                    scope.fail(format!("Page {number} of {} could not be read: {error}", self.words));
                    return Ok(Ended::AtPage(number, error));
                }
            };
            for quarantined in page.quarantined {
                ended = Ended::Quarantined;
                scope.quarantine(quarantined.id, quarantined.reason);
            }
            for record in page.records {
                scope.observe(map(record)).await?;
            }
            duplicates += page.duplicates;
        }
        if duplicates > 0 {
            scope.step(Twice { duplicates, ours: self.ours }.to_string());
        }
        scope.complete();
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
