//! `--verbose`: the progress of the run on standard error.

use std::io::IsTerminal;

use stampede_time::Nanos;

use super::run_info::RunInfo;
use super::sink::Sink;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::Plan;
use crate::report::{ProgressDisplay, Report};
use crate::run::observer::{LoadUpdate, SecondSnapshot};

/// Shows a line or a bar, from the first whole second on.
struct ProgressSink {
    planned_length: Option<Nanos>,
    /// The display, while the run lasts.
    display: Option<ProgressDisplay>,
}

/// Opens the sink if `--verbose` was given without `--quiet`.
///
/// # Errors
/// Never.
pub(super) fn open(args: &RunArgs, plan: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    if !args.verbose || args.quiet {
        return Ok(Vec::new());
    }
    Ok(vec![Box::new(ProgressSink { planned_length: plan.end(), display: None })])
}

impl Sink for ProgressSink {
    fn begin(&mut self, _run: &RunInfo) {
        self.display = Some(ProgressDisplay::new(std::io::stderr().is_terminal(), self.planned_length));
    }

    fn second(&mut self, second: &SecondSnapshot) {
        if let Some(display) = self.display.as_ref().filter(|_| second.is_newest && !second.is_partial) {
            display.update(&second.totals, &second.load.summary());
        }
    }

    fn load_changed(&mut self, update: &LoadUpdate) {
        if let Some(display) = &self.display {
            display.update(&update.totals, &update.load.summary());
        }
    }

    fn finish(&mut self, _report: &Report) -> Result<(), Diagnostic> {
        if let Some(display) = self.display.take() {
            display.finish();
        }
        Ok(())
    }

    fn reads_counts(&self) -> bool {
        false
    }
}
