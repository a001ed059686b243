//! What callers send, for the OpenAPI document alone: which values a field takes is said by `nexus_core::entity`.

use nexus_core::Role;
use serde::Serialize;
use utoipa::ToSchema;

/// A new user.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewUser {
    /// User name, unique without regard to case.
    #[schema(example = "ada")]
    username: String,
    /// What the user may do.
    permission_level: Role,
    #[serde(flatten)]
    others: UserChanges,
}

/// The fields of a user to set; null or blank empties one. Whatever else a user is read with is passed over, so one may be
/// sent back as it came.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserChanges {
    /// User name, unique without regard to case.
    username: Option<String>,
    /// A new password, 10 to 1,000 characters; ends the user's sessions. A new person needs one, a service account may go
    /// without.
    #[schema(format = Password)]
    password: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// What the user may do.
    permission_level: Option<Role>,
    /// Used by a service, not by a person: it may have API keys.
    service_account: Option<bool>,
    /// Account numbers of a client's companies: all of them.
    company_account_numbers: Option<Vec<String>>,
    /// The older form of `company_account_numbers`: the one company.
    company_account_number: Option<String>,
}

/// A new API key.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewKey {
    /// What it is for.
    #[schema(example = "billing, production")]
    name: Option<String>,
    /// What it may do; no more than its account, which is the default.
    role: Option<Role>,
    /// Until when it can be used, RFC 3339; null: as long as this Nexus lets it.
    #[schema(example = "2027-01-01T00:00:00Z")]
    expires_at: Option<String>,
}
