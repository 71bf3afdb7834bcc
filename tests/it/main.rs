//! Integration tests: real repositories, real servers on free ports, real clients.

mod demo;
mod drain;
mod errors;
mod golden;
mod operations;
mod parity;
mod raw;
mod reference;
mod serving;
mod setup;
mod tidy;
