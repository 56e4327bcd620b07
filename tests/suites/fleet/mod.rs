//! Many machines as one run: processes of the real binary over a real NATS server, against a target that counts.

mod barrier;
mod exactness;
mod local;
mod losses;
mod manifests;
mod operators;

use serde_json::Value;
use stampede_tests::{Finished, NatsServer, Run, Running};

use crate::shooter;

/// The name of the run in all tests; each has a server of its own.
const RUN: &str = "match";

/// A run over a server: the process that leads it, and its machines.
struct Fleet {
    server: NatsServer,
    leader: Running,
    nodes: Vec<Running>,
}

impl Fleet {
    /// Leads a run on this many machines, which are started too. `prepare` adds script and flags.
    fn start(nodes: usize, prepare: impl FnOnce(Run) -> Run) -> Self {
        let server = NatsServer::start();
        let leader = lead(&server, nodes, prepare);
        let nodes = (1..=nodes).map(|number| node(&server, &format!("--segment {number}/{nodes}"))).collect();
        Self { server, leader, nodes }
    }

    /// Waits until all processes end.
    fn finish(self) -> FinishedFleet {
        let leader = self.leader.finish();
        FinishedFleet { leader, nodes: self.nodes.into_iter().map(Running::finish).collect() }
    }
}

/// A fleet that is over.
struct FinishedFleet {
    leader: Finished,
    nodes: Vec<Finished>,
}

impl FinishedFleet {
    /// Checks that the leader has this exit code, and that all machines have succeeded.
    #[track_caller]
    fn exits(self, code: i32) -> Finished {
        let leader = self.leader.exits(code);
        self.nodes.into_iter().for_each(|node| {
            node.exits(0);
        });
        leader
    }
}

/// Leads a run, and does not start its machines.
fn lead(server: &NatsServer, nodes: usize, prepare: impl FnOnce(Run) -> Run) -> Running {
    let run = shooter().args(&format!("fleet run --nats {} --nodes {nodes} --run {RUN}", server.url()));
    prepare(run).report().spawn()
}

/// Starts a machine.
fn node(server: &NatsServer, arguments: &str) -> Running {
    shooter().args(&format!("fleet node --nats {} --run {RUN}", server.url())).args(arguments).spawn()
}

/// Asks the run for something, and returns the answer.
#[track_caller]
fn ask(server: &NatsServer, request: &str) -> Value {
    let answer = shooter().args(&format!("fleet {request} --nats {} --run {RUN}", server.url())).finish().exits(0);
    serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("`{}`: {error}", answer.stdout))
}
