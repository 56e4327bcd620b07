//! The results of a section as Markdown that is as readable on a terminal: paragraphs, and tables with aligned columns.

use tabled::builder::Builder;
use tabled::grid::config::Offset;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::style::LineChar;
use tabled::settings::{Alignment, Style};
use textwrap::WordSplitter;

use crate::figures::{Bound, Spread, format_figure};

/// The longest line of a paragraph, in characters.
const LINE: usize = 120;

/// Rows of cells under a head. The first column is text, the others are figures.
#[derive(Debug)]
pub(crate) struct Table(Builder);

impl Table {
    /// Creates a table without rows.
    pub(crate) fn new(head: &[&str]) -> Self {
        let mut table = Builder::default();
        table.push_record(head.iter().copied());
        Self(table)
    }

    /// Adds a row, as wide as the head.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push_record(cells);
    }

    /// Returns the table as Markdown, with the figures aligned to the right.
    pub(crate) fn markdown(&self) -> String {
        let figures = Columns::new(1..);
        let mut table = self.0.clone().build();
        table.with(Style::markdown()).modify(figures.clone(), Alignment::right());
        table.modify(Rows::one(1).intersect(figures), LineChar::horizontal(':', Offset::End(0)));
        format!("{table}\n")
    }
}

/// Wraps a paragraph into lines of [`LINE`] characters at most, unless a word is longer.
pub(crate) fn wrap(paragraph: &str) -> String {
    let options = textwrap::Options::new(LINE).break_words(false).word_splitter(WordSplitter::NoHyphenation);
    textwrap::fill(paragraph, options) + "\n"
}

/// The results of one section.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    method: String,
    tables: Vec<Table>,
    verdicts: Vec<Verdict>,
    notes: Vec<String>,
}

/// A figure and its target.
#[derive(Debug)]
struct Verdict {
    name: String,
    figure: Option<Spread>,
    target: Bound,
}

impl Findings {
    /// Creates findings that begin with the method of measurement.
    pub(crate) fn new(method: impl Into<String>) -> Self {
        Self { method: method.into(), ..Self::default() }
    }

    /// Adds a table.
    pub(crate) fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds a line about something out of the ordinary.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Compares a figure with its target.
    pub(crate) fn compare(&mut self, name: impl Into<String>, figure: Option<Spread>, target: Bound) {
        self.verdicts.push(Verdict { name: name.into(), figure, target });
    }

    /// Returns the findings as Markdown under a heading.
    pub(crate) fn markdown(&self, heading: &str) -> String {
        let mut parts = vec![format!("## {heading}\n"), wrap(&self.method)];
        parts.extend(self.tables.iter().map(Table::markdown));
        if !self.verdicts.is_empty() {
            parts.push(verdict_table(&self.verdicts).markdown());
        }
        if !self.notes.is_empty() {
            parts.push(self.notes.iter().map(|note| format!("- {note}\n")).collect());
        }
        parts.join("\n")
    }
}

fn verdict_table(verdicts: &[Verdict]) -> Table {
    let mut table = Table::new(&["compared with its target", "median", "from .. to", "target", "met"]);
    for Verdict { name, figure, target } in verdicts {
        let Some(Spread { median, least, most, count }) = *figure else {
            table.row([name.clone(), "–".into(), "–".into(), target.to_string(), "not measured".into()]);
            continue;
        };
        let range =
            if count == 1 { "–".into() } else { format!("{} .. {}", format_figure(least), format_figure(most)) };
        let met = if target.holds(median) { "yes" } else { "no" };
        table.row([name.clone(), format_figure(median), range, target.to_string(), met.into()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_between_words() {
        let (short, long) = ("x".repeat(59), "x".repeat(121));
        assert_eq!(wrap(&format!("{short} {short}y a")), format!("{short} {short}y\na\n"));
        assert_eq!(wrap(&format!("a {long} b")), format!("a\n{long}\nb\n"));
        assert_eq!(wrap(&format!("{short} {short}-b")), format!("{short}\n{short}-b\n"));
    }

    #[test]
    fn findings_have_the_method_tables_verdicts_and_notes() {
        let mut findings = Findings::new("The method.");
        let mut table = Table::new(&["tool", "µs"]);
        table.row(["wrk".into(), "10.1".into()]);
        table.row(["stampede".into(), "9".into()]);
        findings.table(table);
        findings.compare("A", Spread::of([1.0, 1.1, 1.3]), Bound::AtMost(1.1));
        findings.compare("B", Spread::of([8.5]), Bound::AtLeast(9.0));
        findings.compare("C", None, Bound::AtMost(1.0));
        findings.note("`k6` is missing");
        let expected = "\
## Title

The method.

| tool     |   µs |
|----------|-----:|
| wrk      | 10.1 |
| stampede |    9 |

| compared with its target | median |     from .. to | target |          met |
|--------------------------|-------:|---------------:|-------:|-------------:|
| A                        |  1.100 | 1.000 .. 1.300 |  ≤ 1.1 |          yes |
| B                        |  8.500 |              – |    ≥ 9 |           no |
| C                        |      – |              – |    ≤ 1 | not measured |

- `k6` is missing
";
        assert_eq!(findings.markdown("Title"), expected);
    }
}
