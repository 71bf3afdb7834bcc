//! Integration tests: real repositories, real servers, real clients.

mod demo;
