//! What proves who somebody is: passwords and sessions; and what a proven user may do.
//!
//! Users themselves are directory records and are written through [`crate::changes`]. Secrets are kept as hashes only.

use nexus_core::Role;
use sqlx::types::Json;

use crate::changes::{self, ChangeError, Deed, Done, Edit};
use crate::{Db, Error, Query, Result, Tx};

/// A user's password, for the check at login.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Credentials {
    /// The user.
    pub user_id: i64,
    /// Argon2id, PHC string.
    pub hash: String,
}

/// A live user as every request needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Id.
    pub id: i64,
    /// User name.
    pub username: String,
    /// What the user may do.
    pub role: Role,
    /// Used by a service or by the jobs, not by a person.
    pub service_account: bool,
    /// Ids of the companies that a client user belongs to.
    pub company_ids: Vec<i64>,
    /// The first company's account number: a claim of the token.
    pub company_account_number: Option<String>,
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: i64,
    username: String,
    role: String,
    service_account: bool,
    company_ids: Json<Vec<i64>>,
    company_account_number: Option<String>,
}

/// The password of the live user of that name, letter case aside.
pub async fn find_credentials(db: &Db, username: &str) -> Result<Option<Credentials>> {
    let query = Query::new(
        "SELECT p.user_id, p.hash FROM users u JOIN passwords p ON p.user_id = u.id \
         WHERE lower(u.username) = $1 AND u.archived_at IS NULL",
    );
    db.optional(query.bind(username.to_ascii_lowercase())).await
}

/// The live user of that id.
pub async fn find(db: &Db, user_id: i64) -> Result<Option<Account>> {
    let companies = "FROM user_companies l JOIN companies c ON c.id = l.company_id \
                     WHERE l.user_id = u.id AND c.archived_at IS NULL";
    let sql = format!(
        "SELECT u.id, u.username, u.role, u.service_account, {} AS company_ids, \
         (SELECT c.account_number {companies} ORDER BY c.id LIMIT 1) AS company_account_number \
         FROM users u WHERE u.id = $1 AND u.archived_at IS NULL",
        db.dialect().array("c.id", companies, "c.id"),
    );
    let Some(row) = db.optional::<AccountRow>(Query::new(sql).bind(user_id)).await? else { return Ok(None) };
    Ok(Some(Account {
        id: row.id,
        username: row.username,
        role: Role::parse(&row.role).ok_or(Error::Corrupt { table: "users", column: "role" })?,
        service_account: row.service_account,
        company_ids: row.company_ids.0,
        company_account_number: row.company_account_number,
    }))
}

/// Whether there is any user, archived ones included.
pub async fn any(db: &Db) -> Result<bool> {
    Ok(db.optional::<(i64,)>(Query::new("SELECT id FROM users LIMIT 1")).await?.is_some())
}

/// Sets a user's password, which ends the user's sessions. `is_default`: it is one that everybody knows, so Nexus does not
/// serve a network with it, and its pages ask for another first.
pub async fn set_password(db: &Db, user_id: i64, hash: &str, is_default: bool) -> Result<()> {
    let mut tx = db.write().await?;
    write_password(&mut tx, user_id, hash, is_default, &db.now()).await?;
    tx.execute(Query::new("DELETE FROM sessions WHERE user_id = $1").bind(user_id)).await?;
    tx.commit().await
}

async fn write_password(tx: &mut Tx, user_id: i64, hash: &str, is_default: bool, now: &str) -> Result<()> {
    let query = Query::new(
        "INSERT INTO passwords (user_id, hash, is_default, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, is_default = excluded.is_default, \
         changed_at = excluded.changed_at",
    );
    tx.execute(query.bind(user_id).bind(hash).bind(is_default).bind(now)).await?;
    Ok(())
}

/// Whether some live user still has a default password.
pub async fn has_default_password(db: &Db) -> Result<bool> {
    let query = Query::new(
        "SELECT count(*) FROM passwords p JOIN users u ON u.id = p.user_id WHERE p.is_default AND u.archived_at IS NULL",
    );
    Ok(db.one::<(i64,)>(query).await?.0 > 0)
}

/// Begins a session; expired ones go.
pub async fn insert_session(db: &Db, token_hash: &str, user_id: i64, expires_at: &str) -> Result<()> {
    let now = db.now();
    let mut tx = db.write().await?;
    tx.execute(Query::new("DELETE FROM sessions WHERE expires_at <= $1").bind(now.as_str())).await?;
    let query =
        Query::new("INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)");
    tx.execute(query.bind(token_hash).bind(user_id).bind(now).bind(expires_at)).await?;
    tx.commit().await
}

/// A session that has not expired: its user, and whether the user's password is one that everybody knows.
pub async fn find_session(db: &Db, token_hash: &str) -> Result<Option<(i64, bool)>> {
    let query = Query::new(
        "SELECT s.user_id, coalesce(p.is_default, FALSE) FROM sessions s LEFT JOIN passwords p ON p.user_id = s.user_id \
         WHERE s.token_hash = $1 AND s.expires_at > $2",
    );
    db.optional(query.bind(token_hash).bind(db.now())).await
}

/// Ends a session.
pub async fn delete_session(db: &Db, token_hash: &str) -> Result<()> {
    let mut tx = db.write().await?;
    tx.execute(Query::new("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash)).await?;
    tx.commit().await
}

pub(crate) async fn admins(tx: &mut Tx) -> Result<i64> {
    // Whoever has no password is nobody who could mend things.
    let people = "SELECT count(*) FROM users u JOIN passwords p ON p.user_id = u.id \
                  WHERE u.archived_at IS NULL AND u.role = 'admin' AND NOT u.service_account";
    Ok(tx.one::<(i64,)>(Query::new(people)).await?.0)
}

/// What comes with a change of an account, beside its record.
#[derive(Clone, Debug, Default)]
pub struct Secret {
    /// The hash of a new password.
    pub password_hash: Option<String>,
}

/// Applies an edit of an account, and its new password with it. A new password ends the account's sessions.
///
/// # Errors
/// As [`changes::change`]; and [`ChangeError::LastAdmin`] when no person would be left who may do everything.
pub async fn change(db: &Db, deed: &Deed, edit: Edit, secret: Secret) -> std::result::Result<Done, ChangeError> {
    let now = db.now();
    let mut tx = db.write().await?;
    let before = admins(&mut tx).await?;
    let mut done = changes::change_in(&mut tx, deed, vec![edit], &now).await?;
    if before > 0 && admins(&mut tx).await? == 0 {
        return Err(ChangeError::LastAdmin);
    }
    if let (Some(hash), Some(user)) = (&secret.password_hash, done.records.first_mut()) {
        write_password(&mut tx, user.id, hash, false, &now).await?;
        tx.execute(Query::new("DELETE FROM sessions WHERE user_id = $1").bind(user.id)).await?;
    }
    tx.commit().await?;
    db.committed(true);
    Ok(done)
}
