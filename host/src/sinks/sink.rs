//! The trait of every output.

use std::time::Duration;

use super::run_info::RunInfo;
use crate::diagnostic::Diagnostic;
use crate::report::Report;
use crate::run::load_controller::ControlSender;
use crate::run::observer::{LoadUpdate, SecondSnapshot};

/// An output of a run. All methods are called on the sink's own thread, one after the other: `begin` once, `second` for
/// each second of the run in order, `finish` once. A method may block for as long as it likes; seconds that come
/// meanwhile wait in the queue, and are left out if it is full. A sink that is dropped without `finish` belongs to a
/// script that was only checked, or to a run that failed.
pub(crate) trait Sink: Send {
    /// Called when the run begins, before its first second. Users wait for no sink, so they may have sent requests by
    /// then.
    fn begin(&mut self, _run: &RunInfo) {}

    /// Called for each second that all workers have handed over, about a hundredth of a second after its end, in the
    /// set-up and the teardown too. [`SecondSnapshot::index`] shows a gap if seconds were left out.
    fn second(&mut self, second: &SecondSnapshot);

    /// Called as soon as the load has been changed by a key or through the control socket, between two seconds.
    fn load_changed(&mut self, _update: &LoadUpdate) {}

    /// Called when the run is over. The program waits for it; a signal ends the wait.
    ///
    /// # Errors
    /// The output is not complete; the program prints the reason and exits accordingly.
    fn finish(&mut self, _report: &Report) -> Result<(), Diagnostic> {
        Ok(())
    }

    /// Called after `finish`, and again when the report has been shown. Returns the time for which what the sink serves
    /// is to stay readable; `None` if it serves nothing, or if nothing reads it. The program waits for the longest of
    /// these times, and a signal ends the wait. The sink is dropped after it.
    fn linger(&self) -> Option<Duration> {
        None
    }

    /// Called before the run with the sending end of requests to it. Returns `true` if the sink may send any, because
    /// it was asked to let its readers change the run.
    fn accept_control(&mut self, _requests: &ControlSender) -> bool {
        false
    }

    /// `true` if the sink reads the counts in [`SecondSnapshot::merged`]; if no sink does, they are not merged.
    fn reads_counts(&self) -> bool {
        true
    }
}

/// A sink and the name of its kind.
pub(crate) struct NamedSink {
    /// The name of its kind.
    pub name: &'static str,
    /// The sink.
    pub sink: Box<dyn Sink>,
}
