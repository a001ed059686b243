//! What records are called, and where they are shown, for pages that name records of every kind.

use std::collections::{BTreeMap, BTreeSet};

use nexus_core::Entity;
use nexus_db::{Db, Query};
use serde_json::Value;

use crate::error::Error;

/// A record's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// What it is called.
    pub name: String,
    /// Of a company its account number, of a location that of its company.
    pub number: Option<String>,
    /// Where it is shown; none: it is archived, not there yet, or has no page.
    pub address: Option<String>,
}

impl Named {
    /// In words: of a company with its number.
    #[must_use]
    pub fn text(&self, entity: Entity) -> String {
        match &self.number {
            Some(number) if entity == Entity::Company => format!("{} ({number})", self.name),
            _ => self.name.clone(),
        }
    }
}

/// The names of records.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<(Entity, i64), Named>);

impl Names {
    /// The names of these records, archived ones included, and those that a plan would make.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(db: &Db, wanted: &BTreeSet<(Entity, i64)>) -> Result<Self, Error> {
        let mut names = Self::default();
        for entity in Entity::ALL {
            let ids = || wanted.iter().filter(|(kind, _)| *kind == entity).map(|(_, id)| *id);
            let ids: Vec<i64> = ids().collect();
            if ids.is_empty() {
                continue;
            }
            names.read(db, entity, &ids).await?;
            let absent: Vec<i64> = ids.into_iter().filter(|id| !names.0.contains_key(&(entity, *id))).collect();
            if !absent.is_empty() {
                names.read_planned(db, entity, &absent).await?;
            }
        }
        Ok(names)
    }

    /// The name of a record; one of which nothing is known is called by its kind and id.
    #[must_use]
    pub fn of_record(&self, entity: Entity, id: i64) -> Named {
        let known = self.0.get(&(entity, id)).filter(|named| !named.name.is_empty());
        known.cloned().unwrap_or_else(|| Named { name: format!("{} {id}", entity.as_str()), ..Named::default() })
    }

    async fn read(&mut self, db: &Db, entity: Entity, ids: &[i64]) -> Result<(), Error> {
        let (number, company) = match entity {
            Entity::Company => ("t.account_number", ""),
            Entity::Location => {
                ("c.account_number", "LEFT JOIN companies c ON c.id = t.company_id AND c.archived_at IS NULL ")
            }
            _ => ("CAST(NULL AS TEXT)", ""),
        };
        let sql = format!(
            "SELECT t.id, t.{}, {number}, t.archived_at FROM {} t {company}\
             WHERE t.id IN (SELECT CAST(x.value AS BIGINT) FROM {})",
            entity.name_field(),
            entity.table(),
            db.dialect().each(1)
        );
        let found = Query::new(sql).bind(Value::from(ids));
        for (id, name, number, archived) in db.all::<(i64, String, Option<String>, Option<String>)>(found).await? {
            let address = if archived.is_none() { address(entity, id, number.as_deref()) } else { None };
            self.0.insert((entity, id), Named { name, number, address });
        }
        Ok(())
    }

    /// What a plan would call records that it would make: an id is never used twice.
    async fn read_planned(&mut self, db: &Db, entity: Entity, ids: &[i64]) -> Result<(), Error> {
        let sql = format!(
            "SELECT record_id, coalesce(after->>'name', after->>'hostname', ''), after->>'account_number' FROM changes \
             WHERE entity = $2 AND record_id IN (SELECT CAST(x.value AS BIGINT) FROM {}) AND action = 'create'",
            db.dialect().each(1)
        );
        let query = Query::new(sql).bind(Value::from(ids)).bind(entity.as_str());
        for (id, name, number) in db.all::<(i64, String, Option<String>)>(query).await? {
            self.0.insert((entity, id), Named { name, number, address: None });
        }
        Ok(())
    }
}

/// Where a live record is shown; `number` is a company's account number, of a location that of its company.
#[must_use]
pub fn address(entity: Entity, id: i64, number: Option<&str>) -> Option<String> {
    match (entity, number) {
        (Entity::Company, Some(number)) => Some(format!("/companies/{number}")),
        (Entity::Location, Some(number)) => Some(format!("/companies/{number}/locations")),
        (Entity::Contact, _) => Some(format!("/contacts/{id}")),
        (Entity::Asset, _) => Some(format!("/assets/{id}")),
        _ => None,
    }
}
