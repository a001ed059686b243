//! The database of an instance, and the accounts that it starts with.

use nexus_core::config::DatabaseUrl;
use nexus_core::{Actor, Clock, Entity, Fields, fields};
use nexus_db::changes::{Deed, Edit, Origin, change};
use nexus_db::{Db, Options, Query, accounts};
use nexus_web::auth::{Keys, Passwords, Rules};
use nexus_web::{Auth, Limits, State};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{Instance, RunnerError};

/// A Nexus that is ready to be served.
#[derive(Debug)]
pub struct Opened {
    /// For the routers.
    pub state: State,
    /// Bounds of requests.
    pub limits: Limits,
    /// `admin` still has the password that everybody knows.
    pub default_password: bool,
}

/// Opens the database of an instance, brings it to this version and makes the accounts that it lacks.
pub async fn open(instance: &Instance, secure_cookies: bool, clock: &Clock) -> Result<Opened, RunnerError> {
    let config = &instance.config;
    let url = instance.database_url();
    let url = match url.expose_secret().strip_prefix("sqlite://") {
        Some(file) => DatabaseUrl::Sqlite(file.to_owned()),
        None => DatabaseUrl::Postgres(url),
    };
    let db = Db::open(&url, Options::from(&config.database), clock.clone()).await?;
    let keys = Keys::new(instance.keys.iter().map(|key| (key.kid.as_str(), &key.pem)))
        .map_err(|error| RunnerError::Random(error.to_string()))?;
    let rules = Rules {
        issuer: config.nexus_auth.issuer.clone(),
        token_hours: config.nexus_auth.token_hours,
        api_key_days: config.nexus_auth.api_key_days(),
        secure_cookies,
    };
    let auth = Auth::new(db.clone(), keys, rules);
    make_accounts(&db, auth.passwords(), config).await?;
    import_plans(&db, config).await?;
    let default_password = accounts::has_default_password(&db).await?;
    let limits = Limits { body: usize::try_from(config.server.max_body_bytes).unwrap_or(usize::MAX) };
    Ok(Opened { state: State { db, auth }, limits, default_password })
}

/// The plans and features of `nexus.conf`, once: from then on the directory's are the ones that count.
async fn import_plans(db: &Db, config: &nexus_core::config::Config) -> Result<(), RunnerError> {
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
                RunnerError::Plans(format!("{}: {reason}", choice.name))
            })
        })
        .collect::<Result<_, _>>()?;
    if edits.is_empty() {
        return Ok(());
    }
    let actor = Actor { user_id: None, name: "nexus".into() };
    let deed = Deed::new(actor, Origin::System, "Read from nexus.conf");
    change(db, &deed, edits).await.map(drop).map_err(|error| RunnerError::Plans(error.to_string()))
}

/// `admin`/`admin` in an empty database, and the service account of the jobs with the password of `nexus.conf`.
async fn make_accounts(db: &Db, passwords: &Passwords, config: &nexus_core::config::Config) -> Result<(), RunnerError> {
    if !accounts::any(db).await? {
        let id = add(db, "admin", "admin", false).await?;
        set(db, passwords, id, &"admin".to_owned().into(), true).await?;
    }
    let Some(password) = &config.nexus_auth.password else { return Ok(()) };
    let name = config.nexus_auth.username.as_str();
    let id = match accounts::find_credentials(db, name).await? {
        Some(known) if passwords.verify(password, Some(known.hash.clone())).await.map_err(|error| busy(&error))? => {
            return Ok(());
        }
        // Whoever changes the password in nexus.conf means the account to have it.
        Some(known) => known.user_id,
        None => add(db, name, "technician", true).await?,
    };
    set(db, passwords, id, password, false).await
}

async fn add(db: &Db, username: &str, role: &str, service_account: bool) -> Result<i64, RunnerError> {
    let actor = Actor { user_id: None, name: "nexus".into() };
    let deed = Deed::new(actor, Origin::System, "First start");
    let fields = Fields::from_iter([
        ("username".to_owned(), json!(username)),
        ("role".to_owned(), json!(role)),
        ("service_account".to_owned(), json!(service_account)),
    ]);
    let done = change(db, &deed, vec![Edit::Create { entity: Entity::User, fields }])
        .await
        .map_err(|error| RunnerError::Account { name: username.to_owned(), reason: error.to_string() })?;
    Ok(done.records.first().map(|record| record.id).unwrap_or_default())
}

async fn set(
    db: &Db,
    passwords: &Passwords,
    user_id: i64,
    password: &SecretString,
    is_default: bool,
) -> Result<(), RunnerError> {
    let hash = passwords.hash(password).await.map_err(|error| busy(&error))?;
    Ok(accounts::set_password(db, user_id, &hash, is_default).await?)
}

fn busy(error: &nexus_web::Error) -> RunnerError {
    RunnerError::Random(error.to_string())
}
