//! The price of the outputs: the same load without any, and with all of those that others watch.

use anyhow::{Result, ensure};

use crate::figures::Bound;
use crate::findings::{Findings, Table};
use crate::rounds::{self, Client, Measurement, STAMPEDE, difference, ratio};
use crate::setup::{CLIENT, SERVER, Setup};
use crate::target::Target;
use crate::watchers::Watchers;

const ALONE: &str = "no output";
const WATCHED: &str = "all outputs";

/// The requests per second, a part of what a core can send: a client that sends as fast as it can handles more replies
/// at once, and so spends less on each, the slower its target is, and those who watch slow the target down.
const RATE: &str = "20000";

/// Runs both in turn.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    let target = Target::start(setup, Some(SERVER), false)?;
    let script = setup.script(&[target.url()], "1.1")?;
    let watchers = Watchers::start(&setup.folder().join("client.log"))?;
    // Longer than other sections: the outputs work once a second.
    let seconds = format!("{}s", setup.either(5, 20));
    let client = |name: &str, is_watched: bool| {
        let (script, watchers, seconds) = (&script, &watchers, &seconds);
        let command = move || {
            let mut command = setup.load_runner(script, Some(CLIENT));
            command.args(["--workers", "1", "--users", "64", "--rps-total", RATE, "--duration", seconds]);
            if is_watched {
                command.args(["--page", "--linger", "0s", "--otlp", &watchers.collector]);
                command.args(["--prometheus", &watchers.metrics_port.to_string()]);
                command.env("OTEL_METRIC_EXPORT_INTERVAL", "1000");
            }
            command
        };
        Client { name: name.into(), rounds: setup.rounds(), command: Box::new(command) }
    };
    let mut findings = Findings::new(format!(
        "{STAMPEDE} with 64 users and {RATE} requests a second for {seconds}: without any output, or while a tab follows \
         `--page`, `--prometheus` is scraped once a second and `--otlp` sends once a second. The tab reads all events \
         and draws nothing.",
    ));
    let clients = [client(ALONE, false), client(WATCHED, true)];
    let all = rounds::run(setup, &[target], &clients, &mut findings);
    let watched = watchers.watched();
    let (messages, scrapes, events) = (watched.messages, watched.scrapes, watched.events);
    ensure!(messages > 0 && scrapes > 0 && events > 0, "an output was not watched: {messages}, {scrapes}, {events}");
    let mut table = Table::new(&["watched by", "µs CPU/request", "peak memory, MiB", "rounds"]);
    let mebibytes = |measurement: &Measurement| measurement.run.peak / 1024.0;
    for series in &all {
        let figures = [series.figure(Measurement::cpu_per_request), series.figure(mebibytes), series.rounds()];
        table.row([series.name.clone()].into_iter().chain(figures));
    }
    findings.table(table);
    let cpu = ratio(&all, [WATCHED, ALONE], Measurement::cpu_per_request);
    findings.compare("CPU per request, all outputs ÷ none", cpu, Bound::AtMost(1.02));
    findings.compare(
        "memory, all outputs − none, MiB",
        difference(&all, [WATCHED, ALONE], mebibytes),
        Bound::AtMost(10.0),
    );
    findings.note(format!("The watchers got {messages} messages, {scrapes} scrapes and {events} events."));
    Ok(findings)
}
