//! The report as a summary in Markdown, for a comment on a pull request: the verdict first, then thresholds, actions,
//! errors and checks. It is the dialect of GitHub, whose tables GitLab and others read too.
//!
//! Names and examples come from scripts, targets and plugins. They stand in code spans, in which nothing is a link, a
//! mention, an image or HTML.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::super::checks_and_thresholds::deciding_value;
use super::super::format::{grouped, grouped_decimal, percent, seconds};
use super::super::model::{Report, RequestTotals, RowReport};
use super::super::segments;
use super::super::settings::RunVerdict;
use super::super::table::{self, bottleneck};
use crate::cli::LatencyView;
use crate::metrics::aggregate::label;
use crate::run::EndReason;
use crate::text::one_line;

/// The alignment of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alignment {
    Left,
    Right,
}

use Alignment::{Left, Right};

/// Writes the summary.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## {}: {}\n", verdict(report), code(&report.settings.script))?;
    writeln!(out, "{}", sentence(report))?;
    if report.generator.bottleneck {
        writeln!(out, "\n> {}", bottleneck(&report.generator.reasons).trim_end())?;
    }
    write!(out, "{}{}{}{}", thresholds(report), actions(report), errors(report), checks(report))?;
    let (settings, run) = (&report.settings, &report.run);
    let (users, seed, version) = (grouped(settings.users.into()), settings.seed, &report.tool_version);
    writeln!(out, "\nStarted {}, {users} users at most, seed {seed}, stampede-shooter {version}.", run.started_at)
}

/// Returns the verdict in a word.
fn verdict(report: &Report) -> &'static str {
    match report.run.verdict {
        Some(RunVerdict::Interrupted) => "Interrupted",
        Some(RunVerdict::Passed) if report.thresholds.is_empty() => "Done",
        Some(RunVerdict::Passed) => "Passed",
        Some(RunVerdict::Inconclusive) => "Inconclusive",
        Some(_) => "Failed",
        None if report.thresholds.iter().any(|threshold| !threshold.passed) => "Failed",
        None => "Done",
    }
}

/// Says what decided the verdict, and what the run was.
fn sentence(report: &Report) -> String {
    let failed = report.thresholds.iter().filter(|threshold| !threshold.passed).count();
    let mut parts = Vec::new();
    match (failed, report.thresholds.len()) {
        (_, 0) => {}
        (0, 1) => parts.push("The threshold held.".to_owned()),
        (0, all) => parts.push(format!("All {all} thresholds held.")),
        (1, 1) => parts.push("The threshold did not hold.".to_owned()),
        (failed, all) => parts.push(format!("{failed} of {all} thresholds did not hold.")),
    }
    let reason = match (report.run.ended, report.run.verdict) {
        (EndReason::NoUserSignedIn, _) => "No user signed in.",
        (EndReason::SetupFailed, _) => "The set-up failed.",
        (_, Some(RunVerdict::TargetUnreached)) => "The target was not reached.",
        (_, Some(RunVerdict::RequestsFailed)) => "Requests failed, which fails the run (`fail_on`).",
        (_, Some(RunVerdict::WorkerLost)) => "A worker ended before its users.",
        _ => "",
    };
    parts.extend(segments::line(report.settings.segments.as_ref()));
    parts.extend((!reason.is_empty()).then(|| reason.to_owned()));
    let RequestTotals { total, ok, rps, .. } = report.totals.requests;
    let length = seconds(report.run.elapsed_us);
    parts.push(match total {
        0 => format!("No request was sent in {length}."),
        _ => format!(
            "{} {} in {length}, {} success, {} rps.",
            grouped(total),
            if total == 1 { "request" } else { "requests" },
            percent(ok, total),
            grouped_decimal(rps)
        ),
    });
    parts.join(" ")
}

fn thresholds(report: &Report) -> String {
    let rows = report.thresholds.iter().map(|threshold| {
        let verdict = if threshold.passed { "passed" } else { "**failed**" };
        vec![verdict.into(), code(&threshold.metric), code(&threshold.expression), deciding_value(threshold)]
    });
    section("Thresholds", &[("", Left), ("Metric", Left), ("Condition", Left), ("Value", Left)], rows.collect())
}

fn actions(report: &Report) -> String {
    let columns = table::columns(report, LatencyView::Response);
    let titles: Vec<(&str, Alignment)> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| (column.title.as_str(), if at == 0 { Left } else { Right }))
        .collect();
    let row = |name: String, row: &RowReport| -> Vec<String> {
        [name].into_iter().chain(columns.iter().skip(1).map(|column| (column.cell)(row))).collect()
    };
    let name = |row: &RowReport| code(&label(row.scenario.as_deref(), &row.name));
    let shown = report.actions.iter().filter(|one| one.is_shown());
    let mut rows: Vec<Vec<String>> = shown.map(|one| row(name(one), one)).collect();
    rows.push(row("**Totals**".into(), &report.totals));
    section("Actions", &titles, rows)
}

fn errors(report: &Report) -> String {
    let rows = report.totals.errors.iter().map(|error| {
        let (action, text) =
            error.example.as_ref().map_or_else(Default::default, |example| (code(&example.name), code(&example.text)));
        let share = percent(error.count, report.totals.requests.total);
        vec![error.category.to_string(), grouped(error.count), share, action, text]
    });
    let titles = [("Error", Left), ("Count", Right), ("Share", Right), ("In", Left), ("Example", Left)];
    section("Errors", &titles, rows.collect())
}

fn checks(report: &Report) -> String {
    let rows = report.checks.iter().map(|check| {
        let asked = check.passed + check.failed;
        let rate = if asked == 0 { "never asked".into() } else { percent(check.passed, asked) };
        vec![code(&check.step), code(&check.name), rate, grouped(check.failed)]
    });
    section("Checks", &[("Action", Left), ("Check", Left), ("Passed", Right), ("Failed", Right)], rows.collect())
}

/// Renders a table under a title, in columns that are aligned in the source too; empty without rows.
fn section(title: &str, columns: &[(&str, Alignment)], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let widest = |at: usize| rows.iter().map(|cells| cells[at].width()).max().unwrap_or(0).max(columns[at].0.width());
    let widths: Vec<usize> = (0..columns.len()).map(|at| widest(at).max(3)).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(columns).zip(&widths).map(|((cell, (_, alignment)), width)| {
            let space = " ".repeat(width - cell.width());
            if *alignment == Left { format!("| {cell}{space} ") } else { format!("| {space}{cell} ") }
        });
        format!("{}|\n", padded.collect::<String>())
    };
    let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let rule = columns.iter().zip(&widths).map(|((_, alignment), width)| match alignment {
        Left => format!("|{}", "-".repeat(width + 2)),
        Right => format!("|{}:", "-".repeat(width + 1)),
    });
    let rule: String = rule.collect();
    let body: String = rows.iter().map(|cells| line(cells)).collect();
    format!("\n### {title}\n\n{}{rule}|\n{body}", line(&titles))
}

/// Renders a foreign text as a code span that can stand in a cell of a table.
fn code(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return String::new();
    }
    // A span ends at the first run of as many backticks as it began with.
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    // Tables are split before spans are found; a bar after a backslash would need two readings of the backslash.
    let text = text.replace("\\|", "\\ |").replace('|', "\\|");
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::super::super::test_reports;
    use super::*;

    fn written(report: &Report) -> String {
        let mut bytes = Vec::new();
        write(report, &mut bytes).expect("memory can be written to");
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// Compares with a golden file; `BLESS=1` writes it instead.
    #[test]
    fn the_verdict_comes_first() {
        for (name, report) in [
            ("movies.md", test_reports::movies()),
            ("wide.md", test_reports::wide()),
            ("nothing.md", test_reports::nothing()),
        ] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden").join(name);
            let text = written(&report);
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&path, &text).expect("golden file is writable");
            }
            assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
        }
    }

    #[test]
    fn foreign_texts_stay_texts() {
        let names = [
            "a | b",
            "a \\| b",
            "<script>alert(1)</script>",
            "``` ` ``",
            "@everyone #1",
            "[x](http://site)",
            "![x](//y)",
            "a\n\n# b",
            "`",
            "\\",
            "&amp;",
            "**b**",
            "~~~",
            "https://site/",
        ];
        for name in names {
            let mut report = test_reports::wide();
            report.actions[0].name = name.into();
            report.totals.errors[0].example.as_mut().expect("an example").text = name.into();
            let text = written(&report);
            let events: Vec<Event<'_>> = Parser::new_ext(&text, Options::ENABLE_TABLES).collect();
            let shown = one_line(name).replace("\\|", "\\ |");
            let codes = events.iter().filter(|event| matches!(event, Event::Code(code) if **code == *shown)).count();
            assert_eq!(codes, 2, "{name}: {text}");
            let count = |tag: fn(&Tag<'_>) -> bool| {
                events.iter().filter(|event| matches!(event, Event::Start(started) if tag(started))).count()
            };
            assert_eq!(count(|tag| matches!(tag, Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock)), 0, "{name}");
            assert!(!events.iter().any(|event| matches!(event, Event::Html(_) | Event::InlineHtml(_))), "{name}");
            assert_eq!(count(|tag| matches!(tag, Tag::Table(_))), 4, "{name}: {text}");
            // Four tables of 4, 7, 5 and 4 columns, with 5, 5, 9 and 2 rows.
            let cells = 4 * 6 + 7 * 6 + 5 * 10 + 4 * 3;
            assert_eq!(count(|tag| matches!(tag, Tag::TableCell)), cells, "{name}: {text}");
        }
    }

    #[test]
    fn every_end_of_a_run_has_its_verdict() {
        let with = |verdict| {
            let mut report = test_reports::movies();
            report.run.verdict = verdict;
            report
        };
        for (case, report, expected) in [
            ("no thresholds", test_reports::movies(), "Done"),
            ("a failed threshold", test_reports::wide(), "Failed"),
            ("interrupted", test_reports::nothing(), "Interrupted"),
            ("no user signed in", with(Some(RunVerdict::SignInFailed)), "Failed"),
            ("one request failed, with --fail-on any-error", with(Some(RunVerdict::RequestsFailed)), "Failed"),
            ("an older report", with(None), "Done"),
        ] {
            assert_eq!(verdict(&report), expected, "{case}");
        }
        let failed = sentence(&with(Some(RunVerdict::RequestsFailed)));
        assert!(failed.starts_with("Requests failed, which fails the run (`fail_on`). "), "{failed}");
        let mut held = test_reports::wide();
        held.run.verdict = Some(RunVerdict::Passed);
        held.thresholds.truncate(1);
        assert_eq!((verdict(&held), sentence(&held).split('.').next()), ("Passed", Some("The threshold held")));
    }
}
