//! The companies of a Freshservice account, wherever it keeps them.

use nexus_jobs::freshservice::{NoAccess, clients};
use nexus_vendors::Error;
use nexus_vendors::freshservice::{Department, Freshservice, Workspace};

use crate::job::ReadError;
use crate::plan::{Company, FIELD, Held};

/// What a company is in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A department.
    Department,
    /// A workspace of type `client`, in Freshservice for MSPs.
    Client,
}

impl Kind {
    /// Its records in the vendor's words.
    pub(crate) const fn list(self) -> &'static str {
        match self {
            Self::Department => "departments",
            Self::Client => "workspaces",
        }
    }
}

/// Every company of the account; all of them, or an error.
pub(crate) async fn read(vendor: &Freshservice) -> Result<(Kind, Vec<Company>), ReadError> {
    let clients = clients(vendor).await.map_err(|error| failed(error, Kind::Client.list()))?;
    let (kind, companies) = if clients.is_empty() {
        let departments = vendor.departments().all().await;
        let departments = departments.map_err(|error| failed(error, Kind::Department.list()))?;
        (Kind::Department, departments.into_iter().map(department).collect())
    } else {
        (Kind::Client, clients.into_iter().map(client).collect())
    };
    require_field(vendor, kind).await?;
    Ok((kind, companies))
}

/// A write into a field that nobody has defined would be refused, once for each company.
async fn require_field(vendor: &Freshservice, kind: Kind) -> Result<(), ReadError> {
    let (form, fields) = match kind {
        Kind::Department => ("department fields", vendor.department_fields().await),
        Kind::Client => ("workspace form fields", vendor.workspace_fields().await),
    };
    let fields = fields.map_err(|error| failed(error, form))?;
    if fields.iter().any(|field| field.name.as_deref() == Some(FIELD)) {
        Ok(())
    } else {
        Err(ReadError::NoField { list: kind.list() })
    }
}

fn department(department: Department) -> Company {
    let Department { id, name, custom_fields, .. } = department;
    Company { id, name: called(name, id), live: true, held: Held::of(&custom_fields) }
}

/// The vendor's own client, the account's first, is no company, and one that is deactivated needs no number.
fn client(client: Workspace) -> Company {
    let inactive = client.state.as_deref().is_some_and(|state| state.trim().eq_ignore_ascii_case("inactive"));
    let live = !inactive && client.primary != Some(true);
    let held = client.metadata.as_ref().map_or(Held::Nothing, |metadata| Held::of(&metadata.custom_fields));
    Company { id: client.id, name: called(client.name, client.id), live, held }
}

fn called(name: Option<String>, id: i64) -> String {
    name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_string())
}

fn failed(error: Error, list: &'static str) -> ReadError {
    NoAccess::of(&error, list).map_or(ReadError::NotRead { list, error }, ReadError::from)
}
