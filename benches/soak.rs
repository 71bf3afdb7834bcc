//! A server whose tables, feature sets and rows change while it is called: what is lost, what is mixed, what it costs.
//!
//! The binary serves a repository of its own on two cores' worth of threads. Meanwhile a table of 1 GB and a feature set
//! get new versions every few seconds, rows are upserted, and every answer is held against the versions that it claims.
//! `-- --minutes 3` states how long, `--share 0.2` how many of the calls that the server holds are made; `--quick` is a run of seconds over a small table.

mod soak {
    pub mod changes;
    pub mod reads;
    pub mod server;
    pub mod world;
}
mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use soak::{
    changes::{Changes, Swaps},
    reads::{Load, Reads},
    server::Server,
    world::World,
};
use support::Report;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long and how large.
struct Size {
    rows: usize,
    time: Duration,
    /// Between the end of one swap and the next.
    pause: Duration,
    /// Of the calls that the server holds.
    share: f64,
}

impl Size {
    fn from_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let after = |flag: &str| arguments.iter().skip_while(|argument| *argument != flag).nth(1);
        let number = |flag: &str| after(flag).map(|number| number.parse::<f64>().expect("a number"));
        let (minutes, share) = (number("--minutes"), number("--share").unwrap_or(0.5));
        let quick = arguments.iter().any(|argument| argument == "--quick");
        let (rows, seconds, pause) = if quick { (50_000, 15.0, 500) } else { (4_000_000, 180.0, 3_000) };
        let time = minutes.map_or(seconds, |minutes| minutes * 60.0);
        Self { rows, time: Duration::from_secs_f64(time), pause: Duration::from_millis(pause), share }
    }
}

fn main() {
    let size = Size::from_arguments();
    let mut world = World::write(size.rows);
    let server = Server::start(world.folder());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let over = Arc::new(AtomicBool::new(false));
    let swaps = Arc::new(Swaps::default());
    let (reads, changes) = runtime.block_on(async {
        let mut changes = Changes::connect(&server, over.clone(), swaps.clone()).await;
        let load = Load::connect(&server, world.rows(), over.clone(), swaps.clone()).await;
        // A swap begins after some calls without one.
        let writes = tokio::spawn(changes.write_rows(load.users()));
        let calls = tokio::spawn(load.run(size.share));
        tokio::time::sleep(size.time / 10).await;
        let end = tokio::time::Instant::now() + size.time * 9 / 10;
        changes.swap_until(&mut world, end, size.pause).await;
        over.store(true, Ordering::Relaxed);
        (calls.await.expect("the calls"), (changes, writes.await.expect("the writes")))
    });
    report(&reads, size.share, changes.0.swapped(), changes.1, server.most_memory());
    server.stop();
    assert!(reads.lost.is_empty(), "calls were lost: {:?}", reads.lost);
    assert!(reads.mixed.is_empty(), "answers were mixed: {:?}", reads.mixed);
}

fn report(reads: &Reads, share: f64, swaps: usize, rows_written: u64, memory: u64) {
    let figures = json!({
        "calls": reads.calls, "lost": reads.lost.len(), "mixed": reads.mixed.len(), "swaps": swaps,
        "rows_written": rows_written, "rate": reads.rate, "share": share, "memory_bytes": memory,
        "p50_us": reads.between.p50, "p99_us": reads.between.p99,
        "p50_in_swaps_us": reads.during.p50, "p99_in_swaps_us": reads.during.p99,
        "p99_ratio": reads.during.p99 / reads.between.p99,
    });
    println!(
        "{} calls at {:.0}/s ({share} of what it holds), {swaps} swaps, {rows_written} rows written, {} MiB at most",
        reads.calls,
        reads.rate,
        memory >> 20
    );
    println!("lost {}, mixed {}", reads.lost.len(), reads.mixed.len());
    println!("{:<14} {:>10} {:>10}", "", "p50 us", "p99 us");
    println!("{:<14} {:>10.0} {:>10.0}", "between swaps", reads.between.p50, reads.between.p99);
    println!("{:<14} {:>10.0} {:>10.0}", "during swaps", reads.during.p50, reads.during.p99);
    println!("p99 during over between: {:.2}", reads.during.p99 / reads.between.p99);
    Report::begin("soak").add("swaps and upserts under load", figures);
}
