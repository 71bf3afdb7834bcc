//! Quiver over gRPC against a bare tonic service that answers as many bytes from memory.
//!
//! Both stand on the same accept loop with the same HTTP/2 settings, are given the same requests and are measured in
//! turns. The servers' thread keeps to one core, the load's to another. The bare service passes over the request's
//! fields, clones a `Bytes` and encodes into a buffer of the right size.

mod support;

use std::{
    convert::Infallible,
    future::{Future, pending},
    pin::Pin,
    sync::Arc,
};

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;
use prost::Message as _;
use quiver::rpc::server::serve_connections;
use serde_json::json;
use support::{
    Effort, Report, SHAPES, demo_snapshot,
    load::{Figures, LOADS, Running, SETTINGS, Side, framed, measure, serve_quiver},
    requests,
};
use tokio::net::TcpListener;
use tonic::{
    Response, Status,
    codec::{BufferSettings, Codec},
    server::{Grpc, UnaryService},
};
use tonic_prost::{ProstDecoder, ProstEncoder};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
            let sides = [&quiver, &bare].map(|server| Side { server, messages: messages.clone() });
            let ([quiver, bare], [ratio, _]) = measure(effort, &sides, connections, streams);
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
