//! What a request costs: the same small reply, as often as possible, from each client on its own core.

use std::process::Command;

use super::super::contest::{Contestant, Measured, OURS, Series, hold, measure, ratio};
use super::super::figures::{Bound, Spread};
use super::super::lab::{CLIENT, Lab, SERVER};
use super::super::process::on_cores;
use super::super::table::{Findings, Table};
use super::super::target::Target;
use super::super::tools::{Load, Tool};
use super::users::affordable;
use crate::step::Failure;

/// k6 costs so much more than the others that few rounds tell as much.
const K6_ROUNDS: usize = 2;

/// A contest over requests.
struct Contest {
    connections: usize,
    peers: &'static [Tool],
    /// Where the target is asked, and with which version of HTTP.
    url: fn(&Target) -> String,
    http_version: &'static str,
    secure: bool,
}

/// 64 connections in plain HTTP/1.1.
pub fn http64(lab: &Lab) -> Result<Findings, Failure> {
    let contest = plain(64, &[Tool::Wrk, Tool::Oha, Tool::K6]);
    let (mut findings, all) = contest.run(lab)?;
    against(&mut findings, &all, Tool::Wrk, 1.15);
    against(&mut findings, &all, Tool::Oha, 0.85);
    let of_k6 = ratio(&all, ["k6", OURS], Measured::cpu_per_request);
    findings.hold("requests per CPU second, stampede-shooter / k6", of_k6, Bound::AtLeast(9.0));
    Ok(findings)
}

/// 4,000 connections in plain HTTP/1.1, and the memory that a user takes.
pub fn http4000(lab: &Lab) -> Result<Findings, Failure> {
    let (users, note) = affordable(4000);
    let contest = plain(users, &[Tool::Wrk, Tool::Oha]);
    let (mut findings, all) = contest.run(lab)?;
    note.into_iter().for_each(|note| findings.note(note));
    against(&mut findings, &all, Tool::Oha, 1.0);
    against(&mut findings, &all, Tool::Wrk, 1.3);
    let one = plain(1, &[]).alone(lab)?.run.peak;
    let peaks = Series::of(&all, OURS).map(|ours| ours.figures(|it| it.run.peak)).unwrap_or_default();
    let each = |of: &dyn Fn(f64) -> f64| Spread::of(peaks.iter().flatten().map(|peak| of(*peak)));
    let more = each(&|peak| (peak - one) / (users as f64 - 1.0));
    findings.hold("KiB for each user after the first", more, Bound::AtMost(25.0));
    findings.hold("KiB for each user, program and all", each(&|peak| peak / users as f64), Bound::AtMost(25.0));
    Ok(findings)
}

/// 64 connections in HTTP/1.1 over TLS.
pub fn tls64(lab: &Lab) -> Result<Findings, Failure> {
    secure(lab, Target::tls_url, "1.1")
}

/// 64 connections in HTTP/2 over TLS, one request at a time on each.
pub fn h2_64(lab: &Lab) -> Result<Findings, Failure> {
    secure(lab, Target::h2_url, "2")
}

const fn plain(connections: usize, peers: &'static [Tool]) -> Contest {
    Contest { connections, peers, url: Target::url, http_version: "1.1", secure: false }
}

fn secure(lab: &Lab, url: fn(&Target) -> String, http_version: &'static str) -> Result<Findings, Failure> {
    let contest = Contest { connections: 64, peers: &[Tool::Oha], url, http_version, secure: true };
    let (mut findings, all) = contest.run(lab)?;
    against(&mut findings, &all, Tool::Oha, 1.0);
    Ok(findings)
}

fn against(findings: &mut Findings, all: &[Series], peer: Tool, most: f64) {
    let measured = ratio(all, [OURS, peer.name()], Measured::cpu_per_request);
    findings.hold(format!("CPU per request, stampede-shooter / {}", peer.name()), measured, Bound::AtMost(most));
}

impl Contest {
    fn run(&self, lab: &Lab) -> Result<(Findings, Vec<Series>), Failure> {
        let targets = [Target::start(lab, Some(SERVER), self.secure)?];
        let url = (self.url)(&targets[0]);
        let script = lab.script(std::slice::from_ref(&url), self.http_version)?;
        let mut contestants = Vec::new();
        for peer in self.peers {
            // A peer that is missing is named at the head of the results.
            let Ok(path) = lab.path(*peer) else { continue };
            let rounds = if *peer == Tool::K6 { K6_ROUNDS } else { lab.rounds() };
            let load =
                Load { url: &url, connections: self.connections, seconds: lab.seconds(), h2: self.http_version == "2" };
            let command = move || {
                let mut command = on_cores(path, Some(CLIENT));
                peer.ask(&mut command, load, lab.folder());
                command
            };
            contestants.push(Contestant { name: peer.name().into(), rounds, command: Box::new(command) });
        }
        let command = Box::new(|| self.ask(lab.ours(&script, Some(CLIENT)), lab));
        contestants.push(Contestant { name: OURS.into(), rounds: lab.rounds(), command });
        let mut findings = Findings::new("Each client asks for a JSON reply of 128 bytes, as often as it can.");
        let all = hold(lab, &targets, &contestants, &mut findings);
        findings.table(self.table(lab, &all));
        Ok((findings, all))
    }

    /// The load runner without peers, once.
    fn alone(&self, lab: &Lab) -> Result<Measured, Failure> {
        let targets = [Target::start(lab, Some(SERVER), self.secure)?];
        let script = lab.script(&[(self.url)(&targets[0])], self.http_version)?;
        measure(lab, &targets, &mut self.ask(lab.ours(&script, Some(CLIENT)), lab))
    }

    fn ask(&self, mut command: Command, lab: &Lab) -> Command {
        command.args(["--workers", "1", "--users", &self.connections.to_string()]);
        command.args(["--duration", &format!("{}s", lab.seconds())]);
        command
    }

    fn table(&self, lab: &Lab, all: &[Series]) -> Table {
        let seconds = lab.seconds() as f64;
        let head = ["client", "requests/s", "µs CPU/request", "requests/CPU s", "peak MiB", "connections", "rounds"];
        let mut table = Table::new(&head);
        for series in all {
            table.row([
                series.name.clone(),
                series.shown(|it| it.requests() / seconds),
                series.shown(Measured::cpu_per_request),
                series.shown(|it| 1e6 / it.cpu_per_request()),
                series.shown(|it| it.run.peak / 1024.0),
                series.whole(|it| it.count.connections as f64),
                series.count().to_string(),
            ]);
        }
        table
    }
}
