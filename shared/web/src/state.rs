//! What there is for routers to ask for. A router names only the parts that it uses, as `FromRef` bounds.

use axum::extract::FromRef;
use nexus_db::Db;

use crate::auth::Auth;

/// The parts of a running Nexus.
#[derive(Clone, Debug)]
pub struct State {
    /// The store.
    pub db: Db,
    /// Who is asking.
    pub auth: Auth,
}

impl FromRef<State> for Db {
    fn from_ref(state: &State) -> Self {
        state.db.clone()
    }
}

impl FromRef<State> for Auth {
    fn from_ref(state: &State) -> Self {
        state.auth.clone()
    }
}
