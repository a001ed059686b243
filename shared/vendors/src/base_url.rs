//! The address of a vendor's API, checked once.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use crate::error::ConfigError;

/// Scheme, host, port and an optional path that every call starts with.
///
/// Only https is accepted, and http to this machine (127.0.0.0/8, `::1`, `localhost`): each call carries a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Reads an address such as `https://acme.freshservice.com` or `http://127.0.0.1:9001`.
    pub fn parse(address: &str) -> Result<Self, ConfigError> {
        let wrong = |reason| ConfigError::BaseUrl { reason };
        let mut url =
            Url::parse(address.trim()).map_err(|_| wrong("it cannot be read as https://host[:port][/path]"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it must not contain a login"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it must end with the path"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_this_machine(&url) => {}
            "http" => return Err(ConfigError::PlainHttp { host: url.host_str().unwrap_or_default().to_owned() }),
            _ => return Err(wrong("it must start with https://")),
        }
        // `Url::join` would replace the last segment of a path without a slash at its end.
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }

    /// The address of a path below this one.
    pub(crate) fn below(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path()));
        url
    }

    /// Whether a request to `url` reaches the same scheme, host and port, with no login of its own.
    pub(crate) fn is_home_of(&self, url: &Url) -> bool {
        url.origin() == self.0.origin() && url.username().is_empty() && url.password().is_none()
    }

    /// The name of the host, if it has one.
    pub(crate) fn host(&self) -> Option<&str> {
        self.0.domain()
    }

    /// Whether calls stay on this machine, and so must not go through a proxy.
    pub(crate) fn is_this_machine(&self) -> bool {
        is_this_machine(&self.0)
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl FromStr for BaseUrl {
    type Err = ConfigError;

    fn from_str(address: &str) -> Result<Self, ConfigError> {
        Self::parse(address)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for local in ["http://127.0.0.1:9001", "http://127.8.8.8", "http://[::1]:9001", "http://LOCALHOST:80/prefix"] {
            assert!(BaseUrl::parse(local).is_ok(), "{local}");
        }
        for remote in
            ["http://acme.freshservice.com", "http://10.0.0.1", "http://127.0.0.1.evil.example", "http://[::2]"]
        {
            assert!(matches!(BaseUrl::parse(remote), Err(ConfigError::PlainHttp { .. })), "{remote}");
        }
        assert_eq!(
            BaseUrl::parse("http://vendor.example/x").unwrap_err().to_string(),
            "plain http is accepted for this machine only, not for vendor.example; use https"
        );
    }

    #[test]
    fn an_address_with_a_login_a_query_or_another_scheme_is_refused() {
        for wrong in [
            "https://user:secret@acme.freshservice.com",
            "https://acme.freshservice.com/?a=b",
            "https://acme.freshservice.com/#a",
            "ftp://acme.freshservice.com",
            "acme.freshservice.com",
            "",
        ] {
            let error = BaseUrl::parse(wrong).unwrap_err();
            assert!(matches!(error, ConfigError::BaseUrl { .. }), "{wrong}: {error:?}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_path_prefix_is_kept() {
        for address in ["https://gate.example/freshservice", "https://gate.example/freshservice/"] {
            let base = BaseUrl::parse(address).unwrap();
            let url = base.below("api/v2/departments");
            assert_eq!(url.as_str(), "https://gate.example/freshservice/api/v2/departments");
        }
    }

    #[test]
    fn home_is_the_same_scheme_host_and_port_without_a_login() {
        let base = BaseUrl::parse("https://acme.freshservice.com").unwrap();
        let is_home = |url: &str| base.is_home_of(&Url::parse(url).unwrap());
        assert!(is_home("https://ACME.freshservice.com:443/api/v2/departments?page=2"));
        assert!(!is_home("http://acme.freshservice.com/"));
        assert!(!is_home("https://acme.freshservice.com:8443/"));
        assert!(!is_home("https://acme.freshservice.com.evil.example/"));
        assert!(!is_home("https://user@acme.freshservice.com/"));
        assert!(!is_home("data:text/plain,x"));
    }
}
