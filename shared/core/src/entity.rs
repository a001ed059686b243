//! The kinds of record and their fields, as one table that the store, the API and the sync read.
//!
//! A field that is added here (and in the migrations) is validated, written, logged, undone and synced like the others.

use serde::{Deserialize, Serialize};

/// A kind of directory record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// Something that a plan may include, such as backup.
    Feature,
    /// What a company may have agreed on: a name and what it includes.
    Plan,
    /// A client of the MSP.
    Company,
    /// A place of a company.
    Location,
    /// A person, of any number of companies.
    Contact,
    /// A device, of one company or of none yet.
    Asset,
    /// A portal user or service account.
    User,
}

/// What a field holds, and with which bounds. Lengths are in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of at most so many characters, without control characters other than tab and line feed.
    Text(usize),
    /// An account number: 1 to 32 letters, digits, `-`, `_` or `.`, at least one of them a letter or digit; leading
    /// zeros count.
    AccountNumber,
    /// An e-mail address.
    Email,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// True or false.
    Bool,
    /// A whole number of 64 bits.
    Integer,
    /// An instant, kept in the form of [`crate::instant`].
    Instant,
    /// Texts; kept as a JSON array in text, as the older readers parse it.
    TextList,
    /// The id of one record of that kind.
    Reference(Entity),
    /// The ids of any number of records of that kind, kept in a link table.
    Links(Link),
    /// A text for each of any number of records of that kind, as an object by id; kept in a link table with a column
    /// `value`.
    Values(Link),
    /// The names of the record's fields that a person pinned: they do not follow a source. Kept in `field_state`.
    Pins,
}

/// A link table: (`owner` id, `target` id) pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub table: &'static str,
    /// Its column of the record that has the field.
    pub owner: &'static str,
    /// Its column of the record that is linked.
    pub target: &'static str,
    /// The kind that is linked.
    pub entity: Entity,
}

/// One field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the API, in the database and in the history.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Must have a value.
    pub required: bool,
    /// The value of a new record that gives none: JSON text.
    pub default: Option<&'static str>,
    /// No two live records of the kind hold the same, letter case aside.
    pub unique: bool,
    /// A reading of a device: it changes by itself, from run to run. What a source says anew of readings alone is taken over
    /// without a row in history and feed, which would otherwise hold little else.
    pub reading: bool,
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, default: None, unique: false, reading: false }
    }
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }
    const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }
    const fn reading(mut self) -> Self {
        self.reading = true;
        self
    }
    /// Whether the field is a column of the record's own table.
    #[must_use]
    pub const fn is_column(&self) -> bool {
        !matches!(self.kind, Kind::Links(_) | Kind::Values(_) | Kind::Pins)
    }
}

const SHORT: Kind = Kind::Text(255);
const LONG: Kind = Kind::Text(10_000);

const fn companies_of(table: &'static str, owner: &'static str) -> Kind {
    Kind::Links(Link { table, owner, target: "company_id", entity: Entity::Company })
}

/// The field that says which others are pinned.
pub const PINNED: &str = "pinned_fields";

/// The field of a company that names the Datto sites which a person tied to it; no site is named by two companies.
pub const TIED_SITES: &str = "tied_site_uids";

const PINS: Field = Field::new(PINNED, Kind::Pins).default("[]");

const fn features_of(table: &'static str, owner: &'static str) -> Kind {
    Kind::Values(Link { table, owner, target: "feature_id", entity: Entity::Feature })
}

static FEATURE: &[Field] = &[
    Field::new("name", SHORT).required().unique(),
    Field::new("description", LONG),
    Field::new("position", Kind::Integer).required().default("0"),
];

static PLAN: &[Field] = &[
    Field::new("name", SHORT).required().unique(),
    Field::new("description", LONG),
    Field::new("position", Kind::Integer).required().default("0"),
    Field::new("feature_values", features_of("plan_features", "plan_id")).default("{}"),
];

static COMPANY: &[Field] = &[
    Field::new("account_number", Kind::AccountNumber).required().unique(),
    Field::new("name", SHORT).required(),
    Field::new("freshservice_id", Kind::Integer),
    Field::new("description", LONG),
    Field::new("plan_selected", SHORT),
    Field::new("profit_or_non_profit", SHORT),
    Field::new("company_main_number", SHORT),
    Field::new("company_start_date", SHORT),
    Field::new("head_name", SHORT),
    Field::new("primary_contact_name", SHORT),
    Field::new("domains", Kind::TextList).default("[]"),
    Field::new("address", LONG),
    Field::new("phone_system", SHORT),
    Field::new("email_system", SHORT),
    Field::new("feature_values", features_of("feature_overrides", "company_id")).default("{}"),
    Field::new(TIED_SITES, Kind::TextList).default("[]"),
    PINS,
];

static LOCATION: &[Field] = &[
    Field::new("company_id", Kind::Reference(Entity::Company)).required(),
    Field::new("name", SHORT).required(),
    Field::new("address", LONG),
    Field::new("phone_number", SHORT),
    PINS,
];

static CONTACT: &[Field] = &[
    Field::new("name", SHORT).required(),
    Field::new("email", Kind::Email).unique(),
    Field::new("title", SHORT),
    Field::new("employment_type", SHORT).default("\"Full Time\""),
    Field::new("active", Kind::Bool).required().default("true"),
    Field::new("mobile_phone_number", SHORT),
    Field::new("work_phone_number", SHORT),
    Field::new("secondary_emails", Kind::TextList).default("[]"),
    Field::new("company_ids", companies_of("contact_companies", "contact_id")).default("[]"),
    PINS,
];

static ASSET: &[Field] = &[
    Field::new("hostname", SHORT).required(),
    Field::new("company_id", Kind::Reference(Entity::Company)),
    Field::new("hardware_type", SHORT),
    Field::new("operating_system", SHORT),
    Field::new("last_logged_in_user", SHORT),
    Field::new("datto_site_name", SHORT),
    Field::new("antivirus_product", SHORT),
    Field::new("description", LONG),
    Field::new("ext_ip_address", SHORT),
    Field::new("int_ip_address", SHORT),
    Field::new("domain", SHORT),
    Field::new("last_audit_date", Kind::Instant).reading(),
    Field::new("last_reboot", Kind::Instant).reading(),
    Field::new("last_seen", Kind::Instant).reading(),
    Field::new("online", Kind::Bool).reading(),
    Field::new("patch_status", SHORT),
    Field::new("backup_usage_tb", SHORT).reading(),
    Field::new("backup_data_bytes", Kind::Integer).reading(),
    Field::new("enabled_administrators", LONG),
    Field::new("device_type", SHORT),
    Field::new("portal_url", Kind::Text(2_000)),
    Field::new("web_remote_url", Kind::Text(2_000)),
    Field::new(
        "contact_ids",
        Kind::Links(Link { table: "asset_contacts", owner: "asset_id", target: "contact_id", entity: Entity::Contact }),
    )
    .default("[]"),
    PINS,
];

static USER: &[Field] = &[
    Field::new("username", SHORT).required().unique(),
    Field::new("email", Kind::Email),
    Field::new("role", Kind::Choice(&["admin", "technician", "client", "billing"])).required(),
    Field::new("service_account", Kind::Bool).required().default("false"),
    Field::new("company_ids", companies_of("user_companies", "user_id")).default("[]"),
];

impl Entity {
    /// Every kind, in the order in which new records are written: what is referred to comes first.
    pub const ALL: [Self; 7] =
        [Self::Feature, Self::Plan, Self::Company, Self::Location, Self::Contact, Self::Asset, Self::User];

    /// The word of the API, the history and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Feature => "feature",
            Self::Plan => "plan",
            Self::Company => "company",
            Self::Location => "location",
            Self::Contact => "contact",
            Self::Asset => "asset",
            Self::User => "user",
        }
    }

    /// What one of them is called, or several.
    #[must_use]
    pub const fn noun(self, is_one: bool) -> &'static str {
        if is_one { self.as_str() } else { self.table() }
    }

    /// The kind of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entity| entity.as_str() == word)
    }

    /// Whether a change of it can change what an account may see: a client sees its companies while they are live.
    #[must_use]
    pub const fn is_of_accounts(self) -> bool {
        matches!(self, Self::User | Self::Company)
    }

    /// Its table.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Feature => "features",
            Self::Plan => "plans",
            Self::Company => "companies",
            Self::Location => "locations",
            Self::Contact => "contacts",
            Self::Asset => "assets",
            Self::User => "users",
        }
    }

    /// The field that a record of it is called by.
    #[must_use]
    pub const fn name_field(self) -> &'static str {
        match self {
            Self::Asset => "hostname",
            Self::User => "username",
            Self::Feature | Self::Plan | Self::Company | Self::Location | Self::Contact => "name",
        }
    }

    /// Its fields, in the order of the contract.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Feature => FEATURE,
            Self::Plan => PLAN,
            Self::Company => COMPANY,
            Self::Location => LOCATION,
            Self::Contact => CONTACT,
            Self::Asset => ASSET,
            Self::User => USER,
        }
    }

    /// Whether a field is a [reading](Field::reading).
    #[must_use]
    pub fn is_reading(self, name: &str) -> bool {
        self.field(name).is_some_and(|field| field.reading)
    }

    /// The field of that name.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }
}
