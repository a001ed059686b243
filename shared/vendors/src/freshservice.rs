//! Freshservice API v2: companies (departments), people (requesters) and workspaces.
//!
//! Everything is read; of companies the custom fields can be written. The vendor's documentation is at
//! <https://api.freshservice.com/>.

mod pages;
mod records;

use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

pub use self::pages::Pages;
pub use self::records::{Agent, Department, FormField, PrimaryContact, Requester, Workspace, WorkspaceMetadata};
use crate::base_url::BaseUrl;
use crate::error::{ConfigError, Error};
use crate::lenient::{CustomFields, Fields};
use crate::page::{self, ReadRecord};
use crate::transport::{Answer, Authorization, CallCounts, Transport, TransportConfig};

const VENDOR_SUFFIX: &str = ".freshservice.com";

/// The address of a Freshservice account, from its domain: `acme` or `acme.freshservice.com`, with or without
/// `https://` in front.
///
/// The API answers on the vendor's own host only, so an alias of the customer is refused.
pub fn base_url(domain: &str) -> Result<BaseUrl, ConfigError> {
    let domain = domain.trim().to_ascii_lowercase();
    let host = domain.strip_prefix("https://").unwrap_or(&domain);
    let host = host.strip_suffix('/').unwrap_or(host);
    let account = host.strip_suffix(VENDOR_SUFFIX).unwrap_or(host);
    // One label of a host name (RFC 1123): anything else could lead the key to another host.
    let is_label = (1..=63).contains(&account.len())
        && account.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !account.starts_with('-')
        && !account.ends_with('-');
    if !is_label {
        return Err(ConfigError::Domain);
    }
    BaseUrl::parse(&format!("https://{account}{VENDOR_SUFFIX}"))
}

/// A client of one Freshservice account. Clones share the pace, the patience with rate limits and the counts.
#[derive(Clone)]
pub struct Freshservice {
    shared: Arc<Shared>,
}

struct Shared {
    base: BaseUrl,
    authorization: Authorization,
    transport: Transport,
    max_pages: u32,
}

impl Freshservice {
    /// A client that presents `api_key`, which belongs to an agent and sees what that agent sees.
    ///
    /// `base_url` comes from [`base_url`], or is an explicit address; the calls go to `api/v2/…` below it. Blanks around
    /// the key are ignored. Installs the process's TLS provider (ring) unless there is one. Build one client per run:
    /// its counts and its patience are those of the run.
    pub fn new(base_url: BaseUrl, api_key: &SecretString, config: &TransportConfig) -> Result<Self, ConfigError> {
        // Freshservice takes the key as user; the password can be anything.
        let authorization = Authorization::api_key(api_key, "X")?;
        let transport = Transport::new(&base_url, config, None)?;
        let shared = Shared { base: base_url, authorization, transport, max_pages: config.max_pages };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// `GET /departments`: the client companies of a normal account and of one in MSP mode.
    #[must_use]
    pub fn departments(&self) -> Pages<Department> {
        Pages::new(self.clone(), "departments", &["departments"], Department::read)
    }

    /// `GET /requesters`: the people. Agents are not among them.
    #[must_use]
    pub fn requesters(&self) -> Pages<Requester> {
        Pages::new(self.clone(), "requesters", &["requesters", "requester"], Requester::read)
    }

    /// `GET /workspaces`: all of them. Workspaces of [type `client`](Workspace::is_client) mark the separate product
    /// Freshservice for MSPs, where departments and requesters are listed per client.
    ///
    /// A workspace that cannot be read is an error, because it might have been the one that tells. So is the 403 or 404
    /// of an account without workspaces: what it means is the caller's decision.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, Error> {
        Pages::new(self.clone(), "workspaces", &["workspaces"], Workspace::read).all().await
    }

    /// `GET /agents/me`: the agent who owns the key; the cheapest way to check address and key.
    pub async fn whoami(&self) -> Result<Agent, Error> {
        self.one("agents/me", &["agent"], Agent::read).await
    }

    /// `GET /departments/{id}`.
    pub async fn department(&self, id: i64) -> Result<Department, Error> {
        self.one(&format!("departments/{id}"), &["department", "departments"], Department::read).await
    }

    /// `GET /workspaces/{id}`.
    pub async fn workspace(&self, id: i64) -> Result<Workspace, Error> {
        self.one(&format!("workspaces/{id}"), &["workspace"], Workspace::read).await
    }

    /// `GET /department_fields`: the fields that departments have.
    pub async fn department_fields(&self) -> Result<Vec<FormField>, Error> {
        self.form_fields("department_fields").await
    }

    /// `GET /workspace_form_fields`: the fields that clients have. Freshservice for MSPs only.
    pub async fn workspace_fields(&self) -> Result<Vec<FormField>, Error> {
        self.form_fields("workspace_form_fields").await
    }

    /// `PUT /departments/{id}`: gives a department these custom fields.
    ///
    /// Whether those that are not named stay is not documented, so give all that were just read, with the one that changes
    /// ([`CustomFields::with`]); and read them again afterwards.
    pub async fn write_department(&self, id: i64, fields: &CustomFields) -> Result<(), Error> {
        self.write(&format!("departments/{id}"), &json!({ "custom_fields": fields.as_map() })).await
    }

    /// `PUT /workspaces/{id}`: gives a client these custom fields, with the rest of its metadata as it was read. As
    /// [`Freshservice::write_department`].
    pub async fn write_workspace(&self, read: &Workspace, fields: &CustomFields) -> Result<(), Error> {
        let mut metadata = read.metadata.as_ref().map(|metadata| metadata.as_read.clone()).unwrap_or_default();
        metadata.insert("custom_fields".to_owned(), fields.as_map().clone().into());
        self.write(&format!("workspaces/{}", read.id), &json!({ "metadata": metadata })).await
    }

    /// The calls a minute that this client and its clones keep below; none: no pace is set.
    #[must_use]
    pub fn calls_per_minute(&self) -> Option<u32> {
        self.shared.transport.calls_per_minute()
    }

    /// What this client and its clones have asked so far.
    #[must_use]
    pub fn calls(&self) -> CallCounts {
        self.shared.transport.counts()
    }

    fn address(&self, path: &str) -> Url {
        self.shared.base.below(&format!("api/v2/{path}"))
    }

    async fn get(&self, url: &Url) -> Result<Answer, Error> {
        self.shared.transport.get(url, &self.shared.authorization).await
    }

    /// What a write is answered with is not looked at: it would say what was sent, and not what is there.
    async fn write(&self, path: &str, body: &Value) -> Result<(), Error> {
        let Shared { transport, authorization, .. } = &*self.shared;
        transport.write(Method::PUT, &self.address(path), authorization, body).await
    }

    /// The one record at `path`, in an envelope of one of these keys.
    async fn one<T>(&self, path: &str, keys: &[&str], read: ReadRecord<T>) -> Result<T, Error> {
        let answer = self.get(&self.address(path)).await?;
        let read = page::read(page::open(&answer.body, keys)?, read);
        read.map(|(_, record)| record)
            .map_err(|quarantined| Error::malformed(format!("$.{}", keys.join("|")), quarantined.reason))
    }

    async fn form_fields(&self, key: &str) -> Result<Vec<FormField>, Error> {
        let answer = self.get(&self.address(key)).await?;
        let fields = page::open_list(&answer.body, &[key])?.into_iter();
        let fields = fields.map(|raw| Fields::of(raw).and_then(|mut fields| FormField::read(&mut fields)));
        fields.collect::<Result<_, _>>().map_err(|fault| {
            Error::malformed(format!("$.{key}[].{}", fault.field), format!("expected {}", fault.expected))
        })
    }
}

impl fmt::Debug for Freshservice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Freshservice").field("base_url", &self.shared.base).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_accepted_in_its_usual_spellings() {
        for domain in [
            "acme",
            " ACME ",
            "acme.freshservice.com",
            "https://acme",
            "https://acme.freshservice.com",
            "https://acme.freshservice.com/",
        ] {
            assert_eq!(base_url(domain).unwrap().to_string(), "https://acme.freshservice.com/", "{domain}");
        }
    }

    #[test]
    fn anything_but_a_freshservice_domain_is_refused() {
        for domain in [
            "",
            "https://",
            "freshservice.com",
            ".freshservice.com",
            "http://acme.freshservice.com",
            "acme.freshservice.com.evil.example",
            "helpdesk.acme.example",
            "a.b.freshservice.com",
            "evil.example/acme",
            "evil.example#.freshservice.com",
            "user@acme.freshservice.com",
            "acme:8443",
            "acme?x",
            "acme.freshservice.com/api/v2",
            "-acme",
            "acme-",
            "ac me",
            "äcme",
        ] {
            assert_eq!(base_url(domain), Err(ConfigError::Domain), "{domain}");
        }
    }
}
