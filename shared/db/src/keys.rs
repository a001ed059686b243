//! API keys of service accounts: kept as hashes, told once.

use nexus_core::Role;

use crate::{Db, Error, Query, Result};

/// A key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Key {
    /// Id.
    pub id: i64,
    /// The account that it stands for.
    pub user_id: i64,
    /// What it is for, in a person's words.
    pub name: Option<String>,
    /// Its first letters, to know it by.
    pub prefix: String,
    /// What it may do; never more than its account.
    pub role: String,
    /// When it was made.
    pub created_at: String,
    /// Who made it.
    pub created_by: Option<String>,
    /// Until when it can be used; null: until it is revoked.
    pub expires_at: Option<String>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<String>,
}

/// A key to be kept.
#[derive(Clone, Debug)]
pub struct NewKey<'a> {
    /// The account.
    pub user_id: i64,
    /// What it is for.
    pub name: Option<String>,
    /// First letters.
    pub prefix: &'a str,
    /// Hash of the secret.
    pub hash: &'a str,
    /// What it may do.
    pub role: Role,
    /// Until when.
    pub expires_at: Option<String>,
    /// Who makes it.
    pub created_by: &'a str,
}

const KEY: &str = "SELECT id, user_id, name, prefix, role, created_at, created_by, expires_at, last_used_at FROM api_keys WHERE revoked_at IS NULL";

/// Keeps a new key.
pub async fn insert(db: &Db, key: NewKey<'_>) -> Result<Key> {
    let mut tx = db.write().await?;
    let query = Query::new(
        "INSERT INTO api_keys (user_id, name, prefix, hash, role, created_at, created_by, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
    )
    .bind(key.user_id)
    .bind(key.name)
    .bind(key.prefix)
    .bind(key.hash)
    .bind(key.role.as_str())
    .bind(db.now())
    .bind(key.created_by)
    .bind(key.expires_at);
    let (id,) = tx.one::<(i64,)>(query).await?;
    let made = tx.one(Query::new(KEY).push(" AND id = ").arg(id)).await?;
    tx.commit().await?;
    Ok(made)
}

/// The keys of an account that are not revoked, oldest first.
pub async fn list(db: &Db, user_id: i64) -> Result<Vec<Key>> {
    db.all(Query::new(KEY).push(" AND user_id = ").arg(user_id).push(" ORDER BY id")).await
}

/// Takes a key out of use; whether there was one.
pub async fn revoke(db: &Db, id: i64, who: &str) -> Result<bool> {
    let mut tx = db.write().await?;
    let query = Query::new("UPDATE api_keys SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at IS NULL");
    let revoked = tx.execute(query.bind(id).bind(db.now()).bind(who)).await?;
    tx.commit().await?;
    Ok(revoked > 0)
}

/// A key that is in use, as a request shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The key.
    pub id: i64,
    /// Its account.
    pub user_id: i64,
    /// What it may do.
    pub role: Role,
    /// When it was last used.
    pub last_used_at: Option<String>,
}

/// The key of that hash that is neither revoked nor expired.
pub async fn find(db: &Db, hash: &str) -> Result<Option<Shown>> {
    let query = Query::new(
        "SELECT id, user_id, role, last_used_at FROM api_keys WHERE hash = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)",
    );
    let row = db.optional::<(i64, i64, String, Option<String>)>(query.bind(hash).bind(db.now())).await?;
    let Some((id, user_id, role, last_used_at)) = row else { return Ok(None) };
    let role = Role::parse(&role).ok_or(Error::Corrupt { table: "api_keys", column: "role" })?;
    Ok(Some(Shown { id, user_id, role, last_used_at }))
}

/// Notes that a key is used.
pub async fn used(db: &Db, id: i64) -> Result<()> {
    let mut tx = db.write().await?;
    tx.execute(Query::new("UPDATE api_keys SET last_used_at = $2 WHERE id = $1").bind(id).bind(db.now())).await?;
    tx.commit().await
}
