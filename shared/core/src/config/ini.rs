//! Reads the INI text into settings whose names are known, and the settings into values.
//!
//! The reader is our own because a secret must arrive as it was typed. A value is the rest of its line, trimmed: `%`, `\`,
//! quotes, `;` and `#` have no meaning in it, not even a backslash at the end of the line. Every setting knows its line, so
//! that an error can say where it stands.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use secrecy::SecretString;

use super::{Choice, ConfigError, DatabaseUrl, Place};

/// Every section and the keys it knows. No keys: the names are free (`[plans]`, `[features]`).
const SECTIONS: [(&str, &[&str]); 7] = [
    ("nexus_auth", &["username", "password", "token_hours", "api_key_days_max", "issuer"]),
    ("freshservice", &["api_key", "domain", "base_url", "requests_per_minute"]),
    ("datto", &["api_endpoint", "public_key", "secret_key", "base_url", "requests_per_minute"]),
    ("database", &["url", "max_connections", "acquire_timeout_seconds", "busy_timeout_ms"]),
    ("server", &["certificate", "private_key", "public_url", "max_body_bytes"]),
    ("plans", &[]),
    ("features", &[]),
];

/// One `key = value`, after its names were found to be known.
struct Setting {
    section: &'static str,
    key: String,
    value: String,
    at: Place,
}

/// The settings in the order of the file.
pub(super) struct Settings(Vec<Setting>);

impl Settings {
    pub(super) fn read(text: &str) -> Result<Self, ConfigError> {
        let mut settings: Vec<Setting> = Vec::new();
        let mut seen: Vec<&'static str> = Vec::new();
        let mut section = None;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let (line, at) = (line.trim(), Place::Line(index + 1));
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                let expected = "a section's name between [ and ]";
                let Some(name) = name.strip_suffix(']') else { return Err(ConfigError::Syntax { at, expected }) };
                let (known, _) = known_section(name.trim(), &at)?;
                if seen.contains(&known) {
                    return Err(ConfigError::Duplicate { at, what: format!("[{known}]") });
                }
                seen.push(known);
                section = Some(known);
                continue;
            }
            let expected = "`key = value`, `[section]` or a comment";
            let Some((key, value)) = line.split_once(['=', ':']) else {
                return Err(ConfigError::Syntax { at, expected });
            };
            let Some(section) = section else {
                return Err(ConfigError::Syntax { at, expected: "a [section] before the first key" });
            };
            let key = known_key(section, key.trim(), &at)?;
            if settings.iter().any(|known| known.is(section, &key)) {
                return Err(ConfigError::Duplicate { at, what: format!("[{section}] {key}") });
            }
            settings.push(Setting { section, key, value: value.trim().to_owned(), at });
        }
        Ok(Self(settings))
    }

    pub(super) fn overlay(
        &mut self,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        let mut database_url = None;
        for (name, value) in environment {
            if name == "NEXUS_DATABASE_URL" {
                database_url = Some((name, value));
            } else if let Some(path) = name.strip_prefix("NEXUS__") {
                let at = Place::Variable(name.clone());
                let expected = "a name of the form NEXUS__SECTION__KEY";
                let Some((section, key)) = path.split_once("__") else {
                    return Err(ConfigError::Syntax { at, expected });
                };
                let (section, _) = known_section(section, &at)?;
                let key = known_key(section, key, &at)?;
                self.set(section, key, &value, at);
            }
        }
        // Last, so that the short name wins over NEXUS__DATABASE__URL whatever the order of the environment.
        if let Some((name, value)) = database_url {
            self.set("database", "url".to_owned(), &value, Place::Variable(name));
        }
        Ok(())
    }

    fn set(&mut self, section: &'static str, key: String, value: &str, at: Place) {
        let value = value.trim().to_owned();
        match self.0.iter_mut().find(|setting| setting.is(section, &key)) {
            Some(setting) => (setting.value, setting.at) = (value, at),
            None => self.0.push(Setting { section, key, value, at }),
        }
    }

    /// A blank value is as good as none: so a template can show every key.
    fn find(&self, section: &str, key: &str) -> Option<&Setting> {
        self.0.iter().find(|setting| setting.is(section, key) && !setting.value.is_empty())
    }

    pub(super) fn text(&self, section: &str, key: &str) -> Option<String> {
        self.find(section, key).map(|setting| setting.value.clone())
    }

    pub(super) fn secret(&self, section: &str, key: &str) -> Option<SecretString> {
        self.text(section, key).map(SecretString::from)
    }

    pub(super) fn choices(&self, section: &str) -> Vec<Choice> {
        let of_section = self.0.iter().filter(|setting| setting.section == section);
        of_section.map(|setting| Choice { name: setting.key.clone(), text: setting.value.clone() }).collect()
    }

    pub(super) fn number(
        &self,
        section: &'static str,
        key: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<u32, ConfigError> {
        let Some(setting) = self.find(section, key) else { return Ok(default) };
        let number = setting.value.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            setting.invalid(section, key, format!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    pub(super) fn address(&self, section: &'static str, key: &'static str) -> Result<Option<String>, ConfigError> {
        let Some(setting) = self.find(section, key) else { return Ok(None) };
        if !is_safe_address(&setting.value) {
            let expected = "an address like https://host.example (plain http:// for loopback only)";
            return Err(setting.invalid(section, key, expected.to_owned()));
        }
        Ok(Some(setting.value.trim_end_matches('/').to_owned()))
    }

    pub(super) fn domain(&self, section: &'static str, key: &'static str) -> Result<Option<String>, ConfigError> {
        let Some(setting) = self.find(section, key) else { return Ok(None) };
        if !setting.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.') {
            return Err(setting.invalid(section, key, "a name like acme or acme.freshservice.com".to_owned()));
        }
        Ok(Some(setting.value.clone()))
    }

    pub(super) fn database_url(&self) -> Result<Option<DatabaseUrl>, ConfigError> {
        let (section, key) = ("database", "url");
        let Some(setting) = self.find(section, key) else { return Ok(None) };
        match setting.value.split_once("://") {
            Some(("sqlite", file)) if !file.is_empty() && !file.starts_with([':', '?']) => {
                Ok(Some(DatabaseUrl::Sqlite(file.to_owned())))
            }
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => {
                Ok(Some(DatabaseUrl::Postgres(setting.value.clone().into())))
            }
            _ => Err(setting.invalid(section, key, "sqlite://FILE or postgres://USER@HOST/DATABASE".to_owned())),
        }
    }
}

impl Setting {
    fn is(&self, section: &str, key: &str) -> bool {
        self.section == section && self.key.eq_ignore_ascii_case(key)
    }

    fn invalid(&self, section: &'static str, key: &'static str, expected: String) -> ConfigError {
        ConfigError::Invalid { at: self.at.clone(), section, key, expected }
    }
}

fn known_section(name: &str, at: &Place) -> Result<(&'static str, &'static [&'static str]), ConfigError> {
    SECTIONS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let hint = hint(name, &SECTIONS.map(|(known, _)| known));
        ConfigError::UnknownSection { at: at.clone(), section: name.to_owned(), hint }
    })
}

/// The key in the spelling of [`SECTIONS`]; a free name in its own.
fn known_key(section: &'static str, name: &str, at: &Place) -> Result<String, ConfigError> {
    let (_, keys) = known_section(section, at)?;
    if name.is_empty() {
        return Err(ConfigError::Syntax { at: at.clone(), expected: "a name before the value" });
    }
    if keys.is_empty() {
        return Ok(name.to_owned());
    }
    let known = keys.iter().find(|known| known.eq_ignore_ascii_case(name));
    known.map(|known| (*known).to_owned()).ok_or_else(|| {
        let hint = hint(name, keys);
        ConfigError::UnknownKey { at: at.clone(), section, key: name.to_owned(), hint }
    })
}

fn hint(name: &str, known: &[&str]) -> String {
    let name = name.to_ascii_lowercase();
    let nearest = known.iter().map(|known| (distance(&name, known), known)).min();
    match nearest {
        Some((steps, nearest)) if steps <= 1 + nearest.len() / 3 => format!("did you mean {nearest}?"),
        _ => format!("known are {}", known.join(", ")),
    }
}

/// How many letters must be added, removed or changed to make one name of the other (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.chars().enumerate() {
            let changed = diagonal + usize::from(l != r);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// HTTPS to anywhere, plain HTTP to this machine only: what is sent there holds keys. Nothing behind the path, and no user
/// name before the host, since both would end up in logs.
fn is_safe_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    if rest.contains(['?', '#', '@', '\\']) || rest.contains(char::is_whitespace) {
        return false;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or("none"))),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return false;
    }
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    scheme == "https" || (scheme == "http" && loopback)
}
