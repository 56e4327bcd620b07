//! The gain of a second worker, which should do as much as the first.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::figures::Bound;
use crate::findings::{Findings, Table};
use crate::machine;
use crate::rounds::{self, Client, Measurement, STAMPEDE, Series, ratio};
use crate::setup::Setup;
use crate::target::Target;

/// Users for each worker, enough to keep it busy.
const USERS: usize = 32;

/// The target for the load of two workers, in loads of one.
const GAIN: f64 = 1.9;

const ONE: &str = "1 worker";
const TWO: &str = "2 workers";
const APART: &str = "2 processes of 1 worker";

/// Measures one worker and two in turn, with as many targets as workers, so that two workers have two of everything.
///
/// With four cores the workers have two and the targets the others. With fewer they share cores, and the second worker
/// also pays for the traffic between the cores. So there is a third case: two processes, which share nothing. The load
/// that they carry beyond that of two workers in one process is what the workers cost each other.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    let shared = machine::cores() < 4;
    let cores = if shared { ["0", "1"] } else { ["2", "3"] };
    let targets = cores.map(|core| Target::start(setup, Some(core), false));
    let targets: Vec<Target> = targets.into_iter().collect::<Result<_, _>>()?;
    let urls: Vec<String> = targets.iter().map(Target::url).collect();
    let scripts = [setup.named_script("one.yml", &urls[..1], "1.1")?, setup.named_script("two.yml", &urls, "1.1")?];
    let [one, two] = &scripts;
    let load = |workers: usize, (script, cores): (&Path, &str)| {
        let mut command = setup.load_runner(script, Some(cores));
        command.args(["--workers", &workers.to_string(), "--users", &(workers * USERS).to_string()]);
        command.args(["--duration", &format!("{}s", setup.seconds())]);
        command
    };
    let rounds = setup.rounds();
    let clients = [
        Client { name: ONE.into(), rounds, command: Box::new(|| load(1, (one, "0"))) },
        Client { name: TWO.into(), rounds, command: Box::new(|| load(2, (two, "0,1"))) },
        Client { name: APART.into(), rounds, command: Box::new(|| twice(&load(1, (two, "0,1")))) },
    ];
    let mut findings = Findings::new(method(shared));
    let all = rounds::run(setup, &targets, &clients, &mut findings);
    findings.table(table(setup, &all));
    let carried = ratio(&all, [TWO, ONE], Measurement::requests);
    findings.compare("requests, 2 workers / 1 worker", carried, Bound::AtLeast(GAIN));
    let together = ratio(&all, [TWO, APART], Measurement::requests);
    findings.compare("requests, 2 workers / 2 processes of 1", together, Bound::AtLeast(GAIN / 2.0));
    Ok(findings)
}

/// Returns a call that runs a command in two processes at a time.
fn twice(command: &Command) -> Command {
    let mut both = Command::new("sh");
    both.args(["-c", "\"$0\" \"$@\" & one=$!; \"$0\" \"$@\" & two=$!; wait $one && wait $two"])
        .arg(command.get_program())
        .args(command.get_args());
    command.get_envs().for_each(|(name, value)| {
        value.map(|value| both.env(name, value));
    });
    both
}

fn method(shared: bool) -> String {
    let places = if shared {
        "This machine has too few cores for the targets to have their own: one worker and one target share one core, \
         two workers and two targets share two."
    } else {
        "Each worker and each target has a core of its own."
    };
    format!(
        "{STAMPEDE} with one worker and {USERS} users against one target, and with two workers and twice the users \
         against two targets, which all users ask in turn. {places}"
    )
}

fn table(setup: &Setup, all: &[Series]) -> Table {
    let seconds = setup.seconds() as f64;
    let mut table = Table::new(&["workers", "requests/s", "requests/CPU s", "CPU s", "rounds"]);
    for series in all {
        table.row([
            series.name.clone(),
            series.figure(|run| run.requests() / seconds),
            series.figure(|run| 1e6 / run.cpu_per_request()),
            series.figure(|run| run.run.cpu.as_secs_f64()),
            series.rounds(),
        ]);
    }
    table
}
