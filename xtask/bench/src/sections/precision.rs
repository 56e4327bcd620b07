//! The precision of the pace: users should send neither too little nor too much, and on time.

use std::path::Path;

use anyhow::{Context, Result};

use crate::figures::{Bound, Spread};
use crate::findings::Findings;
use crate::setup::{Setup, number};
use crate::target::Target;

const USERS: f64 = 1000.0;
const RPS: f64 = 5.0;
const SECONDS: f64 = 60.0;

/// The number of users that begin within [`RAMP_UP`] seconds.
const RAMPED: u64 = 5000;
const RAMP_UP: f64 = 10.0;
const RAMPS: u64 = 3;

/// Measures a steady pace, then a ramp.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    let target = Target::start(setup, None, false)?;
    let script = setup.script(&[target.url()], "1.1")?;
    let wanted = USERS * RPS * SECONDS;
    let mut findings = Findings::new(format!(
        "{USERS} users at {RPS} requests a second for {SECONDS} s should send {wanted} requests, which the target \
         counts. Then {RAMPED} users begin within {RAMP_UP} s, {RAMPS} times, and send one request each: the last of \
         them begins 2 ms before that time is over, and the run should end within it. The load runner and the target \
         share the cores."
    ));
    let before = target.count()?;
    let mut steady = setup.load_runner(&script, None);
    steady.args([format!("--users={USERS}"), format!("--rps={RPS}"), format!("--duration={SECONDS}s")]);
    let (_, report) = setup.report(&mut steady)?;
    let sent = target.count()?.since(before).requests as f64;
    let off = (sent / wanted - 1.0).abs() * 100.0;
    findings.compare("requests off the pace, %", Spread::of([off]), Bound::AtMost(0.2));
    let delay = |key| number(&report, &format!("/generator/start_delay_us/{key}")).map(|micros| micros / 1e3);
    findings.compare("start delay p99, ms", Spread::of(delay("p99")), Bound::AtMost(2.0));
    findings.note(format!("The target counted {sent} requests."));
    if let Some((median, most)) = delay("p50").zip(delay("max")) {
        findings.note(format!("Start delay: median {median} ms, at most {most} ms."));
    }

    let before = target.count()?;
    let late: Vec<f64> = (0..RAMPS).map(|_| ramp(setup, &script)).collect::<Result<_, _>>()?;
    findings.compare("ramp-up longer than asked, ms", Spread::of(late), Bound::AtMost(0.0));
    let began = target.count()?.since(before).requests / RAMPS;
    findings.compare("users who began in a ramp-up", Spread::of([began as f64]), Bound::AtLeast(RAMPED as f64));
    Ok(findings)
}

/// Returns the milliseconds that a ramp-up took beyond its time.
fn ramp(setup: &Setup, script: &Path) -> Result<f64> {
    let mut ramp = setup.load_runner(script, None);
    ramp.args([format!("--users={RAMPED}"), format!("--ramp-up={RAMP_UP}s"), "--iterations=1".into()]);
    let (_, report) = setup.report(&mut ramp)?;
    let elapsed = number(&report, "/run/elapsed_us").context("the report does not say how long the run took")?;
    Ok(elapsed / 1e3 - RAMP_UP * 1e3)
}
