//! The admin port: metrics, whether the process lives and is ready, and the admin service, over HTTP/1 and HTTP/2 alike.

use std::{future::Future, io, sync::Arc};

use axum::{Router, http::StatusCode, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    live::Live,
    metrics::Metrics,
    proto::{self, admin_service_server::AdminServiceServer},
};

mod policies;
mod service;
mod versions;

pub use service::{Reloads, Service};

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The services that reflection shows here.
const SERVICES: [&str; 1] = ["quiver.v1.AdminService"];

/// What the port shows and changes.
#[derive(Debug)]
pub struct Admin {
    pub metrics: Arc<Metrics>,
    pub live: Live,
    pub service: Service,
    /// Turns true when the server is about to end.
    pub draining: watch::Receiver<bool>,
}

/// Serves until `end` is ready.
pub async fn serve(
    listener: TcpListener,
    admin: Admin,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let Admin { metrics, live, service, draining } = admin;
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS);
        SERVICES.into_iter().fold(builder, |builder, name| builder.with_service_name(name))
    };
    let router = Router::new()
        .route("/metrics", get(async move || ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.render())))
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(async move || readiness(&live, *draining.borrow()).into_response()))
        .route_service("/quiver.v1.AdminService/{method}", AdminServiceServer::new(service))
        .route_service(
            "/grpc.reflection.v1.ServerReflection/{method}",
            reflection().build_v1().map_err(io::Error::other)?,
        )
        .route_service(
            "/grpc.reflection.v1alpha.ServerReflection/{method}",
            reflection().build_v1alpha().map_err(io::Error::other)?,
        );
    axum::serve(listener, router).with_graceful_shutdown(end).await
}

fn readiness(live: &Live, draining: bool) -> (StatusCode, &'static str) {
    match (live.current(), draining) {
        (_, true) => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        (None, false) => (StatusCode::SERVICE_UNAVAILABLE, "loading\n"),
        (Some(_), false) => (StatusCode::OK, "ready\n"),
    }
}
