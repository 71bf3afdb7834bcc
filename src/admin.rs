//! The admin port: metrics, and whether the process lives and is ready.

use std::{future::Future, io, sync::Arc};

use axum::{Router, http::StatusCode, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use tokio::{net::TcpListener, sync::watch};

use crate::{live::Live, metrics::Metrics};

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Serves until `end` is ready.
pub async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    live: Live,
    draining: watch::Receiver<bool>,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(async move || ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.render())))
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(async move || readiness(&live, *draining.borrow()).into_response()));
    axum::serve(listener, router).with_graceful_shutdown(end).await
}

fn readiness(live: &Live, draining: bool) -> (StatusCode, &'static str) {
    match (live.current(), draining) {
        (_, true) => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        (None, false) => (StatusCode::SERVICE_UNAVAILABLE, "loading\n"),
        (Some(_), false) => (StatusCode::OK, "ready\n"),
    }
}
