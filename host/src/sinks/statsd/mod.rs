//! `--statsd`: counts and percentiles of each second to a StatsD server, over UDP. A server that is down costs nothing:
//! what this machine could not send is counted and named at the end.

mod lines;

use super::datagrams::Datagrams;
use super::run_info::RunInfo;
use super::sink::Sink;
use super::sums::RunSums;
use crate::cli::{RunArgs, StatsdFormat};
use crate::diagnostic::{Diagnostic, Diagnostics, io_reason};
use crate::plan::Plan;
use crate::report::Report;
use crate::run::observer::SecondSnapshot;
use crate::stderr;
use lines::lines;

/// The sink.
struct StatsdSink {
    datagrams: Datagrams,
    format: StatsdFormat,
    sums: RunSums,
}

/// Opens the sink if `--statsd` was given.
///
/// # Errors
/// The address cannot be sent to.
pub(super) fn open(args: &RunArgs, _: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    let Some(address) = &args.statsd else { return Ok(Vec::new()) };
    let datagrams = Datagrams::open(address).map_err(|error| {
        Diagnostic::new("usage::addr", format!("cannot send to `{address}`: {}", io_reason(&error)))
            .help("name host and port of a StatsD server with `--statsd`, for example `--statsd 127.0.0.1:8125`")
    })?;
    Ok(vec![Box::new(StatsdSink {
        datagrams,
        format: args.statsd_format.unwrap_or_default(),
        sums: RunSums::default(),
    })])
}

impl Sink for StatsdSink {
    fn begin(&mut self, run: &RunInfo) {
        self.sums = RunSums::new(run);
    }

    fn second(&mut self, second: &SecondSnapshot) {
        let counted = self.sums.add_apart(second);
        lines(self.format, &counted, |line| self.datagrams.line(line));
        self.datagrams.send();
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        let rest = self.sums.finish_apart(report);
        lines(self.format, &rest, |line| self.datagrams.line(line));
        self.datagrams.send();
        if let Some(loss) = self.datagrams.loss() {
            stderr::print_line(format_args!("warning: the output `statsd` is not complete: {loss}"));
        }
        Ok(())
    }
}
