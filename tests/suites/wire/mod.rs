//! Peers on the wire: names with several addresses, servers that announce their end, unusual replies, certificates.

#[cfg(target_os = "linux")]
mod addresses;
mod certificates;
mod codings;
mod heads;
mod http2;
mod websocket;

use stampede_tests::{Finished, Report};

use crate::shooter;

/// Runs a script against a target, and checks what holds for any run.
#[track_caller]
fn ran(script: &str, flags: &str, target: &str) -> (Finished, Report) {
    let run = shooter().script(script).args(flags).args("--fail-on never --base-url").arg(target).report();
    let run = run.finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    (run, report)
}
