//! Whether a second worker does as much as the first.

use std::path::Path;
use std::process::Command;

use super::super::contest::{Contestant, Measured, OURS, Series, hold, ratio};
use super::super::figures::Bound;
use super::super::lab::Lab;
use super::super::machine;
use super::super::table::{Findings, Table};
use super::super::target::Target;
use crate::step::Failure;

/// Users for each worker, enough to keep it busy.
const USERS: usize = 32;

/// Two workers should carry this many times the load of one.
const GAIN: f64 = 1.9;

const ONE: &str = "1 worker";
const TWO: &str = "2 workers";
const APART: &str = "2 processes of 1 worker";

/// One worker and two in turn, with as many targets as workers: everything is there twice, or once.
///
/// With four cores the workers have two and the targets the others. With fewer they share cores, and the second worker
/// also pays for what goes from core to core. So there is a third case: two processes, which share nothing. What two
/// workers of one process carry less than they do is what workers cost each other.
pub fn measure(lab: &Lab) -> Result<Findings, Failure> {
    let shared = machine::cores() < 4;
    let cores = if shared { ["0", "1"] } else { ["2", "3"] };
    let targets = cores.map(|core| Target::start(lab, Some(core), false));
    let targets: Vec<Target> = targets.into_iter().collect::<Result<_, _>>()?;
    let urls: Vec<String> = targets.iter().map(Target::url).collect();
    let scripts = [lab.named_script("one.yml", &urls[..1], "1.1")?, lab.named_script("two.yml", &urls, "1.1")?];
    let [one, two] = &scripts;
    let load = |workers: usize, (script, cores): (&Path, &str)| {
        let mut command = lab.ours(script, Some(cores));
        command.args(["--workers", &workers.to_string(), "--users", &(workers * USERS).to_string()]);
        command.args(["--duration", &format!("{}s", lab.seconds())]);
        command
    };
    let rounds = lab.rounds();
    let contestants = [
        Contestant { name: ONE.into(), rounds, command: Box::new(|| load(1, (one, "0"))) },
        Contestant { name: TWO.into(), rounds, command: Box::new(|| load(2, (two, "0,1"))) },
        Contestant { name: APART.into(), rounds, command: Box::new(|| twice(&load(1, (two, "0,1")))) },
    ];
    let mut findings = Findings::new(how(shared));
    let all = hold(lab, &targets, &contestants, &mut findings);
    findings.table(table(lab, &all));
    let carried = ratio(&all, [TWO, ONE], Measured::requests);
    findings.hold("requests, 2 workers / 1 worker", carried, Bound::AtLeast(GAIN));
    let together = ratio(&all, [TWO, APART], Measured::requests);
    findings.hold("requests, 2 workers / 2 processes of 1", together, Bound::AtLeast(GAIN / 2.0));
    Ok(findings)
}

/// The same command in two processes at a time.
fn twice(once: &Command) -> Command {
    let mut both = Command::new("sh");
    both.args(["-c", "\"$0\" \"$@\" & one=$!; \"$0\" \"$@\" & two=$!; wait $one && wait $two"])
        .arg(once.get_program())
        .args(once.get_args());
    once.get_envs().for_each(|(name, value)| {
        value.map(|value| both.env(name, value));
    });
    both
}

fn how(shared: bool) -> String {
    let where_it_runs = if shared {
        "This machine has too few cores for the targets to have their own: one worker and one target share one core, two \
         workers and two targets share two."
    } else {
        "Each worker and each target has a core of its own."
    };
    format!(
        "{OURS} with one worker and {USERS} users against one target, and with two workers and twice the users against \
         two targets, which all users ask in turn. {where_it_runs}"
    )
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
