//! `try`: every exchange of the run on standard output, as soon as its second is over.

use std::io::Write;

use super::run_info::RunInfo;
use super::sink::{NamedSink, Sink};
use crate::diagnostic::Diagnostic;
use crate::metrics::aggregate::label;
use crate::report::exchanges::ExchangeReport;
use crate::report::{Report, exchange_text};
use crate::run::observer::SecondSnapshot;

/// Prints the exchanges of a run that keeps all of them.
#[derive(Default)]
struct ExchangePrinter {
    /// The names of the rows.
    rows: Vec<String>,
    shown: u64,
    failed: u64,
}

/// Returns the sink.
pub(crate) fn printer() -> NamedSink {
    NamedSink { name: "exchanges", sink: Box::new(ExchangePrinter::default()) }
}

impl Sink for ExchangePrinter {
    fn begin(&mut self, run: &RunInfo) {
        self.rows = run.rows.iter().map(|row| label(row.scenario.as_deref(), &row.name)).collect();
    }

    fn second(&mut self, second: &SecondSnapshot) {
        let mut exchanges: Vec<_> = second.merged.counts.exchanges.iter().collect();
        exchanges.sort_by_key(|exchange| exchange.sample.end);
        for exchange in exchanges {
            let name = self.rows.get(usize::from(exchange.sample.row)).map_or("", String::as_str);
            let category = exchange.sample.failure.map(|kind| kind.name());
            self.shown += 1;
            self.failed += u64::from(category.is_some());
            print(&format!(
                "{}\n",
                exchange_text::render(name, category, &ExchangeReport::new(exchange), &exchange.notes)
            ));
        }
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        let noun = if self.shown == 1 { "exchange" } else { "exchanges" };
        print(&format!("{} {noun}, {} failed\n", self.shown, self.failed));
        // Steps that fail without an exchange are shown by their example alone.
        for error in report.totals.errors.iter().filter(|_| self.failed == 0) {
            if let Some(example) = &error.example {
                print(&format!("{}: {}: {}\n", example.name, error.category, example.text));
            }
        }
        Ok(())
    }
}

/// Prints a text. A reader that closes the pipe early is not an error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
