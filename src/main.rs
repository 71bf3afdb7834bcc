//! The `quiver` command.

use std::process::ExitCode;

/// Faster than the system's allocator for many short-lived buffers on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    quiver::cli::main()
}
