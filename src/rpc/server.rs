//! The accept loop: connections with Nagle's delay off, bounded in number, ended gracefully.
//!
//! It serves any HTTP/2 service; the benches run a bare one on it, under the same settings.

use std::{convert::Infallible, error::Error, future::Future, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::{body::Incoming, server::conn::http2};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time,
};

/// How connections are served.
#[derive(Debug, Clone, Copy)]
pub struct ServerSettings {
    /// Connections at one time; more wait in the system's queue.
    pub connections: usize,
    /// Calls at one time on one connection.
    pub concurrent_streams: u32,
    /// How long accepted calls may take to end once serving ends.
    pub drain_timeout: Duration,
}

/// How the drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every accepted call was answered.
    Complete,
    /// Some were cut off by the timeout.
    TimedOut,
}

/// Resets of streams that a client may cause before its connection is closed: a thousand cancelled calls are a busy
/// caller, many thousands an attack.
const LOCAL_RESETS: usize = 1024;

/// How long to wait after a failed accept: without free file descriptors the next one fails too.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Time between pings of a silent connection, and for its answer.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Answer bytes that wait for one stream's window at a time.
const SEND_BUFFER: usize = 1 << 20;

/// The largest frame that clients may send: a request that is one frame is read where it lies and never copied.
const FRAME: u32 = 1 << 20;

/// The most bytes of a request's headers.
const HEADER_BYTES: u32 = 16 * 1024;

/// Serves connections until `shutdown` is ready, then accepts no more and waits for the accepted calls.
pub async fn serve_connections<S, B>(
    listener: TcpListener,
    service: S,
    settings: ServerSettings,
    shutdown: impl Future<Output = ()>,
) -> Drained
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let builder = builder(settings);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(settings.connections));
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut shutdown => break,
        };
        let Some((stream, place)) = accepted else { continue };
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service.clone()));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    match time::timeout(settings.drain_timeout, graceful.shutdown()).await {
        Ok(()) => Drained::Complete,
        Err(_) => Drained::TimedOut,
    }
}

fn builder(settings: ServerSettings) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.concurrent_streams)
        .max_local_error_reset_streams(LOCAL_RESETS)
        .max_header_list_size(HEADER_BYTES)
        .max_send_buf_size(SEND_BUFFER)
        .max_frame_size(FRAME)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .auto_date_header(false);
    builder
}

/// Waits for a place and a connection.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await.and_then(|(stream, _)| without_delay(stream)) {
        Ok(stream) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "can't accept a connection");
            time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Turns Nagle's algorithm off: with it the last segment of an answer waits for the client's acknowledgement of the
/// one before, which clients delay by 40 ms.
fn without_delay(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_sockets_have_no_delay() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("bound");
        let places = Arc::new(Semaphore::new(1));
        let (client, accepted) = tokio::join!(TcpStream::connect(address), accept(&listener, &places));
        assert!(client.is_ok());
        let (stream, _place) = accepted.expect("accepted");
        assert!(stream.nodelay().expect("an option of the socket"));
    }
}
