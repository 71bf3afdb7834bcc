//! Calls at a share of what the server holds, each answer held against the versions that it claims.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use quiver::proto::{
    Column, GetFeaturesRequest, GetFeaturesResponse, Int64Values, column::Values,
    feature_service_client::FeatureServiceClient,
};
use tokio::time;
use tonic::transport::Channel;

use super::{
    changes::{Swaps, Users},
    server::Server,
    world::{USERS, WIDTH, item_lane},
};

/// Candidates of a call.
const ITEMS: usize = 100;

/// Columns of the tensor: version, stamp, the item's vector, counter, the user's vector.
const COLUMNS: usize = 3 + 2 * WIDTH;

/// How long the server is saturated to learn what it holds.
const SATURATED: Duration = Duration::from_secs(2);

/// Examples that are kept of what went wrong.
const EXAMPLES: usize = 20;

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Latencies {
    pub p50: f64,
    pub p99: f64,
}

/// What the calls came to.
#[derive(Debug, Default)]
pub struct Reads {
    pub calls: usize,
    /// Calls a second.
    pub rate: f64,
    /// Of calls that failed: why, the first few.
    pub lost: Vec<String>,
    /// Of answers that no single world gives: what was in them, the first few.
    pub mixed: Vec<String>,
    pub between: Latencies,
    pub during: Latencies,
}

/// The callers.
#[derive(Clone)]
pub struct Load {
    client: FeatureServiceClient<Channel>,
    rows: usize,
    users: Arc<Users>,
    over: Arc<AtomicBool>,
    swaps: Arc<Swaps>,
    calls: Arc<AtomicUsize>,
    found: Arc<Mutex<Found>>,
}

#[derive(Debug)]
struct Found {
    lost: Vec<String>,
    mixed: Vec<String>,
    between: Histogram<u64>,
    during: Histogram<u64>,
}

impl Load {
    pub async fn connect(server: &Server, rows: usize, over: Arc<AtomicBool>, swaps: Arc<Swaps>) -> Self {
        let client = FeatureServiceClient::connect(server.listen.clone()).await.expect("connects");
        let histogram = || Histogram::new(3).expect("a histogram");
        let found = Found { lost: Vec::new(), mixed: Vec::new(), between: histogram(), during: histogram() };
        let (users, calls) = (Arc::new(Users::new()), Arc::default());
        Self { client, rows, users, over, swaps, calls, found: Arc::new(Mutex::new(found)) }
    }

    /// The users' counters.
    pub fn users(&self) -> Arc<Users> {
        self.users.clone()
    }

    /// Learns what the server holds, then calls at this share of it until the soak is over. A call's latency counts from
    /// the moment at which it was due.
    pub async fn run(self, share: f64) -> Reads {
        let rate = self.most_calls().await * share;
        let (start, mut calls) = (Instant::now(), 0_u32);
        let mut tasks = tokio::task::JoinSet::new();
        while !self.over.load(Ordering::Relaxed) {
            let due = start + Duration::from_secs_f64(f64::from(calls) / rate);
            time::sleep_until(due.into()).await;
            calls += 1;
            tasks.spawn(self.clone().measured(calls as usize, due));
            while tasks.try_join_next().is_some() {}
        }
        tasks.join_all().await;
        let found = self.found.lock().expect("no caller panicked");
        let of = |latencies: &Histogram<u64>| Latencies {
            p50: latencies.value_at_quantile(0.5) as f64,
            p99: latencies.value_at_quantile(0.99) as f64,
        };
        Reads {
            calls: calls as usize,
            rate,
            lost: found.lost.clone(),
            mixed: found.mixed.clone(),
            between: of(&found.between),
            during: of(&found.during),
        }
    }

    /// Calls a second with four at a time.
    async fn most_calls(&self) -> f64 {
        let end = Instant::now() + SATURATED;
        let callers = (0..4).map(|caller| {
            let load = self.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    if Instant::now() >= end {
                        return;
                    }
                    load.checked(caller * 1_000_003 + number).await;
                }
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.expect("a caller");
        }
        self.calls.swap(0, Ordering::Relaxed) as f64 / SATURATED.as_secs_f64()
    }

    async fn measured(self, number: usize, due: Instant) {
        let before = self.swaps.under_way();
        self.checked(number).await;
        let during = before || self.swaps.under_way();
        let mut found = self.found.lock().expect("no caller panicked");
        let latencies = if during { &mut found.during } else { &mut found.between };
        latencies.record(due.elapsed().as_micros() as u64).expect("a latency");
    }

    async fn checked(&self, number: usize) {
        let user = number * 7 % USERS;
        let items: Vec<usize> = (0..ITEMS).map(|item| (number * 7919 + item * 104_729) % self.rows).collect();
        let least = self.users.acknowledged(user);
        let called = self.client.clone().get_features(request(user, &items)).await;
        let most = self.users.sent(user);
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (lost, mixed) = match called {
            Err(status) => (Some(status.to_string()), None),
            Ok(answer) => (None, mixture(&answer.into_inner(), &items, (least, most))),
        };
        if lost.is_some() || mixed.is_some() {
            let mut found = self.found.lock().expect("no caller panicked");
            let (lost_room, mixed_room) = (EXAMPLES - found.lost.len(), EXAMPLES - found.mixed.len());
            found.lost.extend(lost.into_iter().take(lost_room));
            found.mixed.extend(mixed.into_iter().take(mixed_room));
        }
    }
}

fn request(user: usize, items: &[usize]) -> GetFeaturesRequest {
    let column = |name: &str, values: Vec<i64>| Column {
        name: name.to_owned(),
        values: Some(Values::Int64s(Int64Values { values })),
        ..Column::default()
    };
    GetFeaturesRequest {
        feature_set: "soak".to_owned(),
        columns: vec![
            column("user", vec![user as i64]),
            column("item", items.iter().map(|&item| item as i64).collect()),
        ],
        ..GetFeaturesRequest::default()
    }
}

/// What is wrong with an answer: it must be of one version of the feature set, which it names, of one version of the items'
/// table, and of one write of the user's row, no older than the last that was acknowledged before the call.
fn mixture(answer: &GetFeaturesResponse, items: &[usize], (least, most): (u64, u64)) -> Option<String> {
    let (values, _) = answer.outputs[0].data.as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let stamp = values[1];
    for (row, &item) in values.chunks_exact(COLUMNS).zip(items) {
        let (vector, user) = (&row[2..2 + WIDTH], &row[3 + WIDTH..]);
        let counter = row[2 + WIDTH];
        let of_item = (0..WIDTH).all(|lane| vector[lane] == item_lane(stamp as usize, item, lane));
        let of_user = user.iter().all(|&lane| lane == counter);
        let is_one = row[0] == answer.version as f32 && row[1] == stamp && of_item && of_user;
        let is_new = (least..=most).contains(&(counter as u64));
        if !is_one || !is_new {
            return Some(format!(
                "version {}, counters {least} to {most}, item {item}: {row:?}",
                answer.version
            ));
        }
    }
    None
}
