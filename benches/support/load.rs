//! Servers on one core and a load generator on the other.

use std::{
    fs,
    future::{Future, pending},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use h2::client::{self, SendRequest};
use hdrhistogram::Histogram;
use http::Request;
use quiver::{
    budget::Budget,
    live::Live,
    metrics::Metrics,
    rpc::{
        call::Calls,
        pool::Pool,
        server::{ServerSettings, serve_connections},
        service::Service,
        shadow::Shadows,
    },
    snapshot::Snapshot,
    writes::{Settings, Writers},
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::watch,
};

use super::{Effort, LIMITS, median, pin};

/// As the binary has them, but for the drain.
pub const SETTINGS: ServerSettings =
    ServerSettings { connections: 1000, concurrent_streams: 1024, drain_timeout: Duration::from_secs(1) };

/// Connections and calls at a time on each.
pub const LOADS: [(&str, usize, usize); 2] = [("one call at a time", 1, 1), ("saturated", 4, 4)];

/// The load's windows and frames: those that README recommends to clients.
const WINDOW: u32 = 16 << 20;
const FRAME: u32 = 1 << 20;

/// One side's figures: calls in a second, microseconds of a call, microseconds of the server's core for a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    pub calls: f64,
    pub p50: f64,
    pub p99: f64,
    pub cpu: f64,
}

impl Figures {
    pub fn json(&self) -> Value {
        json!({"calls_per_second": self.calls, "p50_us": self.p50, "p99_us": self.p99, "server_cpu_us": self.cpu})
    }

    fn medians(all: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(all.iter().map(figure).collect());
        Self { calls: of(|f| f.calls), p50: of(|f| f.p50), p99: of(|f| f.p99), cpu: of(|f| f.cpu) }
    }

    fn over(&self, other: &Self) -> Self {
        Self {
            calls: self.calls / other.calls,
            p50: self.p50 / other.p50,
            p99: self.p99 / other.p99,
            cpu: self.cpu / other.cpu,
        }
    }
}

/// A server and the calls that it is given.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    pub server: &'a Running,
    pub messages: Arc<[Bytes]>,
}

/// Alternates all sides; returns each one's figures, and the median ratios to the last side.
pub fn measure<const N: usize>(
    effort: Effort,
    sides: &[Side<'_>; N],
    connections: usize,
    streams: usize,
) -> ([Figures; N], [Figures; N]) {
    let run = |side: &Side<'_>, time| load(side.server, &side.messages, connections, streams, time);
    for side in sides {
        run(side, effort.time / 4);
    }
    let rounds: Vec<[Figures; N]> =
        (0..effort.rounds).map(|_| sides.each_ref().map(|side| run(side, effort.time))).collect();
    let of = |figures: &dyn Fn(&[Figures; N]) -> Figures| {
        Figures::medians(&rounds.iter().map(figures).collect::<Vec<_>>())
    };
    let all = std::array::from_fn(|side| of(&|round| round[side]));
    (all, std::array::from_fn(|side| of(&|round| round[side].over(&round[N - 1]))))
}

/// A server on the first core.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    /// Where calls go.
    path: &'static str,
    /// Where the system reports the time of the server's thread on its core, or of all of its process's threads.
    schedules: PathBuf,
}

impl Running {
    /// Starts one on a thread of its own.
    pub fn start<F, S>(serve: F) -> Self
    where
        F: FnOnce(TcpListener) -> S + Send + 'static,
        S: Future<Output = ()>,
    {
        let (send, started) = mpsc::channel();
        thread::spawn(move || {
            pin(0);
            let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
                let thread = fs::read_link("/proc/thread-self").expect("a thread");
                let address = listener.local_addr().expect("bound");
                send.send((address, Path::new("/proc").join(thread))).expect("somebody waits");
                serve(listener).await;
            });
        });
        let (address, schedules) = started.recv().expect("starts");
        Self { address, path: "/quiver.v1.FeatureService/GetFeatures", schedules }
    }

    /// One that was started as a process of its own.
    pub fn beside(address: SocketAddr, path: &'static str, process: u32) -> Self {
        Self { address, path, schedules: format!("/proc/{process}/task").into() }
    }

    /// The same server, called at another path.
    pub fn at(&self, path: &'static str) -> Self {
        Self { path, schedules: self.schedules.clone(), ..*self }
    }

    /// The server's time on its core, so far.
    fn cpu(&self) -> Duration {
        let of_thread = |folder: &Path| {
            let text = fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
        };
        let threads = fs::read_dir(&self.schedules).into_iter().flatten().flatten();
        let nanos = match self.schedules.ends_with("task") {
            true => threads.map(|thread| of_thread(&thread.path())).sum(),
            false => of_thread(&self.schedules),
        };
        Duration::from_nanos(nanos)
    }
}

/// Quiver as the binary serves it.
pub async fn serve_quiver(listener: TcpListener, snapshot: Arc<Snapshot>) {
    serve_journaling(listener, snapshot, None).await;
}

/// The same with a journal of written rows.
pub async fn serve_journaling(listener: TcpListener, snapshot: Arc<Snapshot>, journal: Option<PathBuf>) {
    let live = Live::new();
    let metrics = Arc::new(Metrics::new());
    let most_ahead = Duration::from_secs(300);
    let settings = Settings { journal, most_ahead, budget: Budget::default() };
    let writers = Writers::new(live.clone(), settings);
    let versions = snapshot.feature_sets().map(|(name, versions)| (name.to_owned(), versions.clone()));
    let (versions, _) = writers.carry(None, versions.collect());
    let snapshot = Snapshot::new(versions.into_values().flat_map(std::collections::BTreeMap::into_values));
    metrics.published(&snapshot);
    live.publish(Arc::new(snapshot));
    let shadows = Shadows::start(LIMITS, metrics.clone()).expect("starts a thread");
    let calls = Calls { live, limits: LIMITS, pool: Pool::new(256 << 20), metrics, shadows };
    let (_draining, is_draining) = watch::channel(false);
    let health = tonic_health::server::HealthReporter::new();
    let service = Service::new(calls, writers, 16 << 20, is_draining, health).expect("descriptors");
    serve_connections(listener, service, SETTINGS, pending()).await;
}

/// A message as gRPC sends it.
pub fn framed(message: &[u8]) -> Bytes {
    let mut framed = vec![0];
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(message);
    framed.into()
}

/// Loads a server from a thread on the second core.
fn load(
    server: &Running,
    messages: &Arc<[Bytes]>,
    connections: usize,
    streams: usize,
    time: Duration,
) -> Figures {
    let (to, messages) = ((server.address, server.path), messages.clone());
    let before = server.cpu();
    let loaded = thread::spawn(move || {
        pin(1);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(call_all(to, messages, connections, streams, time))
    });
    let (latencies, took) = loaded.join().expect("the load runs");
    let calls = latencies.len() as f64;
    Figures {
        calls: calls / took.as_secs_f64(),
        p50: latencies.value_at_quantile(0.5) as f64 / 1000.0,
        p99: latencies.value_at_quantile(0.99) as f64 / 1000.0,
        cpu: (server.cpu() - before).as_secs_f64() * 1e6 / calls,
    }
}

/// Measures one call at a time alone and beside `rate` calls a second of another side; returns both, and the median ratio
/// of their p99.
pub fn measure_beside(
    effort: Effort,
    side: &Side<'_>,
    other: &Side<'_>,
    rate: usize,
) -> (Figures, Figures, f64) {
    let run = |side: &Side<'_>| load(side.server, &side.messages, 1, 1, effort.time);
    run(side);
    let mut rounds = Vec::new();
    for _ in 0..effort.rounds {
        let alone = run(side);
        let (to, messages) = ((other.server.address, other.server.path), other.messages.clone());
        let time = effort.time + Duration::from_millis(20);
        let others = thread::spawn(move || {
            pin(1);
            let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(call_at_a_rate(to, messages, rate, time));
        });
        let beside = run(side);
        others.join().expect("the other load runs");
        rounds.push((alone, beside, beside.p99 / alone.p99));
    }
    let of = |figures: fn(&(Figures, Figures, f64)) -> Figures| {
        Figures::medians(&rounds.iter().map(figures).collect::<Vec<_>>())
    };
    (of(|round| round.0), of(|round| round.1), median(rounds.iter().map(|round| round.2).collect()))
}

/// Begins a call whenever its time has come, whatever those before are doing.
async fn call_at_a_rate(to: (SocketAddr, &'static str), messages: Arc<[Bytes]>, rate: usize, time: Duration) {
    let client = connect(to.0).await;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate as u32);
    let (start, mut calls) = (Instant::now(), Vec::new());
    for position in 0.. {
        ticks.tick().await;
        if start.elapsed() >= time {
            break;
        }
        calls.push(tokio::spawn(call(client.clone(), to, messages[position % messages.len()].clone())));
    }
    for call in calls {
        call.await.expect("an answer");
    }
}

/// Calls until the time is over; the latencies are nanoseconds.
async fn call_all(
    to: (SocketAddr, &'static str),
    messages: Arc<[Bytes]>,
    connections: usize,
    streams: usize,
    time: Duration,
) -> (Histogram<u64>, Duration) {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(connect(to.0).await);
    }
    let start = Instant::now();
    let mut callers = Vec::new();
    for (number, client) in (0..connections * streams).zip(clients.iter().cycle()) {
        callers.push(tokio::spawn(call_in_turn(
            client.clone(),
            to,
            messages.clone(),
            number * 13,
            start + time,
        )));
    }
    let mut all = Histogram::new(3).expect("a histogram");
    for caller in callers {
        all += caller.await.expect("a caller");
    }
    (all, start.elapsed())
}

async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.expect("connects");
    stream.set_nodelay(true).expect("an option of the socket");
    let (client, connection) = client::Builder::new()
        .initial_window_size(WINDOW)
        .initial_connection_window_size(2 * WINDOW)
        .max_frame_size(FRAME)
        .handshake(stream)
        .await
        .expect("speaks HTTP/2");
    tokio::spawn(connection);
    client
}

async fn call_in_turn(
    client: SendRequest<Bytes>,
    to: (SocketAddr, &'static str),
    messages: Arc<[Bytes]>,
    first: usize,
    end: Instant,
) -> Histogram<u64> {
    let mut latencies = Histogram::new(3).expect("a histogram");
    for position in first.. {
        let start = Instant::now();
        if start >= end {
            break;
        }
        call(client.clone(), to, messages[position % messages.len()].clone()).await;
        latencies.record(start.elapsed().as_nanos() as u64).expect("a latency");
    }
    latencies
}

async fn call(client: SendRequest<Bytes>, (address, path): (SocketAddr, &str), message: Bytes) {
    let request = Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .expect("a request");
    let (response, mut body) =
        client.ready().await.expect("takes calls").send_request(request, false).expect("sends");
    body.send_data(message, true).expect("sends");
    let mut answer = response.await.expect("an answer").into_body();
    while let Some(data) = answer.data().await {
        let length = data.expect("data").len();
        answer.flow_control().release_capacity(length).expect("a window");
    }
    let trailers = answer.trailers().await.expect("an end").expect("trailers");
    assert_eq!(trailers["grpc-status"], "0");
}
