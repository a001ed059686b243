//! What people took out of plans, and taking a source away.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::{Entity, Role};
use nexus_db::Db;
use nexus_db::changes::Origin;
use nexus_db::refusals::{self, Refusal};
use nexus_web::facts::source_name;
use nexus_web::history::{Named, Names};
use nexus_web::page::{self, Shell};
use nexus_web::{CsrfForm, Error, Path, Visitor};
use serde::Deserialize;

use super::{READERS, conflict};
use crate::sources;

/// Something that was taken out, with the record of ours that it is about, if there is one.
struct Told {
    refusal: Refusal,
    source: &'static str,
    record: Option<Named>,
    missing: bool,
}

#[derive(Template)]
#[template(path = "sync/refusals.html")]
struct RefusalsPage {
    shell: Shell,
    refusals: Vec<Told>,
}

pub(crate) async fn list(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(READERS)?;
    let all = refusals::list(&db).await?;
    let ties = refusals::ties(&db).await?;
    let record = |one: &Refusal| {
        let key = (one.source.clone(), one.entity.clone(), one.external_id.clone());
        Some((Entity::parse(&one.entity)?, *ties.get(&key)?))
    };
    let wanted: BTreeSet<(Entity, i64)> = all.iter().filter_map(record).collect();
    let names = Names::of(&db, &wanted).await?;
    let told = |refusal: Refusal| Told {
        record: record(&refusal).map(|(entity, id)| names.of_record(entity, id)),
        source: source_name(&refusal.source),
        missing: refusal.hash == refusals::MISSING,
        refusal,
    };
    let refusals = all.into_iter().map(told).collect();
    page::show(&visitor, &RefusalsPage { shell: Shell::new(&visitor, "sync", "Left out of plans"), refusals })
}

/// What is to be proposed again.
#[derive(Debug, Deserialize)]
pub(crate) struct Again {
    source: String,
    entity: String,
    external_id: String,
}

pub(crate) async fn forget(
    State(db): State<Db>,
    visitor: Visitor,
    CsrfForm(again): CsrfForm<Again>,
) -> Result<Response, Error> {
    let person = visitor.person_with(READERS)?;
    let Again { source, entity, external_id } = again;
    match sources::forget(&db, person, &source, &entity, &external_id).await {
        Ok(()) => Ok(page::done("/sync/refusals", "The next run proposes it again.")),
        // Somebody else was quicker: what is wanted is so.
        Err(Error::NotFound(_)) => Ok(page::done("/sync/refusals", "It was taken back already.")),
        Err(error) => Err(error),
    }
}

/// What becomes of the records that came from a source.
#[derive(Debug, Deserialize)]
pub(crate) struct Leaving {
    #[serde(default)]
    records: String,
}

const CONNECTORS: &str = "/settings/connectors";

pub(crate) async fn remove(
    State(db): State<Db>,
    visitor: Visitor,
    Path(name): Path<String>,
    CsrfForm(Leaving { records }): CsrfForm<Leaving>,
) -> Result<Response, Error> {
    let person = visitor.person_with(&[Role::Admin])?;
    let archive = match records.as_str() {
        "keep" => false,
        "archive" => true,
        _ => return Err(Error::invalid("Say what becomes of the records that came from it: keep or archive")),
    };
    let done = match sources::take_away(&db, person, &name, archive, Origin::Page).await {
        Ok(done) => done,
        Err(Error::Conflict(text)) => return conflict(&visitor, format!("{text}."), CONNECTORS),
        Err(error) => return Err(error),
    };
    let source = source_name(&name);
    let note = match (archive, done.records.len()) {
        (false, _) => {
            format!("{source} is taken away. The records that came from it stay, and people alone change them.")
        }
        (true, 0) => format!("{source} is taken away. No record came from it alone."),
        (true, 1) => format!("{source} is taken away. One record that came from it is archived."),
        (true, n) => format!("{source} is taken away. {n} records that came from it are archived."),
    };
    Ok(page::done_by(CONNECTORS, &note, done.changeset_id))
}
