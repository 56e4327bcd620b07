//! What the sandbox costs: the same binary with the `http` action as the plugin it is, and as native code.

use super::super::contest::{Contestant, Measured, OURS, difference, hold};
use super::super::figures::Bound;
use super::super::lab::{CLIENT, Lab, SERVER};
use super::super::table::{Findings, Table};
use super::super::target::Target;
use crate::step::Failure;
use crate::workspace::build_twin;

const SANDBOXED: &str = "WebAssembly";
const NATIVE: &str = "native";

/// Builds a binary that has both, and runs them in turn.
pub fn measure(lab: &Lab) -> Result<Findings, Failure> {
    let twin = build_twin(lab.folder())?;
    let target = Target::start(lab, Some(SERVER), false)?;
    let script = lab.script(&[target.url()], "1.1")?;
    let contestant = |name: &str, native: bool| {
        let (twin, script) = (&twin, &script);
        let command = move || {
            let mut command = lab.command(twin, script, Some(CLIENT));
            command.args(["--workers", "1", "--users", "64", "--duration", &format!("{}s", lab.seconds())]);
            if native {
                command.env("STAMPEDE_NATIVE_TWIN", "1");
            }
            command
        };
        Contestant { name: name.into(), rounds: lab.rounds(), command: Box::new(command) }
    };
    let mut findings = Findings::new(format!(
        "{OURS} built with the feature `native-twin`, 64 users: the `http` action runs in the sandbox, or as native code \
         that does the same with the same prepared request.",
    ));
    let contestants = [contestant(SANDBOXED, false), contestant(NATIVE, true)];
    let all = hold(lab, &[target], &contestants, &mut findings);
    let mut table = Table::new(&["http action", "µs CPU/request", "rounds"]);
    for series in &all {
        table.row([series.name.clone(), series.shown(Measured::cpu_per_request), series.count().to_string()]);
    }
    findings.table(table);
    let apart = difference(&all, [SANDBOXED, NATIVE], Measured::cpu_per_request);
    findings.hold("CPU per request, WebAssembly − native, µs", apart, Bound::AtMost(1.0));
    Ok(findings)
}
