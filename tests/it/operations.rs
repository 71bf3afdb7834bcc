//! Health, reflection, metrics and readiness.

use std::net::SocketAddr;

use quiver::{app::Server, config::Repository, proto::StatusDetail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::transport::Channel;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    raw::{Raw, framed},
    setup::{connect, demo_folder, request, serve_demo, start_with},
};

async fn channel(server: &Server) -> Channel {
    Channel::from_shared(format!("http://{}", server.listen))
        .expect("an address")
        .connect()
        .await
        .expect("connects")
}

async fn health(server: &Server, service: &str) -> ServingStatus {
    let asked = HealthCheckRequest { service: service.to_owned() };
    HealthClient::new(channel(server).await).check(asked).await.expect("an answer").into_inner().status()
}

/// A page of the admin port: status line and body.
pub async fn page(admin: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(admin).await.expect("connects");
    let request = format!("GET {path} HTTP/1.1\r\nhost: quiver\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sends");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("reads");
    let (head, body) = text.split_once("\r\n\r\n").expect("a response");
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

#[tokio::test]
async fn health_and_readiness_follow_the_snapshot() {
    let server = start_with(&[]).await;
    for service in ["", "quiver.v1.FeatureService"] {
        assert_eq!(health(&server, service).await, ServingStatus::NotServing);
    }
    assert_eq!(page(server.admin, "/livez").await.0, "HTTP/1.1 200 OK");
    assert_eq!(page(server.admin, "/readyz").await.0, "HTTP/1.1 503 Service Unavailable");
    server.load(&Repository::Folder(demo_folder().to_owned())).await.expect("loads");
    for service in ["", "quiver.v1.FeatureService"] {
        assert_eq!(health(&server, service).await, ServingStatus::Serving);
    }
    assert_eq!(page(server.admin, "/readyz").await.0, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn both_reflections_tell_the_services() {
    let server = serve_demo().await;
    let v1 = {
        use tonic_reflection::pb::v1::{
            ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
            server_reflection_request::MessageRequest,
        };
        let asked = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::FileContainingSymbol("quiver.v1.FeatureService".into())),
        };
        let mut client = ServerReflectionClient::new(channel(&server).await);
        let mut answers =
            client.server_reflection_info(tokio_stream::iter([asked])).await.expect("a stream").into_inner();
        format!("{:?}", answers.message().await.expect("an answer"))
    };
    assert!(v1.contains("FileDescriptorResponse"), "{v1}");
    let v1alpha = {
        use tonic_reflection::pb::v1alpha::{
            ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
            server_reflection_request::MessageRequest,
        };
        let asked = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let mut client = ServerReflectionClient::new(channel(&server).await);
        let mut answers =
            client.server_reflection_info(tokio_stream::iter([asked])).await.expect("a stream").into_inner();
        format!("{:?}", answers.message().await.expect("an answer"))
    };
    assert!(
        v1alpha.contains("quiver.v1.FeatureService") && v1alpha.contains("grpc.health.v1.Health"),
        "{v1alpha}"
    );
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let server = serve_demo().await;
    let mut client = connect(&server).await;
    client.get_features(request(StatusDetail::Off)).await.expect("an answer");
    let mut bad = request(StatusDetail::Off);
    bad.columns.clear();
    client.get_features(bad).await.expect_err("rejected");
    Raw::connect(&server).await.call("/made.up/Method", &[], framed(&[])).await;
    let (_, metrics) = page(server.admin, "/metrics").await;
    let lines = [
        r#"grpc_server_started_total{grpc_type="unary",grpc_service="quiver.v1.FeatureService",grpc_method="GetFeatures"} 2"#,
        r#"grpc_method="GetFeatures",grpc_code="OK"} 1"#,
        r#"grpc_method="GetFeatures",grpc_code="InvalidArgument"} 1"#,
        r#"grpc_service="other",grpc_method="other",grpc_code="Unimplemented"} 1"#,
        r#"grpc_method="GetFeatures",le="0.00005"}"#,
        r#"quiver_rows_total{feature_set="ads_small",version="1"} 3"#,
        r#"quiver_values_total{feature_set="ads_small",version="1"} 300"#,
        r#"lookup="ad",table="ads"} 1"#,
        r#"output="dense",feature="bid",status="null"} 1"#,
        r#"quiver_feature_set_version{feature_set="ads_small"} 1"#,
        "quiver_snapshot_load_seconds ",
        r#"quiver_table_rows{table="ads"}"#,
        r#"quiver_table_bytes{table="users"}"#,
    ];
    for line in lines {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(!metrics.contains("made.up"));
}
