//! The codes of all errors that the program finds in its input: from the source, each with an example from the golden
//! files, which shows cause and cure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::causes::CAUSES;
use super::root;

/// Folders of golden files with messages.
const GOLDEN: [&str; 2] = ["tests/scripts/invalid", "tests/suites/golden"];

/// Lists the files in a folder and below it, in order.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|one| extensions.iter().any(|other| one == *other)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Collects the codes in the source of the host, without its tests.
fn codes() -> BTreeSet<String> {
    let code = Regex::new(r#""([a-z]+::[a-z][a-z0-9-]*)""#).expect("a pattern");
    let is_test = |path: &Path| path.iter().any(|part| part == "tests" || part == "tests.rs");
    let sources = files(&root("host/src"), &["rs"]).into_iter().filter(|path| !is_test(path));
    let texts = sources.map(|path| fs::read_to_string(path).expect("source is UTF-8"));
    texts
        .flat_map(|text| {
            let product = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            code.captures_iter(&product).map(|found| found[1].to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

/// Returns the shortest message with a help for each code, or the shortest one.
fn examples() -> BTreeMap<String, String> {
    let mut best: BTreeMap<String, String> = BTreeMap::new();
    let rank = |message: &str| (!message.contains("= help:"), message.len());
    for file in GOLDEN.iter().flat_map(|folder| files(&root(folder), &["err", "txt"])) {
        let text = fs::read_to_string(&file).expect("golden files are UTF-8");
        for part in text.split("error[").skip(1) {
            let Some((code, _)) = part.split_once(']') else { continue };
            let end = part.find("\n\n").unwrap_or(part.len());
            let message = format!("error[{}", part[..end].trim_end());
            let message = message.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            let entry = best.entry(code.to_owned()).or_insert_with(|| message.clone());
            if rank(&message) < rank(entry) {
                *entry = message;
            }
        }
    }
    best
}

/// Renders the page.
pub(super) fn page() -> String {
    let (codes, examples) = (codes(), examples());
    let mut page = "# Error codes\n\nEvery error in the input has a code. Its family decides the \
                    [exit code](exit-codes.md). Each code stands here with an example: what is wrong, where, and \
                    how to put it right.\n"
        .to_owned();
    let family = |code: &str| code.split("::").next().unwrap_or_default().to_owned();
    let families: BTreeSet<_> = codes.iter().map(|code| family(code)).collect();
    for name in families {
        let _ = writeln!(page, "\n## {name}");
        let (shown, bare): (Vec<_>, Vec<_>) =
            codes.iter().filter(|code| family(code) == name).partition(|code| examples.contains_key(*code));
        for code in shown {
            let _ = write!(page, "\n### {code}\n\n```text\n{}\n```\n", examples[code]);
        }
        for code in bare {
            let known = CAUSES.iter().find(|known| known.code == code);
            let known = known.unwrap_or_else(|| panic!("`{code}` needs an example in a golden file, or a cause"));
            let _ = write!(page, "\n### {code}\n\nNo example. {} {}\n", known.cause, known.cure);
        }
    }
    page
}

#[test]
fn every_code_of_a_message_is_known() {
    let codes = codes();
    let unknown: Vec<_> = examples().into_keys().filter(|code| !codes.contains(code)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_cause_is_of_a_code_without_an_example() {
    let (codes, examples) = (codes(), examples());
    let needless =
        CAUSES.iter().map(|known| known.code).filter(|code| !codes.contains(*code) || examples.contains_key(*code));
    assert_eq!(needless.collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(CAUSES.is_sorted_by_key(|known| known.code));
}
