//! Calls by HTTP/2 alone, for what a gRPC client would keep to itself.

use bytes::Bytes;
use h2::{
    RecvStream,
    client::{ResponseFuture, SendRequest},
};
use http::{HeaderMap, Request};
use quiver::app::Server;
use tokio::net::TcpStream;

/// One connection.
pub struct Raw {
    send: SendRequest<Bytes>,
    authority: String,
}

/// A call whose message is not complete.
pub struct Open {
    pub response: ResponseFuture,
    pub body: h2::SendStream<Bytes>,
}

/// What came back: headers and trailers together.
#[derive(Debug)]
pub struct Ended {
    pub headers: HeaderMap,
    pub data: Vec<u8>,
}

impl Ended {
    /// The gRPC status, by its number.
    pub fn code(&self) -> i32 {
        let code = self.headers.get("grpc-status").expect("a status");
        code.to_str().expect("a number").parse().expect("a number")
    }
}

/// A message with its prefix.
pub fn framed(message: &[u8]) -> Bytes {
    let mut framed = vec![0];
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(message);
    framed.into()
}

impl Raw {
    pub async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.listen).await.expect("connects");
        let (send, connection) = h2::client::handshake(stream).await.expect("speaks HTTP/2");
        tokio::spawn(connection);
        Self { send, authority: server.listen.to_string() }
    }

    /// Begins a call with further headers.
    pub async fn open(&mut self, path: &str, headers: &[(&'static str, &str)]) -> Open {
        let mut request = Request::post(format!("http://{}{path}", self.authority))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(()).expect("a request");
        let mut send = self.send.clone().ready().await.expect("the connection takes calls");
        let (response, body) = send.send_request(request, false).expect("sends");
        Open { response, body }
    }

    /// A whole call.
    pub async fn call(&mut self, path: &str, headers: &[(&'static str, &str)], body: Bytes) -> Ended {
        let mut open = self.open(path, headers).await;
        open.body.send_data(body, true).expect("sends");
        ended(open.response).await
    }
}

/// Waits for the end of a call.
pub async fn ended(response: ResponseFuture) -> Ended {
    let (head, mut body) = response.await.expect("an answer").into_parts();
    let mut headers = head.headers;
    let data = read(&mut body).await;
    if let Some(trailers) = body.trailers().await.expect("an end") {
        headers.extend(trailers);
    }
    Ended { headers, data }
}

async fn read(body: &mut RecvStream) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.expect("data");
        body.flow_control().release_capacity(part.len()).expect("a window");
        data.extend_from_slice(&part);
    }
    data
}
