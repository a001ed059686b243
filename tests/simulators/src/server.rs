//! What both simulators share: a server on 127.0.0.1, the order in which a call is judged, and the record of calls.

use std::future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::serve::Listener;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::faults::{Fault, FaultId, Faults, RetryAfter, Rule, api_path};
use crate::shape;

/// One call that was answered.
#[derive(Debug, Clone)]
pub struct Call {
    /// `GET`, `PUT`, …
    pub method: String,
    /// Path and query as sent: `/api/v2/requesters?page=2&per_page=100`.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The body of a write, as text. Empty for reads and for the token call, whose body is a secret.
    pub body: String,
    /// When it arrived, since the simulator was started.
    pub at: Duration,
}

/// A call as the vendors' rules need it.
pub(crate) struct Ask {
    pub(crate) method: String,
    /// Below `/api/v2`.
    pub(crate) path: String,
    /// Path and query as sent.
    pub(crate) target: String,
    pub(crate) origin: String,
    pub(crate) authorization: String,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
    params: Vec<(String, String)>,
}

impl Ask {
    async fn read(request: Request, origin: &str) -> Self {
        let (head, body) = request.into_parts();
        let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let query = head.uri.query().unwrap_or_default();
        Self {
            method: head.method.to_string(),
            path: api_path(head.uri.path()).to_owned(),
            target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            origin: origin.to_owned(),
            authorization: text(header::AUTHORIZATION),
            content_type: text(header::CONTENT_TYPE),
            body: axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default(),
            params: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        }
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.param(name)?.parse().ok()
    }

    /// This call's address with other values of some parameters.
    pub(crate) fn link(&self, changed: &[(&str, usize)]) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.params.iter().filter(|(key, _)| changed.iter().all(|(name, _)| name != key)));
        query.extend_pairs(changed.iter().map(|(name, value)| (name, value.to_string())));
        format!("{}{path}?{}", self.origin, query.finish())
    }
}

/// An answer that faults can still spoil.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// The next page, where the vendor names it in the `link` header.
    pub(crate) next: Option<String>,
    /// The connection breaks in the middle of the body.
    pub(crate) cut: bool,
}

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content_type: "", body: Vec::new(), next: None, cut: false }
    }

    pub(crate) fn bytes(status: u16, body: Vec<u8>) -> Self {
        Self { content_type: "application/json; charset=utf-8", body, ..Self::empty(status) }
    }

    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        // Records of plain fields and text keys always serialise.
        Self::bytes(status, serde_json::to_vec(body).unwrap_or_default())
    }

    fn into_response(self) -> Response {
        let mut response = Response::builder().status(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        if !self.content_type.is_empty() {
            response = response.header(header::CONTENT_TYPE, self.content_type);
        }
        if let Some(next) = &self.next {
            response = response.header(header::LINK, format!("<{next}>; rel=\"next\""));
        }
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        let body = if self.cut { cut(&self.body) } else { Body::from(self.body) };
        response.body(body).unwrap_or_default()
    }
}

/// Half a body, then an error, which makes the server drop the connection.
fn cut(body: &[u8]) -> Body {
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    let broken = stream::once(async {
        // Without a pause the error would overtake the first half, which is still in the server's buffer.
        tokio::time::sleep(Duration::from_millis(2)).await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(stream::once(future::ready(Ok(half))).chain(broken))
}

/// Whether a call is let in.
pub(crate) struct Admission {
    /// What every answer carries, refusals too.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) delay: Duration,
    pub(crate) refusal: Option<Reply>,
}

impl Admission {
    pub(crate) fn granted() -> Self {
        Self { headers: Vec::new(), delay: Duration::ZERO, refusal: None }
    }
}

/// A vendor's rules over a vendor's world.
pub(crate) trait Vendor: Send + 'static {
    /// What a call without `page` asks for.
    const FIRST_PAGE: u64;

    /// Quota and credentials.
    fn admit(&mut self, ask: &Ask, now: Instant) -> Admission;

    /// The answer when all goes well, or as well as `faults` let it: [`Fault::IgnoredWrite`] and
    /// [`Fault::DuplicateRecord`] need the world, all others are dealt with outside.
    fn answer(&mut self, ask: &Ask, faults: &[Fault]) -> Reply;

    /// The vendor's error body.
    fn error(&self, ask: &Ask, status: u16) -> Reply;

    /// A 401 was answered on purpose.
    fn revoke(&mut self, _ask: &Ask) {}
}

/// What the server task and the handle share.
pub(crate) struct Core<V> {
    pub(crate) origin: String,
    world: Mutex<V>,
    faults: Mutex<Faults>,
    latency: Mutex<Duration>,
    calls: Mutex<Vec<Call>>,
    count: AtomicUsize,
    started: Instant,
}

/// A test that panicked in `edit` has failed already; the lock goes on for the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<V: Vendor> Core<V> {
    pub(crate) fn world(&self) -> MutexGuard<'_, V> {
        lock(&self.world)
    }

    pub(crate) fn add_fault(&self, rule: Rule) -> FaultId {
        lock(&self.faults).add(rule)
    }

    pub(crate) fn remove_fault(&self, id: FaultId) {
        lock(&self.faults).remove(id);
    }

    pub(crate) fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    pub(crate) fn fault_hits(&self, id: FaultId) -> u64 {
        lock(&self.faults).hits(id)
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        *lock(&self.latency) = latency;
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }

    pub(crate) fn calls_to(&self, path: &str) -> usize {
        let below = |call: &&Call| {
            let called = api_path(call.path.split('?').next().unwrap_or_default());
            called.strip_prefix(api_path(path)).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        lock(&self.calls).iter().filter(below).count()
    }

    pub(crate) fn call_count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn clear_calls(&self) {
        lock(&self.calls).clear();
        self.count.store(0, Ordering::Relaxed);
    }

    fn note(&self, ask: &Ask, status: u16, at: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let body = if ask.path.starts_with("/auth/") { "".into() } else { String::from_utf8_lossy(&ask.body) };
        lock(&self.calls).push(Call {
            method: ask.method.clone(),
            path: ask.target.clone(),
            status,
            body: body.into_owned(),
            at,
        });
    }

    /// Quota, then credentials, then faults, then the answer: a call that is refused uses no fault up.
    async fn reply(&self, ask: &Ask) -> Reply {
        let admission = self.world().admit(ask, Instant::now());
        let latency = *lock(&self.latency);
        let faults = match admission.refusal {
            Some(_) => Vec::new(),
            None => lock(&self.faults).take(ask, V::FIRST_PAGE),
        };
        let slow: Duration =
            faults.iter().map(|fault| if let Fault::Slow(by) = fault { *by } else { Duration::ZERO }).sum();
        let delay = latency + admission.delay + slow;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut reply = match admission.refusal {
            Some(refusal) => refusal,
            None => self.spoilt(ask, &faults),
        };
        reply.headers.extend(admission.headers);
        reply
    }

    fn spoilt(&self, ask: &Ask, faults: &[Fault]) -> Reply {
        let mut world = self.world();
        for fault in faults {
            match fault {
                Fault::Status(status) => {
                    if *status == 401 {
                        world.revoke(ask);
                    }
                    return world.error(ask, *status);
                }
                Fault::RateLimited(retry_after) => {
                    let mut reply = world.error(ask, 429);
                    match retry_after {
                        RetryAfter::Absent => {}
                        RetryAfter::Seconds(seconds) => reply.headers.push(("retry-after", seconds.to_string())),
                        RetryAfter::Text(text) => reply.headers.push(("retry-after", text.clone())),
                    }
                    return reply;
                }
                _ => {}
            }
        }
        let mut reply = world.answer(ask, faults);
        drop(world);
        shape::apply(faults, ask, &mut reply);
        reply
    }
}

async fn answer<V: Vendor>(State(core): State<Arc<Core<V>>>, request: Request) -> Response {
    let at = core.started.elapsed();
    let ask = Ask::read(request, &core.origin).await;
    let reply = core.reply(&ask).await;
    core.note(&ask, reply.status, at);
    reply.into_response()
}

/// A listener that says when it is closed, by dropping `_open`.
struct Door {
    listener: TcpListener,
    _open: watch::Sender<()>,
}

impl Listener for Door {
    type Io = TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // An answer in two segments would otherwise wait 40 ms for the client's acknowledgement. A failure costs only time.
        let _ = stream.set_nodelay(true);
        (stream, address)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A server that runs until this is dropped.
pub(crate) struct Running<V> {
    pub(crate) core: Arc<Core<V>>,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    closed: watch::Receiver<()>,
}

impl<V: Vendor> Running<V> {
    pub(crate) async fn start(world: V) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let core = Arc::new(Core {
            origin: format!("http://{}", listener.local_addr()?),
            world: Mutex::new(world),
            faults: Mutex::default(),
            latency: Mutex::default(),
            calls: Mutex::default(),
            count: AtomicUsize::new(0),
            started: Instant::now(),
        });
        let (open, closed) = watch::channel(());
        let (stop, stopped) = oneshot::channel::<()>();
        let router = Router::new().fallback(answer::<V>).with_state(Arc::clone(&core));
        let server = axum::serve(Door { listener, _open: open }, router).with_graceful_shutdown(async {
            // Dropping the sender stops the server just as a message does.
            let _ = stopped.await;
        });
        #[expect(
            clippy::disallowed_methods,
            reason = "a server for tests runs beside its caller; no Lambda is involved"
        )]
        tokio::spawn(server.into_future());
        Ok(Self { core, stop: Mutex::new(Some(stop)), closed })
    }

    pub(crate) async fn stop(&self) {
        lock(&self.stop).take();
        let mut closed = self.closed.clone();
        // No value is ever sent: this ends with the error that the sender is gone.
        let _ = closed.changed().await;
    }
}

/// Gives a simulator the methods that both have.
macro_rules! simulator {
    ($name:ident, $world:ty, $state:ty) => {
        impl $name {
            /// `http://127.0.0.1:PORT`, without a slash; the API lives under `/api/v2`.
            #[must_use]
            pub fn base_url(&self) -> String {
                self.running.core.origin.clone()
            }

            /// Changes the world, or looks at it. Calls wait meanwhile.
            pub fn edit<R>(&self, change: impl FnOnce(&mut $state) -> R) -> R {
                let mut world = self.running.core.world();
                let result = change(&mut world.state);
                world.state.refresh();
                result
            }

            /// Switches a fault on.
            pub fn fault(&self, fault: impl Into<$crate::Rule>) -> $crate::FaultId {
                self.running.core.add_fault(fault.into())
            }

            /// How many calls met this fault so far.
            #[must_use]
            pub fn fault_hits(&self, id: $crate::FaultId) -> u64 {
                self.running.core.fault_hits(id)
            }

            /// Switches one fault off.
            pub fn clear_fault(&self, id: $crate::FaultId) {
                self.running.core.remove_fault(id);
            }

            /// Switches all faults off.
            pub fn clear_faults(&self) {
                self.running.core.clear_faults();
            }

            /// Every call from now on takes at least this long.
            pub fn set_latency(&self, latency: std::time::Duration) {
                self.running.core.set_latency(latency);
            }

            /// All calls that were answered, in order.
            #[must_use]
            pub fn calls(&self) -> Vec<$crate::Call> {
                self.running.core.calls()
            }

            /// How many calls were answered.
            #[must_use]
            pub fn call_count(&self) -> usize {
                self.running.core.call_count()
            }

            /// How many calls went to this path or below it, query apart. The leading `/api/v2` may be left out.
            #[must_use]
            pub fn calls_to(&self, path: &str) -> usize {
                self.running.core.calls_to(path)
            }

            /// Forgets the calls so far.
            pub fn clear_calls(&self) {
                self.running.core.clear_calls();
            }

            /// Stops listening. When this returns, a new connection is refused.
            pub async fn stop(&self) {
                self.running.stop().await;
            }
        }
    };
}
pub(crate) use simulator;
