//! The list of plans and that of features, which look alike.

use std::collections::BTreeMap;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use nexus_core::{Entity, Scope};
use nexus_db::Db;
use nexus_web::page::{self, Shell};
use nexus_web::{Error, List, Paging, Visitor};
use serde::Deserialize;
use serde_json::{Map, Value};

/// More than an MSP offers.
const ALL: Paging = Paging { page: 1, per_page: 1_000 };

/// What a list is of.
pub(super) struct Offer {
    pub(super) entity: Entity,
    pub(super) path: &'static str,
    pub(super) title: &'static str,
    pub(super) hint: &'static str,
    /// Each has values of features.
    pub(super) includes: bool,
    /// Says that there is none yet.
    pub(super) empty: &'static str,
}

/// A plan or a feature, as the list shows it.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) name: String,
    description: Option<String>,
    position: i64,
    /// What a plan includes.
    #[serde(default)]
    features: BTreeMap<String, String>,
}

/// Which list is asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    pub(super) archived: bool,
}

#[derive(Template)]
#[template(path = "settings/offers.html")]
struct ListPage {
    shell: Shell,
    offer: &'static Offer,
    archived: bool,
    rows: Vec<Row>,
    fault: Option<String>,
}

async fn list_page(
    db: &Db,
    visitor: &Visitor,
    offer: &'static Offer,
    Shown { archived }: Shown,
) -> Result<ListPage, Error> {
    let path = page::link(offer.path, &[("archived", if archived { "true" } else { "" })]);
    let shell = Shell { path, ..Shell::new(visitor, "settings", offer.title) };
    let rows = rows(db, offer.entity, archived).await?;
    Ok(ListPage { shell, offer, archived, rows, fault: None })
}

/// The plans or features in their order.
pub(super) async fn rows(db: &Db, entity: Entity, archived: bool) -> Result<Vec<Row>, Error> {
    let list = if archived { List::archived(entity, &Scope::All) } else { List::new(entity, &Scope::All) };
    page::record(&list.sort(None, None)?.json(db, ALL).await?)
}

/// The list.
pub(super) async fn list(db: &Db, visitor: &Visitor, offer: &'static Offer, shown: Shown) -> Result<Response, Error> {
    page::show(visitor, &list_page(db, visitor, offer, shown).await?)
}

/// The list again, with what could not be done.
pub(super) async fn refuse(
    db: &Db,
    visitor: &Visitor,
    offer: &'static Offer,
    shown: Shown,
    error: Error,
) -> Result<Response, Error> {
    let Error::Conflict(fault) = error else { return Err(error) };
    let page = ListPage { fault: Some(fault), ..list_page(db, visitor, offer, shown).await? };
    Ok((StatusCode::CONFLICT, page::show(visitor, &page)?).into_response())
}

/// A form sends the position as text; what is no number stays, and is refused as that.
pub(super) fn with_number(mut body: Map<String, Value>) -> Map<String, Value> {
    if let Some(position) = body.get_mut("position")
        && let Some(number) = position.as_str().and_then(|text| text.trim().parse::<i64>().ok())
    {
        *position = number.into();
    }
    body
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::with_number;

    #[test]
    fn a_position_that_is_a_number_is_sent_as_one() {
        for (typed, sent) in [("3", json!(3)), (" -1 ", json!(-1)), ("", json!("")), ("1.5", json!("1.5"))] {
            let body = json!({"name": "7", "position": typed});
            let body = with_number(body.as_object().cloned().unwrap_or_default());
            assert_eq!((&body["position"], &body["name"]), (&sent, &json!("7")), "{typed:?}");
        }
    }
}
