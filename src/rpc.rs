//! The transport: gRPC over HTTP/2. Nothing below knows tonic or prost.

pub mod decode;
pub mod pool;
pub mod response;
pub mod wire;
