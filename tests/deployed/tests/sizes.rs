//! No function grows unseen. The heaviest of two kinds are built here; `cargo run --release -p nexus-deployed -- --check` has all.

use std::path::Path;

use nexus_deployed::weight::{MB, budget, build};

#[test]
fn the_heaviest_job_and_the_heaviest_route_group_keep_within_their_sizes() {
    // target/tmp, beside which it can stay from one run to the next.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("deployed");
    for name in ["sync-datto", "sync"] {
        let bytes = build(name, &target).join(name).metadata().unwrap_or_else(|error| panic!("{name}: {error}")).len();
        #[expect(clippy::cast_precision_loss, reason = "sizes of files are far below 2^52")]
        let (size, (kind, most)) = (bytes as f64 / MB, budget(name));
        assert!(size <= most, "{name} ({kind}) has {size:.2} MB, more than {most}");
    }
}
