//! Sinks on threads of their own. The main thread only puts what is new into their queues, and never waits before the
//! run is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::run_info::RunInfo;
use super::sink::{NamedSink, Sink};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::metrics::aggregate::Aggregate;
use crate::report::Report;
use crate::run::EndReason;
use crate::run::observer::{LoadUpdate, RunObserver, SecondSnapshot};

/// The number of places in a queue. Enough for a slow disk or a reconnect; each may hold the histograms of all rows.
pub(crate) const QUEUE_SECONDS: usize = 8;

/// One call of a sink.
enum SinkCall {
    Begin(Arc<RunInfo>),
    Second(Arc<SecondSnapshot>),
    LoadChanged(LoadUpdate),
    Finish(Arc<Report>),
}

impl SinkCall {
    /// Returns the number of places that the call takes in a queue. Seconds that are complete at the same moment, after
    /// the program was held up, take one place together: no sink could have read them earlier.
    fn places(&self) -> usize {
        match self {
            Self::Begin(_) | Self::LoadChanged(_) => 1,
            Self::Second(second) => usize::from(second.is_newest),
            // It is sent however full the queue is.
            Self::Finish(_) => 0,
        }
    }
}

/// All sinks of a run.
pub(crate) struct SinkThreads {
    sinks: Vec<SinkThread>,
    /// Taken when the run begins.
    run: Option<RunInfo>,
    seconds: u32,
}

struct SinkThread {
    name: &'static str,
    reads_counts: bool,
    queue: Sender<SinkCall>,
    /// The number of places that are taken in the queue.
    places_taken: Arc<AtomicUsize>,
    /// The number of places in the queue.
    capacity: usize,
    thread: JoinHandle<FinishedSink>,
    missed: u32,
}

/// The end of a sink.
struct FinishedSink {
    /// The sink, if what it serves is still read.
    serving: Option<Box<dyn Sink>>,
    result: Result<(), Diagnostic>,
}

/// Seconds that a sink was too slow for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissedSeconds {
    /// The name of the sink.
    pub sink: &'static str,
    /// Number of seconds that it was not shown.
    pub missed: u32,
    /// Number of seconds of the run.
    pub seconds: u32,
}

/// The outcome of all sinks.
#[derive(Default)]
pub(crate) struct SinkResults {
    /// The sinks that still serve what they have.
    pub serving: Vec<Box<dyn Sink>>,
    /// The sinks that missed something.
    pub missed: Vec<MissedSeconds>,
    /// The errors of sinks that could not write.
    pub diagnostics: Diagnostics,
}

impl SinkThreads {
    /// Starts a thread for each sink, with a queue of `capacity` places. `run` describes the run that is about to
    /// begin.
    ///
    /// # Errors
    /// The operating system has no more threads. The sinks that have a thread already are abandoned.
    pub(crate) fn start(sinks: Vec<NamedSink>, run: RunInfo, capacity: usize) -> Result<Self, Diagnostic> {
        let mut threads = Self { sinks: Vec::new(), run: Some(run), seconds: 0 };
        for sink in sinks {
            match SinkThread::start(sink, capacity) {
                Ok(sink) => threads.sinks.push(sink),
                Err(diagnostic) => {
                    threads.abandon();
                    return Err(diagnostic);
                }
            }
        }
        Ok(threads)
    }

    /// Lets each sink finish, one after the other, so that two that write to the same place do not mix.
    pub(crate) fn finish(self, report: &Arc<Report>) -> SinkResults {
        let mut results = SinkResults::default();
        for sink in self.sinks {
            let (name, missed) = (sink.name, sink.missed);
            if missed > 0 {
                results.missed.push(MissedSeconds { sink: name, missed, seconds: self.seconds });
            }
            match sink.finish(report) {
                Ok(finished) => {
                    results.diagnostics.0.extend(finished.result.err());
                    results.serving.extend(finished.serving);
                }
                Err(panicked) => results.diagnostics.push(panicked),
            }
        }
        results
    }

    /// Drops each sink without letting it finish, and waits until it is gone, with its temporary files.
    pub(crate) fn abandon(self) {
        for SinkThread { queue, thread, .. } in self.sinks {
            drop(queue);
            // A panic has printed its message already.
            let _ = thread.join();
        }
    }
}

impl RunObserver for SinkThreads {
    fn begin(&mut self, started_at: Duration) {
        let Some(run) = self.run.take() else { return };
        let run = Arc::new(RunInfo { started_at, ..run });
        for sink in &self.sinks {
            // The queue is still empty.
            sink.put(SinkCall::Begin(Arc::clone(&run)));
        }
    }

    fn second(&mut self, second: &Arc<SecondSnapshot>, _: &Aggregate) -> Option<EndReason> {
        self.seconds += 1;
        for sink in &mut self.sinks {
            if !sink.put(SinkCall::Second(Arc::clone(second))) {
                sink.missed += 1;
            }
        }
        None
    }

    fn load_changed(&mut self, update: &LoadUpdate) {
        for sink in &self.sinks {
            // If the queue is full the change is left out: the next second has the new load too.
            sink.put(SinkCall::LoadChanged(update.clone()));
        }
    }

    fn reads_counts(&self) -> bool {
        self.sinks.iter().any(|sink| sink.reads_counts)
    }
}

impl SinkThread {
    fn start(named: NamedSink, capacity: usize) -> Result<Self, Diagnostic> {
        let NamedSink { name, sink } = named;
        let reads_counts = sink.reads_counts();
        let (queue, calls) = channel();
        let places_taken = Arc::new(AtomicUsize::new(0));
        let places = Arc::clone(&places_taken);
        let thread = std::thread::Builder::new().name(format!("sink-{name}")).spawn(move || run(sink, calls, &places));
        let thread = thread
            .map_err(|error| Diagnostic::new("internal::sink", format!("cannot start a thread for a sink: {error}")))?;
        Ok(Self { name, reads_counts, queue, places_taken, capacity, thread, missed: 0 })
    }

    /// Puts a call into the queue. Returns `false` if the queue is full, so that the call is left out.
    fn put(&self, call: SinkCall) -> bool {
        // A sink that has panicked misses nothing more: `finish` reports the panic.
        if self.thread.is_finished() {
            return true;
        }
        if self.places_taken.load(Ordering::Relaxed) >= self.capacity {
            return false;
        }
        self.places_taken.fetch_add(call.places(), Ordering::Relaxed);
        let _ = self.queue.send(call);
        true
    }

    /// Waits until the sink has taken everything in its queue, and the report.
    ///
    /// # Errors
    /// The sink has panicked.
    fn finish(self, report: &Arc<Report>) -> Result<FinishedSink, Diagnostic> {
        // If the sink has panicked, sending fails and `join` returns the panic.
        let _ = self.queue.send(SinkCall::Finish(Arc::clone(report)));
        drop(self.queue);
        let panicked = |_| Diagnostic::new("internal::sink", format!("the sink `{}` panicked", self.name));
        self.thread.join().map_err(panicked)
    }
}

/// Runs a sink until the last call, or until the run is gone without one; the body of its thread.
fn run(mut sink: Box<dyn Sink>, calls: Receiver<SinkCall>, places_taken: &AtomicUsize) -> FinishedSink {
    for call in calls {
        places_taken.fetch_sub(call.places(), Ordering::Relaxed);
        match call {
            SinkCall::Begin(run) => sink.begin(&run),
            SinkCall::Second(second) => sink.second(&second),
            SinkCall::LoadChanged(update) => sink.load_changed(&update),
            SinkCall::Finish(report) => {
                let result = sink.finish(&report);
                return FinishedSink { serving: Some(sink).filter(|sink| sink.linger().is_some()), result };
            }
        }
    }
    FinishedSink { serving: None, result: Ok(()) }
}
