//! A target that misbehaves at random, from a seed: every counter of the report equals the target's, in runs of every
//! load model.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use stampede_tests::{RawReply, RawRequest, RawServer, Report};

use super::{left_out, thorough};
use crate::shooter;

const RUNS: u64 = 40;
/// Runs where not all are asked for.
const FEW: u64 = 4;

/// Load models, which the runs take in turn.
const LOADS: [&str; 8] = [
    "users: 20\niterations: 10",
    "users: 7\nshared_iterations: 150",
    "arrival_rate: 200/s\nduration: 1s\nmax_users: 500",
    "users: 10\nduration: 500ms",
    "users: 5\nrps: 40\nduration: 1s",
    "stages: [{duration: 500ms, target: 10}, {duration: 500ms, target: 0}]",
    "arrival_rate: 100/s\narrivals: poisson\nduration: 1s\nmax_users: 500",
    "users: 12\nrps_total: 150\nduration: 1s",
];

const CONNECTIONS: [&str; 3] = ["keep", "iteration", "request"];

/// The counts of the target, and what the report must say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    requests: u64,
    ok: u64,
    errors: BTreeMap<String, u64>,
    statuses: BTreeMap<u16, u64>,
    body_in: u64,
    bytes_out: u64,
    bytes_in: u64,
}

impl Counts {
    fn of(report: &Report) -> Self {
        let totals = report.totals();
        Self {
            requests: totals.total(),
            ok: totals.ok(),
            errors: totals.errors().into_iter().map(|(category, count)| (category.to_owned(), count)).collect(),
            statuses: totals.statuses(),
            body_in: totals.body_in(),
            bytes_out: totals.number("/bytes/out"),
            bytes_in: totals.number("/bytes/in"),
        }
    }

    fn failed(&mut self, category: &str) {
        *self.errors.entry(category.to_owned()).or_default() += 1;
    }

    /// Decides on a reply, and counts how its request must end.
    fn reply(&mut self, random: &mut Pcg64Mcg, request: &RawRequest) -> RawReply {
        self.requests += 1;
        self.bytes_out += length(request);
        let body = "b".repeat(random.random_range(0..3_000));
        let head = |status: u16, fields: &str| format!("HTTP/1.1 {status} -\r\n{fields}\r\n");
        let whole = |status, body: &str| head(status, &format!("content-length: {}\r\n", body.len())) + body;
        let (status, content, bytes, closes) = match random.random_range(0..12) {
            0..=4 => (200, body.len(), whole(200, &body), false),
            5 => {
                let chunk = format!("{:x}\r\n{body}x\r\n0\r\n\r\n", body.len() + 1);
                (200, body.len() + 1, head(200, "transfer-encoding: chunked\r\n") + &chunk, false)
            }
            6 => (404, body.len(), whole(404, &body), false),
            7 => (503, 0, head(503, "content-length: 0\r\nconnection: close\r\n"), true),
            8 => (204, 0, head(204, ""), false),
            9 => {
                self.failed("protocol");
                let fields = format!("content-length: {}\r\n", body.len() + 1);
                (200, body.len(), head(200, &fields) + &body, true)
            }
            10 => {
                self.failed("network");
                (0, 0, String::new(), true)
            }
            _ => {
                self.failed("protocol");
                (0, 0, "garbage\r\n\r\n".to_owned(), true)
            }
        };
        if status > 0 {
            *self.statuses.entry(status).or_default() += 1;
        }
        match status {
            404 | 503 => self.failed("status"),
            200 | 204 if !closes => self.ok += 1,
            _ => {}
        }
        self.body_in += content as u64;
        self.bytes_in += bytes.len() as u64;
        RawReply { bytes: bytes.into_bytes(), closes }
    }
}

/// Returns the length of a request on the wire.
fn length(request: &RawRequest) -> u64 {
    let fields: usize = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    (request.line.len() + 2 + fields + 2 + request.body.len()) as u64
}

fn compare(number: u64) {
    let state = Arc::new(Mutex::new((Pcg64Mcg::seed_from_u64(number), Counts::default())));
    let counting = Arc::clone(&state);
    let target = RawServer::deciding(move |request| {
        let (random, counts) = &mut *counting.lock().unwrap_or_else(PoisonError::into_inner);
        counts.reply(random, request)
    });
    // Few runs too are of several load models, and keep connections in each way.
    let load = LOADS[3 * number as usize % LOADS.len()];
    let connections = CONNECTIONS[number as usize % CONNECTIONS.len()];
    let script = format!(
        "{load}
seed: {number}
connections: {connections}
graceful_stop: 60s
timeout: 60s
steps:
  - {{name: Get, url: '/get/{{{{randInt 1 99}}}}'}}
  - {{name: Post, method: POST, url: /post, body: '{{{{randString 30}}}}'}}
"
    );
    let workers = 1 + number % 4;
    let run = shooter().script(&script).args(&format!("--workers {workers} --fail-on never --base-url"));
    let run = run.arg(target.base_url()).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    let (_, counts) = &*state.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(counts.requests > 0, "run {number}: the target was reached");
    assert_eq!(&Counts::of(&report), counts, "run {number}: {load}, {connections}, {workers} workers");
}

#[test]
fn every_counter_equals_the_targets_in_runs_of_every_load_model_against_a_target_that_fails_at_random() {
    let runs = if thorough() { RUNS } else { FEW };
    (0..runs).for_each(compare);
    if !thorough() {
        left_out("counters of a target that fails at random", (RUNS - FEW) as usize);
    }
}
