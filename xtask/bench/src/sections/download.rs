//! The cost of a byte, in replies so large that nothing else counts.

use anyhow::Result;

use crate::figures::Bound;
use crate::findings::{Findings, Table};
use crate::process::on_cores;
use crate::rounds::{self, Client, Measurement, STAMPEDE, ratio};
use crate::setup::{CLIENT, SERVER, Setup};
use crate::target::{FILE_BYTES, Target};
use crate::tools::Tool;

const USERS: usize = 4;

/// Downloads one file with each client, each the same number of times.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    let targets = [Target::start(setup, Some(SERVER), false)?];
    let url = targets[0].file_url();
    let script = setup.script(std::slice::from_ref(&url), "1.1")?;
    let times = setup.either(800, 3200);
    let mut clients = Vec::new();
    if let Ok(curl) = setup.path(Tool::Curl) {
        let command = Box::new(|| {
            let mut command = on_cores(curl, Some(CLIENT));
            command.args(["-s", "-o", "/dev/null", &format!("{url}?[1-{times}]")]);
            command
        });
        clients.push(Client { name: Tool::Curl.name().into(), rounds: setup.rounds(), command });
    }
    let command = Box::new(|| {
        let mut command = setup.load_runner(&script, Some(CLIENT));
        let (users, iterations) = (USERS.to_string(), (times / USERS).to_string());
        command.args(["--workers", "1", "--users", &users, "--iterations", &iterations]);
        command
    });
    clients.push(Client { name: STAMPEDE.into(), rounds: setup.rounds(), command });
    let mut findings = Findings::new(format!(
        "Each client gets a file of 5 MB {times} times: {STAMPEDE} with {USERS} users, who keep their connections, \
         curl in one process on one connection."
    ));
    let all = rounds::run(setup, &targets, &clients, &mut findings);
    let mut table = Table::new(&["client", "files", "MB/s", "µs CPU/MB", "peak MiB", "connections", "rounds"]);
    for series in &all {
        table.row([
            series.name.clone(),
            series.count(Measurement::requests),
            series.figure(|run| megabytes(run) / run.run.wall.as_secs_f64()),
            series.figure(|run| run.run.cpu.as_secs_f64() * 1e6 / megabytes(run)),
            series.figure(|run| run.run.peak / 1024.0),
            series.count(|run| run.count.connections as f64),
            series.rounds(),
        ]);
    }
    findings.table(table);
    let ratio = ratio(&all, [STAMPEDE, Tool::Curl.name()], Measurement::cpu_per_request);
    findings.compare("CPU per byte, stampede-shooter / curl", ratio, Bound::AtMost(1.2));
    Ok(findings)
}

fn megabytes(run: &Measurement) -> f64 {
    run.requests() * FILE_BYTES as f64 / 1e6
}
