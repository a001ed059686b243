//! The routes that every list has. Each group names their paths where it names its other ones.

use axum::extract::{FromRef, State};
use axum::routing::{MethodRouter, get};
use http::HeaderMap;
use nexus_db::Db;

use super::Grid;
use super::view::Pairs;
use crate::auth::{Auth, Visitor};
use crate::request::Query;

/// The list as a page.
pub fn list<S>(grid: &'static Grid) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    get(async move |State(db): State<Db>, visitor: Visitor, Query(pairs): Query<Pairs>| {
        super::page::page(grid, &db, &visitor, &pairs).await
    })
}

/// The form that chooses its filters and columns.
pub fn choices<S>(grid: &'static Grid) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    get(async move |State(db): State<Db>, visitor: Visitor, Query(pairs): Query<Pairs>, headers: HeaderMap| {
        super::page::choices(grid, &db, &visitor, &pairs, &headers).await
    })
}

/// The list as a file.
pub fn csv<S>(grid: &'static Grid) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Auth: FromRef<S>,
    Db: FromRef<S>,
{
    get(async move |State(db): State<Db>, visitor: Visitor, Query(pairs): Query<Pairs>| {
        super::csv::csv(grid, &db, &visitor, &pairs).await
    })
}
