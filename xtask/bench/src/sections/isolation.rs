//! The cost of `isolation: user`: the `http` action with one instance for each worker, and with one for each user.

use std::path::Path;

use anyhow::Result;

use crate::figures::{Bound, Spread};
use crate::findings::{Findings, Table};
use crate::rounds::{self, Client, Measurement, STAMPEDE, difference};
use crate::setup::{CLIENT, SERVER, Setup};
use crate::target::Target;

const SHARED: &str = "worker";
const OWN: &str = "user";

/// The number of users for the comparison of memory.
const USERS: usize = 2_000;

/// Runs both isolations in turn, then many users under each.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    let target = Target::start(setup, Some(SERVER), false)?;
    let script = |isolation: &str| {
        let text = format!(
            "plugins: {{http: {{isolation: {isolation}}}}}\n\
             steps:\n  - {{name: Get, url: '{}', http_version: '1.1'}}\n",
            target.url()
        );
        setup.write(&format!("{isolation}.yml"), &text)
    };
    let (shared, own) = (script(SHARED)?, script(OWN)?);
    let client = |name: &str, script: &Path| {
        let script = script.to_path_buf();
        let command = move || {
            let mut command = setup.load_runner(&script, Some(CLIENT));
            command.args(["--workers", "1", "--users", "64", "--duration", &format!("{}s", setup.seconds())]);
            command
        };
        Client { name: name.into(), rounds: setup.rounds(), command: Box::new(command) }
    };
    let mut findings = Findings::new(format!(
        "{STAMPEDE} with the `http` action under both isolations: 64 users as fast as they can, and {USERS} users at \
         one request in 10 s each.",
    ));
    let clients = [client(SHARED, &shared), client(OWN, &own)];
    let all = rounds::run(setup, std::slice::from_ref(&target), &clients, &mut findings);
    let peak = |script: &Path| -> Result<f64> {
        let mut command = setup.load_runner(script, None);
        command.args(["--workers", "1", "--rps", "0.1", "--duration", "10s", "--users", &USERS.to_string()]);
        Ok(setup.report(&mut command)?.0.peak)
    };
    let (with_shared, with_own) = (peak(&shared)?, peak(&own)?);
    let mut table = Table::new(&["isolation", "µs CPU/request", "rounds", "peak memory, MiB"]);
    for (series, peak) in all.iter().zip([with_shared, with_own]) {
        let peak = format!("{:.1}", peak / 1024.0);
        table.row([series.name.clone(), series.figure(Measurement::cpu_per_request), series.rounds(), peak]);
    }
    findings.table(table);
    let apart = difference(&all, [OWN, SHARED], Measurement::cpu_per_request);
    findings.compare("CPU per request, user − worker, µs", apart, Bound::AtMost(5.0));
    let each = (with_own - with_shared) / USERS as f64;
    findings.compare("memory of an instance, KiB a user", Spread::of([each]), Bound::AtMost(200.0));
    Ok(findings)
}
