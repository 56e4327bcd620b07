//! Whether iterations begin when they are due, however many a second; and whether the report blames the generator where
//! they cannot.

use std::path::Path;

use super::super::contest::OURS;
use super::super::figures::{Bound, Spread, shown, whole};
use super::super::lab::Lab;
use super::super::report::{flag, number, texts};
use super::super::table::{Findings, Table};
use super::super::target::Target;
use crate::step::Failure;

/// Iterations a second that are scheduled, and send nothing.
const SCHEDULED: u64 = 50_000;

/// Requests a second, from few to as many as above.
const SENT: [u64; 4] = [5_000, 10_000, 20_000, 50_000];

/// More than any machine sends.
const TOO_MANY: u64 = 1_000_000;

/// The latest that a hundredth of all may begin, in ms.
const LATE: f64 = 2.0;

/// Users at most.
const USERS: &str = "2000";

/// What came of a rate.
struct Ran {
    what: &'static str,
    rate: u64,
    due: f64,
    dropped: f64,
    /// How late iterations began, in ms: median, 99th percentile, most.
    late: [Option<f64>; 3],
    cpu: f64,
    /// Whether the report says that the generator was the bottleneck, and why.
    blamed: bool,
    reasons: Vec<String>,
}

/// Rates of an action that sends nothing, and of requests.
pub fn measure(lab: &Lab) -> Result<Findings, Failure> {
    let target = Target::start(lab, None, false)?;
    let nothing = lab.write("nothing.yml", b"- {name: Nothing, action: set, variables: {nothing: x}}\n")?;
    let request = lab.script(&[target.url()], "1.1")?;
    // An iteration that sends nothing is over a few µs after it began: its time, from when it was due, is its delay.
    let mut all = vec![ran(lab, ("a variable set", &nothing, &["scenarios", "iteration_time_us"]), SCHEDULED)?];
    for rate in SENT.into_iter().chain([TOO_MANY]) {
        all.push(ran(lab, ("a request", &request, &["generator", "start_delay_us"]), rate)?);
    }
    let mut findings = Findings::new(format!(
        "{OURS} begins iterations at a rate for {} s, whoever is busy, with two workers and at most {USERS} users. An \
         iteration is one action, which sets a variable, or sends a request to the target; that shares the cores. Late is \
         from when an iteration was due until it began.",
        lab.seconds()
    ));
    findings.table(table(&all));
    let p99 = |ran: &Ran| ran.late[1].and_then(|late| Spread::of([late]));
    let what = format!("late at p99, {} a second that send nothing, ms", whole(SCHEDULED as f64));
    findings.hold(what, p99(&all[0]), Bound::AtMost(LATE));
    let carried = all[1..].iter().rfind(|ran| !ran.blamed && ran.dropped == 0.0);
    let what = match carried {
        Some(ran) => {
            format!("late at p99, {} requests a second, the most that were carried, ms", whole(ran.rate as f64))
        }
        None => "late at p99, requests, of which no rate was carried, ms".into(),
    };
    findings.hold(what, carried.and_then(p99), Bound::AtMost(LATE));
    let blamed = all.last().map(|ran| f64::from(u8::from(ran.blamed)));
    let what = format!("{} requests a second: the report blames the generator", whole(TOO_MANY as f64));
    findings.hold(what, Spread::of(blamed), Bound::AtLeast(1.0));
    for ran in all.iter().filter(|ran| ran.blamed) {
        findings.note(format!("{} {} times a second: {}.", ran.what, whole(ran.rate as f64), ran.reasons.join("; ")));
    }
    Ok(findings)
}

/// Runs a script at a rate; what it is, where it stands, and under which keys of the report its delays are.
fn ran(lab: &Lab, (what, script, delays): (&'static str, &Path, &[&str]), rate: u64) -> Result<Ran, Failure> {
    let mut command = lab.ours(script, None);
    command.args(["--workers", "2", "--max-users", USERS, "--arrival-rate", &format!("{rate}/s")]);
    let (run, report) = lab.report(command.args(["--duration", &format!("{}s", lab.seconds())]))?;
    let iterations = |key| {
        let found = number(&report, &["scenarios", "iterations", key]);
        found.ok_or_else(|| Failure(format!("the report does not say how many iterations were {key}")))
    };
    let late = |key| number(&report, &[delays, &[key][..]].concat()).map(|micros| micros / 1e3);
    Ok(Ran {
        what,
        rate,
        due: iterations("due")?,
        dropped: iterations("dropped")?,
        late: ["p50", "p99", "max"].map(late),
        cpu: run.cpu.as_secs_f64(),
        blamed: flag(&report, &["generator", "bottleneck"]).unwrap_or(false),
        reasons: texts(&report, &["generator", "reasons"]).unwrap_or_default(),
    })
}

fn table(all: &[Ran]) -> Table {
    let head = ["an iteration is", "asked for, 1/s", "due", "dropped", "late p50, ms", "p99, ms", "most, ms", "CPU s"];
    let mut table = Table::new(&[&head[..], &["generator to blame"]].concat());
    for ran in all {
        let [middle, p99, most] = ran.late.map(|late| late.map_or_else(|| "–".into(), shown));
        let blamed = if ran.blamed { "yes" } else { "no" };
        table.row([
            ran.what.to_owned(),
            whole(ran.rate as f64),
            whole(ran.due),
            whole(ran.dropped),
            middle,
            p99,
            most,
            shown(ran.cpu),
            blamed.to_owned(),
        ]);
    }
    table
}
