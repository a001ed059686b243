//! The HTML face: a user's page with the API keys, and those of everybody.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::SignedDuration;
use nexus_core::records::User;
use nexus_core::{FieldError, Role, instant};
use nexus_db::Db;
use nexus_db::keys::Key;
use nexus_web::page::{self, Shell};
use nexus_web::{Auth, CsrfForm, Error, Path, Visitor};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::keys;
use crate::pages::{ADMIN, address_of};
use crate::store::{self, KnownKey};

/// Longer than anybody wants a key, and short enough that its end is a date.
const MOST_DAYS: i64 = 36_500;

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    InUse,
    Expired,
    Revoked,
    /// Its account is archived or a person's, so nobody comes in with it.
    Idle,
}

/// A row of the table of keys.
struct Row {
    key: KnownKey,
    standing: Standing,
}

impl Row {
    fn of(keys: Vec<KnownKey>, now: &str) -> Vec<Self> {
        let standing = |key: &KnownKey| match key {
            KnownKey { revoked_at: Some(_), .. } => Standing::Revoked,
            // Instants have one form, which sorts as time.
            KnownKey { expires_at: Some(at), .. } if at.as_str() <= now => Standing::Expired,
            KnownKey { gone, service_account, .. } if *gone || !service_account => Standing::Idle,
            _ => Standing::InUse,
        };
        keys.into_iter().map(|key| Self { standing: standing(&key), key }).collect()
    }
}

/// The form of a new key.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct NewKey {
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    /// For how many days; empty: as long as this Nexus lets it.
    #[serde(default)]
    days: String,
}

impl NewKey {
    /// The form as a body of the API, which asks for a time in the place of days.
    fn body(&self, db: &Db) -> Result<Map<String, Value>, Error> {
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(self.name));
        body.insert("role".to_owned(), json!(self.role));
        let days = self.days.trim();
        if !days.is_empty() {
            let known = days.parse::<i64>().ok().filter(|days| (1..=MOST_DAYS).contains(days));
            let end = known.and_then(|days| db.clock().now().checked_add(SignedDuration::from_hours(days * 24)).ok());
            let wrong = || {
                Error::fields(vec![FieldError::new("days", format!("must be a whole number from 1 to {MOST_DAYS}"))])
            };
            body.insert("expires_at".to_owned(), json!(instant::canonical(end.ok_or_else(wrong)?)));
        }
        Ok(body)
    }
}

#[derive(Template)]
#[template(path = "users/show.html")]
struct ShowPage {
    shell: Shell,
    path: String,
    user: User,
    keys: Vec<Row>,
    /// The roles that a key of the user can have.
    roles: Vec<Role>,
    most_days: Option<u32>,
    form: NewKey,
    faults: Vec<FieldError>,
}

impl ShowPage {
    async fn new(db: &Db, auth: &Auth, visitor: &Visitor, user: User) -> Result<Self, Error> {
        let keys = Row::of(store::keys(db, Some(user.id)).await?, &db.now());
        Ok(Self {
            shell: Shell { path: address_of(user.id), ..Shell::new(visitor, "settings", user.username.clone()) },
            path: address_of(user.id),
            keys,
            roles: Role::ALL.into_iter().filter(|role| user.permission_level.includes(*role)).collect(),
            most_days: auth.api_key_days(),
            form: NewKey { role: user.permission_level.as_str().to_owned(), ..NewKey::default() },
            faults: Vec::new(),
            user,
        })
    }

    /// What is wrong with a field of the form.
    fn fault(&self, field: &str) -> Option<&str> {
        self.faults.iter().find(|fault| fault.field == field).map(|fault| fault.message.as_str())
    }
}

pub(crate) async fn show(
    State(db): State<Db>,
    State(auth): State<Auth>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Result<Response, Error> {
    let user = keys::account(&db, visitor.person_with(ADMIN)?, id).await?;
    page::show(&visitor, &ShowPage::new(&db, &auth, &visitor, user).await?)
}

#[derive(Template)]
#[template(path = "users/key.html")]
struct KeyPage<'a> {
    shell: Shell,
    path: String,
    user: &'a User,
    /// The secret, which is in this answer alone.
    secret: &'a str,
    key: &'a Key,
}

pub(crate) async fn create(
    State(db): State<Db>,
    State(auth): State<Auth>,
    visitor: Visitor,
    Path(id): Path<i64>,
    CsrfForm(form): CsrfForm<NewKey>,
) -> Result<Response, Error> {
    let person = visitor.person_with(ADMIN)?;
    let user = keys::account(&db, person, id).await?;
    let made = match form.body(&db) {
        Ok(body) => keys::make(&db, &auth, person, &user, &body).await,
        Err(error) => Err(error),
    };
    match made {
        Ok((secret, key)) => {
            let shell = Shell { path: address_of(id), ..Shell::new(&visitor, "settings", "A new API key") };
            let page = KeyPage { shell, path: address_of(id), user: &user, secret: &secret, key: &key };
            Ok((StatusCode::CREATED, page::show(&visitor, &page)?).into_response())
        }
        Err(Error::Invalid { message, mut fields }) => {
            // The form has days where the API has a time.
            fields.iter_mut().filter(|fault| fault.field == "expires_at").for_each(|fault| fault.field = "days".into());
            let faults = if fields.is_empty() { vec![FieldError::new("name", message)] } else { fields };
            let page = ShowPage { form, faults, ..ShowPage::new(&db, &auth, &visitor, user).await? };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page::show(&visitor, &page)?).into_response())
        }
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "users/keys.html")]
struct KeysPage {
    shell: Shell,
    keys: Vec<Row>,
}

pub(crate) async fn list(State(db): State<Db>, visitor: Visitor) -> Result<Response, Error> {
    visitor.person_with(ADMIN)?;
    let keys = Row::of(store::keys(&db, None).await?, &db.now());
    page::show(&visitor, &KeysPage { shell: Shell::new(&visitor, "settings", "API keys"), keys })
}

#[derive(Debug, Deserialize)]
pub(crate) struct Revoking {
    /// The user from whose page it is asked.
    user: Option<i64>,
}

pub(crate) async fn revoke(
    State(db): State<Db>,
    visitor: Visitor,
    Path(key_id): Path<i64>,
    CsrfForm(Revoking { user }): CsrfForm<Revoking>,
) -> Result<Response, Error> {
    keys::revoke(&db, visitor.person_with(ADMIN)?, key_id).await?;
    let back = user.map_or_else(|| "/settings/keys".to_owned(), address_of);
    Ok(page::done(&back, "The key was revoked. Nobody comes in with it any more."))
}

#[cfg(test)]
mod tests {
    use super::{KnownKey, Row, Standing};

    fn key(change: impl FnOnce(&mut KnownKey)) -> KnownKey {
        let mut key = KnownKey {
            id: 1,
            user_id: 1,
            username: "billing".into(),
            gone: false,
            service_account: true,
            name: None,
            prefix: "nexus_k3J9xQ".into(),
            role: "billing".into(),
            created_at: "2026-01-01T00:00:00.000Z".into(),
            created_by: None,
            expires_at: Some("2026-03-01T00:00:00.000Z".into()),
            last_used_at: None,
            revoked_at: None,
            revoked_by: None,
        };
        change(&mut key);
        key
    }

    #[test]
    fn a_key_is_in_use_until_something_stops_it() {
        let ends = "2026-03-01T00:00:00.000Z";
        for (key, now, standing) in [
            (key(|_| ()), "2026-02-28T23:59:59.999Z", Standing::InUse),
            (key(|_| ()), ends, Standing::Expired),
            (key(|key| key.expires_at = None), ends, Standing::InUse),
            (key(|key| key.gone = true), "2026-02-01T00:00:00.000Z", Standing::Idle),
            (key(|key| key.service_account = false), "2026-02-01T00:00:00.000Z", Standing::Idle),
            (key(|key| key.revoked_at = Some("2026-01-02T00:00:00.000Z".into())), ends, Standing::Revoked),
        ] {
            let rows = Row::of(vec![key.clone()], now);
            assert_eq!(rows[0].standing, standing, "{key:?} at {now}");
        }
    }
}
