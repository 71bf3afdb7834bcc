//! Quiver: an online feature server for ad ranking.
//!
//! Layers, imports pointing downwards only (`tests/it/tidy.rs`):
//!
//! ```text
//! main -> cli -> app -> admin -> rpc -> reload -> metrics -> { loading, telemetry } -> config -> { demo, remote }
//!     -> writes -> serve -> live -> snapshot -> plan -> spec -> { policy, table, transform } -> files
//!     -> { batch, journal } -> { budget, cancel }
//!     -> { problem, proto }
//! ```

pub mod admin;
pub mod app;
pub mod batch;
pub mod budget;
pub mod cancel;
pub mod cli;
pub mod config;
pub mod demo;
pub mod files;
pub mod journal;
pub mod live;
pub mod loading;
pub mod metrics;
pub mod plan;
pub mod policy;
pub mod problem;
pub mod proto;
pub mod reload;
pub mod remote;
pub mod rpc;
pub mod serve;
pub mod snapshot;
pub mod spec;
pub mod table;
pub mod telemetry;
pub mod transform;
pub mod writes;
