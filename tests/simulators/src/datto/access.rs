//! Tokens: the one call outside `/api`.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::time::Instant;

use super::error;
use crate::random::Random;
use crate::server::{Ask, Reply};

pub(super) const TOKEN_PATH: &str = "/auth/oauth/token";

pub(super) fn needs_no_token(ask: &Ask) -> bool {
    ask.target == TOKEN_PATH || ask.path == "/system/status"
}

pub(super) struct Access {
    pub(super) key: String,
    pub(super) secret: String,
    pub(super) lifetime: Duration,
    /// Token and its end. An older token stays good when a newer one is given.
    tokens: HashMap<String, Instant>,
    random: Random,
}

impl Access {
    pub(super) fn new(random: &mut Random) -> Self {
        Self {
            key: random.word(32),
            secret: random.word(32),
            lifetime: Duration::from_hours(100),
            tokens: HashMap::new(),
            random: Random::new(u64::try_from(random.between(1, i64::MAX - 1)).unwrap_or(1), 6),
        }
    }

    pub(super) fn grant(&mut self, ask: &Ask, now: Instant) -> Reply {
        if ask.method != "POST" {
            return error(ask, 405);
        }
        let refused = |error: &str, text: &str| Reply::json(401, &json!({ "error": error, "error_description": text }));
        if ask.authorization != format!("Basic {}", STANDARD.encode("public-client:public")) {
            return refused("unauthorized", "Full authentication is required to access this resource");
        }
        if !ask.content_type.starts_with("application/x-www-form-urlencoded") {
            return error(ask, 415);
        }
        let form: HashMap<_, _> = url::form_urlencoded::parse(&ask.body).into_owned().collect();
        let field = |name: &str| form.get(name).map(String::as_str);
        if field("grant_type") != Some("password") {
            let body = json!({ "error": "unsupported_grant_type", "error_description": "Unsupported grant type" });
            return Reply::json(400, &body);
        }
        // A stray newline at the end of either is part of it, and wrong.
        if field("username") != Some(&self.key) || field("password") != Some(&self.secret) {
            return refused("invalid_grant", "Bad credentials");
        }
        let token = self.random.word(48);
        self.tokens.insert(token.clone(), now + self.lifetime);
        let answer = json!({
            "access_token": token, "token_type": "bearer", "refresh_token": self.random.word(48),
            "expires_in": self.lifetime.as_secs(), "scope": "rmm",
        });
        Reply::json(200, &answer)
    }

    pub(super) fn lets_in(&self, ask: &Ask, now: Instant) -> bool {
        bearer(ask).and_then(|token| self.tokens.get(token)).is_some_and(|end| now < *end)
    }

    pub(super) fn revoke(&mut self, ask: &Ask) {
        if let Some(token) = bearer(ask) {
            self.tokens.remove(token);
        }
    }

    pub(super) fn revoke_all(&mut self) {
        self.tokens.clear();
    }
}

fn bearer(ask: &Ask) -> Option<&str> {
    ask.authorization.strip_prefix("Bearer ")
}
