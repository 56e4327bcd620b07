//! The cost of a request: one small reply, as often as possible, from each client on its own core.

use std::process::Command;

use anyhow::Result;

use super::users::affordable;
use crate::figures::{Bound, Spread};
use crate::findings::{Findings, Table};
use crate::process::on_cores;
use crate::rounds::{self, Client, Measurement, STAMPEDE, Series, measure, ratio};
use crate::setup::{CLIENT, SERVER, Setup};
use crate::target::Target;
use crate::tools::{Load, Tool};

/// The rounds of k6, which costs so much more than the others that fewer rounds are enough.
const K6_ROUNDS: usize = 2;

/// A comparison of clients by the cost of a request.
struct Comparison {
    connections: usize,
    peers: &'static [Tool],
    /// The URL of the target, and the version of HTTP.
    url: fn(&Target) -> String,
    http_version: &'static str,
    secure: bool,
}

/// Measures 64 connections in plain HTTP/1.1.
pub(crate) fn http64(setup: &Setup) -> Result<Findings> {
    let comparison = plain(64, &[Tool::Wrk, Tool::Oha, Tool::K6]);
    let (mut findings, all) = comparison.run(setup)?;
    compare_with(&mut findings, &all, Tool::Wrk, 1.15);
    compare_with(&mut findings, &all, Tool::Oha, 0.85);
    let of_k6 = ratio(&all, ["k6", STAMPEDE], Measurement::cpu_per_request);
    findings.compare("requests per CPU second, stampede-shooter / k6", of_k6, Bound::AtLeast(9.0));
    Ok(findings)
}

/// Measures 4,000 connections in plain HTTP/1.1, and the memory of a user.
pub(crate) fn http4000(setup: &Setup) -> Result<Findings> {
    let (users, note) = affordable(4000);
    let comparison = plain(users, &[Tool::Wrk, Tool::Oha]);
    let (mut findings, all) = comparison.run(setup)?;
    note.into_iter().for_each(|note| findings.note(note));
    compare_with(&mut findings, &all, Tool::Oha, 1.0);
    compare_with(&mut findings, &all, Tool::Wrk, 1.3);
    let one = plain(1, &[]).alone(setup)?.run.peak;
    let peaks = Series::find(&all, STAMPEDE).map(|series| series.figures(|run| run.run.peak)).unwrap_or_default();
    let each = |of: &dyn Fn(f64) -> f64| Spread::of(peaks.iter().flatten().map(|peak| of(*peak)));
    let more = each(&|peak| (peak - one) / (users as f64 - 1.0));
    findings.compare("KiB for each user after the first", more, Bound::AtMost(25.0));
    findings.compare("KiB for each user, program and all", each(&|peak| peak / users as f64), Bound::AtMost(25.0));
    Ok(findings)
}

/// Measures 64 connections in HTTP/1.1 over TLS.
pub(crate) fn tls64(setup: &Setup) -> Result<Findings> {
    secure(setup, Target::tls_url, "1.1")
}

/// Measures 64 connections in HTTP/2 over TLS, one request at a time on each.
pub(crate) fn h2_64(setup: &Setup) -> Result<Findings> {
    secure(setup, Target::h2_url, "2")
}

const fn plain(connections: usize, peers: &'static [Tool]) -> Comparison {
    Comparison { connections, peers, url: Target::url, http_version: "1.1", secure: false }
}

fn secure(setup: &Setup, url: fn(&Target) -> String, http_version: &'static str) -> Result<Findings> {
    let comparison = Comparison { connections: 64, peers: &[Tool::Oha], url, http_version, secure: true };
    let (mut findings, all) = comparison.run(setup)?;
    compare_with(&mut findings, &all, Tool::Oha, 1.0);
    Ok(findings)
}

fn compare_with(findings: &mut Findings, all: &[Series], peer: Tool, most: f64) {
    let ratio = ratio(all, [STAMPEDE, peer.name()], Measurement::cpu_per_request);
    findings.compare(format!("CPU per request, stampede-shooter / {}", peer.name()), ratio, Bound::AtMost(most));
}

impl Comparison {
    fn run(&self, setup: &Setup) -> Result<(Findings, Vec<Series>)> {
        let targets = [Target::start(setup, Some(SERVER), self.secure)?];
        let url = (self.url)(&targets[0]);
        let script = setup.script(std::slice::from_ref(&url), self.http_version)?;
        let mut clients = Vec::new();
        for peer in self.peers {
            // A peer that is missing is named at the head of the results.
            let Ok(path) = setup.path(*peer) else { continue };
            let rounds = if *peer == Tool::K6 { K6_ROUNDS } else { setup.rounds() };
            let load = Load {
                url: &url,
                connections: self.connections,
                seconds: setup.seconds(),
                h2: self.http_version == "2",
            };
            let command = move || {
                let mut command = on_cores(path, Some(CLIENT));
                peer.ask(&mut command, load, setup.folder());
                command
            };
            clients.push(Client { name: peer.name().into(), rounds, command: Box::new(command) });
        }
        let command = Box::new(|| self.ask(setup.load_runner(&script, Some(CLIENT)), setup));
        clients.push(Client { name: STAMPEDE.into(), rounds: setup.rounds(), command });
        let mut findings = Findings::new("Each client asks for a JSON reply of 128 bytes, as often as it can.");
        let all = rounds::run(setup, &targets, &clients, &mut findings);
        findings.table(self.table(setup, &all));
        Ok((findings, all))
    }

    /// Runs the load runner once, without peers.
    fn alone(&self, setup: &Setup) -> Result<Measurement> {
        let targets = [Target::start(setup, Some(SERVER), self.secure)?];
        let script = setup.script(&[(self.url)(&targets[0])], self.http_version)?;
        measure(setup, &targets, &mut self.ask(setup.load_runner(&script, Some(CLIENT)), setup))
    }

    fn ask(&self, mut command: Command, setup: &Setup) -> Command {
        command.args(["--workers", "1", "--users", &self.connections.to_string()]);
        command.args(["--duration", &format!("{}s", setup.seconds())]);
        command
    }

    fn table(&self, setup: &Setup, all: &[Series]) -> Table {
        let seconds = setup.seconds() as f64;
        let head = ["client", "requests/s", "µs CPU/request", "requests/CPU s", "peak MiB", "connections", "rounds"];
        let mut table = Table::new(&head);
        for series in all {
            table.row([
                series.name.clone(),
                series.figure(|run| run.requests() / seconds),
                series.figure(Measurement::cpu_per_request),
                series.figure(|run| 1e6 / run.cpu_per_request()),
                series.figure(|run| run.run.peak / 1024.0),
                series.count(|run| run.count.connections as f64),
                series.rounds(),
            ]);
        }
        table
    }
}
