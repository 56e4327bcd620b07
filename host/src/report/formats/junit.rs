//! Checks and thresholds as JUnit XML, which CI systems display natively: a suite of each, with a test case for every
//! threshold and every check. A check that failed even once is a failed case; a check without a reply is a skipped one.
//! The time of a case is how long the run had lasted when it was decided: the whole run, or less for a threshold that
//! failed before.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use quick_xml::writer::ElementWriter;

use super::super::checks_and_thresholds::deciding_value;
use super::super::format::grouped;
use super::super::model::Report;
use crate::text::one_line;

/// The result of a test case.
enum CaseOutcome {
    Passed,
    Skipped,
    Failed(String),
}

/// A test case. Its time is that of the run up to its outcome, in seconds.
struct TestCase {
    class: String,
    name: String,
    outcome: CaseOutcome,
    seconds: f64,
}

/// Writes the checks and thresholds of a report.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let suites = [("thresholds", thresholds(report)), ("checks", checks(report))];
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = with_counts(
        writer.create_element("testsuites").with_attribute(("name", report.settings.script.as_str())),
        all(),
    );
    let root = root.with_attribute(("time", time(length(report)).as_str()));
    root.write_inner_content(|writer| {
        for (name, cases) in &suites {
            let suite = writer.create_element("testsuite").with_attribute(("name", *name));
            let suite = suite.with_attribute(("timestamp", report.run.started_at.as_str()));
            with_counts(suite, cases.iter())
                .with_attribute(("time", time(length(report)).as_str()))
                .write_inner_content(|writer| cases.iter().try_for_each(|case| write_case(writer, case)))?;
        }
        Ok(())
    })?;
    out.write_all(b"\n")
}

/// Returns the length of the run in seconds.
fn length(report: &Report) -> f64 {
    report.run.elapsed_us as f64 / 1e6
}

/// Formats seconds as JUnit has them.
fn time(seconds: f64) -> String {
    format!("{seconds:.3}")
}

fn thresholds(report: &Report) -> Vec<TestCase> {
    let cases = report.thresholds.iter().map(|threshold| {
        let outcome =
            if threshold.passed { CaseOutcome::Passed } else { CaseOutcome::Failed(deciding_value(threshold)) };
        let name = format!("{}: {}", threshold.metric, threshold.expression);
        let seconds = threshold.at_s.map_or(length(report), |at| f64::from(at).min(length(report)));
        TestCase { class: "thresholds".into(), name, outcome, seconds }
    });
    cases.collect()
}

fn checks(report: &Report) -> Vec<TestCase> {
    let cases = report.checks.iter().map(|check| {
        let outcome = match (check.passed, check.failed) {
            (0, 0) => CaseOutcome::Skipped,
            (_, 0) => CaseOutcome::Passed,
            (passed, failed) => {
                CaseOutcome::Failed(format!("{} of {} failed", grouped(failed), grouped(passed + failed)))
            }
        };
        let seconds = if matches!(outcome, CaseOutcome::Skipped) { 0.0 } else { length(report) };
        TestCase { class: check.step.clone(), name: check.name.clone(), outcome, seconds }
    });
    cases.collect()
}

/// Adds the numbers of all, failed and skipped cases as attributes.
fn with_counts<'w, W: Write>(
    element: ElementWriter<'w, W>,
    cases: impl Iterator<Item = &'w TestCase> + Clone,
) -> ElementWriter<'w, W> {
    let count = |fits: fn(&CaseOutcome) -> bool| cases.clone().filter(|case| fits(&case.outcome)).count().to_string();
    element
        .with_attribute(("tests", count(|_| true).as_str()))
        .with_attribute(("failures", count(|outcome| matches!(outcome, CaseOutcome::Failed(_))).as_str()))
        .with_attribute(("skipped", count(|outcome| matches!(outcome, CaseOutcome::Skipped)).as_str()))
        .with_attribute(("errors", "0"))
}

fn write_case<W: Write>(writer: &mut Writer<W>, case: &TestCase) -> io::Result<()> {
    // XML cannot represent most control characters, not even escaped.
    let (class, name) = (one_line(&case.class), one_line(&case.name));
    let attributes = [("classname", class.as_str()), ("name", name.as_str()), ("time", &time(case.seconds))];
    let element = writer.create_element("testcase").with_attributes(attributes);
    match &case.outcome {
        CaseOutcome::Passed => element.write_empty()?,
        CaseOutcome::Skipped => element.write_inner_content(|writer| {
            writer.create_element("skipped").write_empty()?;
            Ok(())
        })?,
        CaseOutcome::Failed(why) => element.write_inner_content(|writer| {
            let failure = writer.create_element("failure").with_attribute(("message", why.as_str()));
            failure.write_text_content(BytesText::new(why))?;
            Ok(())
        })?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::test_reports;
    use super::*;

    fn written(report: &Report) -> String {
        let mut bytes = Vec::new();
        write(report, &mut bytes).expect("memory can be written to");
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// Compares with a golden file; `BLESS=1` writes it instead.
    #[test]
    fn every_threshold_and_every_check_is_a_case() {
        for (name, report) in [("wide.xml", test_reports::wide()), ("nothing.xml", test_reports::nothing())] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden").join(name);
            let text = written(&report);
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&path, &text).expect("golden file is writable");
            }
            assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
        }
    }
}
