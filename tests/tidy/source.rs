//! The repository's files as the rules look at them: as text, or as Rust code without comments, literals and tests.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// A file that git knows of.
pub struct File {
    /// From the repository's root, with `/`.
    pub path: String,
    /// In bytes.
    pub size: usize,
    /// Empty for a file that is no text.
    pub text: String,
}

/// All files that are tracked, or are about to be: those that git neither knows nor ignores are in.
///
/// # Panics
/// Git does not answer.
pub fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut git = Command::new("git");
    // The tests may run as another user than the one who cloned.
    git.args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let output = git.current_dir(&root).output().expect("git starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).expect("paths are UTF-8");
    // A file that was deleted and not yet committed is listed and not there.
    let read = |path: &str| Some((path.to_owned(), fs::read(root.join(path)).ok()?));
    let files = names.split_terminator('\0').filter_map(read);
    files
        .map(|(path, bytes)| File { path, size: bytes.len(), text: String::from_utf8(bytes).unwrap_or_default() })
        .collect()
}

/// Rust files below these folders.
pub fn rust<'f>(files: &'f [File], folders: &'static [&str]) -> impl Iterator<Item = &'f File> {
    let below = move |file: &&File| folders.iter().any(|folder| file.path.starts_with(folder));
    files.iter().filter(|file| file.path.ends_with(".rs")).filter(below)
}

/// Rust code that is not a test's: paths and texts without comments, literals and what `#[cfg(test)]` stands before.
pub fn product(files: &[File], folders: &'static [&str]) -> Vec<(String, String)> {
    let all: Vec<_> = rust(files, folders).map(|file| (file.path.clone(), without_tests(&code(&file.text)))).collect();
    let tests: Vec<String> = all
        .iter()
        .flat_map(|(path, (_, modules))| {
            let folder = path.strip_suffix("/mod.rs").or(path.strip_suffix("/lib.rs")).or(path.strip_suffix(".rs"));
            modules.iter().map(move |module| format!("{}/{module}", folder.unwrap_or(path)))
        })
        .collect();
    let is_test = |path: &str| {
        tests
            .iter()
            .any(|test| path.strip_prefix(test.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')))
    };
    all.into_iter().filter(|(path, _)| !is_test(path)).map(|(path, (text, _))| (path, text)).collect()
}

/// The text with every comment and the inside of every literal blanked out; line breaks stay.
pub fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_name = out.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else if first == 'r' && !after_name && raw_hashes(rest).is_some() {
            raw(rest)
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    out
}

/// Bytes of a literal between two of the same marks, with escapes.
fn quoted(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == mark {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// Whether `'` begins a character and no lifetime.
fn is_character(text: &str) -> bool {
    let mut next = text.chars().skip(1);
    match (next.next(), next.next()) {
        (Some('\\'), _) => true,
        (Some(_), Some(second)) => second == '\'',
        _ => false,
    }
}

/// The number of `#` of a raw string.
fn raw_hashes(text: &str) -> Option<usize> {
    let marks = text[1..].trim_start_matches('#');
    marks.starts_with('"').then(|| text.len() - 1 - marks.len())
}

fn raw(text: &str) -> usize {
    let hashes = raw_hashes(text).unwrap_or_default();
    let end = format!("\"{}", "#".repeat(hashes));
    let begin = hashes + 2;
    text[begin..].find(&end).map_or(text.len(), |at| begin + at + end.len())
}

/// Code without the items that `#[cfg(test)]` stands before, and the names of those among them that are files.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let (mut out, mut modules, mut rest) = (String::new(), Vec::new(), code);
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        rest = &rest[at + MARK.len()..];
        let end = rest.find([';', '{']).unwrap_or(rest.len());
        if rest[end..].starts_with('{') {
            rest = &rest[end + block(&rest[end..])..];
        } else {
            modules.extend(rest[..end].trim().rsplit(' ').next().map(str::to_owned));
            rest = &rest[(end + 1).min(rest.len())..];
        }
    }
    out.push_str(rest);
    (out, modules)
}

/// Bytes of a block in braces.
fn block(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}
