//! The HTML face.

pub(crate) mod history;
pub(crate) mod plans;
pub(crate) mod refusals;
pub(crate) mod runs;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use nexus_core::Role;
use nexus_db::changes::{Action, Tally};
use nexus_web::history::action_word;
use nexus_web::page::{self, Shell};
use nexus_web::{Error, Visitor};

/// Who reads and decides.
const READERS: &[Role] = &[Role::Admin, Role::Technician];

/// Rows of a change set that have the same done to the same kind, in words: `3 companies created`, `create 3 companies`.
fn phrase(one: &Tally, done: bool) -> String {
    counted(one.entity, one.action, one.rows, done)
}

fn counted(entity: nexus_core::Entity, action: Action, n: i64, done: bool) -> String {
    let (verb, kinds) = (action_word(action, done), entity.noun(n == 1));
    match (action, done) {
        (Action::Link, false) => format!("tie {n} {kinds} to the source"),
        (_, false) => format!("{verb} {n} {kinds}"),
        (Action::Link, true) => format!("{n} {kinds} tied to the source"),
        (_, true) => format!("{n} {kinds} {verb}"),
    }
}

/// What a state of a change set is called, and its colour.
fn set_state(state: &str) -> (&'static str, &'static str) {
    match state {
        "proposed" | "held" => ("waits for a person", "yellow"),
        "applied" => ("applied", "green"),
        "rejected" => ("rejected", "red"),
        "reverted" => ("undone", "secondary"),
        _ => ("out of date", "secondary"),
    }
}

/// What was asked for cannot be done as things stand by now.
#[derive(Template)]
#[template(path = "sync/conflict.html")]
struct Conflict {
    shell: Shell,
    text: String,
    back: String,
}

/// Says what happened in the place of what was asked for. `back`: where one sees how things stand.
fn conflict(visitor: &Visitor, text: impl Into<String>, back: &str) -> Result<Response, Error> {
    // The page itself has no address to come back to.
    let shell = Shell { path: back.to_owned(), ..Shell::new(visitor, "sync", "Nothing was changed") };
    let page = page::html(&Conflict { shell, text: text.into(), back: back.to_owned() })?;
    Ok((StatusCode::CONFLICT, page).into_response())
}

/// A path of our own to go back to; anything else leads to the overview.
fn own_path(back: &str) -> &str {
    if page::is_own_path(back) && back.bytes().all(|byte| byte.is_ascii_graphic()) { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn nobody_is_led_away_from_nexus() {
        for own in ["/", "/sync/runs/1", "/companies?search=a%20b&page=2", "/companies/a-b_c.d/history"] {
            assert_eq!(own_path(own), own);
        }
        for other in
            ["", "sync", "//a.example", "/\\a.example", "https://a.example", "/a\nb", "/a b", "/é", "\t//a.example"]
        {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
    }
}
