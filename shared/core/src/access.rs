//! Who may see and do what (roles and scopes).

use serde::{Deserialize, Serialize};

/// What a user may do; sent as `permission_level` in a token and in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, users and settings included.
    Admin,
    /// Reads and edits the directory, runs and reviews syncs.
    Technician,
    /// Reads its own companies.
    Client,
    /// Reads the directory.
    Billing,
}

impl Role {
    /// Every role, for tables and matrices.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Technician, Self::Client, Self::Billing];

    /// The word that tokens and the database hold.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Technician => "technician",
            Self::Client => "client",
            Self::Billing => "billing",
        }
    }

    /// The role of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether whoever has this role may do all that one of `other` may: the roles that a key of theirs can have.
    #[must_use]
    pub const fn includes(self, other: Self) -> bool {
        match self {
            Self::Admin => !matches!(other, Self::Client),
            Self::Technician => matches!(other, Self::Technician | Self::Billing),
            Self::Client => matches!(other, Self::Client),
            Self::Billing => matches!(other, Self::Billing),
        }
    }

    /// May change directory records.
    #[must_use]
    pub const fn edits(self) -> bool {
        matches!(self, Self::Admin | Self::Technician)
    }
}

/// What a reader may see. Every read of directory records asks for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every company's records.
    All,
    /// The records of these companies (ids); with none, nothing.
    Companies(Vec<i64>),
}

impl Scope {
    /// Whether a record of this company is in sight.
    #[must_use]
    pub fn sees(&self, company_id: i64) -> bool {
        match self {
            Self::All => true,
            Self::Companies(ids) => ids.contains(&company_id),
        }
    }
}

/// Who made a change, as the history tells it: the account's id and its name at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `users.id`; none for Nexus itself (its first start).
    pub user_id: Option<i64>,
    /// User name.
    pub name: String,
}
