//! What a request and a plan cost, on SQLite: `cargo bench -p nexus-tests`.
//!
//! Requests go through the whole router with its frame, without a socket: what is measured is Nexus.

#![expect(clippy::unwrap_used, reason = "a benchmark fails as it likes")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use http::Request;
use local_runner::{certificate, mount};
use nexus_core::config::DatabaseUrl;
use nexus_core::{Actor, Clock, Entity, Fields};
use nexus_db::changes::{self, Action, Deed, Draft, Edit, Origin, Proposal, reserve};
use nexus_db::{Db, accounts, runs};
use nexus_web::auth::{Keys, Rules};
use nexus_web::{Auth, Limits, State};
use serde_json::json;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const COMPANIES: usize = 200;
const PLAN: usize = 5_000;

fn deed() -> Deed {
    Deed::new(Actor { user_id: None, name: "bench".into() }, Origin::Sync, "bench")
}

fn company(n: usize) -> Fields {
    Fields::from_iter([
        ("account_number".to_owned(), json!(format!("{}", 100_000 + n))),
        ("name".to_owned(), json!(format!("Company {n} of some length"))),
        ("plan_selected".to_owned(), json!("Managed Gold")),
        ("domains".to_owned(), json!([format!("company{n}.example")])),
        ("address".to_owned(), json!("12 Long Street, 30303 Somewhere")),
    ])
}

fn contact(n: usize) -> Fields {
    Fields::from_iter([
        ("name".to_owned(), json!(format!("Person {n} Byron"))),
        ("email".to_owned(), json!(format!("person{n}@example.org"))),
        ("title".to_owned(), json!("Engineer")),
        ("work_phone_number".to_owned(), json!("(555) 555-0100")),
        ("company_ids".to_owned(), json!([1 + n % COMPANIES])),
    ])
}

/// A directory of 200 companies in a folder of its own.
async fn directory() -> (tempfile::TempDir, Db) {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("nexus.db").display().to_string());
    let db = Db::open(&url, nexus_test_databases::options(), Clock::system()).await.unwrap();
    let edits = (0..COMPANIES).map(|n| Edit::Create { entity: Entity::Company, fields: company(n) });
    changes::change(&db, &deed(), edits.collect()).await.unwrap();
    (folder, db)
}

/// The router and a technician's token.
async fn served(db: &Db) -> (Router, String) {
    let fields = Fields::from_iter([("username".to_owned(), json!("tech")), ("role".to_owned(), json!("technician"))]);
    let create = Edit::Create { entity: Entity::User, fields };
    let id = changes::change(db, &deed(), vec![create]).await.unwrap().records[0].id;
    let pem = certificate::new_key().unwrap();
    let rules = Rules { issuer: "nexus".into(), token_hours: 24, api_key_days: None, secure_cookies: true };
    let auth = Auth::new(db.clone(), Keys::new([("bench", &pem)]).unwrap(), rules);
    let token = auth.issue(&accounts::find(db, id).await.unwrap().unwrap()).unwrap().token;
    (mount::router(State { db: db.clone(), auth }, nexus_events::Bus::local(), Limits { body: 1024 * 1024 }), token)
}

async fn get(router: &Router, token: &str, path: &str) -> usize {
    let request = Request::get(path).header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    to_bytes(response.into_body(), usize::MAX).await.unwrap().len()
}

/// A stored plan of 5,000 new contacts.
async fn plan(db: &Db) -> i64 {
    let start = nexus_core::sync::StartRun::new("sync-freshservice", nexus_core::sync::Trigger::Manual);
    let run = runs::start(db, &start).await.unwrap().unwrap().run_id;
    let mut tx = db.write().await.unwrap();
    let first = reserve(&mut tx, Entity::Contact, PLAN).await.unwrap();
    let mut draft = Draft::begin(&mut tx, &deed(), run, &db.now()).await.unwrap();
    let rows = (0..PLAN).zip(first..).map(|(n, id)| Proposal {
        entity: Entity::Contact,
        id,
        action: Action::Create,
        version: None,
        fields: contact(n),
        reason: None,
        link: None,
    });
    draft.add(&mut tx, rows.collect()).await.unwrap();
    let id = draft.finish(&mut tx).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    id
}

fn benchmarks(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let (_folder, db) = runtime.block_on(directory());
    let (router, token) = runtime.block_on(served(&db));
    criterion.bench_function("get one company with a JWT", |bench| {
        bench.to_async(&runtime).iter(|| async { black_box(get(&router, &token, "/api/companies/100077").await) });
    });
    criterion.bench_function("list 200 companies", |bench| {
        bench.to_async(&runtime).iter(|| async { black_box(get(&router, &token, "/api/companies").await) });
    });
    let mut group = criterion.benchmark_group("plan");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(10));
    group.bench_function("apply a plan of 5,000 creates", |bench| {
        bench.to_async(&runtime).iter_custom(|times| async move {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                // Each on a directory of its own: a plan is applied once.
                let (_folder, db) = directory().await;
                let id = plan(&db).await;
                let began = Instant::now();
                let applied =
                    changes::apply(&db, &deed().actor, id, None, &std::collections::BTreeSet::new()).await.unwrap();
                spent += began.elapsed();
                assert_eq!(applied.counts.values().sum::<u64>(), PLAN as u64);
                db.close().await;
            }
            spent
        });
    });
    group.finish();
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
