//! Freshservice API v2: companies (departments), people (requesters) and workspaces.
//!
//! Read access only. The vendor's documentation is at <https://api.freshservice.com/>.

mod pages;
mod records;

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

pub use self::pages::Pages;
pub use self::records::{Agent, Department, PrimaryContact, Requester, Workspace, WorkspaceMetadata};
use crate::base_url::BaseUrl;
use crate::error::{ConfigError, Error};
use crate::page;
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
        let transport = Transport::new(&base_url, config)?;
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
        let mut pages = Pages::new(self.clone(), "workspaces", &["workspaces"], Workspace::read);
        let mut workspaces = Vec::new();
        while let Some(page) = pages.next().await? {
            if let Some(quarantined) = page.quarantined.into_iter().next() {
                return Err(Error::malformed("$.workspaces[]", quarantined.reason));
            }
            workspaces.extend(page.records);
        }
        Ok(workspaces)
    }

    /// `GET /agents/me`: the agent who owns the key; the cheapest way to check address and key.
    pub async fn whoami(&self) -> Result<Agent, Error> {
        let answer = self.get(&self.address("agents/me")).await?;
        let agent = page::open(&answer.body, &["agent"])?;
        let read = page::read(agent, Agent::read);
        read.map(|(_, agent)| agent).map_err(|quarantined| Error::malformed("$.agent", quarantined.reason))
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
