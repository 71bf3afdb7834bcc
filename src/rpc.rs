//! The transport: gRPC over HTTP/2. Nothing below knows tonic or prost.

pub mod body;
pub mod call;
pub mod decode;
pub mod describe;
pub mod message;
pub mod pool;
pub mod response;
pub mod server;
pub mod service;
pub mod shadow;
pub mod status;
pub mod tables;
pub mod timeout;
pub mod wire;
