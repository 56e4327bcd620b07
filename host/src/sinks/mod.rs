//! The outputs of a run: each is a [`Sink`], which is called when the run begins, for every second of it, and with the
//! report at its end. The progress of `--verbose` and the files of `--out` are sinks, and so is whatever sends the
//! numbers elsewhere.
//!
//! Each sink runs on a thread of its own behind a short queue ([`SinkThreads`]), so that a slow one delays neither a
//! worker nor another sink: a second that finds its queue full is dropped, counted, and reported at the end.
//!
//! A new sink is a file here, a row in [`SINKS`], and a flag in `cli/run.rs`.

mod datagrams;
pub(crate) mod exchanges;
mod grpc;
mod http_endpoint;
mod http_sender;
mod influx;
mod metric_families;
mod otlp;
mod page;
mod progress;
mod prometheus;
mod report_file;
mod run_info;
mod samples;
mod sink;
mod statsd;
mod sums;
pub(crate) mod threads;

use crate::cli::RunArgs;
use crate::diagnostic::Diagnostics;
use crate::plan::Plan;

pub(crate) use run_info::{RunInfo, run_settings};
pub(crate) use sink::{NamedSink, Sink};
pub(crate) use threads::{MissedSeconds, SinkThreads};

/// Opens the sinks of one kind that the arguments ask for.
pub(crate) type OpenSinks = fn(&RunArgs, &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics>;

/// A kind of sink: its name, its flag, and the function that opens it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SinkKind {
    /// The name in messages, such as `progress`.
    pub name: &'static str,
    /// The flag that asks for it, such as `--verbose`. A test checks that a page of the documentation names it.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that holds the documentation to it"))]
    pub flag: &'static str,
    /// Opens the sinks of this kind that the arguments ask for. Whatever can fail must fail here, before the run.
    pub open: OpenSinks,
}

/// All kinds of sinks, in the order in which they finish.
pub(crate) const SINKS: &[SinkKind] = &[
    SinkKind { name: "progress", flag: "--verbose", open: progress::open },
    SinkKind { name: "report", flag: "--out", open: report_file::open },
    SinkKind { name: "statsd", flag: "--statsd", open: statsd::open },
    SinkKind { name: "influx", flag: "--influx", open: influx::open },
    SinkKind { name: "otlp", flag: "--otlp", open: otlp::open },
    SinkKind { name: "prometheus", flag: "--prometheus", open: prometheus::open },
    SinkKind { name: "samples", flag: "--samples", open: samples::open },
    SinkKind { name: "page", flag: "--page", open: page::open },
];

/// Opens all sinks that the arguments ask for.
///
/// # Errors
/// Sinks cannot be opened; all the errors are returned.
pub(crate) fn open(kinds: &[SinkKind], args: &RunArgs, plan: &Plan) -> Result<Vec<NamedSink>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut sinks = Vec::new();
    for kind in kinds {
        let opened = diagnostics.absorb((kind.open)(args, plan)).unwrap_or_default();
        sinks.extend(opened.into_iter().map(|sink| NamedSink { name: kind.name, sink }));
    }
    diagnostics.into_result(sinks)
}

#[cfg(test)]
pub(crate) mod test_sink;
#[cfg(test)]
mod tests;
