//! What a whole sync costs, vendor, job and Nexus in one process, on SQLite: `cargo bench -p nexus-tests --bench sync`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails as it likes")]

use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use nexus_core::Clock;
use nexus_core::config::DatabaseUrl;
use nexus_core::sync::RunState;
use nexus_db::Db;
use nexus_simulators::{Freshservice, Size};
use nexus_test_databases::{World, options};
use nexus_tests::{Nexus, Syncing};
use tokio::runtime::Runtime;

const SIZE: Size = Size { companies: 200, contacts: 5_000, devices: 0 };

/// A Nexus without records, and a Freshservice at 0 ms latency.
async fn new(folder: &tempfile::TempDir) -> Syncing {
    let url = DatabaseUrl::Sqlite(folder.path().join("nexus.db").display().to_string());
    let clock = Clock::system();
    let db = Db::open(&url, options(), clock.clone()).await.unwrap();
    let vendor = Freshservice::start(SIZE, 2026).await.unwrap();
    Syncing::new(Nexus::serve(World { db, url, clock }).await, vendor).await
}

async fn timed(syncing: &Syncing) -> Duration {
    let began = Instant::now();
    assert_eq!(syncing.run().await.state, RunState::Applied);
    began.elapsed()
}

fn benchmarks(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("sync of 200 companies and 5,000 contacts");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(10));
    for (name, runs_before) in [("first", 0), ("without changes", 1)] {
        group.bench_function(name, |bench| {
            bench.to_async(&runtime).iter_custom(|times| async move {
                let mut spent = Duration::ZERO;
                for _ in 0..times {
                    let folder = tempfile::tempdir().unwrap();
                    let syncing = new(&folder).await;
                    for _ in 0..runs_before {
                        syncing.run().await;
                    }
                    spent += timed(&syncing).await;
                    syncing.nexus.stop().await;
                }
                spent
            });
        });
    }
    group.finish();
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
