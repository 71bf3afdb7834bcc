//! Integration tests: real repositories, real servers on free ports, real clients.

mod demo;
mod drain;
mod errors;
mod golden;
mod operations;
mod raw;
mod serving;
mod setup;
