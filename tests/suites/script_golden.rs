//! Every message about a script has a golden file: `tests/scripts/invalid/AREA/ERROR.yml` with the exact text a user
//! sees beside it in `ERROR.err`, renewed with `BLESS=1`; `tests/scripts/ok/*.yml` must be accepted. Most files hold
//! one error, so that a diff has one subject; a few hold many, since all errors of a file are reported at once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use stampede_shooter::diagnostic::{Diagnostics, SourceText, render};
use stampede_shooter::exit::Exit;
use stampede_shooter::script::model::Script;
use stampede_shooter::script::{SCHEMA, parse};

use crate::tests_folder;

/// Errors that are found when the script, its files and its plugins are put together.
pub(crate) const PLAN: &str = "invalid/plan";

/// Returns the scripts below a folder of `tests/scripts/`, in the order of their paths. Those of [`PLAN`] are left out
/// unless they are asked for.
pub(crate) fn scripts(folder: &str) -> Vec<PathBuf> {
    let (root, plan) = (tests_folder().join("scripts"), tests_folder().join("scripts").join(PLAN));
    let mut scripts = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder exists") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() && path != plan {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yml") {
                scripts.push(path);
            }
        }
    }
    scripts.sort();
    assert!(!scripts.is_empty());
    scripts
}

fn parsed(path: &Path) -> Result<Script, Diagnostics> {
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let text = fs::read_to_string(path).expect("a readable script");
    parse(&Arc::new(SourceText { name, text }))
}

#[test]
fn invalid_scripts_get_their_messages() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for path in scripts("invalid") {
        let Err(found) = parsed(&path) else { panic!("{} is accepted", path.display()) };
        assert_eq!(found.exit(), Exit::Script, "{}", path.display());
        let (text, golden) = (render(&found, false), path.with_extension("err"));
        if bless {
            fs::write(&golden, text).expect("a writable folder");
        } else if fs::read_to_string(&golden).unwrap_or_default() != text {
            wrong.push(format!("--- {}\n{text}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "renew with BLESS=1 if these are right:\n{}", wrong.join("\n"));
}

/// Collects the keys that a part of the schema lists, at any depth.
fn keys(part: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(entries) => {
            let listed = entries.get("properties").and_then(Value::as_object);
            found.extend(listed.into_iter().flatten().map(|(key, _)| key.clone()));
            entries.values().for_each(|part| keys(part, found));
        }
        Value::Array(items) => items.iter().for_each(|part| keys(part, found)),
        _ => {}
    }
}

/// A key that no test gets wrong is one whose message has not been read.
#[test]
fn every_key_of_a_script_has_a_message_somewhere() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("a schema");
    let mut all = BTreeSet::new();
    keys(&schema["$defs"], &mut all);
    let golden = |folder: &str| scripts(folder).into_iter().map(|path| fs::read_to_string(path.with_extension("err")));
    let golden = golden("invalid").chain(golden(PLAN));
    let golden: Vec<_> = golden.map(|text| text.expect("a golden file")).collect();
    let said: Vec<_> = golden.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("error[")).collect();
    let silent = |key: &&String| {
        let (alone, typed) = (format!("`{key}`"), format!("`{key}: "));
        !said.iter().any(|line| line.contains(&alone) || line.contains(&typed))
    };
    let silent: Vec<_> = all.iter().filter(silent).collect();
    assert!(silent.is_empty(), "no golden message is about these: {silent:?}");
}

#[test]
fn valid_scripts_are_accepted() {
    for path in scripts("ok") {
        if let Err(found) = parsed(&path) {
            panic!("{}:\n{}", path.display(), render(&found, false));
        }
    }
}

/// Cut and damaged scripts are accepted or explained, never a panic: every prefix of a valid script, and the script
/// with one character after another replaced by each sign that means something in YAML.
#[test]
fn damaged_scripts_are_explained() {
    for path in scripts("ok") {
        let text = fs::read_to_string(&path).expect("a readable script");
        for (at, letter) in text.char_indices() {
            explain(text[..at].to_owned());
            for sign in ["", "☃", "\n", "\t", ":", "- ", "'", "\"", "{", "]", "*a", "|", "#"] {
                explain(format!("{}{sign}{}", &text[..at], &text[at + letter.len_utf8()..]));
            }
        }
    }
}

/// Parses a script and renders its errors, each of which must have a help or be about a range.
fn explain(text: String) {
    let source = Arc::new(SourceText { name: "damaged.yml".into(), text });
    if let Err(found) = parse(&source) {
        assert!(render(&found, false).starts_with("error[script::"), "{source:?}");
        assert!(found.0.iter().all(|one| one.help.is_some() || one.code == "script::range"), "{found:?}");
    }
}
