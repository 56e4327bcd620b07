//! Tests of the rules themselves: offences that are planted in sources of their own are found, and what only looks like
//! one is not.

use crate::floors::{Floors, between_files, between_modules, climbing, misplaced};
use crate::imports::Tree;
use crate::source::{File, Source, product};

const FLOORS: Floors = &[&["time"], &["low", "next"], &["high"], &["main"]];

/// The files of a host that breaks no rule, except `changed`, which replace or join them.
fn host(changed: &[(&str, &str)]) -> Tree {
    let sound = [
        ("host/time/src/lib.rs", "pub struct Clock;"),
        ("host/src/main.rs", "use stampede_shooter::high; fn main() { high::run() }"),
        ("host/src/lib.rs", "pub mod low; pub mod next; pub mod high;"),
        ("host/src/low/mod.rs", "mod a; mod b; pub use a::A; pub use b::B;"),
        ("host/src/low/a.rs", "use stampede_time::Clock; pub struct A(Clock);"),
        ("host/src/low/b.rs", "use super::A; pub struct B(A);"),
        ("host/src/next.rs", "pub struct Next;"),
        ("host/src/high.rs", "use crate::low::{self, A}; pub fn run() { low::B(A) }"),
    ];
    let kept = sound.iter().filter(|(path, _)| !changed.iter().any(|(other, _)| path == other));
    let files: Vec<_> = kept.chain(changed).map(|(path, text)| file(path, text)).collect();
    Tree::read(&files)
}

fn file(path: &str, text: &str) -> File {
    File { path: path.into(), size: text.len(), text: text.into() }
}

#[test]
fn a_valid_host_breaks_no_rule() {
    let host = host(&[]);
    assert_eq!(climbing(&host, FLOORS, &[]), [""; 0]);
    assert_eq!(between_modules(&host), [""; 0]);
    assert_eq!(between_files(&host, &[]), [""; 0]);
}

#[test]
fn a_table_that_differs_from_the_list_is_found() {
    let table =
        "//! | floor | module | holds |\n//! |--:|---|---|\n//! | 3 | [`high`] | a |\n//! | 2 | `low`, `next` | b |";
    assert_eq!(misplaced(table, FLOORS, &["time", "main"]), [""; 0]);
    assert_eq!(misplaced(table, FLOORS, &["time"]), ["`main` is not in the table"]);
    let table = "| floor | module |\n|--:|---|\n| 3 | `host/src/high.rs` |\n| 3 | `host/src/low/` |\n\n| 9 | `next` |";
    let expected = ["`host/src/low/` on floor 3, not Some(\"2\")", "`next` is not in the table"];
    assert_eq!(misplaced(table, FLOORS, &["time", "main"]), expected);
}

#[test]
fn an_import_that_climbs_is_found_however_it_is_written() {
    let ways = [
        "use crate::high::run;",
        "use crate::{low, high};",
        "use super::super::high;",
        "fn f() { crate::high::run() }",
        "fn f() { print!(\"{}\", crate::high::run()) }",
        "#[arg(default = crate::high::run())] struct A;",
        "struct A(Vec<crate::high::Run>);",
        "mod inner { use crate::high::run as other; }",
        "use crate::next::Next;",
    ];
    for text in ways {
        let found = climbing(&host(&[("host/src/low/a.rs", text)]), FLOORS, &[]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with("host/src/low/a.rs:1: "), "{found:?}");
    }
    let crates = host(&[("host/time/src/lib.rs", "use stampede_shooter::low::A;")]);
    assert_eq!(climbing(&crates, FLOORS, &[]).len(), 1);
}

#[test]
fn tests_and_doc_links_may_look_up() {
    for text in [
        "#[cfg(test)] mod tests { use crate::high::run; }",
        "#[cfg(test)] mod tests;",
        "/// Called by [`crate::high::run`].\nstruct A;",
        "// crate::high::run\nconst A: &str = \"crate::high::run\";",
        "impl A { #[cfg(test)] fn a() { crate::high::run() } }",
    ] {
        let changed = [("host/src/low/a.rs", text), ("host/src/low/a/tests.rs", "use crate::high::run;")];
        assert_eq!(climbing(&host(&changed), FLOORS, &[]), [""; 0], "{text}");
    }
}

#[test]
fn a_module_with_few_allowed_imports_has_no_others() {
    let found = climbing(&host(&[]), FLOORS, &[("high", &["next"])]);
    assert!(found.iter().all(|offence| offence.ends_with("`high` may not import from `low`")), "{found:?}");
    assert_eq!(found.len(), 2);
}

#[test]
fn floors_list_all_modules_and_no_others() {
    let floors: Floors = &[&["time"], &["low", "gone"], &["high"], &["main"]];
    assert_eq!(
        climbing(&host(&[]), floors, &[]),
        ["host/src/next.rs: `next` is on no floor", "FLOORS: there is no module `gone`"]
    );
}

#[test]
fn a_circle_between_modules_is_found() {
    let found = between_modules(&host(&[
        ("host/src/next.rs", "use crate::high::run;"),
        ("host/src/low/b.rs", "use crate::next::Next;"),
    ]));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("high, low, next\n    host/src/high.rs:1 imports low\n"), "{found:?}");
}

#[test]
fn a_circle_between_files_is_found_however_it_is_written() {
    for text in [
        "pub struct A(super::B);",
        "use super::b::B; pub struct A;",
        "use crate::low::B; pub struct A;",
        "use crate::low::b; pub struct A(b::B);",
        "use super::*; pub struct A(B);",
    ] {
        let own = ("host/src/low/mod.rs", "mod a; mod b; pub use a::A; pub use b::B; pub struct Own;");
        let found = between_files(&host(&[own, ("host/src/low/a.rs", text)]), &[]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with("host/src/low/a.rs, host/src/low/b.rs\n"), "{found:?}");
    }
}

#[test]
fn a_folder_that_uses_what_uses_it_is_a_circle_and_one_that_only_exports_is_none() {
    let uses = "mod a; mod b; pub use b::B; pub struct Own(B);";
    let exports = "mod a; mod b; pub use b::B; pub struct Own;";
    for (text, expected) in [(uses, 1), (exports, 0)] {
        let child = ("host/src/low/b.rs", "use super::Own; pub struct B(Own);");
        let found = between_files(&host(&[("host/src/low/mod.rs", text), child]), &[]);
        assert_eq!(found.len(), expected, "{found:?}");
    }
}

#[test]
fn an_allowed_circle_passes_and_one_that_was_opened_may_not_stay_allowed() {
    let circle = host(&[("host/src/low/a.rs", "pub struct A(super::B);")]);
    let files: &[&str] = &["host/src/low/a.rs", "host/src/low/b.rs"];
    assert_eq!(between_files(&circle, &[(files, "a reason")]), [""; 0]);
    assert_eq!(between_files(&host(&[]), &[(files, "a reason")]).len(), 1);
}

#[test]
fn code_is_distinguished_from_comments_literals_and_tests() {
    let text = "a!(// b\n/* c */ 'd' \"e\\\"f\" r#\"g\"h\"# 'i j<'k>);\n";
    let code = Source::read(&file("host/src/a.rs", text)).code();
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a!(", "'i", "j<'k>);"]);
    let files = [
        file("host/src/a.rs", "one!(); #[cfg(test)] mod t { two!({}); } three!();\n#[cfg(test)]\nmod u;\n"),
        file("host/src/a/u.rs", "four!();"),
        file("host/src/a/used.rs", "five!();"),
    ];
    let product = product(&files, &["host/src/"]);
    let words: Vec<_> = product.iter().flat_map(|(_, code)| code.split_whitespace()).collect();
    assert_eq!(words, ["one!();", "three!();", "five!();"]);
}
