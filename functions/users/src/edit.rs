//! The rules of writing users.

use nexus_core::records::User;
use nexus_core::{Entity, FieldError, Fields, Role};
use nexus_db::Db;
use nexus_db::accounts::{self, Secret};
use nexus_db::changes::{Deed, Edit, Touched};
use nexus_web::auth::check_password;
use nexus_web::{Auth, Error, archived_targets, both, company_ids, company_numbers, record, record_fields};
use secrecy::SecretString;
use serde_json::{Map, Value};

pub(crate) const ABSENT: &str = "User not found";
const WORDS: (&str, &str) = ("A user with this name already exists", ABSENT);

const LEVEL: &str = "permission_level";
const COMPANIES: &str = "company_account_numbers";

/// What a body says of a user.
struct Given {
    fields: Fields,
    password: Option<SecretString>,
}

/// Reads a body; `known` is the user as it is.
async fn read(db: &Db, known: Option<&User>, mut body: Map<String, Value>) -> Result<Given, Error> {
    let password = password(&mut body);
    if let Some(user) = known {
        keep_meant_companies(user, &mut body);
    }
    let numbers = company_numbers(&mut body);
    // Companies that no caller can name, because they are archived, stay the user's.
    let archived = match known {
        Some(user) => archived_targets(db, (Entity::User, user.id), "company_ids").await?,
        None => Vec::new(),
    };
    let companies = async {
        let Some(numbers) = numbers? else { return Ok(None) };
        let mut ids = company_ids(db, COMPANIES, &numbers).await?;
        ids.extend(&archived);
        ids.sort_unstable();
        ids.dedup();
        Ok(Some(ids))
    }
    .await;
    let ((mut fields, companies), password) = both(both(own(body), companies), password)?;
    let role = fields.get("role").and_then(Value::as_str).and_then(Role::parse);
    let role = role.or_else(|| known.map(|user| user.permission_level));
    let without = match &companies {
        Some(ids) => ids.is_empty(),
        None => archived.is_empty() && known.is_none_or(|user| user.company_account_numbers.is_empty()),
    };
    if role == Some(Role::Client) && without {
        return Err(Error::fields(vec![FieldError::new(COMPANIES, "must name the company of a client, or several")]));
    }
    if let Some(ids) = companies {
        fields.insert("company_ids".to_owned(), Value::from(ids));
    }
    Ok(Given { fields, password })
}

/// Of the two names of a user's companies keeps the one that the caller means: whoever sends back a whole record changes
/// one of them, and leaves the other as it was.
fn keep_meant_companies(user: &User, body: &mut Map<String, Value>) {
    let now = &user.company_account_numbers;
    let same = body.get(COMPANIES).is_some_and(|list| *list == Value::from(now.clone()));
    let other = body.get("company_account_number").is_some_and(|one| one.as_str() != now.first().map(String::as_str));
    if same && other {
        body.remove(COMPANIES);
    }
}

/// The fields of the user's own, its level by the name that callers know.
fn own(mut body: Map<String, Value>) -> Result<Fields, Error> {
    if body.contains_key("role") {
        return Err(Error::fields(vec![FieldError::new("role", "send permission_level")]));
    }
    if let Some(level) = body.remove(LEVEL) {
        body.insert("role".to_owned(), level);
    }
    record_fields(Entity::User, body).map_err(|error| match error {
        Error::Invalid { message, mut fields } => {
            fields
                .iter_mut()
                .filter(|fault| fault.field == "role")
                .for_each(|fault| LEVEL.clone_into(&mut fault.field));
            Error::Invalid { message, fields }
        }
        other => other,
    })
}

fn password(body: &mut Map<String, Value>) -> Result<Option<SecretString>, Error> {
    match body.remove("password") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(password)) => {
            let password = SecretString::from(password);
            check_password(&password)?;
            Ok(Some(password))
        }
        Some(_) => Err(Error::fields(vec![FieldError::new("password", "must be text")])),
    }
}

async fn secret(auth: &Auth, password: Option<&SecretString>) -> Result<Secret, Error> {
    let password_hash = match password {
        Some(password) => Some(auth.passwords().hash(password).await?),
        None => None,
    };
    Ok(Secret { password_hash })
}

pub(crate) async fn create(db: &Db, auth: &Auth, deed: &Deed, body: Map<String, Value>) -> Result<Touched, Error> {
    let Given { fields, password } = read(db, None, body).await?;
    let is_service = fields.get("service_account").and_then(Value::as_bool).unwrap_or_default();
    if password.is_none() && !is_service {
        return Err(Error::fields(vec![FieldError::new("password", "must have a value")]));
    }
    let edit = Edit::Create { entity: Entity::User, fields };
    record::told(accounts::change(db, deed, edit, secret(auth, password.as_ref()).await?).await, WORDS)
}

pub(crate) async fn update(
    db: &Db,
    auth: &Auth,
    deed: &Deed,
    (known, version): (&User, Option<i64>),
    body: Map<String, Value>,
) -> Result<Touched, Error> {
    let Given { fields, password } = read(db, Some(known), body).await?;
    let edit = Edit::Update { entity: Entity::User, id: known.id, version, fields };
    record::told(accounts::change(db, deed, edit, secret(auth, password.as_ref()).await?).await, WORDS)
}

pub(crate) async fn archive(db: &Db, deed: &Deed, id: i64, version: Option<i64>) -> Result<Touched, Error> {
    let edit = Edit::Archive { entity: Entity::User, id, version };
    record::told(accounts::change(db, deed, edit, Secret::default()).await, WORDS)
}

pub(crate) async fn restore(db: &Db, deed: &Deed, id: i64) -> Result<Touched, Error> {
    let edit = Edit::Restore { entity: Entity::User, id, version: None };
    record::told(accounts::change(db, deed, edit, Secret::default()).await, WORDS)
}
