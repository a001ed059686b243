//! Records as the API sends them. The JSON is put together when a record is written and kept beside it, so that a list of
//! ten thousand is read without making ten thousand objects.
//!
//! A body holds what is the record's and a little of its neighbours' (the account number of a company, the values of its
//! plan); whoever writes says with [`Touched`] which neighbours a change reaches.

use std::collections::{BTreeMap, BTreeSet};

use nexus_core::Scope;
use nexus_core::entity::{Entity, Kind, PINNED, TIED_SITES};
use serde_json::{Value, json};

use crate::changes::lock_feed;
use crate::query::Batch;
use crate::{Db, Dialect, Query, Result, records, scope, search};

/// The form of the kept bodies and search texts. One more makes [`Db::open`] write all of them anew.
const FORM: i64 = 1;
/// Records that are written anew together.
const CHUNK: i64 = 500;

/// The SQL of a record of table `t` as the API sends it to a reader of that scope: a JSON text.
#[must_use]
pub fn json(entity: Entity, dialect: Dialect, scope: &Scope) -> String {
    match (entity, scope) {
        // Whom else these belong to is not for a client to see.
        (Entity::Contact | Entity::Asset | Entity::User, Scope::Companies(ids)) => composed(entity, dialect, Some(ids)),
        _ => kept(entity, "t"),
    }
}

/// The SQL of a record of table `alias` as whoever may see all of it reads it: a JSON text.
#[must_use]
pub fn kept(entity: Entity, alias: &str) -> String {
    format!("(SELECT b.body FROM {}_bodies b WHERE b.id = {alias}.id)", entity.table())
}

/// The next so many live records of a kind after an id, and the last of their ids: the inside of a JSON array, and null
/// when there are none any more.
pub async fn next(db: &Db, entity: Entity, after: i64, most: i64) -> Result<(String, Option<i64>)> {
    let sql = format!(
        "SELECT {}, max(id) FROM (SELECT b.id, b.body FROM {}_bodies b WHERE b.live AND b.id > $1 ORDER BY b.id LIMIT $2) AS r",
        db.dialect().join("body"),
        entity.table()
    );
    db.one(Query::new(sql).bind(after).bind(most)).await
}

/// The SQL that puts a record of table `t` together; of its neighbours only those of the companies that are `seen`.
fn composed(entity: Entity, dialect: Dialect, seen: Option<&[i64]>) -> String {
    let own = entity.fields().iter().filter(|field| field.is_column()).filter_map(|field| {
        let column = format!("t.{}", field.name);
        match field.kind {
            Kind::Reference(_) => None,
            // The older lists are sent as text, because their readers parse it.
            Kind::TextList if field.name == TIED_SITES => Some((field.name, dialect.parsed(&column))),
            Kind::Bool => Some((field.name, dialect.nullable_boolean(&column, field.required))),
            Kind::Choice(_) => Some(("permission_level", column)),
            _ => Some((field.name, column)),
        }
    });
    let of_company = |name| {
        (
            name,
            "(SELECT c.account_number FROM companies c WHERE c.id = t.company_id AND c.archived_at IS NULL)".to_owned(),
        )
    };
    let derived: Vec<(&str, String)> = match entity {
        Entity::Feature => vec![],
        Entity::Plan => vec![("features", plan_features(dialect))],
        Entity::Company => company(dialect),
        Entity::Location => vec![of_company("company_account_number")],
        Entity::Contact => vec![
            ("company_account_numbers", companies(dialect, "contact_companies", "contact_id", seen)),
            ("asset_ids", linked(dialect, ("asset_id", "assets", "contact_id"), seen.map(|ids| format!("n.company_id IN ({})", scope::list(ids))))),
        ],
        Entity::Asset => vec![
            of_company("company_account_number"),
            ("contact_ids", linked(dialect, ("contact_id", "contacts", "asset_id"), seen.map(|ids| {
                format!("EXISTS (SELECT 1 FROM contact_companies s WHERE s.contact_id = n.id AND s.company_id IN ({}))", scope::list(ids))
            }))),
        ],
        Entity::User => {
            let numbers = companies(dialect, "user_companies", "user_id", seen);
            let first = format!("({numbers})->>0");
            vec![("company_account_number", first), ("company_account_numbers", numbers)]
        }
    };
    let pins = entity.field(PINNED).map(|field| (field.name, pins(entity, dialect)));
    let state = ["id", "version", "created_at", "updated_at", "archived_at"].map(|name| (name, format!("t.{name}")));
    dialect.text(&dialect.object(own.chain(derived).chain(pins).chain(state)))
}

/// The pinned fields by their names in the API.
fn pins(entity: Entity, dialect: Dialect) -> String {
    let name = "CASE p.field WHEN 'company_ids' THEN 'company_account_numbers' WHEN 'company_id' THEN \
                'company_account_number' WHEN 'feature_values' THEN 'feature_overrides' ELSE p.field END";
    let from = format!("FROM field_state p WHERE p.entity = '{}' AND p.record_id = t.id", entity.as_str());
    dialect.array(name, &from, "p.field")
}

fn plan_features(dialect: Dialect) -> String {
    let from =
        "FROM plan_features l JOIN features f ON f.id = l.feature_id WHERE l.plan_id = t.id AND f.archived_at IS NULL";
    dialect.object_of("f.name", "l.value", from)
}

fn company(dialect: Dialect) -> Vec<(&'static str, String)> {
    let sites = format!(
        "FROM (SELECT l.external_id FROM source_links l WHERE l.entity = 'company' AND l.record_id = t.id \
         AND l.source = 'datto' UNION SELECT e.value FROM {}) AS l",
        dialect.elements("t.tied_site_uids", "e"),
    );
    let overrides = "FROM feature_overrides o JOIN features f ON f.id = o.feature_id \
                     WHERE o.company_id = t.id AND f.archived_at IS NULL";
    // What the company has of its own goes before what its plan includes.
    let effective = "FROM features f \
         LEFT JOIN feature_overrides o ON o.feature_id = f.id AND o.company_id = t.id \
         LEFT JOIN plan_features i ON i.feature_id = f.id AND i.plan_id = \
         (SELECT p.id FROM plans p WHERE p.archived_at IS NULL AND lower(p.name) = lower(t.plan_selected)) \
         WHERE f.archived_at IS NULL AND coalesce(o.value, i.value) IS NOT NULL";
    vec![
        ("billing_plan", "t.plan_selected".to_owned()),
        ("datto_site_uid", format!("(SELECT min(l.external_id) {sites})")),
        ("datto_site_uids", dialect.array("l.external_id", &sites, "l.external_id")),
        ("features", dialect.object_of("f.name", "coalesce(o.value, i.value)", effective)),
        ("feature_overrides", dialect.object_of("f.name", "o.value", overrides)),
    ]
}

/// The account numbers of the companies of a record.
fn companies(dialect: Dialect, table: &str, owner: &str, seen: Option<&[i64]>) -> String {
    let seen = seen.map(|ids| format!(" AND c.id IN ({})", scope::list(ids))).unwrap_or_default();
    let from = format!(
        "FROM {table} l JOIN companies c ON c.id = l.company_id WHERE l.{owner} = t.id AND c.archived_at IS NULL{seen}"
    );
    dialect.array("c.account_number", &from, "c.account_number")
}

/// The SQL of the names of a record's companies by their account numbers, as far as a reader of that scope sees them: a JSON text.
#[must_use]
pub fn company_names(entity: Entity, dialect: Dialect, scope: &Scope) -> String {
    let from = match entity {
        Entity::Contact => "contact_companies l JOIN companies c ON c.id = l.company_id WHERE l.contact_id = t.id",
        Entity::User => "user_companies l JOIN companies c ON c.id = l.company_id WHERE l.user_id = t.id",
        _ => "companies c WHERE c.id = t.company_id",
    };
    let seen = match scope {
        Scope::All => String::new(),
        Scope::Companies(ids) => format!(" AND c.id IN ({})", scope::list(ids)),
    };
    let from = format!("FROM {from} AND c.archived_at IS NULL{seen}");
    dialect.text(&dialect.object_of("c.account_number", "c.name", &from))
}

/// The ids of what is linked to a record by `asset_contacts`.
fn linked(dialect: Dialect, (target, table, owner): (&str, &str, &str), seen: Option<String>) -> String {
    let seen = seen.map(|condition| format!(" AND {condition}")).unwrap_or_default();
    let from = format!(
        "FROM asset_contacts l JOIN {table} n ON n.id = l.{target} \
         WHERE l.{owner} = t.id AND n.archived_at IS NULL{seen}"
    );
    dialect.array("n.id", &from, "n.id")
}

/// What a write has reached.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Records whose own body is old.
    pub(crate) records: BTreeMap<Entity, BTreeSet<i64>>,
    /// Companies that are known by another number now, or not at all: whatever belongs to them names them.
    pub(crate) renamed: BTreeSet<i64>,
    /// Contacts that came or went: assets name them.
    pub(crate) people: BTreeSet<i64>,
    /// Datto sites that were tied or untied: the companies that name them.
    pub(crate) sites: BTreeSet<String>,
    /// What plans include has changed.
    pub(crate) plans: bool,
}

impl Touched {
    pub(crate) fn add(&mut self, entity: Entity, ids: impl IntoIterator<Item = i64>) {
        self.records.entry(entity).or_default().extend(ids);
    }

    /// Puts the bodies together anew.
    pub(crate) fn refresh(self, dialect: Dialect, batch: &mut Batch) {
        let given = format!("(SELECT CAST(x.value AS BIGINT) FROM {})", dialect.each(1));
        let list = |ids: &BTreeSet<i64>| Value::from(ids.iter().copied().collect::<Vec<_>>());
        for (entity, ids) in self.records.iter().filter(|(_, ids)| !ids.is_empty()) {
            if !(self.plans && *entity == Entity::Company) {
                batch.push(write(dialect, *entity, &format!("t.id IN {given}")).bind(list(ids)));
            }
        }
        if !self.renamed.is_empty() {
            let of_company = format!("t.company_id IN {given}");
            let linked = |owner: &str, table: &str| {
                format!("t.id IN (SELECT l.{owner} FROM {table} l WHERE l.company_id IN {given})")
            };
            for (entity, condition) in [
                (Entity::Location, of_company.clone()),
                (Entity::Asset, of_company),
                (Entity::Contact, linked("contact_id", "contact_companies")),
                (Entity::User, linked("user_id", "user_companies")),
            ] {
                batch.push(write(dialect, entity, &condition).bind(list(&self.renamed)));
            }
        }
        if !self.people.is_empty() {
            let condition = format!("t.id IN (SELECT l.asset_id FROM asset_contacts l WHERE l.contact_id IN {given})");
            batch.push(write(dialect, Entity::Asset, &condition).bind(list(&self.people)));
        }
        // Few companies, and seldom: each is asked.
        for site in &self.sites {
            let named = "EXISTS (SELECT 1 FROM companies_bodies b WHERE b.id = t.id AND b.body LIKE '%' || $1 || '%')";
            batch.push(write(dialect, Entity::Company, named).bind(site.as_str()));
        }
        if self.plans {
            batch.push(write(dialect, Entity::Plan, "TRUE"));
            batch.push(write(dialect, Entity::Company, "TRUE"));
        }
    }
}

/// Puts together the bodies of the records of table `t` for which a condition holds.
fn write(dialect: Dialect, entity: Entity, condition: &str) -> Query {
    let body = composed(entity, dialect, None);
    let table = entity.table();
    Query::new(format!(
        "INSERT INTO {table}_bodies (id, live, body) SELECT t.id, t.archived_at IS NULL, {body} FROM {table} t \
         WHERE {condition} ON CONFLICT (id) DO UPDATE SET live = excluded.live, body = excluded.body"
    ))
}

/// Writes every body and search text anew if they are of another version of Nexus.
pub(crate) async fn bring_up(db: &Db) -> Result<()> {
    const KEPT: &str = "SELECT value FROM sequences WHERE name = 'bodies'";
    if db.one::<(i64,)>(Query::new(KEPT)).await?.0 == FORM {
        return Ok(());
    }
    let mut tx = db.write().await?;
    lock_feed(&mut tx).await?;
    if tx.one::<(i64,)>(Query::new(KEPT)).await?.0 == FORM {
        return Ok(());
    }
    for entity in Entity::ALL {
        let mut after = 0;
        loop {
            let next = format!("SELECT t.id FROM {} t WHERE t.id > $1 ORDER BY t.id LIMIT $2", entity.table());
            let ids = tx.all::<(i64,)>(Query::new(next).bind(after).bind(CHUNK)).await?;
            let ids: Vec<i64> = ids.into_iter().map(|(id,)| id).collect();
            let Some(last) = ids.last() else { break };
            after = *last;
            let texts: Vec<Value> = records::load(&mut tx, entity, &ids)
                .await?
                .into_iter()
                .map(|(id, record)| json!({"id": id, "text": search::text(entity, &record.fields)}))
                .collect();
            let sql = format!(
                "UPDATE {table} SET search = x.value->>'text' FROM {each} WHERE {table}.id = CAST(x.value->>'id' AS BIGINT)",
                table = entity.table(),
                each = tx.dialect().each(1),
            );
            tx.execute(Query::new(sql).bind(Value::from(texts))).await?;
        }
        let query = write(tx.dialect(), entity, "TRUE");
        tx.execute(query).await?;
    }
    if tx.dialect() == Dialect::Sqlite {
        let mut batch = Batch::default();
        search::catch_up_now(&mut batch);
        tx.run(batch).await?;
    }
    let kept = Query::new("UPDATE sequences SET value = $1 WHERE name = 'bodies'").bind(FORM);
    tx.execute(kept).await?;
    tx.execute(Query::new("UPDATE sequences SET value = value + 1 WHERE name = 'revision'")).await?;
    tx.commit().await
}
