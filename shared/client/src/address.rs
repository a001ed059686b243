//! Where Nexus is, checked once.

use url::{Host, Url};

use crate::error::ConfigError;

/// Scheme, host, port and perhaps a path, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    text: String,
    https: bool,
    this_machine: bool,
}

impl Address {
    /// Reads `https://nexus.example`. Plain http is taken for this machine only: each call carries a credential.
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let wrong = |reason| ConfigError::Address { reason };
        let url = Url::parse(text.trim()).map_err(|_| wrong("write https://host[:port]"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it must not contain a login"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it must end with the path"));
        }
        let this_machine = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let https = url.scheme() == "https";
        if !https && url.scheme() != "http" {
            return Err(wrong("it must start with https://"));
        }
        if !https && !this_machine {
            return Err(wrong("plain http is accepted for this machine only; use https"));
        }
        Ok(Self { text: url.as_str().trim_end_matches('/').to_owned(), https, this_machine })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// Whether calls stay on this machine, and so must not go through a proxy.
    pub(crate) fn is_this_machine(&self) -> bool {
        self.this_machine
    }

    /// The address of a path that begins with a slash, query included.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// The path that a link of an answer names, if it leads nowhere else than to this address.
    pub(crate) fn path_of<'a>(&self, link: &'a str) -> Option<&'a str> {
        let path = link.strip_prefix(&self.text).unwrap_or(link);
        (path.starts_with('/') && !path.starts_with("//")).then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for local in ["http://127.0.0.1:5000", "http://[::1]:5000", "http://localhost:5000/"] {
            assert!(Address::parse(local).unwrap().is_this_machine(), "{local}");
        }
        for remote in ["http://nexus.example", "http://10.0.0.1", "http://127.0.0.1.evil.example"] {
            assert!(Address::parse(remote).is_err(), "{remote}");
        }
    }

    #[test]
    fn an_address_with_a_login_a_query_or_another_scheme_is_refused_without_showing_it() {
        for wrong in
            ["https://user:secret@nexus.example", "https://nexus.example/?a=secret", "ftp://secret", "secret", ""]
        {
            let error = Address::parse(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{wrong}");
        }
    }

    #[test]
    fn a_path_in_front_is_kept() {
        for text in ["https://gate.example/nexus", "https://gate.example/nexus/"] {
            assert_eq!(Address::parse(text).unwrap().at("/api/token"), "https://gate.example/nexus/api/token");
        }
    }

    #[test]
    fn a_link_is_followed_within_nexus_only() {
        let address = Address::parse("https://nexus.example").unwrap();
        assert_eq!(address.path_of("/api/companies?page=2"), Some("/api/companies?page=2"));
        assert_eq!(address.path_of("https://nexus.example/api/companies"), Some("/api/companies"));
        for away in ["//evil.example/api", "https://evil.example/", "https://nexus.example.evil.example/", "api", ""] {
            assert_eq!(address.path_of(away), None, "{away}");
        }
    }
}
