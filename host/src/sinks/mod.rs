//! The outputs of a run: each is a [`Sink`], which is told when the run begins, then shown every second of it, then
//! given the report. The progress of `--verbose` and the files of `--out` are sinks, and so is whatever sends the
//! numbers elsewhere.
//!
//! Each sink runs on a thread of its own behind a short queue ([`SinkThreads`]), so that a slow one delays neither a
//! worker nor another sink: a second that finds its queue full is dropped, counted, and reported at the end.
//!
//! A new sink is a file here, a row in [`SINKS`], and a flag in `cli/run.rs`.

mod progress;
mod report_file;
mod run_info;
pub mod threads;

use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::Plan;
use crate::report::Report;
use crate::run::observer::{LoadUpdate, SecondSnapshot};

pub use run_info::{RunInfo, run_settings};
pub use threads::{MissedSeconds, SinkThreads};

/// An output of a run. All methods are called on the sink's own thread, one after the other: `begin` once, `second` for
/// each second of the run in order, `finish` once. A method may block for as long as it likes; seconds that come
/// meanwhile wait in the queue, and are left out if it is full. A sink that is dropped without `finish` belongs to a
/// script that was only checked, or to a run that failed.
pub trait Sink: Send {
    /// Called when the run has begun, before its first second. Nothing has been sent by then.
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

    /// `true` if the sink reads the counts in [`SecondSnapshot::merged`]; if no sink does, they are not merged.
    fn reads_counts(&self) -> bool {
        true
    }
}

/// A kind of sink: its name, its flag, and the function that opens it.
#[derive(Clone, Copy, Debug)]
pub struct SinkKind {
    /// The name in messages, such as `progress`.
    pub name: &'static str,
    /// The flag that asks for it, such as `--verbose`. A test checks that a page of the documentation names it.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that holds the documentation to it"))]
    pub flag: &'static str,
    /// Opens the sinks of this kind that the arguments ask for. Whatever can fail must fail here, before the run.
    pub open: OpenSinks,
}

/// All kinds of sinks, in the order in which they finish.
pub const SINKS: &[SinkKind] = &[
    SinkKind { name: "progress", flag: "--verbose", open: progress::open },
    SinkKind { name: "report", flag: "--out", open: report_file::open },
];

/// A sink and the name of its kind.
pub struct NamedSink {
    /// The name of its kind.
    pub name: &'static str,
    /// The sink.
    pub sink: Box<dyn Sink>,
}

/// Opens all sinks that the arguments ask for.
///
/// # Errors
/// Sinks cannot be opened; all the errors are returned.
pub fn open(kinds: &[SinkKind], args: &RunArgs, plan: &Plan) -> Result<Vec<NamedSink>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut sinks = Vec::new();
    for kind in kinds {
        let opened = diagnostics.absorb((kind.open)(args, plan)).unwrap_or_default();
        sinks.extend(opened.into_iter().map(|sink| NamedSink { name: kind.name, sink }));
    }
    diagnostics.into_result(sinks)
}

#[cfg(test)]
mod tests;
