//! `--verbose`: the progress of the run on standard error. On a terminal it is a table that is drawn again every
//! second, elsewhere a line per second, so that a log file stays readable.

use std::io::IsTerminal;
use std::time::Duration;

use stampede_time::Nanos;

use super::sink::Sink;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::metrics::aggregate::Snapshot;
use crate::plan::Plan;
use crate::report::Report;
use crate::report::live_screen::{LiveScreen, terminal_size};
use crate::report::live_table::LiveTable;
use crate::report::progress::{bar, line};
use crate::run::observer::{LoadUpdate, SecondSnapshot};
use crate::stderr;

/// The most drawings between two seconds: with that of the second itself they are four a second, whatever keys are held
/// down.
const MAX_EXTRA_DRAWINGS: u32 = 3;

/// The time from one second to the next after which other output may have come below the table, as that of the shell
/// has after Ctrl-Z.
const INTERRUPTION: Duration = Duration::from_secs(2);

/// Shows a line or a table, from the first whole second on.
struct ProgressSink {
    planned_length: Option<Nanos>,
    /// The table, if standard error is a terminal.
    live: Option<LiveProgress>,
}

/// The table and its place on the screen.
struct LiveProgress {
    table: LiveTable,
    screen: LiveScreen,
    /// Drawings since the last second.
    drawings: u32,
    /// The end of the last second, since the Unix epoch.
    last_second: Option<Duration>,
}

/// Opens the sink if `--verbose` was given without `--quiet`.
///
/// # Errors
/// Never.
pub(super) fn open(args: &RunArgs, plan: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    if !args.verbose || args.quiet {
        return Ok(Vec::new());
    }
    let live = std::io::stderr().is_terminal().then(|| LiveProgress {
        table: LiveTable::new(&plan.rows, &plan.thresholds),
        screen: LiveScreen::default(),
        drawings: 0,
        last_second: None,
    });
    Ok(vec![Box::new(ProgressSink { planned_length: plan.end(), live })])
}

impl ProgressSink {
    fn show(&mut self, totals: &Snapshot, load: &str) {
        let text = line(totals, self.planned_length, load);
        match &mut self.live {
            None => stderr::print_line(format_args!("{text}")),
            Some(live) => {
                let (progress, size) = (format!("{}{text}", bar(totals.elapsed, self.planned_length)), terminal_size());
                live.screen.draw(&live.table.render(&progress, size), size);
            }
        }
    }
}

impl Sink for ProgressSink {
    fn second(&mut self, second: &SecondSnapshot) {
        if let Some(live) = &mut self.live {
            live.table.add(&second.merged, second.is_judged());
            live.drawings = 0;
            let since = live.last_second.replace(second.ended_at).map(|last| second.ended_at.saturating_sub(last));
            if since.is_some_and(|since| since > INTERRUPTION) {
                live.screen.leave();
            }
        }
        if second.is_newest && !second.is_partial {
            self.show(&second.totals, &second.load.summary());
        }
    }

    fn load_changed(&mut self, update: &LoadUpdate) {
        if let Some(live) = &mut self.live {
            live.drawings += 1;
            if live.drawings > MAX_EXTRA_DRAWINGS {
                return;
            }
        }
        self.show(&update.totals, &update.load.summary());
    }

    fn finish(&mut self, _report: &Report) -> Result<(), Diagnostic> {
        if let Some(live) = &mut self.live {
            live.screen.clear(terminal_size());
        }
        Ok(())
    }

    fn reads_counts(&self) -> bool {
        self.live.is_some()
    }
}
