//! What `isolation: user` costs: the `http` action with one instance for each worker, and with one for each user.

use super::super::contest::{Contestant, Measured, OURS, difference, hold};
use super::super::figures::{Bound, Spread};
use super::super::lab::{CLIENT, Lab, SERVER};
use super::super::table::{Findings, Table};
use super::super::target::Target;
use crate::step::Failure;

const SHARED: &str = "worker";
const OWN: &str = "user";

/// Users whose memory is compared.
const USERS: usize = 2_000;

/// Runs both in turn, and holds many users of either kind.
pub fn measure(lab: &Lab) -> Result<Findings, Failure> {
    let target = Target::start(lab, Some(SERVER), false)?;
    let script = |isolation: &str| {
        let text = format!(
            "plugins: {{http: {{isolation: {isolation}}}}}\nsteps:\n  - {{name: Get, url: '{}', http_version: '1.1'}}\n",
            target.url()
        );
        lab.write(&format!("{isolation}.yml"), text.as_bytes())
    };
    let (shared, own) = (script(SHARED)?, script(OWN)?);
    let contestant = |name: &str, script: &std::path::Path| {
        let script = script.to_path_buf();
        let command = move || {
            let mut command = lab.ours(&script, Some(CLIENT));
            command.args(["--workers", "1", "--users", "64", "--duration", &format!("{}s", lab.seconds())]);
            command
        };
        Contestant { name: name.into(), rounds: lab.rounds(), command: Box::new(command) }
    };
    let mut findings = Findings::new(format!(
        "{OURS} with the `http` action under both isolations: 64 users as fast as they can, and {USERS} users at one \
         request in 10 s each.",
    ));
    let contestants = [contestant(SHARED, &shared), contestant(OWN, &own)];
    let all = hold(lab, std::slice::from_ref(&target), &contestants, &mut findings);
    let peak = |script: &std::path::Path| -> Result<f64, Failure> {
        let mut command = lab.ours(script, None);
        command.args(["--workers", "1", "--rps", "0.1", "--duration", "10s", "--users", &USERS.to_string()]);
        Ok(lab.report(&mut command)?.0.peak)
    };
    let (with_shared, with_own) = (peak(&shared)?, peak(&own)?);
    let mut table = Table::new(&["isolation", "µs CPU/request", "rounds", "peak memory, MiB"]);
    for (series, peak) in all.iter().zip([with_shared, with_own]) {
        let peak = format!("{:.1}", peak / 1024.0);
        table.row([series.name.clone(), series.shown(Measured::cpu_per_request), series.count().to_string(), peak]);
    }
    findings.table(table);
    let apart = difference(&all, [OWN, SHARED], Measured::cpu_per_request);
    findings.hold("CPU per request, user − worker, µs", apart, Bound::AtMost(5.0));
    let each = (with_own - with_shared) / USERS as f64;
    findings.hold("memory of an instance, KiB a user", Spread::of(vec![each]), Bound::AtMost(200.0));
    Ok(findings)
}
