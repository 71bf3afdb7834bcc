//! Quiver over gRPC against a bare tonic service that answers as many bytes from memory.
//!
//! Both stand on the same accept loop with the same HTTP/2 settings, are given the same requests and are measured in
//! turns. The servers' thread keeps to one core, the load's to another. The bare service passes over the request's
//! fields, clones a `Bytes` and encodes into a buffer of the right size.

mod support;

use std::{
    convert::Infallible,
    fs,
    future::{Future, pending},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use h2::client::{self, SendRequest};
use hdrhistogram::Histogram;
use http::Request;
use hyper::body::Incoming;
use prost::Message as _;
use quiver::{
    live::Live,
    metrics::Metrics,
    rpc::{
        call::Calls,
        pool::Pool,
        server::{ServerSettings, serve_connections},
        service::Service,
    },
    serve::outcome::Limits,
    snapshot::Snapshot,
};
use serde_json::{Value, json};
use support::{Effort, Report, SHAPES, demo_snapshot, median, pin, requests};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::watch,
};
use tonic::{
    Response, Status,
    codec::{BufferSettings, Codec},
    server::{Grpc, UnaryService},
};
use tonic_prost::{ProstDecoder, ProstEncoder};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SETTINGS: ServerSettings =
    ServerSettings { connections: 1000, concurrent_streams: 1024, drain_timeout: Duration::from_secs(1) };

/// Connections and calls at a time on each.
const LOADS: [(&str, usize, usize); 2] = [("one call at a time", 1, 1), ("saturated", 4, 4)];

/// The load's windows and frames: those that README recommends to clients.
const WINDOW: u32 = 16 << 20;
const FRAME: u32 = 1 << 20;

fn main() {
    let effort = Effort::from_arguments();
    let snapshot = demo_snapshot();
    let mut report = Report::begin("wire");
    println!(
        "{:<10} {:<20} {:>10} {:>10} {:>7} {:>9} {:>9} {:>9} {:>9} {:>10} {:>10}",
        "shape",
        "load",
        "quiver/s",
        "bare/s",
        "ratio",
        "p50 us",
        "bare p50",
        "p99 us",
        "bare p99",
        "cpu us",
        "bare cpu"
    );
    for (rows, feature_set, width) in SHAPES {
        let messages: Arc<[Bytes]> = requests(&snapshot, feature_set, rows)
            .iter()
            .map(|request| framed(&request.encode_to_vec()))
            .collect();
        let bytes = rows * width * 4;
        let quiver = Running::start({
            let snapshot = snapshot.clone();
            move |listener| serve_quiver(listener, snapshot)
        });
        let bare = Running::start(move |listener| serve_bare(listener, bytes));
        for (load, connections, streams) in LOADS {
            let [quiver, bare, ratio] = measure(effort, &quiver, &bare, &messages, connections, streams);
            print_line(&format!("{rows}x{width}"), load, &quiver, &bare, ratio);
            let case = format!("{rows}x{width}, {load}");
            report.add(&case, json!({"quiver": quiver.json(), "bare": bare.json(), "ratio": ratio.calls}));
        }
    }
}

fn print_line(shape: &str, load: &str, quiver: &Figures, bare: &Figures, ratio: Figures) {
    println!(
        "{shape:<10} {load:<20} {:>10.0} {:>10.0} {:>7.2} {:>9.0} {:>9.0} {:>9.0} {:>9.0} {:>10.1} {:>10.1}",
        quiver.calls,
        bare.calls,
        ratio.calls,
        quiver.p50,
        bare.p50,
        quiver.p99,
        bare.p99,
        quiver.cpu,
        bare.cpu
    );
}

/// One side's figures: calls in a second, microseconds of a call, microseconds of the server's core for a call.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    calls: f64,
    p50: f64,
    p99: f64,
    cpu: f64,
}

impl Figures {
    fn json(&self) -> Value {
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

/// Alternates both sides; the ratio is the middle of the rounds' ratios.
fn measure(
    effort: Effort,
    quiver: &Running,
    bare: &Running,
    messages: &Arc<[Bytes]>,
    connections: usize,
    streams: usize,
) -> [Figures; 3] {
    let (mut quivers, mut bares, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    load(quiver, messages, connections, streams, effort.time / 4);
    load(bare, messages, connections, streams, effort.time / 4);
    for _ in 0..effort.rounds {
        let one = load(quiver, messages, connections, streams, effort.time);
        let other = load(bare, messages, connections, streams, effort.time);
        ratios.push(one.over(&other));
        quivers.push(one);
        bares.push(other);
    }
    [Figures::medians(&quivers), Figures::medians(&bares), Figures::medians(&ratios)]
}

/// A server on a thread of its own, on the first core.
struct Running {
    address: SocketAddr,
    /// Where the system tells the thread's time on its core.
    schedule: String,
}

impl Running {
    fn start<F, S>(serve: F) -> Self
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
                let schedule = format!("/proc/{}/schedstat", thread.display());
                send.send((listener.local_addr().expect("bound"), schedule)).expect("somebody waits");
                serve(listener).await;
            });
        });
        let (address, schedule) = started.recv().expect("starts");
        Self { address, schedule }
    }

    /// The thread's time on its core, so far.
    fn cpu(&self) -> Duration {
        let text = fs::read_to_string(&self.schedule).unwrap_or_default();
        Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default())
    }
}

async fn serve_quiver(listener: TcpListener, snapshot: Arc<Snapshot>) {
    let live = Live::new();
    let metrics = Arc::new(Metrics::new());
    let loaded = quiver::loading::Loaded { rows: 0, bytes: 0, took: Duration::ZERO };
    metrics.published(&snapshot, loaded);
    live.publish(snapshot);
    let limits = Limits { rows: 10_000, answer_bytes: 64 << 20 };
    let calls = Calls { live, limits, pool: Pool::new(256 << 20), metrics };
    let (_draining, is_draining) = watch::channel(false);
    let health = tonic_health::server::HealthReporter::new();
    let service = Service::new(calls, 16 << 20, is_draining, health).expect("descriptors");
    serve_connections(listener, service, SETTINGS, pending()).await;
}

/// The bare service's request: every field is passed over.
#[derive(Clone, PartialEq, prost::Message)]
struct Ignored {}

/// The bare service's answer.
#[derive(Clone, PartialEq, prost::Message)]
struct Bare {
    #[prost(bytes = "bytes", tag = "1")]
    data: Bytes,
}

/// tonic's own codec, with room for the whole answer from the start.
struct BareCodec {
    room: usize,
}

impl Codec for BareCodec {
    type Encode = Bare;
    type Decode = Ignored;
    type Encoder = ProstEncoder<Bare>;
    type Decoder = ProstDecoder<Ignored>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::new(self.room, self.room))
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::new(BufferSettings::default())
    }
}

#[derive(Clone)]
struct BareService {
    data: Bytes,
}

impl UnaryService<Ignored> for BareService {
    type Response = Bare;
    type Future = std::future::Ready<Result<Response<Bare>, Status>>;

    fn call(&mut self, _request: tonic::Request<Ignored>) -> Self::Future {
        std::future::ready(Ok(Response::new(Bare { data: self.data.clone() })))
    }
}

impl hyper::service::Service<Request<Incoming>> for BareService {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let codec = BareCodec { room: service.data.len() + 64 };
            Ok(Grpc::new(codec).unary(service, request).await)
        })
    }
}

async fn serve_bare(listener: TcpListener, bytes: usize) {
    let service = BareService { data: vec![7; bytes].into() };
    serve_connections(listener, service, SETTINGS, pending()).await;
}

fn framed(message: &[u8]) -> Bytes {
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
    let (address, messages) = (server.address, messages.clone());
    let before = server.cpu();
    let loaded = thread::spawn(move || {
        pin(1);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(call_all(address, messages, connections, streams, time))
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

/// Calls until the time is over; the latencies are nanoseconds.
async fn call_all(
    address: SocketAddr,
    messages: Arc<[Bytes]>,
    connections: usize,
    streams: usize,
    time: Duration,
) -> (Histogram<u64>, Duration) {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(connect(address).await);
    }
    let start = Instant::now();
    let mut callers = Vec::new();
    for (number, client) in (0..connections * streams).zip(clients.iter().cycle()) {
        callers.push(tokio::spawn(call_in_turn(
            client.clone(),
            address,
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
    address: SocketAddr,
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
        call(client.clone(), address, messages[position % messages.len()].clone()).await;
        latencies.record(start.elapsed().as_nanos() as u64).expect("a latency");
    }
    latencies
}

async fn call(client: SendRequest<Bytes>, address: SocketAddr, message: Bytes) {
    let request = Request::post(format!("http://{address}/quiver.v1.FeatureService/GetFeatures"))
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
