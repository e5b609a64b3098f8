//! The `aisle` program; everything is in the library.

use std::process::ExitCode;

/// Answers are many small allocations of similar size, on every thread: mimalloc halves their cost.
#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    aisle::cli::main()
}
