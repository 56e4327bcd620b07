//! Loads the data sets before the run, and reports all errors in them at once.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::feed_strategy::FeedStrategy;
use super::file::{self, ScanError};
use super::json_column::JsonColumn;
use super::problem::{DataFormat, FormatError, is_compressed, line_at};
use super::set::{DataSet, DataSets, RowStore};
use super::table::Table;
use super::{csv, inline, json, text_lines};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, Span, suggest};
use crate::script::model::{DataSource, DataSpec, NamedText, Node, SecretColumns, Spanned};
use crate::script::value_of;

/// Loads every declared set, and those the command line adds.
///
/// `extra` are the `--data NAME=FILE` pairs, relative to the working directory. Such a pair replaces a declared set of
/// the same name: the declared source is not read, but the rows are given out as declared. Of two pairs with the same
/// name the last counts. Files named in the script are relative to `base`, the script's folder; `source` is the
/// script's text, for the places of errors.
pub(crate) fn load(
    declared: &[(Spanned<String>, DataSpec)],
    extra: &[(String, PathBuf)],
    base: &Path,
    source: &Arc<SourceText>,
) -> Result<DataSets, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut sets = Vec::new();
    for (name, entry) in declared.iter().filter(|(name, _)| extra.iter().all(|(other, _)| *other != name.value)) {
        let rows = load_declared(&name.value, entry, base, source).map_err(Diagnostics::from);
        let set =
            diagnostics.absorb(rows).map(|rows| DataSet::new(name.value.clone(), rows, FeedStrategy::from_spec(entry)));
        sets.extend(set.and_then(|set| diagnostics.absorb(with_secret_columns(set, &entry.secret, source))));
    }
    for (at, (name, path)) in extra.iter().enumerate() {
        if extra[at + 1..].iter().all(|(later, _)| later != name) {
            let entry = declared.iter().find(|(known, _)| known.value == *name);
            let feed = entry.map(|(_, entry)| FeedStrategy::from_spec(entry)).unwrap_or_default();
            let columns = entry.map_or([].as_slice(), |(_, entry)| &entry.columns);
            let rows = load_extra(name, path, columns).map_err(Diagnostics::from);
            let set = diagnostics.absorb(rows).map(|rows| DataSet::new(name.clone(), rows, feed));
            let secret = entry.map_or(&SecretColumns::None, |(_, entry)| &entry.secret);
            sets.extend(set.and_then(|set| diagnostics.absorb(with_secret_columns(set, secret, source))));
        }
    }
    let numbered = sets.into_iter().enumerate().map(|(number, set)| set.with_file_number(number));
    diagnostics.into_result(numbered.collect())
}

/// Returns the set with its secret columns.
fn with_secret_columns(set: DataSet, secret: &SecretColumns, source: &Arc<SourceText>) -> Result<DataSet, Diagnostics> {
    let names = match secret {
        SecretColumns::None => return Ok(set),
        SecretColumns::All => {
            let columns = set.columns().len().max(1);
            return Ok(set.with_secret_columns(0..columns));
        }
        SecretColumns::Named(names) => names,
    };
    let (mut diagnostics, mut columns) = (Diagnostics::default(), Vec::new());
    for name in names {
        match set.columns().iter().position(|column| *column == name.value) {
            Some(column) => columns.push(column),
            None => diagnostics.push(unknown_column(&set, &name.value).at(source, name.span, "no such column")),
        }
    }
    diagnostics.into_result(set.with_secret_columns(columns))
}

fn unknown_column(set: &DataSet, name: &str) -> Diagnostic {
    let diagnostic =
        Diagnostic::new("script::data-secret", format!("data set `{}` has no column `{name}`", set.name()));
    match (set.columns(), suggest(name, set.columns().iter().map(String::as_str))) {
        ([], _) => diagnostic.help("its rows are plain values: write `secret: true`"),
        (_, Some(near)) => diagnostic.help(format!("did you mean `{near}`?")),
        (columns, None) => diagnostic.help(format!("its columns are `{}`", columns.join("`, `"))),
    }
}

/// Loads a set of the script.
fn load_declared(name: &str, entry: &DataSpec, base: &Path, source: &Arc<SourceText>) -> Result<RowStore, Diagnostic> {
    let (result, span) = match &entry.source {
        DataSource::Inline(node) => (read_inline(name, node, source), node.span),
        DataSource::File(path) => {
            let data_file = DataFile {
                name,
                shown_path: &path.value,
                separator: value_of(entry.separator.as_ref()),
                columns: &entry.columns,
            };
            (data_file.read(&base.join(&path.value), STREAMING_THRESHOLD), path.span)
        }
    };
    result.map_err(|failure| {
        let place = failure.span.unwrap_or(span);
        let (code, label) = match failure.kind {
            DataErrorKind::Missing => ("script::data-missing", "no such file"),
            DataErrorKind::Unreadable => ("script::data-unreadable", "can't be read"),
            DataErrorKind::Format => ("script::data-format", "not usable as data"),
            DataErrorKind::Empty => ("script::data-empty", "no rows"),
        };
        failure.diagnostic(code).at(source, place, label)
    })
}

/// Loads a set of the command line, whose errors have no place. `columns` are those of the declared set in its place.
fn load_extra(name: &str, path: &Path, columns: &[NamedText]) -> Result<RowStore, Diagnostic> {
    let data_file = DataFile { name, shown_path: &path.to_string_lossy(), separator: None, columns };
    data_file.read(path, STREAMING_THRESHOLD).map_err(|failure| {
        let code = match failure.kind {
            DataErrorKind::Missing => "usage::data-missing",
            DataErrorKind::Unreadable => "usage::data-unreadable",
            DataErrorKind::Format => "usage::data-format",
            DataErrorKind::Empty => "usage::data-empty",
        };
        failure.diagnostic(code)
    })
}

/// The reason why a set could not be loaded.
struct DataError {
    kind: DataErrorKind,
    /// Names the data set, and the file if there is one.
    message: String,
    /// The fix, if known.
    help: Option<&'static str>,
    /// A smaller place than that of the whole source, if known.
    span: Option<Span>,
}

/// The kinds of error. Each has a code for the script and one for the command line.
enum DataErrorKind {
    /// The file does not exist.
    Missing,
    /// The file cannot be read.
    Unreadable,
    /// The contents are not rows, or the format is unknown.
    Format,
    /// The contents are well-formed, but have no row.
    Empty,
}

impl DataError {
    fn new(kind: DataErrorKind, message: String) -> Self {
        Self { kind, message, help: None, span: None }
    }

    /// Converts the error to a diagnostic without a place.
    fn diagnostic(self, code: &'static str) -> Diagnostic {
        let diagnostic = Diagnostic::new(code, self.message);
        match self.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

/// Reads rows in the script.
fn read_inline(name: &str, node: &Node, source: &SourceText) -> Result<RowStore, DataError> {
    let table = inline::parse(node, source).map_err(|error| DataError {
        span: Some(error.span),
        ..DataError::new(DataErrorKind::Format, format!("data set `{name}`: {}", error.value))
    })?;
    require_rows(RowStore::Memory(table), || format!("data set `{name}` has no rows"))
}

/// The size in bytes from which a file is not loaded into memory. A smaller one takes little beside a run, and its rows
/// need no system call.
const STREAMING_THRESHOLD: u64 = 32 << 20;

/// A file with rows.
struct DataFile<'a> {
    /// The name of the data set.
    name: &'a str,
    /// The path as the user knows it.
    shown_path: &'a str,
    /// The separator of its cells, if the script names it.
    separator: Option<u8>,
    /// The columns of JSON rows, as the script names them.
    columns: &'a [NamedText],
}

impl DataFile<'_> {
    /// Reads the rows. A file of `large` bytes or more is not loaded into memory, unless it is compressed.
    fn read(&self, path: &Path, large: u64) -> Result<RowStore, DataError> {
        let Self { name, shown_path, .. } = self;
        let format = DataFormat::from_path(path).ok_or_else(|| DataError {
            help: Some("use `.csv`, `.tsv`, `.json`, `.ndjson`, `.jsonl` or `.txt`, or one of these and `.gz`"),
            ..DataError::new(
                DataErrorKind::Format,
                format!("data set `{name}`: the extension of `{shown_path}` names no data format"),
            )
        })?;
        let io = |error: io::Error| unreadable(name, shown_path, &error);
        let contents = |FormatError { line, message }| {
            DataError::new(DataErrorKind::Format, format!("data set `{name}`: `{shown_path}`, line {line}: {message}"))
        };
        let mut file = File::open(path).map_err(io)?;
        let rows = if file.metadata().map_err(io)?.len() >= large && !is_compressed(path) {
            let mut head = Vec::new();
            file.by_ref().take(csv::HEAD_BYTES as u64).read_to_end(&mut head).map_err(io)?;
            file.seek(SeekFrom::Start(0)).map_err(io)?;
            RowStore::File(file::scan(file, self.specified(format, &head)?).map_err(|error| match error {
                ScanError::Io(error) => io(error),
                ScanError::Contents(problem) => contents(problem),
            })?)
        } else {
            let mut bytes = Vec::new();
            if is_compressed(path) {
                MultiGzDecoder::new(file).read_to_end(&mut bytes).map_err(io)?;
            } else {
                file.read_to_end(&mut bytes).map_err(io)?;
            }
            let format = self.specified(format, &bytes)?;
            RowStore::Memory(decode(&bytes).and_then(|text| parse_rows(&format, text)).map_err(contents)?)
        };
        require_rows(rows, || format!("data set `{name}`: `{shown_path}` has no rows"))
    }

    /// Returns the format with the separator that the script names, or else the first line of a `.csv` file tells, or
    /// with the columns that the script names.
    fn specified(&self, format: DataFormat, head: &[u8]) -> Result<DataFormat, DataError> {
        match (format, self.separator) {
            (format, _) if !self.columns.is_empty() => self.with_columns(&format),
            (DataFormat::Csv(_), Some(separator)) => Ok(DataFormat::Csv(separator)),
            (DataFormat::Csv(b','), None) => Ok(DataFormat::Csv(csv::separator_of(head))),
            (format, _) => Ok(format),
        }
    }

    fn with_columns(&self, format: &DataFormat) -> Result<DataFormat, DataError> {
        let Self { name, shown_path, .. } = self;
        let columns = || self.columns.iter().map(|column| JsonColumn::new(&column.name.value, &column.value.value));
        let parsed = |columns: Result<Arc<[JsonColumn]>, String>| {
            columns.map_err(|reason| DataError::new(DataErrorKind::Format, format!("data set `{name}`: {reason}")))
        };
        match format {
            DataFormat::JsonArray(_) => parsed(columns().collect()).map(DataFormat::JsonArray),
            DataFormat::JsonLines(_) => parsed(columns().collect()).map(DataFormat::JsonLines),
            DataFormat::Csv(_) | DataFormat::Lines => Err(DataError {
                help: Some("remove `columns`: the first line of a CSV file names them, and a text file has none"),
                ..DataError::new(
                    DataErrorKind::Format,
                    format!("data set `{name}`: `columns` is of JSON files, and `{shown_path}` is not one"),
                )
            }),
        }
    }
}

/// Returns the finished rows. A set without rows is an error, so that later code need not handle one.
fn require_rows(mut rows: RowStore, message: impl FnOnce() -> String) -> Result<RowStore, DataError> {
    if rows.count() == 0 {
        return Err(DataError::new(DataErrorKind::Empty, message()));
    }
    if let RowStore::Memory(table) = &mut rows {
        table.shrink();
    }
    Ok(rows)
}

/// Converts an error of the system, in words that are the same on every system.
fn unreadable(name: &str, typed: &str, error: &io::Error) -> DataError {
    match error.kind() {
        ErrorKind::NotFound => {
            DataError::new(DataErrorKind::Missing, format!("data set `{name}`: `{typed}` does not exist"))
        }
        reason => {
            DataError::new(DataErrorKind::Unreadable, format!("data set `{name}`: `{typed}` can't be read: {reason}"))
        }
    }
}

/// Returns the text of a file, without the byte order mark that some editors put in front.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, FormatError> {
    let text = str::from_utf8(bytes).map_err(|error| FormatError {
        line: line_at(bytes, error.valid_up_to()),
        message: "not valid UTF-8".to_owned(),
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Parses the rows of a file that is kept in memory.
pub(super) fn parse_rows(format: &DataFormat, text: &str) -> Result<Table, FormatError> {
    match format {
        DataFormat::Csv(separator) => csv::parse(text, *separator),
        DataFormat::JsonArray(columns) => json::parse_array(text, columns),
        DataFormat::JsonLines(columns) => json::parse_lines(text, columns),
        DataFormat::Lines => Ok(text_lines::parse(text)),
    }
}

/// Parses a file's bytes in each format. For the fuzz targets.
pub(crate) fn parse_as_every_format(bytes: &[u8]) {
    let Ok(text) = decode(bytes) else { return };
    let columns: Arc<[_]> = JsonColumn::new("id", "$..id").into_iter().collect();
    let separator = csv::separator_of(bytes);
    for format in [
        DataFormat::Csv(separator),
        DataFormat::JsonArray(Arc::from([])),
        DataFormat::JsonArray(Arc::clone(&columns)),
        DataFormat::JsonLines(Arc::from([])),
        DataFormat::JsonLines(columns),
        DataFormat::Lines,
    ] {
        if let Ok(table) = parse_rows(&format, text) {
            let cells = (0..table.rows()).flat_map(|row| (0..table.columns().len()).map(move |column| (row, column)));
            let bytes: usize = cells.map(|(row, column)| table.cell(row, column).len()).sum();
            assert!(bytes <= text.len(), "cells are parts of the text");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RowBuffer;
    use super::*;
    use crate::script::model::NodeValue;

    /// A script's text, and a folder with files beside it.
    struct LoadCase {
        folder: tempfile::TempDir,
        source: Arc<SourceText>,
    }

    impl LoadCase {
        fn new(files: &[(&str, &[u8])]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, contents) in files {
                std::fs::write(folder.path().join(name), contents).unwrap();
            }
            let source = SourceText { name: "s.yml".into(), text: "data: { movies: movies.csv }".into() };
            Self { folder, source: Arc::new(source) }
        }

        fn path(&self, file: &str) -> PathBuf {
            self.folder.path().join(file)
        }

        fn load(
            &self,
            declared: &[(Spanned<String>, DataSpec)],
            extra: &[(&str, &str)],
        ) -> Result<DataSets, Diagnostics> {
            let extra: Vec<_> = extra.iter().map(|(name, file)| (name.to_string(), self.path(file))).collect();
            load(declared, &extra, self.folder.path(), &self.source)
        }
    }

    fn spanned<T>(value: T) -> Spanned<T> {
        Spanned { value, span: Span { start: 16, end: 26 } }
    }

    fn file(name: &str, path: &str) -> (Spanned<String>, DataSpec) {
        (spanned(name.to_owned()), entry(DataSource::File(spanned(path.to_owned()))))
    }

    fn inline(name: &str, rows: &[&str]) -> (Spanned<String>, DataSpec) {
        let rows = rows.iter().map(|row| spanned(NodeValue::String(row.to_string()))).collect();
        (spanned(name.to_owned()), entry(DataSource::Inline(spanned(NodeValue::List(rows)))))
    }

    fn entry(source: DataSource) -> DataSpec {
        DataSpec {
            source,
            separator: None,
            columns: Vec::new(),
            order: None,
            at_end: None,
            partition: None,
            secret: SecretColumns::None,
        }
    }

    fn first_cells(sets: &DataSets) -> Vec<(String, String)> {
        let first = |set: &DataSet| {
            let mut cell = String::new();
            set.append(0, 0, &mut RowBuffer::default(), &mut cell).unwrap();
            cell
        };
        sets.iter().map(|set| (set.name().to_owned(), first(set))).collect()
    }

    fn owned((name, cell): (&str, &str)) -> (String, String) {
        (name.to_owned(), cell.to_owned())
    }

    #[test]
    fn the_extension_selects_the_format() {
        let case = LoadCase::new(&[
            ("a.csv", b"id\n1\n"),
            ("b.json", b"[2]"),
            ("c.ndjson", b"3\n"),
            ("d.JSONL", b"4"),
            ("e.txt", b"\xef\xbb\xbf5\r\n"),
        ]);
        let declared = ["a.csv", "b.json", "c.ndjson", "d.JSONL", "e.txt"].map(|path| file(&path[..1], path));
        let sets = case.load(&declared, &[]).unwrap();
        assert_eq!(first_cells(&sets), [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "5")].map(owned));
    }

    #[test]
    fn the_command_line_wins_and_its_last_word_counts() {
        let case = LoadCase::new(&[("old.txt", b"old"), ("new.txt", b"new")]);
        let declared = [file("movies", "gone.txt"), inline("words", &["x"])];
        let sets = case.load(&declared, &[("movies", "old.txt"), ("movies", "new.txt")]).unwrap();
        assert_eq!(first_cells(&sets), [("words", "x"), ("movies", "new")].map(owned));
    }

    #[test]
    fn all_errors_are_reported_at_once_and_point_at_the_script() {
        let case = LoadCase::new(&[
            ("empty.csv", b"id\n"),
            ("ragged.csv", b"a,b\n1\n"),
            ("latin.txt", b"ok\nk\xf6ln\n"),
            ("data.xml", b"<a/>"),
        ]);
        let declared = [
            file("gone", "gone.csv"),
            file("empty", "empty.csv"),
            file("ragged", "ragged.csv"),
            file("latin", "latin.txt"),
            file("xml", "data.xml"),
            inline("none", &[]),
        ];
        let errors = case.load(&declared, &[]).unwrap_err().0;
        let actual: Vec<_> = errors.iter().map(|error| (error.code, error.message.as_str())).collect();
        let expected = [
            ("script::data-missing", "data set `gone`: `gone.csv` does not exist"),
            ("script::data-empty", "data set `empty`: `empty.csv` has no rows"),
            (
                "script::data-format",
                "data set `ragged`: `ragged.csv`, line 2: expected 2 cells as in the first line, found 1",
            ),
            ("script::data-format", "data set `latin`: `latin.txt`, line 2: not valid UTF-8"),
            ("script::data-format", "data set `xml`: the extension of `data.xml` names no data format"),
            ("script::data-empty", "data set `none` has no rows"),
        ];
        assert_eq!(actual, expected);
        let span = Span { start: 16, end: 26 };
        assert!(errors.iter().all(|error| error.location.as_ref().is_some_and(|place| place.span == span)));
    }

    #[test]
    fn errors_of_the_command_line_have_no_place() {
        let case = LoadCase::new(&[("empty.json", b"[]"), ("bad.json", b"{")]);
        let files = [("a", "gone.txt"), ("b", "empty.json"), ("c", "bad.json"), ("d", "noext")];
        let errors = case.load(&[], &files).unwrap_err().0;
        let codes: Vec<_> = errors.iter().map(|error| error.code).collect();
        assert_eq!(codes, ["usage::data-missing", "usage::data-empty", "usage::data-format", "usage::data-format"]);
        assert!(errors.iter().all(|error| error.location.is_none()));
        assert!(errors[0].message.contains(&*case.path("gone.txt").to_string_lossy()), "the path as typed");
    }

    #[test]
    fn a_folder_cannot_be_read() {
        let case = LoadCase::new(&[]);
        std::fs::create_dir(case.path("dir.txt")).unwrap();
        let errors = case.load(&[], &[("a", "dir.txt")]).unwrap_err().0;
        assert_eq!(errors[0].code, "usage::data-unreadable");
    }

    #[test]
    fn clones_share_the_rows() {
        let sets = LoadCase::new(&[]).load(&[inline("words", &["x", "y"])], &[]).unwrap();
        let copy = sets.clone();
        let words = sets.find("words").unwrap();
        assert!(std::ptr::eq(sets.set(words), copy.set(words)));
        assert_eq!(sets.find("other"), None);
    }
}
