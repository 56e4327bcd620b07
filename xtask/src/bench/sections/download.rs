//! What a byte costs, in replies so large that nothing else counts.

use super::super::contest::{Contestant, Measured, OURS, hold, ratio};
use super::super::figures::Bound;
use super::super::lab::{CLIENT, Lab, SERVER};
use super::super::process::on_cores;
use super::super::table::{Findings, Table};
use super::super::target::{FILE_BYTES, Target};
use super::super::tools::Tool;
use crate::step::Failure;

const USERS: usize = 4;

/// The same file, the same number of times.
pub fn measure(lab: &Lab) -> Result<Findings, Failure> {
    let targets = [Target::start(lab, Some(SERVER), false)?];
    let url = targets[0].file_url();
    let script = lab.script(std::slice::from_ref(&url), "1.1")?;
    let times = lab.either(800, 3200);
    let mut contestants = Vec::new();
    if let Ok(curl) = lab.path(Tool::Curl) {
        let command = Box::new(|| {
            let mut command = on_cores(curl, Some(CLIENT));
            command.args(["-s", "-o", "/dev/null", &format!("{url}?[1-{times}]")]);
            command
        });
        contestants.push(Contestant { name: Tool::Curl.name().into(), rounds: lab.rounds(), command });
    }
    let command = Box::new(|| {
        let mut command = lab.ours(&script, Some(CLIENT));
        let (users, iterations) = (USERS.to_string(), (times / USERS).to_string());
        command.args(["--workers", "1", "--users", &users, "--iterations", &iterations]);
        command
    });
    contestants.push(Contestant { name: OURS.into(), rounds: lab.rounds(), command });
    let mut findings = Findings::new(format!(
        "Each client gets a file of 5 MB {times} times: {OURS} with {USERS} users, who keep their connections, curl in one \
         process on one connection."
    ));
    let all = hold(lab, &targets, &contestants, &mut findings);
    let mut table = Table::new(&["client", "files", "MB/s", "µs CPU/MB", "peak MiB", "connections", "rounds"]);
    for series in &all {
        table.row([
            series.name.clone(),
            series.whole(Measured::requests),
            series.shown(|it| megabytes(it) / it.run.wall.as_secs_f64()),
            series.shown(|it| it.run.cpu.as_secs_f64() * 1e6 / megabytes(it)),
            series.shown(|it| it.run.peak / 1024.0),
            series.whole(|it| it.count.connections as f64),
            series.count().to_string(),
        ]);
    }
    findings.table(table);
    let against = ratio(&all, [OURS, Tool::Curl.name()], Measured::cpu_per_request);
    findings.hold("CPU per byte, stampede-shooter / curl", against, Bound::AtMost(1.2));
    Ok(findings)
}

fn megabytes(measured: &Measured) -> f64 {
    measured.requests() * FILE_BYTES as f64 / 1e6
}
