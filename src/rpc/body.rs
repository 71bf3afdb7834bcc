//! Answers' bodies: one message with its trailers, a stream of messages, or what tonic's services make.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// A response's body.
#[derive(Debug, Default)]
pub enum Answer {
    /// Nothing: the status is among the headers.
    #[default]
    Empty,
    /// A framed message, then an OK status.
    Message(Bytes),
    /// An OK status.
    Ok,
    /// Frames as they come.
    Stream(mpsc::Receiver<Frame<Bytes>>),
    /// Of tonic's own services: health and reflection.
    Tonic(tonic::body::Body),
}

/// Trailers that say OK.
pub fn ok_trailers() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    trailers
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        match std::mem::take(this) {
            Self::Empty => Poll::Ready(None),
            Self::Message(message) => {
                *this = Self::Ok;
                Poll::Ready(Some(Ok(Frame::data(message))))
            }
            Self::Ok => Poll::Ready(Some(Ok(Frame::trailers(ok_trailers())))),
            Self::Stream(mut frames) => {
                let polled = frames.poll_recv(context);
                *this = Self::Stream(frames);
                polled.map(|frame| frame.map(Ok))
            }
            Self::Tonic(mut body) => {
                let polled = Pin::new(&mut body).poll_frame(context);
                *this = Self::Tonic(body);
                polled.map_err(Into::into)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Message(_) | Self::Ok | Self::Stream(_) => false,
            Self::Tonic(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Tonic(body) => body.size_hint(),
            _ => SizeHint::default(),
        }
    }
}
