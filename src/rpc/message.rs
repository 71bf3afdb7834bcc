//! Requests' messages: five bytes before each, in DATA frames that begin and end anywhere.

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tonic::Status;

use super::{response::PREFIX, status};
use crate::problem::Problems;

/// The most room that is made at first because of what a message's prefix says.
const ROOM: usize = 1 << 20;

/// Reads one message after the other.
#[derive(Debug)]
pub struct Messages {
    body: Incoming,
    /// What came and was not yet read: most requests are one frame, which is then never copied.
    first: Bytes,
    rest: BytesMut,
    limit: usize,
}

impl Messages {
    /// Reads from `body` messages of at most `limit` bytes.
    pub fn new(body: Incoming, limit: usize) -> Self {
        Self { body, first: Bytes::new(), rest: BytesMut::new(), limit }
    }

    /// The next message, or none at the end of the body. Safe to drop while it waits: what came is kept.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(length) = self.length()? {
                let available = self.first.len() + self.rest.len();
                if available >= PREFIX + length {
                    return Ok(Some(self.take(length)));
                }
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.add(data);
                    }
                }
                Some(Err(error)) => {
                    return Err(Status::cancelled(format!("the request was cut off: {error}")));
                }
                None if self.first.is_empty() && self.rest.is_empty() => return Ok(None),
                None => return Err(Status::internal("the request ends within a message")),
            }
        }
    }

    /// The only message of a call that has one, once the body has ended; none where there is no message.
    ///
    /// An answer before the end of a body resets the stream. A client that sends the end in a frame of its own, as many do,
    /// would send it to a stream that is closed, and after a thousand of these HTTP/2 closes the connection with all its calls.
    pub async fn only(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(message) = self.next().await? else { return Ok(None) };
        match self.next().await? {
            None => Ok(Some(message)),
            Some(_) => Err(Status::unimplemented("the method takes one message; the request has more")),
        }
    }

    fn add(&mut self, data: Bytes) {
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data;
            return;
        }
        if self.rest.is_empty() {
            self.make_room(self.first.len() + data.len());
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        } else if self.rest.capacity() < self.rest.len() + data.len() {
            self.make_room(self.rest.len() + data.len());
        }
        self.rest.extend_from_slice(&data);
    }

    /// Makes room for `needed` bytes: for the whole message, unless it says that it is large; then for a half of it, a
    /// quarter and so on, so that the last room is just as large as the message.
    fn make_room(&mut self, needed: usize) {
        let bytes: &[u8] = if self.rest.is_empty() { &self.first } else { &self.rest };
        let length = bytes.first_chunk().map_or(0, |&[_, a, b, c, d]| u32::from_be_bytes([a, b, c, d]));
        let mut room = PREFIX + (length as usize).min(self.limit);
        while room / 2 >= needed && room > ROOM {
            room = room.div_ceil(2);
        }
        let mut larger = BytesMut::with_capacity(room.max(needed));
        larger.extend_from_slice(&self.rest);
        self.rest = larger;
    }

    /// The length of the next message, where its prefix is there.
    fn length(&self) -> Result<Option<usize>, Status> {
        let bytes: &[u8] = if self.rest.is_empty() { &self.first } else { &self.rest };
        let Some(&[compressed, a, b, c, d]) = bytes.first_chunk() else { return Ok(None) };
        if compressed != 0 {
            return Err(Status::unimplemented(
                "compressed messages are not read; grpc-accept-encoding: identity",
            ));
        }
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > self.limit {
            let message = format!("the request takes {length} bytes; one request may have {}", self.limit);
            return Err(status::invalid(&Problems::one("", message)));
        }
        Ok(Some(length))
    }

    fn take(&mut self, length: usize) -> Bytes {
        if self.rest.is_empty() {
            self.first.advance(PREFIX);
            return self.first.split_to(length);
        }
        self.rest.advance(PREFIX);
        self.rest.split_to(length).freeze()
    }
}
