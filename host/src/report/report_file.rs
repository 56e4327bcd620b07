//! Report files. A path that cannot be written is found before the run, not after an hour of it. An older report
//! stays intact until the new one is complete: the new one is written beside it and replaces it in one step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::formats::{self, FORMATS, ReportFormat};
use super::model::Report;
use super::page::{self, NO_PAGE, is_page};
use crate::diagnostic::{Diagnostic, Diagnostics, io_reason};
use crate::temporary::TemporaryKind;

/// A file opened before the run, to which the report is written afterwards.
#[derive(Debug)]
pub(crate) struct ReportFile {
    /// Path as the user gave it.
    path: PathBuf,
    format: ReportFormat,
    target: WriteTarget,
}

#[derive(Debug)]
enum WriteTarget {
    /// A file written beside the target, then renamed. It is removed on drop if no report was written.
    Replace { temporary: NamedTempFile, target: PathBuf },
    /// A device, a pipe, or an existing file in a folder where no new file can be created.
    Direct(File),
}

/// The error when a finished report could not replace its target.
struct ReplaceError {
    error: io::Error,
    /// Path of the temporary file that holds the report; `None` if it could not be kept.
    kept: Option<PathBuf>,
}

impl ReportFile {
    /// Opens the files at all paths, as [`open`](Self::open) does.
    ///
    /// # Errors
    /// One diagnostic for each path that cannot be opened.
    pub(crate) fn open_all(paths: &[PathBuf]) -> Result<Vec<Self>, Diagnostics> {
        let mut diagnostics = Diagnostics::default();
        let open = |path: &PathBuf| diagnostics.absorb(Self::open(path).map_err(Diagnostics::from));
        let files = paths.iter().filter_map(open).collect();
        diagnostics.into_result(files)
    }

    /// Opens the file at a path, to be written in the format of its extension. A path that exists and is not a regular
    /// file, such as `/dev/stdout` or a pipe, is written to directly; without an extension, it gets JSON. Opening a
    /// pipe blocks until it has a reader.
    ///
    /// # Errors
    /// `usage::output-format` if no format has the extension; `usage::output-path` if the path cannot be written to.
    pub(crate) fn open(path: &Path) -> Result<Self, Diagnostic> {
        Self::open_as(path, FORMATS)
    }

    /// Opens the file at a path, to be written in one of the given formats.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub(crate) fn open_as(path: &Path, formats: &[ReportFormat]) -> Result<Self, Diagnostic> {
        let is_special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        let format = format_of(path, is_special, formats)?;
        if is_page(path) && page::template().is_none() {
            return Err(Diagnostic::new(
                "usage::output-format",
                format!("cannot write `{}`: {NO_PAGE}", path.display()),
            )
            .help("install npm and build again, or give it another extension"));
        }
        let target = if is_special { open_direct(path) } else { open_beside(path) };
        let target = target.map_err(|error| cannot_open(path, &error))?;
        Ok(Self { path: path.into(), format, target })
    }

    /// Writes the report.
    ///
    /// # Errors
    /// Those of [`write_with`](Self::write_with).
    pub(crate) fn write(self, report: &Report) -> Result<(), Diagnostic> {
        let format = self.format;
        self.write_with(|out| (format.write)(report, out))
    }

    /// Writes what `contents` writes.
    ///
    /// # Errors
    /// `report::write` if writing fails, for instance because the disk is full. A report that was written but could not
    /// replace its target is kept, and the help says where.
    pub(crate) fn write_with(self, contents: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Diagnostic> {
        let Self { path, target, .. } = self;
        match target {
            WriteTarget::Direct(file) => overwrite(&file, contents).map_err(|error| cannot_save(&path, &error)),
            WriteTarget::Replace { temporary, target } => {
                write_to(temporary.as_file(), contents).map_err(|error| cannot_save(&path, &error))?;
                replace(temporary, &target).map_err(|ReplaceError { error, kept }| {
                    let help = kept.map(|kept| format!("the report is in `{}`", kept.display()));
                    Diagnostic { help, ..cannot_save(&path, &error) }
                })
            }
        }
    }
}

fn format_of(path: &Path, is_special: bool, formats: &[ReportFormat]) -> Result<ReportFormat, Diagnostic> {
    let default = formats.first().filter(|_| is_special && path.extension().is_none());
    formats::of_path(formats, path).or(default).copied().ok_or_else(|| {
        let message = format!("`{}` does not say which format to write", path.display());
        let help = format!("give it the extension {}", formats::extensions(formats));
        Diagnostic::new("usage::output-format", message).help(help)
    })
}

fn open_direct(path: &Path) -> io::Result<WriteTarget> {
    OpenOptions::new().write(true).open(path).map(WriteTarget::Direct)
}

/// Creates a temporary file beside the target. An existing target must be writable and stays unchanged for now; if no
/// file can be created in its folder, the target itself is written to.
fn open_beside(path: &Path) -> io::Result<WriteTarget> {
    let existing = match OpenOptions::new().write(true).open(path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // A link stays a link: the file that it points to is replaced.
    let target = if existing.is_some() { fs::canonicalize(path)? } else { path.into() };
    match (temporary_beside(&target), existing) {
        (Ok(temporary), existing) => {
            if let Some(existing) = existing {
                temporary.as_file().set_permissions(existing.metadata()?.permissions())?;
            }
            Ok(WriteTarget::Replace { temporary, target })
        }
        (Err(_), Some(existing)) => Ok(WriteTarget::Direct(existing)),
        (Err(error), None) => Err(error),
    }
}

/// Reports that are not complete. Each is empty until the run is over, and worth keeping from then on.
const TEMPORARY: TemporaryKind =
    TemporaryKind { prefix: ".stampede-report-", suffix: ".tmp", is_disposable: false, is_private: false };

fn temporary_beside(target: &Path) -> io::Result<NamedTempFile> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    TEMPORARY.create(folder)
}

/// Puts the temporary file in the target's place; if that fails, keeps it and says where.
fn replace(temporary: NamedTempFile, target: &Path) -> Result<(), ReplaceError> {
    match temporary.persist(target) {
        Ok(_) => Ok(()),
        Err(failed) => Err(ReplaceError { error: failed.error, kept: failed.file.keep().ok().map(|(_, path)| path) }),
    }
}

fn overwrite(file: &File, contents: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    write_to(file, contents)
}

fn write_to(file: &File, contents: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut writer = BufWriter::new(file);
    contents(&mut writer)?;
    writer.flush()
}

/// Returns the diagnostic for a path that could not be opened before the run.
fn cannot_open(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new("usage::output-path", cannot_write(path, error))
}

/// Returns the diagnostic for a report that could not be saved. Traffic was sent by then, so this is not wrong usage.
fn cannot_save(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new("report::write", cannot_write(path, error))
}

/// Returns the message with the operating system's reason.
fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("cannot write `{}`: {}", path.display(), io_reason(error))
}

#[cfg(test)]
mod tests {
    use super::super::test_reports;
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("readable");
        entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_extension_is_the_format() {
        let cases = [
            ("r.json", false, Some("json")),
            ("R.CSV", false, Some("csv")),
            ("r.xml", false, Some("xml")),
            ("r.series.csv", false, Some("series.csv")),
            ("Series.csv", false, Some("series.csv")),
            ("my-series.csv", false, Some("csv")),
            ("r.md", false, Some("md")),
            (".csv", false, None),
            ("r.txt", false, None),
            ("r", false, None),
            ("a pipe", true, Some("json")),
            ("a pipe.csv", true, Some("csv")),
            ("a pipe.txt", true, None),
        ];
        for (path, is_special, expected) in cases {
            let format = format_of(Path::new(path), is_special, FORMATS);
            assert_eq!(format.ok().map(|format| format.extension), expected, "{path}");
        }
        let error = ReportFile::open(Path::new("r.txt")).expect_err("no such format");
        assert_eq!(
            (error.code, error.message.as_str()),
            ("usage::output-format", "`r.txt` does not say which format to write")
        );
    }

    #[test]
    fn the_old_report_stays_until_the_new_one_is_complete() {
        let folder = folder();
        let path = folder.path().join("report.json");
        fs::write(&path, "old").expect("writable");
        let output = ReportFile::open(&path).expect("writable");
        assert_eq!(fs::read_to_string(&path).expect("readable"), "old");
        output.write(&test_reports::nothing()).expect("written");
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.starts_with("{\"schema\":\"stampede-report/1\"") && text.ends_with("}\n"), "{text}");
        assert_eq!(names(folder.path()), ["report.json"]);
    }

    #[test]
    fn a_run_without_a_report_leaves_nothing_behind() {
        let folder = folder();
        drop(ReportFile::open(&folder.path().join("report.csv")).expect("writable"));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn a_path_that_cannot_be_written_is_found_at_once() {
        let folder = folder();
        let path = folder.path().join("missing").join("report.json");
        let error = ReportFile::open(&path).expect_err("there is no such folder");
        assert_eq!(error.code, "usage::output-path");
        #[cfg(unix)]
        assert_eq!(error.message, format!("cannot write `{}`: no such file or directory", path.display()));
        fs::create_dir(folder.path().join("folder.json")).expect("writable");
        let error = ReportFile::open(&folder.path().join("folder.json")).expect_err("that is a folder");
        assert_eq!(error.code, "usage::output-path");
    }

    #[test]
    #[cfg(unix)]
    fn a_device_is_written_to_and_a_link_stays_a_link() {
        ReportFile::open(Path::new("/dev/null")).expect("writable").write(&test_reports::nothing()).expect("written");
        let folder = folder();
        let (link, target) = (folder.path().join("link.csv"), folder.path().join("target"));
        fs::write(&target, "old").expect("writable");
        std::os::unix::fs::symlink(&target, &link).expect("links work here");
        ReportFile::open(&link).expect("writable").write(&test_reports::nothing()).expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert!(fs::read_to_string(&target).expect("readable").starts_with("scenario,name,action,"));
    }

    #[test]
    fn overwriting_leaves_nothing_of_a_longer_old_text() {
        let folder = folder();
        let path = folder.path().join("report.csv");
        fs::write(&path, "x".repeat(100_000)).expect("writable");
        let file = OpenOptions::new().write(true).open(&path).expect("writable");
        let csv = *formats::of_path(FORMATS, &path).expect("a format");
        overwrite(&file, |out| (csv.write)(&test_reports::nothing(), out)).expect("written");
        assert!(fs::read_to_string(&path).expect("readable").ends_with("\r\n"));
    }
}
