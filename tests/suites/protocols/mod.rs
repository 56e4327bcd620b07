//! The built-in plugins for protocols other than HTTP, in the real binary, each against an independent peer.

mod grpc;
mod grpc_messages;
mod page;
mod script;
mod sse;
mod starttls;
mod stream;
mod tcp;
mod websocket;

use serde_json::Value;
use stampede_tests::{Finished, Report};

use crate::shooter;

/// Runs a script for a number of users and walks, and checks what holds for any run.
#[track_caller]
fn ran(script: &str, flags: &str) -> (Finished, Report) {
    let run = shooter().script(script).args(flags).args("--fail-on never").report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    (run, report)
}

/// Returns a number that a plugin counted.
#[track_caller]
fn metric(report: &Report, plugin: &str, name: &str, what: &str) -> f64 {
    let mut metrics = report.at("/metrics").as_array().into_iter().flatten();
    let found = metrics.find(|metric| metric["plugin"] == plugin && metric["name"] == name);
    found.map_or(&Value::Null, |metric| &metric[what]).as_f64().unwrap_or_else(|| panic!("no {what} of {name}"))
}
