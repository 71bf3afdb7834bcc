//! What changes: versions of the table and the feature set, one after the other, and rows all the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use quiver::proto::{
    Column, DoubleValues, FloatValues, Int64Values, ListVersionsRequest, UpsertRequest, VersionState,
    WriteRequest, admin_service_client::AdminServiceClient, column::Values,
    table_service_client::TableServiceClient, write_request,
};
use tokio::{sync::mpsc, time};
use tokio_stream::{StreamExt as _, wrappers::ReceiverStream};
use tonic::transport::Channel;

use super::{
    server::Server,
    world::{USERS, WIDTH, World},
};

/// How often a version is asked for until it is served.
const ASK: Duration = Duration::from_millis(20);

/// Rows of one write, and the pause after it.
const ROWS: usize = 50;
const WRITE_PAUSE: Duration = Duration::from_millis(10);

/// Whether a swap is under way: a new version is on disk and does not answer yet, or only just.
#[derive(Debug, Default)]
pub struct Swaps(AtomicBool);

impl Swaps {
    pub fn under_way(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// For each user the counters that were sent and that were acknowledged last.
#[derive(Debug)]
pub struct Users(Vec<(AtomicU64, AtomicU64)>);

impl Users {
    pub fn new() -> Self {
        Self((0..USERS).map(|_| (AtomicU64::new(0), AtomicU64::new(0))).collect())
    }

    pub fn sent(&self, user: usize) -> u64 {
        self.0[user].0.load(Ordering::SeqCst)
    }

    pub fn acknowledged(&self, user: usize) -> u64 {
        self.0[user].1.load(Ordering::SeqCst)
    }
}

/// Changes a server's world.
pub struct Changes {
    admin: AdminServiceClient<Channel>,
    tables: TableServiceClient<Channel>,
    over: Arc<AtomicBool>,
    swaps: Arc<Swaps>,
    swapped: usize,
}

impl Changes {
    pub async fn connect(server: &Server, over: Arc<AtomicBool>, swaps: Arc<Swaps>) -> Self {
        let admin = AdminServiceClient::connect(server.admin.clone()).await.expect("connects");
        let tables = TableServiceClient::connect(server.listen.clone()).await.expect("connects");
        Self { admin, tables, over, swaps, swapped: 0 }
    }

    /// How often a new version took over.
    pub fn swapped(&self) -> usize {
        self.swapped
    }

    /// Publishes versions of the table and the feature set in turn, each after the one before it is served.
    pub async fn swap_until(&mut self, world: &mut World, end: time::Instant, pause: Duration) {
        while time::Instant::now() < end {
            self.swaps.0.store(true, Ordering::Relaxed);
            if self.swapped.is_multiple_of(2) {
                let version = world.next_table();
                self.wait_until(|versions| versions.0 == version).await;
            } else {
                let version = world.next_spec();
                self.wait_until(|versions| versions.1 == version).await;
            }
            // The old version is given back meanwhile.
            time::sleep(pause / 4).await;
            self.swaps.0.store(false, Ordering::Relaxed);
            self.swapped += 1;
            time::sleep(pause).await;
        }
    }

    async fn wait_until(&mut self, is_served: impl Fn((u32, u32)) -> bool) {
        loop {
            let listed = self.admin.list_versions(ListVersionsRequest {}).await.expect("lists").into_inner();
            let table = listed.tables.iter().find(|table| table.name == "items").expect("the table");
            let spec = listed.feature_sets.iter().find(|of| of.name == "soak").expect("the feature set");
            let failed = spec.versions.iter().find(|version| version.state() == VersionState::Failed);
            assert!(failed.is_none(), "{failed:?}");
            if is_served((table.default_version, spec.default_version)) {
                return;
            }
            time::sleep(ASK).await;
        }
    }

    /// Counts users up, row by row, until the soak is over; how many rows were written.
    pub fn write_rows(&self, users: Arc<Users>) -> impl Future<Output = u64> + Send + use<> {
        let (mut tables, over) = (self.tables.clone(), self.over.clone());
        async move {
            let (messages, receiver) = mpsc::channel(4);
            let answers = tables.write(ReceiverStream::new(receiver)).await.expect("a stream");
            let mut answers = answers.into_inner();
            let (mut written, mut next) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                let ids: Vec<usize> = (next..next + ROWS).map(|id| id % USERS).collect();
                next += ROWS;
                let counters: Vec<u64> =
                    ids.iter().map(|&id| users.0[id].0.fetch_add(1, Ordering::SeqCst) + 1).collect();
                messages.send(upsert(&ids, &counters)).await.expect("the stream is open");
                let answer = answers.next().await.expect("an answer").expect("written");
                assert_eq!(answer.applied, ROWS as u64);
                ids.iter().zip(&counters).for_each(|(&id, &counter)| {
                    users.0[id].1.store(counter, Ordering::SeqCst);
                });
                written += answer.applied;
                time::sleep(WRITE_PAUSE).await;
            }
            written
        }
    }
}

fn upsert(ids: &[usize], counters: &[u64]) -> WriteRequest {
    let column =
        |name: &str, values| Column { name: name.to_owned(), values: Some(values), ..Column::default() };
    let lanes = counters.iter().flat_map(|&counter| std::iter::repeat_n(counter as f32, WIDTH));
    let columns = vec![
        column("id", Values::Int64s(Int64Values { values: ids.iter().map(|&id| id as i64).collect() })),
        column(
            "counter",
            Values::Doubles(DoubleValues { values: counters.iter().map(|&c| c as f64).collect() }),
        ),
        column("vector", Values::Floats(FloatValues { values: lanes.collect() })),
    ];
    let upsert = UpsertRequest { table: "users".to_owned(), columns, event_times: None };
    WriteRequest { write: Some(write_request::Write::Upsert(upsert)) }
}
