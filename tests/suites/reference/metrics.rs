//! The metrics of thresholds. The program itself is asked for their names and aggregations, so that the page cannot say
//! anything else.

use std::fmt::Write as _;

use crate::shooter;

/// The metrics and their meanings.
const MEANINGS: [(&str, &str); 18] = [
    (
        "http_duration",
        "Response time: from when the request should have started to the last byte. `rate` is the share that failed.",
    ),
    ("http_service_time", "Service time: from when the request started. `rate` is the share that failed."),
    ("http_dns", "Resolving the name, where a request did."),
    ("http_connect", "Connecting, where a request did."),
    ("http_tls", "The TLS handshake, where there was one."),
    ("http_first_byte", "From the request's first byte to the end of the reply's head."),
    ("http_receive", "From there to the last byte of the reply."),
    ("apdex", "[Apdex score](../guide/report.md#apdex) of the steps that have a target."),
    ("http_failed", "Failed requests; `rate` is their share."),
    ("http_reqs", "Requests; `rate` is per second."),
    ("bytes_in", "Bytes received on the connections; `rate` is per second."),
    ("bytes_out", "Bytes sent on the connections; `rate` is per second."),
    ("iterations", "Completed iterations; `rate` is per second."),
    ("dropped_iterations", "Iterations for which there was no free user; `rate` is per second."),
    ("iteration_duration", "Time of a completed iteration."),
    ("checks", "Passed checks; `rate` is their share. It also has the tag `check`."),
    ("users", "Users under way, at each second's end; `value` is the last."),
    ("start_delay", "How late the generator itself started requests."),
];

/// Returns the help with which the program rejects a threshold; `None` if it accepts it.
fn help(metric: &str, expression: &str) -> Option<String> {
    let script = "- {name: A, url: 'http://127.0.0.1:9/', apdex: 1s, checks: {found: {status: 200}}}\n";
    let threshold = format!("{metric}: {expression}");
    let run = shooter().args("check").script(script).arg("--threshold").arg(threshold).finish();
    let help = run.stderr.lines().find_map(|line| line.trim().strip_prefix("= help: "))?;
    Some(help.to_owned())
}

/// Renders the page.
pub(super) fn page() -> String {
    let all = help("qqqqqqqqqqqq", "rate<1").expect("an unknown metric is rejected");
    let names: Vec<_> = all.strip_prefix("there are: ").expect("the metrics are listed").split(", ").collect();
    assert_eq!(names, MEANINGS.map(|(name, _)| name), "each metric has its meaning here");
    let mut page =
        "# Threshold metrics\n\n[Check replies and set thresholds](../guide/checks.md#thresholds) explains the \
                    syntax of thresholds.\n\n| metric | meaning | aggregations |\n|---|---|---|\n"
            .to_owned();
    for (name, meaning) in MEANINGS {
        // No metric has both.
        let rejected = ["value<1", "p(1)<1"].iter().filter_map(|expression| help(name, expression));
        let aggregations = rejected.filter_map(|help| help.strip_prefix("it has ").map(str::to_owned)).next();
        let _ = writeln!(page, "| `{name}` | {meaning} | {} |", aggregations.expect("the aggregations are listed"));
    }
    page += "| `PLUGIN.NAME` | A metric that a plugin counts; with tags, that of the steps that have them. | by kind: a trend, a counter, a rate or a gauge |\n\
             | `group.NAME.duration` | How long a group took. | those of a trend |\n\
             | `group.NAME.passed` | How often all steps of a group passed. | those of a rate |\n\n\
             Metrics of requests and `apdex` have the tags `step`, `action`, `scenario` and those that the script gives; \
             `http_duration` and `http_service_time` have `outcome`, `ok` or `failed`, too; metrics of \
             iterations have `scenario`; `users` and `start_delay` have none.\n";
    page
}
