//! Runs of several machines: what a run has in place of its own threads, and what a machine that is one of several
//! waits for. The messages of [remote workers](RemoteWorkers) are those of threads, so that thresholds, outputs,
//! progress and report follow a fleet as they follow one machine.

use stampede_time::Clock;
use tokio::sync::{mpsc, oneshot};

use super::load_controller::LoadState;
use super::outcome::{EndReason, RemoteResult};
use super::setup::WorkerMessage;

/// The workers of a run.
pub(crate) enum RunWorkers {
    /// Threads of this process, which begin when all of them are ready.
    Threads,
    /// Threads of this process, which begin when they are told to.
    Gated(StartGate),
    /// Other processes.
    Remote(RemoteWorkers),
}

/// A start that others decide about.
pub(crate) struct StartGate {
    /// Told once all threads are ready.
    pub ready: oneshot::Sender<()>,
    /// Gives the clock at the instant that is its origin. If the sender is dropped, there is no load.
    pub clock: oneshot::Receiver<Clock>,
}

/// Workers that are other processes, each a segment of the run.
pub(crate) struct RemoteWorkers {
    /// The number of them.
    pub count: usize,
    /// Their messages: intervals in the order of seconds, and the end of each.
    pub messages: mpsc::UnboundedReceiver<WorkerMessage>,
    /// The start.
    pub gate: StartGate,
    /// Takes the orders to all of them.
    pub orders: mpsc::UnboundedSender<RemoteOrder>,
    /// Gives the result once all have ended.
    pub result: oneshot::Receiver<RemoteResult>,
}

/// An order to all remote workers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RemoteOrder {
    /// The load is this one from now on.
    Load(LoadState),
    /// The load ends, for this reason. At the end of the duration they end by themselves.
    End(EndReason),
    /// Nothing is waited for any longer.
    Abort,
}

/// The clock and the orders of a section.
pub(super) struct SectionRemote {
    pub(super) gate: Option<StartGate>,
    pub(super) orders: Option<mpsc::UnboundedSender<RemoteOrder>>,
    /// One more than the last second of remote workers that is closed: no later one is shown.
    closed: u64,
}

impl SectionRemote {
    /// Returns those of a section whose workers are threads.
    pub(super) const fn none() -> Self {
        Self { gate: None, orders: None, closed: 0 }
    }

    /// Returns those of remote workers.
    pub(super) const fn of(gate: StartGate, orders: mpsc::UnboundedSender<RemoteOrder>) -> Self {
        Self { gate: Some(gate), orders: Some(orders), closed: 0 }
    }

    /// Sends an order, if there are remote workers.
    pub(super) fn order(&self, order: RemoteOrder) {
        if let Some(orders) = &self.orders {
            // Workers that are gone need none.
            let _ = orders.send(order);
        }
    }

    /// Notes that a second has come.
    pub(super) fn close(&mut self, second: u32) {
        self.closed = self.closed.max(u64::from(second) + 1);
    }

    /// Returns the time up to which seconds may be shown: those of remote workers once they are closed.
    pub(super) fn shown_until(&self, now: stampede_time::Nanos) -> stampede_time::Nanos {
        if self.orders.is_some() { now.min(self.closed * stampede_time::SECOND) } else { now }
    }
}
