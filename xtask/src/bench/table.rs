//! A section's results as Markdown that is as readable on a terminal: paragraphs, and tables with aligned columns.

use super::figures::{Bound, Spread, shown};

/// The longest line of a paragraph.
const LINE: usize = 120;

/// Rows of cells under a head. The first column is text, the others are figures.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    /// Adds a row, as wide as the head.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let widths: Vec<usize> = (0..self.rows[0].len()).map(|column| self.width(column)).collect();
        let mut lines: Vec<String> = self.rows.iter().map(|row| line(row, &widths)).collect();
        let rule = widths.iter().enumerate().map(|(column, width)| match column {
            0 => format!(" {} ", "-".repeat(*width)),
            _ => format!(" {}: ", "-".repeat(width - 1)),
        });
        lines.insert(1, format!("|{}|", rule.collect::<Vec<_>>().join("|")));
        lines.join("\n") + "\n"
    }

    fn width(&self, column: usize) -> usize {
        // A rule of fewer than three signs is none.
        self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
        0 => format!(" {cell:<width$} "),
        _ => format!(" {cell:>width$} "),
    });
    format!("|{}|", cells.collect::<Vec<_>>().join("|"))
}

/// A paragraph in lines of 120 characters at most, unless a word is longer.
pub fn wrapped(paragraph: &str) -> String {
    let (mut out, mut width) = (String::new(), 0);
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        let fits = width + 1 + length <= LINE;
        out.push_str(if width == 0 {
            ""
        } else if fits {
            " "
        } else {
            "\n"
        });
        width = if width > 0 && fits { width + 1 + length } else { length };
        out.push_str(word);
    }
    out + "\n"
}

/// What a section found.
#[derive(Debug, Default)]
pub struct Findings {
    paragraphs: Vec<String>,
    tables: Vec<Table>,
    notes: Vec<String>,
    verdicts: Vec<Verdict>,
}

#[derive(Debug)]
struct Verdict {
    what: String,
    measured: Option<Spread>,
    bound: Bound,
}

impl Findings {
    /// Findings that begin by saying how they were made.
    pub fn new(how: impl Into<String>) -> Self {
        Self { paragraphs: vec![how.into()], ..Self::default() }
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds a line on what was not as it should be.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Holds a figure against what it should be.
    pub fn hold(&mut self, what: impl Into<String>, measured: Option<Spread>, bound: Bound) {
        self.verdicts.push(Verdict { what: what.into(), measured, bound });
    }

    /// As Markdown under a heading.
    pub fn markdown(&self, heading: &str) -> String {
        let mut parts = vec![format!("## {heading}\n")];
        parts.extend(self.paragraphs.iter().map(|paragraph| wrapped(paragraph)));
        parts.extend(self.tables.iter().map(Table::markdown));
        if !self.verdicts.is_empty() {
            parts.push(verdicts(&self.verdicts).markdown());
        }
        if !self.notes.is_empty() {
            parts.push(self.notes.iter().map(|note| format!("- {note}\n")).collect());
        }
        parts.join("\n")
    }
}

fn verdicts(verdicts: &[Verdict]) -> Table {
    let mut table = Table::new(&["held against its target", "median", "from .. to", "target", "met"]);
    for Verdict { what, measured, bound } in verdicts {
        let Some(Spread { median, least, most, count }) = *measured else {
            table.row([what.clone(), "–".into(), "–".into(), bound.to_string(), "not measured".into()]);
            continue;
        };
        let range = if count == 1 { "–".into() } else { format!("{} .. {}", shown(least), shown(most)) };
        let met = if bound.holds(median) { "yes" } else { "no" };
        table.row([what.clone(), shown(median), range, bound.to_string(), met.into()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_figures_stand_to_the_right() {
        let mut table = Table::new(&["tool", "µs"]);
        table.row(["wrk".into(), "10.1".into()]);
        table.row(["stampede".into(), "9".into()]);
        let expected = "\
| tool     |   µs |
| -------- | ---: |
| wrk      | 10.1 |
| stampede |    9 |
";
        assert_eq!(table.markdown(), expected);
    }

    #[test]
    fn paragraphs_are_wrapped_between_words() {
        let (short, long) = ("x".repeat(59), "x".repeat(121));
        assert_eq!(wrapped(&format!("{short} {short}y a")), format!("{short} {short}y\na\n"));
        assert_eq!(wrapped(&format!("a {long} b")), format!("a\n{long}\nb\n"));
    }

    #[test]
    fn findings_say_how_show_what_and_judge() {
        let mut findings = Findings::new("Made so.");
        findings.hold("A", Spread::of([1.0, 1.1, 1.3]), Bound::AtMost(1.1));
        findings.hold("B", Spread::of([8.5]), Bound::AtLeast(9.0));
        findings.hold("C", None, Bound::AtMost(1.0));
        findings.note("`k6` is missing");
        let expected = "\
## Title

Made so.

| held against its target | median |     from .. to | target |          met |
| ----------------------- | -----: | -------------: | -----: | -----------: |
| A                       |  1.100 | 1.000 .. 1.300 |  ≤ 1.1 |          yes |
| B                       |  8.500 |              – |    ≥ 9 |           no |
| C                       |      – |              – |    ≤ 1 | not measured |

- `k6` is missing
";
        assert_eq!(findings.markdown("Title"), expected);
    }
}
