//! Every method by its path: GetFeatures and StreamFeatures on bodies of their own, health and reflection by tonic.

use std::{
    any::Any,
    convert::Infallible,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body::Frame;
use hyper::body::Incoming;
use prost::Message;
use tokio::{
    sync::{mpsc, watch},
    time,
};
use tonic::{Code, Status};
use tonic_health::server::HealthReporter;
use tower::util::BoxCloneSyncService;
use tower_service::Service as _;

use super::{
    body::{Answer, ok_trailers},
    call::Calls,
    describe,
    message::Messages,
    response::framed,
    status, tables,
    timeout::deadline,
};
use crate::{
    metrics::{Method, Observed},
    problem::quoted,
    proto,
    serve::outcome::Refusal,
    writes::{Waiting, Writers},
};

/// Answers of one stream that wait for the client.
const STREAM_AHEAD: usize = 2;

/// Writes of one stream that are on their way.
const WRITES_AHEAD: usize = 64;

type TonicService = BoxCloneSyncService<Request<Incoming>, Response<tonic::body::Body>, Infallible>;

/// The gRPC service; clones share everything.
#[derive(Clone)]
pub struct Service(Arc<Shared>);

struct Shared {
    calls: Calls,
    writers: Writers,
    request_bytes: usize,
    draining: watch::Receiver<bool>,
    health: TonicService,
    reflection: [TonicService; 2],
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("calls", &self.0.calls).finish_non_exhaustive()
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

impl Service {
    /// Makes the service. `draining` turns true when the server is about to end.
    pub fn new(
        calls: Calls,
        writers: Writers,
        request_bytes: usize,
        draining: watch::Receiver<bool>,
        health: HealthReporter,
    ) -> Result<Self, tonic_reflection::server::Error> {
        let health = tonic_health::pb::health_server::HealthServer::new(
            tonic_health::server::HealthService::from_health_reporter(health),
        );
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let reflection = [boxed(reflection().build_v1()?), boxed(reflection().build_v1alpha()?)];
        Ok(Self(Arc::new(Shared {
            calls,
            writers,
            request_bytes,
            draining,
            health: boxed(health),
            reflection,
        })))
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
        let path = request.uri().path();
        let method = Method::of_path(path);
        let observed = self.0.calls.metrics.started(method);
        match method {
            Method::Health => Ok(of_tonic(self.0.health.clone(), request, observed).await),
            Method::Reflection | Method::ReflectionAlpha => {
                let service = &self.0.reflection[usize::from(method == Method::ReflectionAlpha)];
                Ok(of_tonic(service.clone(), request, observed).await)
            }
            Method::Other => {
                let status = Status::unimplemented(format!("there is no method {}", quoted(path)));
                Ok(refuse(status, observed))
            }
            _ => Ok(self.own_method(method, request, observed).await),
        }
    }

    async fn own_method(
        self,
        method: Method,
        request: Request<Incoming>,
        observed: Observed,
    ) -> Response<Answer> {
        if let Err(status) = check_headers(request.headers()) {
            return refuse(status, observed);
        }
        let deadline = deadline(request.headers());
        let messages = Messages::new(request.into_body(), self.0.request_bytes);
        if matches!(method, Method::StreamFeatures | Method::Write) {
            return self.stream(method, messages, deadline, observed);
        }
        match self.unary(method, messages, deadline).await {
            Ok(message) => {
                observed.handled(Code::Ok);
                respond(Answer::Message(message))
            }
            Err(status) => refuse(status, observed),
        }
    }

    async fn unary(
        &self,
        method: Method,
        mut messages: Messages,
        deadline: Option<Instant>,
    ) -> Result<Bytes, Status> {
        let message = within(deadline, messages.only()).await??;
        let message = message.ok_or_else(|| Status::internal("the request has no message"))?;
        if matches!(method, Method::Upsert | Method::Delete | Method::Append) {
            let waiting = self.begin_write(method, &message, deadline).await?;
            return within(deadline, tables::finish(waiting)).await?;
        }
        self.call(method, &message, deadline)
    }

    /// Hands the rows of one message over to their table's writer.
    async fn begin_write(
        &self,
        method: Method,
        message: &Bytes,
        deadline: Option<Instant>,
    ) -> Result<Waiting, Status> {
        let (table, sent) = guarded(method, || tables::read(method, message))?;
        tables::wait_for_room(&self.0.writers, &table, deadline).await;
        guarded(method, || tables::begin(&self.0.writers, &table, sent))
    }

    /// Answers one message.
    fn call(&self, method: Method, message: &Bytes, deadline: Option<Instant>) -> Result<Bytes, Status> {
        guarded(method, || match method {
            Method::ListFeatureSets => self.list(),
            Method::GetFeatureSet => self.describe(message),
            _ => self.0.calls.answer(message, deadline),
        })
    }

    fn list(&self) -> Result<Bytes, Status> {
        let snapshot = self.0.calls.live.current().ok_or_else(|| status::of_refusal(Refusal::NotReady))?;
        Ok(framed(&describe::feature_sets(&snapshot)))
    }

    fn describe(&self, message: &Bytes) -> Result<Bytes, Status> {
        let asked = proto::GetFeatureSetRequest::decode(&**message)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let snapshot = self.0.calls.live.current().ok_or_else(|| status::of_refusal(Refusal::NotReady))?;
        let found = snapshot.find(&asked.feature_set, asked.version);
        let found = found.map_err(|message| status::of_refusal(Refusal::NotFound(message)))?;
        Ok(framed(&describe::feature_set(found)))
    }

    /// Answers a stream's messages in order, one at a time.
    fn stream(
        self,
        method: Method,
        messages: Messages,
        deadline: Option<Instant>,
        observed: Observed,
    ) -> Response<Answer> {
        let (frames, receiver) = mpsc::channel(STREAM_AHEAD);
        tokio::spawn(async move {
            let ended = if method == Method::Write {
                within(deadline, self.answer_writes(messages, deadline, &frames)).await
            } else {
                within(deadline, self.answer_stream(messages, deadline, &frames)).await
            };
            let trailers = match ended.and_then(|ended| ended) {
                Ok(()) => {
                    observed.handled(Code::Ok);
                    ok_trailers()
                }
                Err(status) => {
                    observed.handled(status.code());
                    status.into_http::<()>().into_parts().0.headers
                }
            };
            // A client that is gone reads no status.
            let _ = frames.send(Frame::trailers(trailers)).await;
        });
        respond(Answer::Stream(receiver))
    }

    /// Reads and answers until the client ends its side, or until the server drains and nothing is left to answer.
    async fn answer_stream(
        &self,
        mut messages: Messages,
        deadline: Option<Instant>,
        frames: &mpsc::Sender<Frame<Bytes>>,
    ) -> Result<(), Status> {
        let mut draining = self.0.draining.clone();
        loop {
            let message = tokio::select! {
                biased;
                message = messages.next() => message?,
                _ = draining.wait_for(|draining| *draining) => {
                    return Err(Status::unavailable("the server is draining; call again"));
                }
            };
            let Some(message) = message else { return Ok(()) };
            let answer = self.call(Method::StreamFeatures, &message, deadline)?;
            if frames.send(Frame::data(answer)).await.is_err() {
                return Err(Status::cancelled("the client is gone"));
            }
        }
    }

    /// Reads writes ahead while those before are on their way, and answers each in its turn.
    async fn answer_writes(
        &self,
        messages: Messages,
        deadline: Option<Instant>,
        frames: &mpsc::Sender<Frame<Bytes>>,
    ) -> Result<(), Status> {
        let (begun, mut waiting) = mpsc::channel(WRITES_AHEAD);
        let answers = async {
            while let Some(write) = waiting.recv().await {
                let answer = tables::finish(write?).await?;
                if frames.send(Frame::data(answer)).await.is_err() {
                    return Err(Status::cancelled("the client is gone"));
                }
            }
            Ok(())
        };
        tokio::pin!(answers);
        tokio::select! {
            answered = &mut answers => answered,
            () = self.read_writes(messages, deadline, begun) => answers.await,
        }
    }

    /// Begins the writes of a stream up to its end, or the first that fails.
    async fn read_writes(
        &self,
        mut messages: Messages,
        deadline: Option<Instant>,
        begun: mpsc::Sender<Result<Waiting, Status>>,
    ) {
        let mut draining = self.0.draining.clone();
        loop {
            let message = tokio::select! {
                biased;
                message = messages.next() => message,
                _ = draining.wait_for(|draining| *draining) => {
                    Err(Status::unavailable("the server is draining; call again"))
                }
            };
            let write = match message {
                Ok(Some(message)) => self.begin_write(Method::Write, &message, deadline).await,
                Ok(None) => return,
                Err(status) => Err(status),
            };
            let failed = write.is_err();
            if begun.send(write).await.is_err() || failed {
                return;
            }
        }
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        Box::pin(self.clone().answer(request))
    }
}

fn boxed<S>(service: S) -> TonicService
where
    S: tower_service::Service<Request<Incoming>, Response = Response<tonic::body::Body>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    TonicService::new(service)
}

async fn of_tonic(
    mut service: TonicService,
    request: Request<Incoming>,
    observed: Observed,
) -> Response<Answer> {
    let Ok(response) = service.call(request).await;
    let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
    observed.handled(code);
    response.map(Answer::Tonic)
}

/// What a call's headers must say.
fn check_headers(headers: &HeaderMap) -> Result<(), Status> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/grpc") {
        return Err(Status::invalid_argument(format!(
            "content-type is {}, must be application/grpc",
            quoted(content_type)
        )));
    }
    Ok(())
}

/// Ends with DEADLINE_EXCEEDED where the deadline comes first.
async fn within<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Result<T, Status> {
    match deadline {
        Some(deadline) => {
            time::timeout_at(deadline.into(), future).await.map_err(|_| status::deadline_exceeded())
        }
        None => Ok(future.await),
    }
}

fn respond(answer: Answer) -> Response<Answer> {
    let mut response = Response::new(answer);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn refuse(status: Status, observed: Observed) -> Response<Answer> {
    observed.handled(status.code());
    let mut response = status.into_http();
    response.headers_mut().insert("grpc-accept-encoding", HeaderValue::from_static("identity"));
    response
}

/// Runs one call. A panic is an internal error: it ends this call alone, with INTERNAL.
fn guarded<T>(method: Method, answer: impl FnOnce() -> Result<T, Status>) -> Result<T, Status> {
    catch_unwind(AssertUnwindSafe(answer))
        .unwrap_or_else(|panic| Err(status::internal(method.name(), panic_text(&*panic))))
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "a panic without a message",
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn a_panic_is_internal_and_keeps_its_cause() {
        let status = guarded::<()>(Method::GetFeatures, || panic!("a secret")).expect_err("it panicked");
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("secret"));
        let id = status.get_error_details().request_info().expect("an id").request_id.clone();
        assert!(status.message().contains(&id));
        assert!(guarded(Method::GetFeatures, || Ok(Bytes::new())).is_ok(), "other calls go on");
    }
}
