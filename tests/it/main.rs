//! Integration tests: real repositories, real servers on free ports, real clients.

mod allocated;
mod bound;
mod computed_keys;
mod demo;
mod drain;
mod errors;
mod examples;
mod fallbacks;
mod floods;
mod forms;
mod golden;
mod golden_command;
mod hashes;
mod hot;
mod live;
mod operations;
mod parity;
mod raw;
mod real_data;
mod reference;
mod reference_page;
#[cfg(feature = "remote")]
mod remote;
mod repository;
mod sequences;
mod serving;
mod setup;
mod sparse;
mod table_import;
mod tidy;
mod times;
mod transform;
