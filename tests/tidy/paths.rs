//! The paths that documents name lead to files: when a file moves, the documents must follow.

use crate::offences::none;
use crate::source::{File, files};

/// The folders that a path begins with.
const FOLDERS: [&str; 8] = ["host/", "tests/", "xtask/", "plugin-sdk/", "plugins/", "wit/", "docs/", "examples/"];

/// Parts of a path that stand for many.
const PLACEHOLDERS: [&str; 4] = ["NAME", "PLUGIN", "ACTION", "ERROR"];

/// Returns the paths between backticks, without a final slash, except those with a placeholder.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)));
    let paths = paths.filter(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)));
    let paths = paths.filter(|path| !PLACEHOLDERS.iter().any(|part| path.contains(part)));
    paths.map(|path| path.trim_end_matches('/'))
}

/// Returns the paths of a document that lead nowhere.
fn offences(document: &File, files: &[File]) -> Vec<String> {
    let exists = |path: &str| files.iter().any(|file| file.path == path || file.path.starts_with(&format!("{path}/")));
    let lines = document.text.lines().enumerate();
    let wrong = lines.flat_map(|(at, line)| paths(line).filter(|path| !exists(path)).map(move |path| (at + 1, path)));
    wrong.map(|(line, path)| format!("{}:{line}: `{path}`", document.path)).collect()
}

#[test]
fn the_paths_in_documents_lead_to_files() {
    let files = files();
    let documents = files.iter().filter(|file| file.path.ends_with(".md") && file.path != "CHANGELOG.md");
    none("a path in a document leads to a file", documents.flat_map(|document| offences(document, &files)));
}

#[test]
fn planted_paths_are_found() {
    let file = |path: &str, text: &str| File { path: path.into(), size: 0, text: text.into() };
    let files =
        [file("host/src/plan/mod.rs", ""), file("a.md", "`host/src/plan/`, `host/src/gone.rs`\n`host/NAME.rs`")];
    assert_eq!(offences(&files[1], &files), ["a.md:1: `host/src/gone.rs`"]);
}
