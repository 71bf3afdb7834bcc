//! Draining: no call that was accepted is lost.

use bytes::Bytes;
use prost::Message as _;
use quiver::{app::Server, proto::StatusDetail, rpc::server::Drained};
use tonic::Code;

use crate::{
    raw::{Open, Raw, ended, framed},
    setup::{connect, request, serve, serve_demo},
};

const GET_FEATURES: &str = "/quiver.v1.FeatureService/GetFeatures";

fn message() -> Bytes {
    framed(&request(StatusDetail::Rows).encode_to_vec())
}

/// Calls whose messages are half sent, accepted for sure: a call after them on the same connection was answered.
async fn half_sent(server: &Server, calls: usize) -> (Raw, Vec<Open>) {
    let mut raw = Raw::connect(server).await;
    let mut open = Vec::new();
    for _ in 0..calls {
        let mut call = raw.open(GET_FEATURES, &[]).await;
        call.body.send_data(message().slice(..20), false).expect("sends");
        open.push(call);
    }
    assert_eq!(raw.call(GET_FEATURES, &[], message()).await.code(), Code::Ok as i32);
    (raw, open)
}

#[tokio::test]
async fn accepted_calls_are_answered_while_the_server_drains() {
    let server = serve_demo().await;
    let (raw, open) = half_sent(&server, 50).await;
    let address = server.listen;
    let drained = tokio::spawn(server.drain());
    // Once a new connection is refused, the drain has begun.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!drained.is_finished(), "the drain waits for accepted calls");
    for mut call in open {
        call.body.send_data(message().slice(20..), true).expect("the stream is still open");
        let ended = ended(call.response).await;
        assert_eq!(ended.code(), Code::Ok as i32);
        assert!(!ended.data.is_empty());
    }
    drop(raw);
    assert_eq!(drained.await.expect("ends"), Drained::Complete);
}

#[tokio::test]
async fn under_load_every_call_is_answered_or_refused_whole() {
    let server = serve_demo().await;
    let mut callers = Vec::new();
    let (first, mut answered) = tokio::sync::mpsc::channel(8);
    for _ in 0..8 {
        let (mut client, first) = (connect(&server).await, first.clone());
        callers.push(tokio::spawn(async move {
            let mut served = 0_usize;
            loop {
                match client.get_features(request(StatusDetail::Rows)).await {
                    Ok(answer) => {
                        assert_eq!(answer.into_inner().outputs[0].data.len(), 1200);
                        served += 1;
                        if served == 1 {
                            first.send(()).await.expect("the test waits");
                        }
                    }
                    Err(status) => return (served, status),
                }
            }
        }));
    }
    for _ in 0..8 {
        answered.recv().await.expect("every caller was answered once");
    }
    assert_eq!(server.drain().await, Drained::Complete);
    for caller in callers {
        let (served, status) = caller.await.expect("no caller fails");
        assert!(served > 0);
        // The connection is gone and a new one is refused: nothing was accepted and then dropped.
        assert!(matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled), "{status}");
    }
}

#[tokio::test]
async fn a_drain_ends_by_its_timeout() {
    let server = serve(crate::setup::demo_folder(), &[("drain-timeout", "50ms")]).await;
    let (_raw, open) = half_sent(&server, 1).await;
    assert_eq!(server.drain().await, Drained::TimedOut);
    drop(open);
}

#[tokio::test]
async fn an_open_stream_is_told_to_call_again() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    let (send, requests) = tokio::sync::mpsc::channel(1);
    send.send(request(StatusDetail::Off)).await.expect("sends");
    let stream = tokio_stream::wrappers::ReceiverStream::new(requests);
    let mut answers = client.stream_features(stream).await.expect("a stream").into_inner();
    assert!(answers.message().await.expect("an answer").is_some());
    let drained = tokio::spawn(server.drain());
    let status = answers.message().await.expect_err("the stream ends");
    assert_eq!(status.code(), Code::Unavailable);
    drop((send, answers, client));
    assert_eq!(drained.await.expect("ends"), Drained::Complete);
}
