//! The punctuality of arrivals: iterations should begin when they are due, at any rate, and the report should name the
//! generator as the bottleneck where they cannot.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::figures::{Bound, Spread, format_count, format_figure};
use crate::findings::{Findings, Table};
use crate::rounds::STAMPEDE;
use crate::setup::{Setup, number};
use crate::target::Target;

/// The rate of iterations that send nothing, per second.
const SCHEDULED: u64 = 50_000;

/// The rates of requests, per second.
const SENT: [u64; 4] = [5_000, 10_000, 20_000, 50_000];

/// More requests a second than any machine sends.
const TOO_MANY: u64 = 1_000_000;

/// The target for the 99th percentile of the delays, in ms.
const LATE: f64 = 2.0;

/// The highest number of users.
const USERS: &str = "2000";

/// One run at a rate.
struct RateRun {
    /// The action of an iteration.
    action: &'static str,
    /// Iterations per second.
    rate: u64,
    due: f64,
    dropped: f64,
    /// The delay of iterations in ms: median, 99th percentile, most.
    delay: [Option<f64>; 3],
    /// Processor time in seconds.
    cpu: f64,
    /// `true` if the report names the generator as the bottleneck.
    bottleneck: bool,
    /// The report's reasons for that.
    reasons: Vec<String>,
}

/// Measures rates of an action that sends nothing, and rates of requests.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    let target = Target::start(setup, None, false)?;
    let nothing = setup.write("nothing.yml", "- {name: Nothing, action: set, variables: {nothing: x}}\n")?;
    let request = setup.script(&[target.url()], "1.1")?;
    // An iteration that sends nothing ends a few µs after it began: its time, from when it was due, is its delay.
    let setting = RatedAction { action: "a variable set", script: &nothing, delays: "/scenarios/0/iteration_time_us" };
    let mut all = vec![run(setup, &setting, SCHEDULED)?];
    let sending = RatedAction { action: "a request", script: &request, delays: "/generator/start_delay_us" };
    for rate in SENT.into_iter().chain([TOO_MANY]) {
        all.push(run(setup, &sending, rate)?);
    }
    let mut findings = Findings::new(format!(
        "{STAMPEDE} begins iterations at a rate for {} s, however busy its users are, with two workers and at most \
         {USERS} users. An iteration is one action, which sets a variable, or sends a request to the target; that \
         shares the cores. Late is from when an iteration was due until it began.",
        setup.seconds()
    ));
    findings.table(table(&all));
    let p99 = |run: &RateRun| Spread::of(run.delay[1]);
    let what = format!("late at p99, {} a second that send nothing, ms", format_count(SCHEDULED as f64));
    findings.compare(what, p99(&all[0]), Bound::AtMost(LATE));
    let carried = all[1..].iter().rfind(|run| !run.bottleneck && run.dropped == 0.0);
    let what = match carried {
        Some(run) => {
            format!("late at p99, {} requests a second, the most that were carried, ms", format_count(run.rate as f64))
        }
        None => "late at p99, requests, of which no rate was carried, ms".into(),
    };
    findings.compare(what, carried.and_then(p99), Bound::AtMost(LATE));
    let blamed = all.last().map(|run| f64::from(u8::from(run.bottleneck)));
    let what = format!("{} requests a second: the report blames the generator", format_count(TOO_MANY as f64));
    findings.compare(what, Spread::of(blamed), Bound::AtLeast(1.0));
    for run in all.iter().filter(|run| run.bottleneck) {
        let rate = format_count(run.rate as f64);
        findings.note(format!("{} {rate} times a second: {}.", run.action, run.reasons.join("; ")));
    }
    Ok(findings)
}

/// An action, the script that has it, and the place of its delays in the report.
struct RatedAction<'w> {
    action: &'static str,
    script: &'w Path,
    delays: &'static str,
}

/// Runs a script at a rate.
fn run(setup: &Setup, load: &RatedAction<'_>, rate: u64) -> Result<RateRun> {
    let RatedAction { action, script, delays } = *load;
    let mut command = setup.load_runner(script, None);
    command.args(["--workers", "2", "--max-users", USERS, "--arrival-rate", &format!("{rate}/s")]);
    let (run, report) = setup.report(command.args(["--duration", &format!("{}s", setup.seconds())]))?;
    let iterations = |key| {
        number(&report, &format!("/scenarios/0/iterations/{key}"))
            .with_context(|| format!("the report does not say how many iterations were {key}"))
    };
    let delay = |key| number(&report, &format!("{delays}/{key}")).map(|micros| micros / 1e3);
    let generator = &report["generator"];
    let reasons = generator["reasons"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(RateRun {
        action,
        rate,
        due: iterations("due")?,
        dropped: iterations("dropped")?,
        delay: ["p50", "p99", "max"].map(delay),
        cpu: run.cpu.as_secs_f64(),
        bottleneck: generator["bottleneck"].as_bool().unwrap_or(false),
        reasons: reasons.map(str::to_owned).collect(),
    })
}

fn table(all: &[RateRun]) -> Table {
    let mut table = Table::new(&[
        "an iteration is",
        "asked for, 1/s",
        "due",
        "dropped",
        "late p50, ms",
        "p99, ms",
        "most, ms",
        "CPU s",
        "generator to blame",
    ]);
    for run in all {
        let [median, p99, most] = run.delay.map(|delay| delay.map_or_else(|| "–".into(), format_figure));
        table.row([
            run.action.to_owned(),
            format_count(run.rate as f64),
            format_count(run.due),
            format_count(run.dropped),
            median,
            p99,
            most,
            format_figure(run.cpu),
            if run.bottleneck { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table
}
