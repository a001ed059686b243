//! What the groups share of reading and changing one record: its answers, its sources, its pins.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use nexus_core::entity::Field;
use nexus_core::{Entity, FieldError, Role};
use nexus_db::changes::{self, ChangeError, Deed, Edit, Touched};
use nexus_db::{Db, sources};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::auth::Principal;
use crate::error::Error;
use crate::etag::etag;
use crate::found::Found;
use crate::input::account_numbers_by_id;

/// What came of a change.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Outcome {
    /// A sentence.
    #[schema(example = "Contact updated successfully")]
    pub message: &'static str,
    /// The record's id.
    pub id: i64,
}

impl Outcome {
    /// The answer of a record that was made, whose address is `path` and its id.
    ///
    /// # Errors
    /// Never, in practice.
    pub fn created(message: &'static str, path: &str, made: Touched) -> Result<Response, Error> {
        let headers = [(LOCATION, format!("{path}/{}", made.id)), (ETAG, etag(made.version))];
        Ok((StatusCode::CREATED, headers, crate::json(&Self { message, id: made.id })?).into_response())
    }

    /// The answer of a record that was changed.
    ///
    /// # Errors
    /// Never, in practice.
    pub fn changed(message: &'static str, changed: Touched) -> Result<Response, Error> {
        Ok(([(ETAG, etag(changed.version))], crate::json(&Self { message, id: changed.id })?).into_response())
    }
}

/// Applies one edit; `taken` and `absent` are the group's words for what can go wrong.
///
/// # Errors
/// What went wrong.
pub async fn change(
    db: &Db,
    deed: &Deed,
    edit: Edit,
    (taken, absent): (&'static str, &'static str),
) -> Result<Touched, Error> {
    told(changes::change(db, deed, vec![edit]).await, (taken, absent))
}

/// The one record of a change set, or what went wrong in the group's words.
///
/// # Errors
/// What went wrong.
pub fn told(
    done: Result<changes::Done, ChangeError>,
    (taken, absent): (&'static str, &'static str),
) -> Result<Touched, Error> {
    match done {
        Ok(done) => done.records.first().copied().ok_or(Error::Internal),
        Err(ChangeError::Taken { .. }) => Err(Error::Conflict(taken.into())),
        Err(ChangeError::NotFound { .. }) => Err(Error::NotFound(absent)),
        Err(error) => Err(error.into()),
    }
}

/// What is to be told beside the record.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Include {
    /// `sources`: for each field that a source tells, the source, its value, when it was read, and who pinned the field.
    #[param(example = "sources")]
    include: Option<String>,
}

/// What a source says of a field, as `include=sources` tells it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FieldSource {
    /// The source.
    #[schema(example = "freshservice")]
    source: String,
    /// When it was last read.
    at: String,
    /// The run that read it.
    run_id: i64,
    /// Who pinned the field; null: it follows the source.
    pinned_by: Option<String>,
    /// The source's value.
    source_value: Value,
}

impl Found {
    /// Adds what is asked for beside the record.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for whoever may not see it, and for what there is not to include.
    pub async fn including(
        mut self,
        db: &Db,
        entity: Entity,
        principal: &Principal,
        include: &Include,
    ) -> Result<Self, Error> {
        match include.include.as_deref() {
            None => return Ok(self),
            Some("sources") => principal.require(&[Role::Admin, Role::Technician])?,
            Some(_) => return Err(Error::fields(vec![FieldError::new("include", "must be sources")])),
        }
        let mut told: Map<String, Value> = Map::new();
        for (field, one) in sources::told(db, entity, self.id).await? {
            let value = shown(db, &field, one.value).await?;
            let source = FieldSource {
                source: one.source,
                at: one.at,
                run_id: one.run_id,
                pinned_by: one.pinned_by,
                source_value: value,
            };
            told.insert(api_name(entity, &field).to_owned(), json!(source));
        }
        self.json.truncate(self.json.trim_end().len() - 1);
        self.json.push_str(",\"sources\":");
        self.json.push_str(&Value::Object(told).to_string());
        self.json.push('}');
        Ok(self)
    }
}

/// A source's value as the API words it: companies by number, lists as text that holds JSON.
pub(crate) async fn shown(db: &Db, field: &str, value: Value) -> Result<Value, Error> {
    Ok(match (field, value) {
        ("company_ids", Value::Array(ids)) => {
            let ids: Vec<i64> = ids.iter().filter_map(Value::as_i64).collect();
            account_numbers_by_id(db, &ids).await?.into_values().collect()
        }
        ("company_id", Value::Number(id)) => {
            let ids: Vec<i64> = id.as_i64().into_iter().collect();
            account_numbers_by_id(db, &ids).await?.into_values().next().into()
        }
        ("domains" | "secondary_emails", value @ Value::Array(_)) => Value::String(value.to_string()),
        (_, value) => value,
    })
}

/// A field's name in the API, where it is another than in the history.
#[must_use]
pub fn api_name(entity: Entity, field: &str) -> &str {
    match (entity, field) {
        (_, "company_ids") => "company_account_numbers",
        (_, "company_id") => "company_account_number",
        (Entity::Plan, "feature_values") => "features",
        (_, "feature_values") => "feature_overrides",
        (Entity::User, "role") => "permission_level",
        _ => field,
    }
}

fn field_of(entity: Entity, name: &str) -> Result<&'static Field, Error> {
    let known =
        entity.fields().iter().find(|field| api_name(entity, field.name) == name && field.name != "pinned_fields");
    known.ok_or(Error::NotFound("There is no such field"))
}

/// Pins a field of a record, or lets it follow its source again.
///
/// # Errors
/// What went wrong.
pub async fn pin(
    db: &Db,
    principal: &Principal,
    (entity, id): (Entity, i64),
    (field, pinned): (&str, bool),
    version: Option<i64>,
    origin: changes::Origin,
) -> Result<Touched, Error> {
    let field = field_of(entity, field)?;
    let word = if pinned { "pinned" } else { "released" };
    let deed = principal.deed(origin, format!("{} {word}", api_name(entity, field.name)));
    let done = changes::pin(db, &deed, (entity, id, version), field.name, pinned).await;
    told(done, ("Another record has this value", "Not found"))
}

/// What the form beside a field asks for.
#[derive(Debug, Deserialize)]
pub struct Pin {
    field: String,
    pinned: bool,
}

impl Pin {
    /// Pins or releases the field, and goes back to the record's page.
    ///
    /// # Errors
    /// What went wrong.
    pub async fn apply(
        &self,
        db: &Db,
        person: &Principal,
        (entity, found): (Entity, &Found),
        back: &str,
    ) -> Result<Response, Error> {
        let asked = (self.field.as_str(), self.pinned);
        let done = pin(db, person, (entity, found.id), asked, None, changes::Origin::Page).await?;
        let note = if self.pinned {
            "The field is pinned: it stays as it is, whatever its source says."
        } else {
            "The field follows its source again."
        };
        Ok(crate::page::done_by(back, note, done.changeset_id))
    }
}
