//! What a directory needs before anybody can use it: its first accounts, and the plans of the configuration.

use nexus_core::config::Config;
use nexus_core::{Actor, Entity, Fields, fields};
use nexus_db::changes::{Deed, Edit, Origin, change};
use nexus_db::{Db, Query, accounts};
use secrecy::SecretString;
use serde_json::json;
use thiserror::Error;

use crate::auth::Passwords;

/// Why a directory could not be made ready.
#[derive(Debug, Error)]
pub enum SetupError {
    /// An account that Nexus starts with cannot be made.
    #[error("cannot make the account {name}: {reason}")]
    Account {
        /// User name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A plan or feature of the configuration cannot be taken over.
    #[error("[plans] and [features] of the configuration: {0}")]
    Plans(String),
    /// The database failed.
    #[error("{0}")]
    Database(#[from] nexus_db::Error),
}

/// With what the account `admin` begins in an empty directory.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    password: SecretString,
    is_default: bool,
}

impl FirstAdmin {
    /// The password that everybody knows: nothing can be done with it but to choose another one.
    #[must_use]
    pub fn known_to_everybody() -> Self {
        Self { password: "admin".to_owned().into(), is_default: true }
    }

    /// A password that whoever runs this Nexus has been given.
    #[must_use]
    pub const fn given(password: SecretString) -> Self {
        Self { password, is_default: false }
    }
}

/// Makes what is not there yet: `admin` in an empty directory, the service account of the jobs with the password of the
/// configuration, and its plans and features. What is there stays as it is.
///
/// # Errors
/// The first thing that cannot be made; all that went before is there.
pub async fn prepare(db: &Db, passwords: &Passwords, config: &Config, admin: FirstAdmin) -> Result<(), SetupError> {
    make_accounts(db, passwords, config, admin).await?;
    import_plans(db, config).await
}

/// The plans and features of `nexus.conf`, once: from then on the directory's are the ones that count.
async fn import_plans(db: &Db, config: &Config) -> Result<(), SetupError> {
    let made = Query::new("SELECT count(*) FROM sequences WHERE name IN ('plan', 'feature') AND value > 0");
    if db.one::<(i64,)>(made).await?.0 > 0 {
        return Ok(());
    }
    let kinds = [(Entity::Feature, &config.features), (Entity::Plan, &config.plans)];
    let edits: Vec<Edit> = kinds
        .into_iter()
        .flat_map(|(entity, choices)| choices.iter().zip(1..).map(move |(choice, at)| (entity, choice, at)))
        .map(|(entity, choice, at)| {
            let given = json!({"name": choice.name, "description": choice.text, "position": at});
            let fields = fields::parse(entity, given.as_object().unwrap_or(&Fields::new()));
            fields.map(|fields| Edit::Create { entity, fields }).map_err(|faults| {
                let reason =
                    faults.first().map_or_else(String::new, |fault| format!("{} {}", fault.field, fault.message));
                SetupError::Plans(format!("{}: {reason}", choice.name))
            })
        })
        .collect::<Result<_, _>>()?;
    if edits.is_empty() {
        return Ok(());
    }
    let actor = Actor { user_id: None, name: "nexus".into() };
    let deed = Deed::new(actor, Origin::System, "Read from nexus.conf");
    change(db, &deed, edits).await.map(drop).map_err(|error| SetupError::Plans(error.to_string()))
}

async fn make_accounts(db: &Db, passwords: &Passwords, config: &Config, admin: FirstAdmin) -> Result<(), SetupError> {
    if !accounts::any(db).await? {
        let id = add(db, "admin", "admin", false).await?;
        set(db, passwords, ("admin", id), &admin.password, admin.is_default).await?;
    }
    let Some(password) = &config.nexus_auth.password else { return Ok(()) };
    let name = config.nexus_auth.username.as_str();
    let id = match accounts::find_credentials(db, name).await? {
        Some(known)
            if passwords.verify(password, Some(known.hash.clone())).await.map_err(|error| refused(name, &error))? =>
        {
            return Ok(());
        }
        // Whoever changes the password in the configuration means the account to have it.
        Some(known) => known.user_id,
        None => add(db, name, "technician", true).await?,
    };
    set(db, passwords, (name, id), password, false).await
}

async fn add(db: &Db, username: &str, role: &str, service_account: bool) -> Result<i64, SetupError> {
    let actor = Actor { user_id: None, name: "nexus".into() };
    let deed = Deed::new(actor, Origin::System, "First start");
    let fields = Fields::from_iter([
        ("username".to_owned(), json!(username)),
        ("role".to_owned(), json!(role)),
        ("service_account".to_owned(), json!(service_account)),
    ]);
    let done = change(db, &deed, vec![Edit::Create { entity: Entity::User, fields }])
        .await
        .map_err(|error| refused(username, &error))?;
    Ok(done.records.first().map(|record| record.id).unwrap_or_default())
}

async fn set(
    db: &Db,
    passwords: &Passwords,
    (name, user_id): (&str, i64),
    password: &SecretString,
    is_default: bool,
) -> Result<(), SetupError> {
    let hash = passwords.hash(password).await.map_err(|error| refused(name, &error))?;
    Ok(accounts::set_password(db, user_id, &hash, is_default).await?)
}

fn refused(name: &str, error: &impl std::fmt::Display) -> SetupError {
    SetupError::Account { name: name.to_owned(), reason: error.to_string() }
}
