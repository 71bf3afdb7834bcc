//! The wire's messages, generated from `proto/quiver/v1`.

#![allow(unused_qualifications, clippy::allow_attributes_without_reason, reason = "generated code")]

tonic::include_proto!("quiver.v1");

/// The descriptors of the protos and what they import.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/quiver.v1.bin"));
