//! `varco`: parses the command line and hands over.

use std::process::ExitCode;

/// A message is a few hundred small allocations; the system's allocator spent a fifth of its time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    varco::cli::main()
}
