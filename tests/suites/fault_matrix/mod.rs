//! The fault matrix: every protocol against every fault of its peer. A table's row is a cell, which says how the peer
//! misbehaves and how its requests must end; the numbers of the report are compared with those of the peer.
//!
//! Cells that take seconds are run by `cargo xtask test --faults`, which sets `STAMPEDE_FAULTS=all`; each other run
//! prints how many it left out.

mod addresses;
mod cell;
mod grpc;
mod http1;
mod http2;
mod pages;
#[cfg(unix)]
mod process;
mod random_target;
mod runner;
mod secrets;
mod streams;
mod tls;
mod websocket;

use std::io::Write;

/// Returns `true` if slow cells are to be run too.
fn thorough() -> bool {
    std::env::var_os("STAMPEDE_FAULTS").is_some_and(|value| value == "all")
}

/// Prints how many cells are left out. Standard error is written to directly, as the output of a test that passes is
/// not shown otherwise.
fn left_out(what: &str, number: usize) {
    if number > 0 {
        let line =
            format!("fault matrix, {what}: {number} slow cells not run; `cargo xtask test --faults` runs them\n");
        // Where no one reads the count, the tests go on.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}
