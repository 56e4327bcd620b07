//! Whether a second worker does as much as the first.

use super::super::contest::{Contestant, Measured, OURS, Series, hold, ratio};
use super::super::figures::Bound;
use super::super::lab::Lab;
use super::super::machine;
use super::super::table::{Findings, Table};
use super::super::target::Target;
use crate::step::Failure;

/// Connections, enough to keep two workers busy.
const USERS: &str = "64";

/// Two workers should carry this many times the load of one.
const GAIN: f64 = 1.9;

/// On how many cores nothing has to be shared: two for the workers, two for targets that keep up with them.
const ENOUGH: usize = 4;

const ONE: &str = "1 worker";
const TWO: &str = "2 workers";

/// One worker and two in turn.
pub fn measure(lab: &Lab) -> Result<Findings, Failure> {
    let shared = machine::cores() < ENOUGH;
    let targets = targets(lab, shared)?;
    let urls: Vec<String> = targets.iter().map(Target::url).collect();
    let script = lab.script(&urls, "1.1")?;
    let contestant = |name: &str, workers: &'static str, cores: &'static str| {
        let (script, cores) = (&script, if shared { None } else { Some(cores) });
        let command = move || {
            let mut command = lab.ours(script, cores);
            command.args(["--workers", workers, "--users", USERS, "--duration", &format!("{}s", lab.seconds())]);
            command
        };
        Contestant { name: name.into(), rounds: lab.rounds(), command: Box::new(command) }
    };
    let mut findings = Findings::new(how(shared));
    let contestants = [contestant(ONE, "1", "0"), contestant(TWO, "2", "0,1")];
    let all = hold(lab, &targets, &contestants, &mut findings);
    findings.table(table(lab, &all));
    // The time a request costs, the other way round.
    let per_cpu = ratio(&all, [ONE, TWO], Measured::cpu_per_request);
    findings.hold("requests per CPU second, 2 workers / 1 worker", per_cpu, Bound::AtLeast(GAIN / 2.0));
    if !shared {
        let carried = ratio(&all, [TWO, ONE], Measured::requests);
        findings.hold("requests, 2 workers / 1 worker", carried, Bound::AtLeast(GAIN));
    }
    Ok(findings)
}

/// One target wherever there is room, or one on each core that the workers leave.
fn targets(lab: &Lab, shared: bool) -> Result<Vec<Target>, Failure> {
    if shared {
        return Ok(vec![Target::start(lab, None, false)?]);
    }
    (2..machine::cores()).map(|core| Target::start(lab, Some(&core.to_string()), false)).collect()
}

fn how(shared: bool) -> String {
    let where_it_runs = if shared {
        "This machine has too few cores for two workers and a target that keeps up with them: they share the cores, so the \
         load they carry together says nothing. Held against the target is what each second of processor time carries; it \
         should be the same to within what makes two workers carry 1.9 times the load of one."
    } else {
        "The workers have a core each, and a target runs on each of the others, which all users ask in turn."
    };
    format!("{OURS} with one worker and with two, {USERS} users. {where_it_runs}")
}

fn table(lab: &Lab, all: &[Series]) -> Table {
    let seconds = lab.seconds() as f64;
    let mut table = Table::new(&["workers", "requests/s", "requests/CPU s", "CPU s", "rounds"]);
    for series in all {
        table.row([
            series.name.clone(),
            series.shown(|it| it.requests() / seconds),
            series.shown(|it| 1e6 / it.cpu_per_request()),
            series.shown(|it| it.run.cpu.as_secs_f64()),
            series.count().to_string(),
        ]);
    }
    table
}
