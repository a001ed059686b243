//! Search over the whole directory.

use axum::extract::State;
use axum::response::Response;
use nexus_core::views::Hit;
use nexus_core::{Entity, FieldError, Scope};
use nexus_db::search::{Words, literal};
use nexus_db::{Db, Query as Sql, scope};
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
    let mut hits: Vec<Hit> = Vec::new();
    for kind in &KINDS {
        let rows = by_name(db, scope, kind, &text).await?;
        for row in rows.into_iter().chain(by_words(db, scope, kind, &words, &text).await?) {
            let Row { id, name, detail, account_number, rank } = row;
            let rank = rank.min(fit(&name, &text));
            if let Some(hit) = hits.iter_mut().find(|hit| hit.kind == kind.entity && hit.id == id) {
                hit.rank = hit.rank.min(rank);
                continue;
            }
            hits.push(Hit { kind: kind.entity, id, name, detail, account_number, rank });
        }
    }
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

/// The beginning of a query: what is told of a record of this kind, with its rank.
fn select(scope: &Scope, kind: &Kind, rank: impl FnOnce(Sql) -> Sql) -> Sql {
    let seen = scope::condition(Entity::Company, scope).map(|condition| condition.replace("t.id", "t_c.id"));
    let seen = seen.map(|condition| format!(" AND {condition}")).unwrap_or_default();
    let query = Sql::new(format!(
        "SELECT t.id, t.{} AS name, {} AS detail, {} AS account_number, ",
        kind.names[0],
        kind.detail,
        kind.account_number.replace("{seen}", &seen)
    ));
    let query = rank(query).push(&format!(" AS rank FROM {} t WHERE t.archived_at IS NULL", kind.entity.table()));
    scope::within(query, kind.entity, scope)
}

/// Those that are called so, or whose name begins so: found in the order of the names, however many hold the words.
async fn by_name(db: &Db, scope: &Scope, kind: &Kind, text: &str) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for name in kind.names {
        // Every text that begins so comes before the one that goes on with the last of all characters.
        let query = select(scope, kind, |query| {
            query.push(&format!("CASE WHEN lower(t.{name}) = ")).arg(text).push(" THEN CAST(0 AS BIGINT) ELSE 1 END")
        })
        .push(&format!(" AND lower(t.{name}) >= "))
        .arg(text)
        .push(&format!(" AND lower(t.{name}) < "))
        .arg(format!("{text}\u{10ffff}"))
        .push(&format!(" ORDER BY lower(t.{name}), t.id LIMIT "))
        .arg(LOOKED_AT);
        rows.extend(db.all::<Row>(query).await?);
    }
    Ok(rows)
}

/// Those that hold the words anywhere; first those that have one in their name, however many others there are.
async fn by_words(db: &Db, scope: &Scope, kind: &Kind, words: &Words, text: &str) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for in_name in [true, false] {
        let query =
            select(scope, kind, |query| query.push(if in_name { "CAST(2 AS BIGINT)" } else { "CAST(3 AS BIGINT)" }));
        let query = if in_name {
            query
                .push(&format!(" AND lower(t.{}) LIKE ", kind.names[0]))
                .arg(format!("% {}%", literal(text)))
                .push(" ESCAPE '\\'")
        } else {
            query
        };
        let query = words.condition(kind.entity, db.dialect(), query.push(" AND ")).push(" LIMIT ").arg(LOOKED_AT);
        rows.extend(db.all::<Row>(query).await?);
    }
    Ok(rows)
}
