//! The group's own reads.

use nexus_db::{Db, Query};
use nexus_web::Error;

/// Keys that a page shows at most; those in use come first.
const MOST: i64 = 500;

/// An API key as a person looks after it: with its account, and whether it is out of use.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct KnownKey {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) username: String,
    /// Its account is archived.
    pub(crate) gone: bool,
    pub(crate) service_account: bool,
    pub(crate) name: Option<String>,
    pub(crate) prefix: String,
    pub(crate) role: String,
    pub(crate) created_at: String,
    pub(crate) created_by: Option<String>,
    pub(crate) expires_at: Option<String>,
    pub(crate) last_used_at: Option<String>,
    pub(crate) revoked_at: Option<String>,
    pub(crate) revoked_by: Option<String>,
}

/// The keys of an account or of all of them, those out of use last, the newest first.
pub(crate) async fn keys(db: &Db, user_id: Option<i64>) -> Result<Vec<KnownKey>, Error> {
    let mut query = Query::new(
        "SELECT k.id, k.user_id, u.username, u.archived_at IS NOT NULL AS gone, u.service_account, k.name, k.prefix, k.role, k.created_at, \
         k.created_by, k.expires_at, k.last_used_at, k.revoked_at, k.revoked_by \
         FROM api_keys k JOIN users u ON u.id = k.user_id",
    );
    if let Some(user_id) = user_id {
        query = query.push(" WHERE k.user_id = ").arg(user_id);
    }
    let query = query.push(" ORDER BY CASE WHEN k.revoked_at IS NULL THEN 0 ELSE 1 END, k.id DESC LIMIT ").arg(MOST);
    Ok(db.all(query).await?)
}
