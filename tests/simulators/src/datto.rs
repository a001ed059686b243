//! Datto RMM API v2.

mod access;
mod devices;
mod records;
mod routes;
mod sites;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::companies::{self, NOW};
use crate::faults::Fault;
use crate::quota::{DattoQuota, SlidingWindow, Verdict};
use crate::random::Random;
use crate::server::{Admission, Ask, Reply, Running, Vendor, simulator};
use crate::{Size, variables};
use access::Access;

pub use records::{Account, Antivirus, Device, DeviceType, PatchManagement, Site, Text, Variable};
pub use sites::DELETED_DEVICES;

/// A running Datto RMM platform with one account. Clones are handles to the same server, which stops when the last is
/// dropped.
///
/// A token comes from `POST /auth/oauth/token`, which lies outside `/api`: Basic `public-client:public`, and the form
/// `grant_type=password&username=<key>&password=<secret>`. Under `/api/v2` it answers, with that token as Bearer:
///
/// | call | |
/// |---|---|
/// | `GET /account`, `/account/sites`, `/account/devices` | filters `siteName`, `hostname`, `deviceType`, `operatingSystem` |
/// | `GET /site/{uid}`, `/site/{uid}/devices`, `/site/{uid}/variables` | |
/// | `PUT /site/{uid}/variable` | creates, also beside one of the same name |
/// | `POST /site/{uid}/variable/{id}` | changes name and value |
/// | `GET /device/{uid}` | |
/// | `GET /system/request_rate`, `/system/pagination`, `/system/status` | the last needs no token |
///
/// Lists take `page` (from 0) and `max`, of which no more than 250 is given. Writes answer 200 without a body.
#[derive(Clone)]
pub struct Datto {
    running: Arc<Running<World>>,
    api_key: Arc<str>,
    api_secret: Arc<str>,
}

simulator!(Datto, World, DattoState);

impl Datto {
    /// Generates the world and listens on a free port of 127.0.0.1.
    pub async fn start(size: Size, seed: u64) -> std::io::Result<Self> {
        let access = Access::new(&mut Random::new(seed, 5));
        let (api_key, api_secret) = (access.key.clone().into(), access.secret.clone().into());
        let world = World { state: generate(size, seed), access, window: SlidingWindow::default() };
        Ok(Self { running: Arc::new(Running::start(world).await?), api_key, api_secret })
    }

    /// The user name of the token call.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The password of the token call.
    #[must_use]
    pub fn api_secret(&self) -> &str {
        &self.api_secret
    }

    /// The variables under which a Nexus reads this one at so many calls a minute; 0: as many as it can, none: as many as it does
    /// by itself.
    #[must_use]
    pub fn environment(&self, pace: impl Into<Option<u32>>) -> Vec<(String, String)> {
        let keys = [("BASE_URL", &*self.base_url()), ("PUBLIC_KEY", &self.api_key), ("SECRET_KEY", &self.api_secret)];
        variables("DATTO", &keys, pace.into())
    }

    /// Every token given so far is refused from now on.
    pub fn revoke_tokens(&self) {
        self.running.core.world().access.revoke_all();
    }

    /// Tokens given from now on live this long; 100 hours at the start.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.running.core.world().access.lifetime = lifetime;
    }

    /// Sets a quota and forgets what was counted; `None` lifts it. There is none at the start.
    pub fn set_quota(&self, quota: impl Into<Option<DattoQuota>>) {
        self.running.core.world().window.set(quota.into());
    }
}

/// What the account holds. Records are answered in the order in which they stand here.
#[derive(Debug, Clone)]
pub struct DattoState {
    /// The answer of `GET /account`, without its counts of devices, which are counted.
    pub account: Account,
    /// The sites with their variables; the pseudo-site [`DELETED_DEVICES`] is the last.
    pub sites: Vec<Site>,
    /// The devices, ordered by site.
    pub devices: Vec<Device>,
    /// How many keys `udf` has: 300 at the start, 30 on platforms of before April 2026.
    pub udf_keys: u16,
    /// What `PUT …/variable` does when there is a variable of that name. Not documented; `Duplicate` at the start.
    pub existing_variable: ExistingVariable,
    index: OnceLock<Index>,
}

/// See [`DattoState::existing_variable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingVariable {
    /// A second one of the same name is created.
    Duplicate,
    /// Its value is replaced.
    Overwrite,
    /// The call is refused with 400.
    Refuse,
}

impl DattoState {
    /// The site with this uid.
    pub fn site(&mut self, uid: &str) -> Option<&mut Site> {
        self.sites.iter_mut().find(|site| site.uid == uid)
    }

    /// The device with this uid.
    pub fn device(&mut self, uid: &str) -> Option<&mut Device> {
        self.devices.iter_mut().find(|device| device.uid == uid)
    }

    /// What deleting an agent device does: it moves to [`DELETED_DEVICES`], marked `deleted`. Says whether there was one.
    pub fn delete_device(&mut self, uid: &str) -> bool {
        let pseudo = self.sites.iter().find(|site| site.uid == DELETED_DEVICES).map(|site| site.id);
        let Some(device) = self.device(uid) else { return false };
        device.site_id = pseudo;
        device.site_uid = Some(DELETED_DEVICES.into());
        device.site_name = Some("Deleted Devices".into());
        device.deleted = Some(true);
        device.online = Some(false);
        true
    }

    /// Positions may have changed.
    pub(crate) fn refresh(&mut self) {
        self.index = OnceLock::new();
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(self))
    }
}

/// Where things stand. Made when first asked for, because a state of 100 000 devices is often edited more than once.
#[derive(Debug, Clone, Default)]
struct Index {
    sites: HashMap<String, Placed>,
    devices: HashMap<String, usize>,
}

#[derive(Debug, Clone, Default)]
struct Placed {
    position: usize,
    devices: Vec<usize>,
    online: usize,
}

impl Index {
    fn of(state: &DattoState) -> Self {
        let mut sites: HashMap<String, Placed> = HashMap::with_capacity(state.sites.len());
        for (position, site) in state.sites.iter().enumerate() {
            sites.entry(site.uid.clone()).or_insert(Placed { position, ..Placed::default() });
        }
        let mut devices = HashMap::with_capacity(state.devices.len());
        for (position, device) in state.devices.iter().enumerate() {
            devices.entry(device.uid.clone()).or_insert(position);
            if let Some(placed) = device.site_uid.as_deref().and_then(|uid| sites.get_mut(uid)) {
                placed.devices.push(position);
                placed.online += usize::from(device.online == Some(true));
            }
        }
        Self { sites, devices }
    }
}

fn generate(size: Size, seed: u64) -> DattoState {
    let companies = companies::generate(size.companies, seed);
    let sites = sites::generate(&companies, seed);
    let devices = devices::generate(size.devices, &companies, &sites, seed);
    let account = Account {
        id: 4_711,
        uid: "sim4dcc0001".to_owned(),
        name: "Simulated Provider".to_owned(),
        currency: "USD".to_owned(),
    };
    let existing_variable = ExistingVariable::Duplicate;
    DattoState { account, sites, devices, udf_keys: 300, existing_variable, index: OnceLock::new() }
}

struct World {
    state: DattoState,
    access: Access,
    window: SlidingWindow,
}

impl World {
    fn request_rate(&self) -> Reply {
        let limits = self.window.quota.unwrap_or_default();
        let operations: serde_json::Map<String, Value> = routes::OPERATIONS
            .iter()
            .map(|name| {
                let counted =
                    json!({ "limit": limits.writes_per_operation, "count": self.window.count_writes_of(name) });
                ((*name).to_owned(), counted)
            })
            .collect();
        let answer = json!({
            "slidingTimeWindowSizeSeconds": limits.window.as_secs(), "accountUid": self.state.account.uid,
            "accountCount": self.window.count_reads(), "accountRateLimit": limits.reads, "accountCutOffRatio": 0.9,
            "accountWriteRateLimit": limits.writes, "accountWriteCount": self.window.count_writes(),
            "operationWriteStatus": operations,
        });
        Reply::json(200, &answer)
    }
}

impl Vendor for World {
    const FIRST_PAGE: u64 = 0;

    fn admit(&mut self, ask: &Ask, now: Instant) -> Admission {
        let mut admission = Admission::granted();
        if access::needs_no_token(ask) {
            return admission;
        }
        match self.window.spend(routes::operation(ask), now) {
            Verdict::Go { brake } => admission.delay = brake,
            Verdict::Wait { retry_after } => {
                admission.refusal = Some(error(ask, 429));
                let seconds = retry_after.map(|wait| wait.as_millis().div_ceil(1_000).max(1).to_string());
                admission.headers.extend(seconds.map(|seconds| ("retry-after", seconds)));
            }
            Verdict::Blocked => admission.refusal = Some(error(ask, 403)),
        }
        if admission.refusal.is_none() && !self.access.lets_in(ask, now) {
            admission.refusal = Some(error(ask, 401));
        }
        admission
    }

    fn answer(&mut self, ask: &Ask, faults: &[Fault]) -> Reply {
        match ask.target.split('?').next().unwrap_or_default() {
            access::TOKEN_PATH => self.access.grant(ask, Instant::now()),
            "/api/v2/system/request_rate" => self.request_rate(),
            path if path.starts_with("/api/v2/") => routes::answer(&mut self.state, ask, faults),
            _ => error(ask, 404),
        }
    }

    fn error(&self, ask: &Ask, status: u16) -> Reply {
        error(ask, status)
    }

    fn revoke(&mut self, ask: &Ask) {
        self.access.revoke(ask);
    }
}

/// The form that the vendor's web framework gives errors, without details.
fn error(ask: &Ask, status: u16) -> Reply {
    let reason = axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let path = ask.target.split('?').next().unwrap_or_default();
    let path = path.strip_prefix("/api").unwrap_or(path);
    let body = json!({ "timestamp": NOW * 1_000, "status": status, "error": reason.unwrap_or("Error"), "path": path });
    Reply::json(status, &body)
}
