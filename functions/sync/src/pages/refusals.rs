//! Page of what people took out of plans.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::Entity;
use nexus_db::Db;
use nexus_db::refusals::{self, Refusal};
use nexus_web::facts::source_name;
use nexus_web::history::{Named, Names};
use nexus_web::page::{self, Shell};
use nexus_web::{CsrfForm, Error, Visitor};
use serde::Deserialize;

use super::READERS;

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
    match crate::refusals::forget(&db, person, &source, &entity, &external_id).await {
        Ok(()) => Ok(page::done("/sync/refusals", "The next run proposes it again.")),
        // Somebody else was quicker: what is wanted is so.
        Err(Error::NotFound(_)) => Ok(page::done("/sync/refusals", "It was taken back already.")),
        Err(error) => Err(error),
    }
}
