//! Runs the cells of a table and compares each row of the report with its cell and with the peer's counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::ServerConfig;
use stampede_tests::{Act, Authority, FaultServer, Finished, Identity, Received, Row, Run};

use super::cell::{Cell, Outcome};
use super::{left_out, thorough};
use crate::shooter;

/// Users and iterations of a run, and the tasks of each step.
const FLAGS: &str = "--users 2 --iterations 2 --workers 2 --timeout 20s";
pub(super) const TASKS: u64 = 4;

/// Bytes of HTTP/2 that no request is charged with: the GOAWAY at the end of a connection, and what a client sends
/// after a request that failed.
const GOAWAY: u64 = 17;
const AFTER_A_FAILURE: u64 = 26;

/// Returns the keys of a step for a server, without braces.
pub(super) type Step = fn(&FaultServer) -> String;

/// A protocol, over TLS or not.
pub(super) struct Protocol {
    /// The name, for messages.
    pub(super) name: &'static str,
    /// True over TLS.
    pub(super) tls: bool,
    /// The protocols that the server chooses from in a TLS handshake.
    pub(super) alpn: &'static [&'static str],
    /// The step that is tried.
    pub(super) step: Step,
    /// Files of the scripts.
    pub(super) files: &'static [(&'static str, &'static str)],
}

impl Protocol {
    /// Runs the cells of a table; all that end with the same exit code in one run, or each in its own if all are asked
    /// for. Shows all cells that end in another way.
    #[track_caller]
    pub(super) fn run(&self, cells: &[Cell]) {
        let cells: Vec<_> = cells.iter().filter(|cell| thorough() || !cell.slow).collect();
        let runs: Vec<Vec<&Cell>> = if thorough() {
            cells.into_iter().map(|cell| vec![cell]).collect()
        } else {
            let mut groups = BTreeMap::<_, Vec<_>>::new();
            for cell in cells {
                groups.entry(cell.exit_codes().last()).or_default().push(cell);
            }
            groups.into_values().collect()
        };
        let authority = Authority::default();
        let offences: Vec<_> = runs.iter().flat_map(|cells| self.run_together(cells, &authority)).collect();
        assert!(offences.is_empty(), "{}:\n{}", self.name, offences.join("\n"));
    }

    /// Prints how many cells of a table are left out.
    pub(super) fn count(&self, cells: &[Cell]) {
        if !thorough() {
            left_out(self.name, cells.iter().filter(|cell| cell.slow).count());
        }
    }

    fn run_together(&self, cells: &[&Cell], authority: &Authority) -> Vec<String> {
        let config = self.tls.then(|| authority.server(Identity::Valid, self.alpn));
        let servers: Vec<_> = cells.iter().map(|cell| FaultServer::start(&cell.acts, config.clone())).collect();
        let steps = cells.iter().zip(&servers).map(|(cell, server)| step(cell, &(self.step)(server)));
        let run = self.files.iter().fold(trusting(authority), |run, (name, text)| run.file(name, text));
        let run = run.script(&steps.collect::<String>()).args(FLAGS).report().finish();
        let received = servers.into_iter().map(FaultServer::finish);
        judge_run(&run, &cells.iter().copied().zip(received).collect::<Vec<_>>(), self.is_http2())
    }

    /// Returns `true` if bytes of HTTP/2 connections are counted, whose frames cannot be told apart at the end.
    fn is_http2(&self) -> bool {
        self.alpn.contains(&"h2")
    }
}

/// Returns a call that trusts the authority.
pub(super) fn trusting(authority: &Authority) -> Run {
    shooter().file("ca.pem", authority.pem()).env("SSL_CERT_FILE", "ca.pem")
}

/// Returns the settings of a server whose certificate is right.
pub(super) fn valid(authority: &Authority, alpn: &[&str]) -> Option<Arc<ServerConfig>> {
    Some(authority.server(Identity::Valid, alpn))
}

fn step(cell: &Cell, keys: &str) -> String {
    let timeout = match cell.outcome {
        Outcome::TimesOut if thorough() => "timeout: 1s",
        Outcome::TimesOut => "timeout: 100ms",
        _ => "",
    };
    let more = [cell.keys, timeout].into_iter().filter(|keys| !keys.is_empty());
    let keys = [keys].into_iter().chain(more).collect::<Vec<_>>().join(", ");
    format!("- {{name: '{}', {keys}}}\n", cell.name)
}

/// Returns what is wrong with a run.
pub(super) fn judge_run(run: &Finished, cells: &[(&Cell, Received)], http2: bool) -> Vec<String> {
    let mut offences = Vec::new();
    let codes = cells.iter().map(|(cell, _)| cell.exit_codes());
    let allowed = codes.min_by_key(|codes| codes.len()).unwrap_or_default();
    if !run.code.is_some_and(|code| allowed.contains(&code)) {
        let names: Vec<_> = cells.iter().map(|(cell, _)| cell.name).collect();
        offences.push(format!("{names:?}: exit code {:?}, expected {allowed:?}: {}", run.code, run.stderr));
    }
    if run.stderr.contains("panicked") {
        offences.push(run.stderr.clone());
    }
    let report = run.report();
    report.assert_consistent();
    for (cell, received) in cells {
        let row = report.row(cell.name);
        offences.extend(judge(cell, row, *received));
        offences.extend(judge_bytes(cell, row, *received, http2));
    }
    offences
}

/// Returns in which ways a row differs from its cell.
fn judge(cell: &Cell, row: Row<'_>, received: Received) -> Vec<String> {
    let mut offences = Vec::new();
    let mut expect = |what: &str, holds: bool| {
        if !holds {
            offences.push(format!("{}: {what}: {row:?}, {received:?}", cell.name));
        }
    };
    let (errors, tasks) = match cell.outcome {
        Outcome::Passes => (BTreeMap::new(), "passed"),
        Outcome::Fails(category) | Outcome::Unreached(category) => (BTreeMap::from([(category, TASKS)]), "failed"),
        Outcome::TimesOut => (BTreeMap::from([("timeout", TASKS)]), "failed"),
    };
    let mut found = row.errors();
    if let (Some(also), Some((category, _))) = (cell.also, errors.first_key_value()) {
        let others = found.remove(also).unwrap_or_default();
        *found.entry(category).or_default() += others;
    }
    expect(&format!("errors {found:?}"), found == errors);
    expect("requests", row.total() == TASKS);
    expect("tasks", row.tasks(tasks) == TASKS);
    expect("no example", row.errors().keys().all(|category| !row.example(category).is_empty()));
    if let Some(status) = cell.status {
        expect("statuses", row.statuses() == BTreeMap::from([(status, TASKS)]));
    }
    let requests = if cell.reads() { TASKS } else { 0 };
    // A timeout may come before the peer has read anything.
    let seen = cell.outcome == Outcome::TimesOut && received.requests <= requests;
    expect("requests of the peer", received.requests == requests || seen);
    offences
}

/// Returns in which ways the bytes of a row differ from those of the peer.
fn judge_bytes(cell: &Cell, row: Row<'_>, received: Received, http2: bool) -> Vec<String> {
    let ends_in_time = !matches!(cell.outcome, Outcome::TimesOut | Outcome::Unreached(_));
    let (sent, got) = (row.number("/bytes/out"), row.number("/bytes/in"));
    let slack = if http2 { GOAWAY * received.connections + AFTER_A_FAILURE * row.err() } else { 0 };
    let mut offences = Vec::new();
    if ends_in_time && cell.reads() && !cell.loses_bytes() && !(sent..=sent + slack).contains(&received.bytes_in) {
        offences.push(format!("{}: {sent} bytes sent, and {} received", cell.name, received.bytes_in));
    }
    let excess = if cell.excess || cell.outcome != Outcome::Passes { received.bytes_out } else { 0 };
    if !(got..=got + excess + 4 * slack).contains(&received.bytes_out) {
        offences.push(format!("{}: {got} bytes received, and {} sent", cell.name, received.bytes_out));
    }
    offences
}

/// Faults of a connection, whatever is spoken on it. `read` is the act that reads a request.
pub(super) fn of_any_connection(read: &[Act]) -> Vec<Cell> {
    let after = |acts: &[Act]| [read, acts].concat();
    vec![
        Cell::fails("network", "closed at once", []).at_once(),
        Cell::fails("network", "reset at once", [Act::Reset]).at_once(),
        Cell::fails("network", "closed after the request", after(&[])),
        Cell::fails("network", "reset after the request", after(&[Act::Reset])),
        Cell::times_out("never answers", after(&[Act::Hold])),
        Cell::times_out("never reads", [Act::Hold]),
    ]
}
