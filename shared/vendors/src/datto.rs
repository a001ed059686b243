//! Datto RMM API v2: sites and devices are read, the variables of sites also written.
//!
//! The vendor's documentation is <https://rmm.datto.com/help/en/Content/2SETUP/APIv2.htm>.

mod pages;
mod records;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

pub use self::pages::Pages;
pub use self::records::{Device, Site, UserDefined, Variable};
use crate::base_url::BaseUrl;
use crate::error::{ConfigError, Error};
use crate::lenient::Fields;
use crate::page::Envelope;
use crate::transport::{Answer, Authorization, CallCounts, Transport, TransportConfig};

const VENDOR_SUFFIX: &str = "-api.centrastage.net";
/// Tokens of one client at most. One lives for 100 hours; whoever needs more than these is being refused.
const MOST_TOKENS: u32 = 3;
/// Writes of a client at most. Datto allows an account 100 of each kind in 60 seconds, beside the reads; on older accounts
/// both draw from one budget, so that a write also waits for its turn among all calls.
const WRITES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(80).unwrap();

/// The address of a Datto RMM platform, such as `https://pinotage-api.centrastage.net`.
pub fn base_url(endpoint: &str) -> Result<BaseUrl, ConfigError> {
    let base = BaseUrl::parse(endpoint.trim().trim_end_matches('/').trim_end_matches("/api"))?;
    if base.host().is_some_and(|host| host.ends_with(VENDOR_SUFFIX)) { Ok(base) } else { Err(ConfigError::Platform) }
}

/// A client of one Datto RMM account. Clones share the token, the pace, the patience with rate limits and the counts.
#[derive(Clone)]
pub struct Datto {
    shared: Arc<Shared>,
}

struct Shared {
    base: BaseUrl,
    /// How the client asks for a token.
    access: Authorization,
    /// With what.
    form: SecretString,
    token: Mutex<Token>,
    transport: Transport,
    max_pages: u32,
}

#[derive(Default)]
struct Token {
    current: Option<Arc<Authorization>>,
    taken: u32,
}

impl Datto {
    /// A client with the API key and secret key of a user, which sees what that user sees.
    ///
    /// `base_url` comes from [`base_url`], or is an explicit address. Blanks and line ends around the keys are ignored. Build
    /// one client per run: its counts and its patience are those of the run.
    pub fn new(
        base_url: BaseUrl,
        key: &SecretString,
        secret: &SecretString,
        config: &TransportConfig,
    ) -> Result<Self, ConfigError> {
        let [key, secret] = [key, secret].map(|text| text.expose_secret().trim());
        if [key, secret]
            .iter()
            .any(|text| text.is_empty() || text.contains(|c: char| c.is_control() || c.is_whitespace()))
        {
            return Err(ConfigError::ApiKey);
        }
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("grant_type", "password"), ("username", key), ("password", secret)])
            .finish();
        let shared = Shared {
            // The same for every customer.
            access: Authorization::basic("public-client", "public", [key, secret])?,
            form: form.into(),
            token: Mutex::default(),
            transport: Transport::new(&base_url, config, Some(WRITES_PER_MINUTE))?,
            max_pages: config.max_pages,
            base: base_url,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// `GET /v2/account/sites`: every site, the pseudo-site among them.
    #[must_use]
    pub fn sites(&self) -> Pages<Site> {
        Pages::new(self.clone(), "account/sites", "sites", Site::read)
    }

    /// `GET /v2/account/devices`: the devices of all sites in few calls. It was seen to be short; compare it with what the
    /// sites say.
    #[must_use]
    pub fn devices(&self) -> Pages<Device> {
        Pages::new(self.clone(), "account/devices", "devices", Device::read)
    }

    /// `GET /v2/site/{uid}/devices`.
    #[must_use]
    pub fn devices_of(&self, site_uid: &str) -> Pages<Device> {
        Pages::new(self.clone(), &format!("site/{}/devices", segment(site_uid)), "devices", Device::read)
    }

    /// `GET /v2/site/{uid}/variables`: all of them.
    ///
    /// A variable that cannot be read is an error, because it might have been the one that was looked for.
    pub async fn variables_of(&self, site_uid: &str) -> Result<Vec<Variable>, Error> {
        let path = format!("site/{}/variables", segment(site_uid));
        Pages::new(self.clone(), &path, "variables", Variable::read).all().await
    }

    /// `PUT /v2/site/{uid}/variable`: gives a site a variable that everybody may read.
    ///
    /// What it does when there is one of that name is not documented: look first.
    pub async fn create_variable(&self, site_uid: &str, name: &str, value: &str) -> Result<(), Error> {
        let url = self.address(&format!("site/{}/variable", segment(site_uid)));
        self.write(Method::PUT, &url, &json!({ "name": name, "value": value, "masked": false })).await
    }

    /// `POST /v2/site/{uid}/variable/{id}`: gives a variable a name and a value. Whether it is masked stays.
    pub async fn update_variable(&self, site_uid: &str, id: i64, name: &str, value: &str) -> Result<(), Error> {
        let url = self.address(&format!("site/{}/variable/{id}", segment(site_uid)));
        self.write(Method::POST, &url, &json!({ "name": name, "value": value })).await
    }

    /// `GET /v2/system/request_rate`: keeps the client's pace below what the account may ask.
    pub async fn learn_pace(&self) -> Result<(), Error> {
        let answer = self.get(&self.address("system/request_rate")).await?;
        let mut envelope = Envelope::read(&answer.body)?;
        let mut number = |key| envelope.take(&[key]).ok().and_then(|raw| raw.get().parse::<f64>().ok());
        let (limit, window) = (number("accountRateLimit"), number("slidingTimeWindowSizeSeconds"));
        if let (Some(limit), Some(window)) = (limit, window)
            && limit > 0.0
            && window > 0.0
        {
            self.shared.transport.allow(limit / window);
        }
        Ok(())
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

    fn base(&self) -> &BaseUrl {
        &self.shared.base
    }

    fn max_pages(&self) -> u32 {
        self.shared.max_pages
    }

    fn address(&self, path: &str) -> Url {
        self.shared.base.below(&format!("api/v2/{path}"))
    }

    async fn get(&self, url: &Url) -> Result<Answer, Error> {
        self.signed(|token| async move { self.shared.transport.get(url, &token).await }).await
    }

    async fn write(&self, method: Method, url: &Url, body: &Value) -> Result<(), Error> {
        let write = |token: Arc<Authorization>| {
            let method = method.clone();
            async move { self.shared.transport.write(method, url, &token, body).await }
        };
        self.signed(write).await
    }

    /// Calls with the token, and once more with a new one if it is refused: then nothing was done.
    async fn signed<T, F>(&self, call: impl Fn(Arc<Authorization>) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let token = self.token(None).await?;
        match call(token.clone()).await {
            Err(Error::Auth) => call(self.token(Some(&token)).await?).await,
            answer => answer,
        }
    }

    /// The token; a new one if `refused` is the one that there is. Whoever comes meanwhile waits for it.
    async fn token(&self, refused: Option<&Arc<Authorization>>) -> Result<Arc<Authorization>, Error> {
        let Shared { base, access, form, transport, .. } = &*self.shared;
        let mut token = self.shared.token.lock().await;
        if let Some(current) = &token.current
            && !refused.is_some_and(|refused| Arc::ptr_eq(refused, current))
        {
            return Ok(current.clone());
        }
        if token.taken >= MOST_TOKENS {
            return Err(Error::Auth);
        }
        token.taken += 1;
        // Outside /api, where everything else is.
        let answer = transport.post_form(&base.below("auth/oauth/token"), access, form).await?;
        let unreadable = |reason: &str| Error::malformed("$.access_token", reason);
        let fields = serde_json::from_slice(&answer.body).ok().and_then(|raw| Fields::of(raw).ok());
        let text = fields.ok_or_else(|| unreadable("expected an object"))?.text("access_token");
        let text = text.ok().flatten().ok_or_else(|| unreadable("expected a text"))?;
        let bearer = Arc::new(Authorization::bearer(&text).map_err(|_| unreadable("expected a token"))?);
        Ok(token.current.insert(bearer).clone())
    }
}

/// A uid as one segment of a path, whatever stands in it.
fn segment(uid: &str) -> String {
    uid.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

impl fmt::Debug for Datto {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Datto").field("base_url", &self.shared.base).finish_non_exhaustive()
    }
}
