//! The formats of report files, by extension. A new format needs a file here with a function that writes a report, and
//! a row in [`FORMATS`]: the parser of `--out`, its help and its messages read that table.

mod csv;
mod hgrm;
mod html;
pub(super) mod json;
mod junit;
mod markdown;
mod series_csv;

use std::io::{self, Write};
use std::path::Path;

use super::model::Report;

/// A format that a report can be written in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReportFormat {
    /// The extension that selects it, in lower case and without the first dot. The documentation must mention it.
    pub extension: &'static str,
    /// The name, shown after the extension unless they differ only in case.
    pub name: &'static str,
    /// Writes the whole report.
    pub write: fn(&Report, &mut dyn Write) -> io::Result<()>,
}

/// All formats. The first is used for pipes and devices whose names have no extension.
pub(crate) const FORMATS: &[ReportFormat] = &[
    ReportFormat { extension: "json", name: "JSON", write: json::write },
    ReportFormat { extension: "csv", name: "CSV", write: csv::write },
    ReportFormat { extension: "series.csv", name: "CSV by the second", write: series_csv::write },
    ReportFormat { extension: "xml", name: "JUnit", write: junit::write },
    ReportFormat { extension: "md", name: "Markdown", write: markdown::write },
    ReportFormat { extension: "hgrm", name: "HdrHistogram percentiles", write: hgrm::write },
    ReportFormat { extension: "html", name: "page", write: html::write },
];

/// Returns the format that a path's extension selects, in upper or lower case; `None` if no format has it. Of several
/// that a name ends with, the longest counts. One with a dot in it may be the whole name: `series.csv`.
pub(crate) fn of_path<'f>(formats: &'f [ReportFormat], path: &Path) -> Option<&'f ReportFormat> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let ends_with = |extension: &str| match name.strip_suffix(extension) {
        Some("") => extension.contains('.'),
        Some(stem) => stem.len() > 1 && stem.ends_with('.'),
        None => false,
    };
    formats.iter().filter(|format| ends_with(format.extension)).max_by_key(|format| format.extension.len())
}

/// Lists the extensions in words, for messages: `` `.json`, `.csv` or `.xml` ``.
pub(crate) fn extensions(formats: &[ReportFormat]) -> String {
    in_words(formats.iter().map(|format| format!("`.{}`", format.extension)).collect())
}

/// Lists the formats in words, for the help: `.json, .csv or .xml (JUnit)`.
pub(crate) fn described(formats: &[ReportFormat]) -> String {
    let each = formats.iter().map(|format| match format.name.eq_ignore_ascii_case(format.extension) {
        true => format!(".{}", format.extension),
        false => format!(".{} ({})", format.extension, format.name),
    });
    in_words(each.collect())
}

fn in_words(mut items: Vec<String>) -> String {
    let last = items.pop().unwrap_or_default();
    if items.is_empty() { last } else { format!("{} or {last}", items.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::super::{ReportFile, test_reports};
    use super::*;

    /// A format for tests only; this row is all that it takes to add one.
    const TOTALS: ReportFormat = ReportFormat {
        extension: "totals",
        name: "a line",
        write: |report, out| writeln!(out, "{}", report.totals.requests.total),
    };

    const LIST: &str = ".json, .csv, .series.csv (CSV by the second), .xml (JUnit), .md (Markdown), .hgrm \
                        (HdrHistogram percentiles), .html (page) or .totals (a line)";

    fn with_totals() -> Vec<ReportFormat> {
        [FORMATS, &[TOTALS]].concat()
    }

    #[test]
    fn a_row_in_the_table_is_all_that_a_format_needs() {
        let (formats, folder) = (with_totals(), tempfile::tempdir().expect("a temporary folder"));
        let path = folder.path().join("report.Totals");
        let file = ReportFile::open_as(&path, &formats).expect("the extension is known");
        file.write(&test_reports::movies()).expect("written");
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), "12012\n");
        let error = ReportFile::open_as(Path::new("report.txt"), &formats).expect_err("no such format");
        let help = "give it the extension `.json`, `.csv`, `.series.csv`, `.xml`, `.md`, `.hgrm`, `.html` or `.totals`";
        assert_eq!((error.code, error.help.as_deref()), ("usage::output-format", Some(help)));
        assert_eq!(described(&formats), LIST);
    }

    #[test]
    fn every_format_is_in_the_documentation() {
        let missing = |formats: &[ReportFormat]| -> Vec<&str> {
            let named = |format: &&ReportFormat| crate::text::is_documented(&format!(".{}", format.extension));
            formats.iter().filter(|format| !named(format)).map(|format| format.extension).collect()
        };
        assert_eq!(missing(FORMATS), [""; 0]);
        assert_eq!(missing(&with_totals()), ["totals"], "a format without documentation is found");
    }

    #[test]
    fn the_help_lists_the_formats() {
        let mut command = crate::cli::definition(&described(&with_totals()));
        let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let help = words(command.render_long_help().to_string());
        let merge = command.find_subcommand_mut("merge").expect("a command").render_long_help().to_string();
        for help in [help, words(merge)] {
            assert!(help.contains(&format!("The extension selects the format: {LIST}.")), "{help}");
        }
    }
}
