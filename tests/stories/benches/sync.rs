//! What a whole sync costs, vendor, job and Nexus in one process, on SQLite: `cargo bench -p nexus-tests --bench sync`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails as it likes")]

use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use nexus_core::Clock;
use nexus_core::config::DatabaseUrl;
use nexus_core::sync::RunState;
use nexus_db::Db;
use nexus_simulators::{Datto, Freshservice, Size};
use nexus_test_databases::{World, options};
use nexus_tests::{Nexus, Source, Syncing};
use tokio::runtime::Runtime;

/// A Nexus without records, at the companies and people of a Freshservice at 0 ms latency.
async fn people(folder: &tempfile::TempDir) -> Syncing {
    let url = DatabaseUrl::Sqlite(folder.path().join("nexus.db").display().to_string());
    let clock = Clock::system();
    let db = Db::open(&url, options(), clock.clone()).await.unwrap();
    let vendor = Freshservice::start(Size { companies: 200, contacts: 5_000, devices: 0 }, 2026).await.unwrap();
    Syncing::new(Nexus::serve(World { db, url, clock }).await, vendor).await
}

/// A Nexus with the companies of 270 sites, at their devices.
async fn devices(folder: &tempfile::TempDir) -> Syncing<Datto> {
    let size = Size { companies: 270, contacts: 0, devices: 10_000 };
    let syncing = people(folder).await.then(Freshservice::start(size, 2026).await.unwrap());
    syncing.run().await;
    syncing.then(Datto::start(size, 2026).await.unwrap())
}

async fn timed<V: Source>(syncing: Syncing<V>, runs_before: usize) -> Duration {
    for _ in 0..runs_before {
        syncing.run().await;
    }
    let began = Instant::now();
    assert_eq!(syncing.run().await.state, RunState::Applied);
    let spent = began.elapsed();
    syncing.nexus.stop().await;
    spent
}

fn benchmarks(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    for (name, vendor) in
        [("200 companies and 5,000 contacts", "freshservice"), ("10,000 devices on 270 sites", "datto")]
    {
        let mut group = criterion.benchmark_group(format!("sync of {name}"));
        group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(10));
        for (name, runs_before) in [("first", 0), ("without changes", 1)] {
            group.bench_function(name, |bench| {
                bench.to_async(&runtime).iter_custom(|times| async move {
                    let mut spent = Duration::ZERO;
                    for _ in 0..times {
                        let folder = tempfile::tempdir().unwrap();
                        spent += match vendor {
                            "datto" => timed(devices(&folder).await, runs_before).await,
                            _ => timed(people(&folder).await, runs_before).await,
                        };
                    }
                    spent
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, benchmarks);
criterion_main!(benches);
