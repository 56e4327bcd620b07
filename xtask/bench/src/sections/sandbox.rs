//! The cost of the sandbox: one binary that runs the `http` action as a plugin, or as native code.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use xtask::workspace::build_release;

use crate::figures::Bound;
use crate::findings::{Findings, Table};
use crate::rounds::{self, Client, Measurement, STAMPEDE, difference};
use crate::setup::{CLIENT, SERVER, Setup};
use crate::target::Target;

const SANDBOXED: &str = "WebAssembly";
const NATIVE: &str = "native";

/// Builds a binary that has both, and runs them in turn.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    let twin = build_twin(setup)?;
    let target = Target::start(setup, Some(SERVER), false)?;
    let script = setup.script(&[target.url()], "1.1")?;
    let client = |name: &str, native: bool| {
        let (twin, script) = (&twin, &script);
        let command = move || {
            let mut command = setup.build(twin, script, Some(CLIENT));
            command.args(["--workers", "1", "--users", "64", "--duration", &format!("{}s", setup.seconds())]);
            if native {
                command.env("STAMPEDE_NATIVE_TWIN", "1");
            }
            command
        };
        Client { name: name.into(), rounds: setup.rounds(), command: Box::new(command) }
    };
    let mut findings = Findings::new(format!(
        "{STAMPEDE} built with the feature `native-twin`, 64 users: the `http` action runs in the sandbox, or as \
         native code that does the same with the same prepared request.",
    ));
    let clients = [client(SANDBOXED, false), client(NATIVE, true)];
    let all = rounds::run(setup, &[target], &clients, &mut findings);
    let mut table = Table::new(&["http action", "µs CPU/request", "rounds"]);
    for series in &all {
        table.row([series.name.clone(), series.figure(Measurement::cpu_per_request), series.rounds()]);
    }
    findings.table(table);
    let apart = difference(&all, [SANDBOXED, NATIVE], Measurement::cpu_per_request);
    findings.compare("CPU per request, WebAssembly − native, µs", apart, Bound::AtMost(1.0));
    Ok(findings)
}

/// Builds the load runner for release with the native twin of the `http` action, and returns the path of a copy.
fn build_twin(setup: &Setup) -> Result<PathBuf> {
    let binary = build_release(&["--features", "native-twin"])?;
    let copy = setup.folder().join("stampede-shooter-twin");
    fs::copy(&binary, &copy).with_context(|| format!("cannot copy `{}`", binary.display()))?;
    Ok(copy)
}
