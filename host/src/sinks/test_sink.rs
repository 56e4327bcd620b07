//! A sink that only tests have: it reports its calls, and the test can block it.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::run_info::RunInfo;
use super::sink::{NamedSink, Sink};
use crate::diagnostic::Diagnostic;
use crate::report::Report;
use crate::run::observer::{LoadUpdate, SecondSnapshot};

/// A call of the sink, in numbers.
#[derive(Debug, PartialEq)]
pub(crate) enum SinkEvent {
    /// The run begins.
    Begin {
        /// When, since the Unix epoch.
        started_at: Duration,
        /// Number of rows.
        rows: usize,
        /// The base URL of the settings.
        base_url: Option<String>,
    },
    /// A second of the run.
    Second {
        /// The number of the snapshot.
        index: u32,
        /// The number of the second within its section.
        second: u32,
        /// The requests in it.
        requests: u64,
    },
    /// The load has changed.
    LoadChanged,
    /// The run is over.
    Finish {
        /// All requests of the run.
        requests: u64,
        /// The iterations that were due in the first scenario.
        due: u64,
    },
}

/// Reports each call to the test, then waits if the test blocks it.
pub(crate) struct TestSink {
    events: Sender<SinkEvent>,
    /// The sink waits at each of its calls until the sender is gone.
    blocked_by: Option<Receiver<()>>,
    /// Dropped when this sink has finished.
    pub blocks: Option<Sender<()>>,
}

impl TestSink {
    /// Creates a sink, and the test's end of its channel.
    pub(crate) fn new(blocked_by: Option<Receiver<()>>) -> (Self, Receiver<SinkEvent>) {
        let (events, received) = channel();
        (Self { events, blocked_by, blocks: None }, received)
    }

    /// Gives the sink a name.
    pub(crate) fn named(self, name: &'static str) -> NamedSink {
        NamedSink { name, sink: Box::new(self) }
    }

    fn report(&self, event: SinkEvent) {
        self.events.send(event).expect("the test listens");
        if let Some(test) = &self.blocked_by {
            // Once the sender is gone, nothing blocks the sink any longer.
            let _ = test.recv();
        }
    }
}

impl Sink for TestSink {
    fn begin(&mut self, run: &RunInfo) {
        let (started_at, base_url) = (run.started_at, run.settings.base_url.clone());
        self.report(SinkEvent::Begin { started_at, rows: run.rows.len(), base_url });
    }

    fn second(&mut self, second: &SecondSnapshot) {
        let requests = second.merged.counts.rows.iter().map(|row| row.requests()).sum();
        self.report(SinkEvent::Second { index: second.index, second: second.merged.second, requests });
    }

    fn load_changed(&mut self, _: &LoadUpdate) {
        self.report(SinkEvent::LoadChanged);
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        let due = report.scenarios.first().map_or(0, |scenario| scenario.iterations.due);
        self.report(SinkEvent::Finish { requests: report.totals.requests.total, due });
        self.blocks = None;
        Ok(())
    }
}
