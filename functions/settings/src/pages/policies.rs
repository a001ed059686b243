//! The page that tells which field follows which source.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use nexus_core::Entity;
use nexus_core::policy::{Policy, field_policy};
use nexus_db::{Db, jobs};
use nexus_web::facts::source_name;
use nexus_web::page::{self, Shell};
use nexus_web::record::api_name;
use nexus_web::{Error, Visitor};

use crate::jobs::RUNNERS;
use crate::store::{self, Tells};

/// The fields of a kind of record; a cell for each source, with nothing where it does not tell the field.
struct Kind {
    name: &'static str,
    rows: Vec<(&'static str, Vec<Option<Policy>>)>,
}

#[derive(Template)]
#[template(path = "settings/policies.html")]
struct PoliciesPage {
    shell: Shell,
    sources: Vec<String>,
    kinds: Vec<Kind>,
}

pub(crate) async fn show(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(RUNNERS)?;
    let all = jobs::list(&db).await?;
    let sources: Vec<String> = all.iter().filter_map(|job| jobs::source_of(&job.name)).map(str::to_owned).collect();
    let told = store::told(&db).await?;
    let kinds = Entity::ALL.into_iter().filter_map(|entity| kind(entity, &sources, &told)).collect();
    let shell = Shell::new(&visitor, "settings", "Field policies");
    page::show(&visitor, &PoliciesPage { shell, sources, kinds })
}

/// The rows of a kind of which some source tells.
fn kind(entity: Entity, sources: &[String], told: &[Tells]) -> Option<Kind> {
    if !told.iter().any(|tells| tells.entity == entity) {
        return None;
    }
    let cell = |source: &String, field: &str| {
        let of = told.iter().find(|tells| tells.entity == entity && tells.source == *source)?;
        let policy = field_policy(source, entity, field);
        (policy == Policy::Never || of.fields.contains(field)).then_some(policy)
    };
    let row = |name| (api_name(entity, name), sources.iter().map(|source| cell(source, name)).collect());
    let rows =
        entity.fields().iter().filter(|field| field.name != nexus_core::entity::PINNED).map(|field| row(field.name));
    Some(Kind { name: entity.table(), rows: rows.collect() })
}
