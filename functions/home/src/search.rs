//! Search over the whole directory.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use nexus_core::views::Hit;
use nexus_core::{Entity, FieldError, Scope};
use nexus_db::search::{Words, literal};
use nexus_db::{Db, Dialect, Query as Sql, scope};
use nexus_web::{Error, Principal, Problem, Query};
use serde::Deserialize;

/// What is looked at of each kind before the best are taken.
const LOOKED_AT: i64 = 100;
/// Characters of a query that are compared with names.
const LONGEST: usize = 256;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// What to look for: words that must all be there, or a telephone number however it is written.
    #[param(value_type = String, example = "ackermann")]
    q: Option<String>,
    /// At most so many records, 1 to 100; 20 by default.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    /// Place of its kind in [`KINDS`].
    kind: i64,
    id: i64,
    name: String,
    detail: Option<String>,
    account_number: Option<String>,
    rank: i64,
}

/// How a kind is searched: its names (the first is what it is called), and what tells it from its namesakes.
struct Kind {
    entity: Entity,
    names: &'static [&'static str],
    detail: &'static str,
    account_number: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind {
        entity: Entity::Company,
        names: &["name", "account_number"],
        detail: "t.account_number",
        account_number: "t.account_number",
    },
    Kind {
        entity: Entity::Contact,
        names: &["name", "email"],
        detail: "t.email",
        account_number: "(SELECT min(t_c.account_number) FROM contact_companies l JOIN companies t_c ON t_c.id = l.company_id \
                         WHERE l.contact_id = t.id AND t_c.archived_at IS NULL{seen})",
    },
    Kind {
        entity: Entity::Asset,
        names: &["hostname"],
        detail: "t.operating_system",
        account_number: "(SELECT t_c.account_number FROM companies t_c WHERE t_c.id = t.company_id AND t_c.archived_at IS NULL{seen})",
    },
];

/// Companies, people and devices by any of their texts, the best first
#[utoipa::path(get, path = "/api/search", tag = "home", params(Asked), responses(
    (status = 200, description = "What was found; a client finds what belongs to its own companies", body = Vec<Hit>),
    (status = 400, body = Problem), (status = 401, body = Problem),
))]
pub(crate) async fn search(
    State(db): State<Db>,
    principal: Principal,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let wrong = |field: &str, message: &str| Error::fields(vec![FieldError::new(field, message)]);
    let limit = match asked.limit.as_deref().map(str::parse::<usize>) {
        None => 20,
        Some(Ok(limit)) if (1..=100).contains(&limit) => limit,
        Some(_) => return Err(wrong("limit", "must be a whole number from 1 to 100")),
    };
    let text = asked.q.as_deref().unwrap_or_default();
    let hits = find(&db, &principal.scope(), text, limit).await?;
    nexus_web::json(&hits.ok_or_else(|| wrong("q", "must have a value"))?)
}

/// The best hits for a text; nothing when it holds no word.
pub(crate) async fn find(db: &Db, scope: &Scope, text: &str, limit: usize) -> Result<Option<Vec<Hit>>, Error> {
    let text = text.trim().to_lowercase();
    let Some(words) = Words::parse(&text) else { return Ok(None) };
    // Longer than any name; longer patterns are more than a database takes.
    let text: String = text.chars().take(LONGEST).collect();
    let mut found: BTreeMap<(Entity, i64), Hit> = BTreeMap::new();
    for row in db.all::<Row>(every_way(db.dialect(), scope, &words, &text)).await? {
        let Row { kind, id, name, detail, account_number, rank } = row;
        let kind = usize::try_from(kind).ok().and_then(|at| KINDS.get(at)).ok_or(Error::Internal)?.entity;
        let rank = rank.min(fit(&name, &text));
        let hit = found.entry((kind, id)).or_insert(Hit { kind, id, name, detail, account_number, rank });
        hit.rank = hit.rank.min(rank);
    }
    let mut hits: Vec<Hit> = found.into_values().collect();
    hits.sort_by(|one, other| {
        let key = |hit: &Hit| (hit.rank, hit.name.to_lowercase(), hit.kind, hit.id);
        key(one).cmp(&key(other))
    });
    hits.truncate(limit);
    Ok(Some(hits))
}

/// How well a name fits. The databases know small letters of ASCII alone.
fn fit(name: &str, text: &str) -> i64 {
    match name.to_lowercase() {
        name if name == text => 0,
        name if name.starts_with(text) => 1,
        name if name.contains(&format!(" {text}")) => 2,
        _ => 3,
    }
}

/// How a record is looked for.
#[derive(Clone, Copy)]
enum Way {
    /// This name of it is the text, or begins so: found in the order of the names, however many hold the words.
    Called(&'static str),
    /// It holds the words, and one begins with the text in its name: found however many others hold them.
    InName,
    /// It holds the words anywhere.
    Anywhere,
}

/// All kinds, each in every way, in one question: the way to a database and back costs more than most of the answers.
fn every_way(dialect: Dialect, scope: &Scope, words: &Words, text: &str) -> Sql {
    let (mut query, mut open) = (Sql::new(""), "SELECT * FROM (");
    for (at, kind) in KINDS.iter().enumerate() {
        for way in kind.names.iter().map(|name| Way::Called(name)).chain([Way::InName, Way::Anywhere]) {
            query = one_way(query.push(open), dialect, scope, (at, kind), way, (words, text)).push(") AS found");
            open = " UNION ALL SELECT * FROM (";
        }
    }
    query
}

fn one_way(
    query: Sql,
    dialect: Dialect,
    scope: &Scope,
    (at, kind): (usize, &Kind),
    way: Way,
    (words, text): (&Words, &str),
) -> Sql {
    let Kind { entity, names, detail, account_number } = *kind;
    let seen = scope::condition(Entity::Company, scope).map(|condition| condition.replace("t.id", "t_c.id"));
    let account_number =
        account_number.replace("{seen}", &seen.map(|condition| format!(" AND {condition}")).unwrap_or_default());
    let query = query.push(&format!(
        "SELECT CAST({at} AS BIGINT) AS kind, t.id, t.{} AS name, {detail} AS detail, {account_number} AS account_number, ",
        names[0]
    ));
    let query = match way {
        Way::Called(name) => {
            let query = query.push(&format!("CASE WHEN lower(t.{name}) = ")).arg(text);
            query.push(" THEN CAST(0 AS BIGINT) ELSE 1 END")
        }
        Way::InName => query.push("CAST(2 AS BIGINT)"),
        Way::Anywhere => query.push("CAST(3 AS BIGINT)"),
    };
    let query = query.push(&format!(" AS rank FROM {} t WHERE t.archived_at IS NULL", entity.table()));
    let query = scope::within(query, entity, scope).push(" AND ");
    let query = match way {
        // Every text that begins so comes before the one that goes on with the last of all characters.
        Way::Called(name) => query
            .push(&format!("lower(t.{name}) >= "))
            .arg(text)
            .push(&format!(" AND lower(t.{name}) < "))
            .arg(format!("{text}\u{10ffff}"))
            .push(&format!(" ORDER BY lower(t.{name}), t.id")),
        Way::InName => {
            let query = query.push(&format!("lower(t.{}) LIKE ", names[0])).arg(format!("% {}%", literal(text)));
            words.condition(entity, dialect, query.push(" ESCAPE '\\' AND "))
        }
        Way::Anywhere => words.condition(entity, dialect, query),
    };
    query.push(" LIMIT ").arg(LOOKED_AT)
}
