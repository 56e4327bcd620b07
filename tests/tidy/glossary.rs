//! The glossary and the code: each term names a type, by the path of the module that defines it.

use syn::Item;

use crate::offences::none;
use crate::source::{File, Source, attributes, files, is_test, sources};

/// The page. Its rows are `| term | meaning | type |`.
const PAGE: &str = "docs/internals/glossary.md";

/// The folders of the crates that the page may name types of, and the path that stands for each.
const CRATES: [(&str, &str); 5] = [
    ("host/src/", ""),
    ("host/time/src/", "stampede_time"),
    ("host/fleet/src/", "stampede_fleet"),
    ("host/site/src/", "stampede_site"),
    ("plugin-sdk/src/", "stampede_plugin"),
];

/// Returns `module::Type` for each type that a file defines outside of tests.
fn defined(source: &Source) -> Vec<String> {
    let Some((folder, krate)) = CRATES.iter().find(|(folder, _)| source.path.starts_with(folder)) else {
        return Vec::new();
    };
    let path = source.path[folder.len()..].trim_end_matches(".rs");
    let path = path.trim_end_matches("/mod").trim_end_matches("lib").replace('/', "::");
    let module = [*krate, path.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("::");
    let items = source.tree.items.iter().filter(|item| !is_test(attributes(item)));
    let names = items.filter_map(|item| match item {
        Item::Enum(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    });
    names.map(|name| format!("{module}::{name}")).collect()
}

/// Returns the rows of the page that name no type of the code, or that are not in the order of the alphabet.
fn offences(page: &str, types: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut before = String::new();
    for (at, line) in page.lines().enumerate().filter(|(_, line)| line.starts_with("| ")).skip(1) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [term, meaning, kind] = cells[..] else {
            wrong.push(format!("{}: a row has three columns: {line}", at + 1));
            continue;
        };
        let name = kind.trim_matches('`').to_owned();
        if meaning.is_empty() || !types.contains(&name) {
            wrong.push(format!("{}: `{term}` names `{name}`, which is not a type", at + 1));
        }
        if *term < *before {
            wrong.push(format!("{}: `{term}` comes after `{before}`", at + 1));
        }
        before = term.to_owned();
    }
    wrong
}

#[test]
fn each_term_of_the_glossary_names_a_type() {
    let files = files();
    let page = files.iter().find(|file| file.path == PAGE).expect("there is a glossary");
    let folders = &["host/src/", "host/time/src/", "host/fleet/src/", "host/site/src/", "plugin-sdk/src/"];
    let types: Vec<_> = sources(&files, folders).iter().flat_map(defined).collect();
    assert!(page.text.lines().filter(|line| line.starts_with("| ")).count() > 50, "the glossary has its rows");
    none("a term names the type that carries it", offences(&page.text, &types));
}

#[test]
fn planted_terms_are_found() {
    let source = |path: &str, text: &str| Source::read(&File { path: path.into(), size: 0, text: text.into() });
    let types: Vec<_> = [
        source("host/src/plan/mod.rs", "pub struct Plan; #[cfg(test)] mod tests { struct Hidden; }"),
        source("host/time/src/lib.rs", "pub struct Clock;"),
    ]
    .iter()
    .flat_map(defined)
    .collect();
    assert_eq!(types, ["plan::Plan", "stampede_time::Clock"]);
    let page =
        "| term | meaning | type |\n|---|---|---|\n| plan | A plan. | `plan::Plan` |\n| clock | Time. | `Clock` |\n";
    assert_eq!(
        offences(page, &types),
        ["4: `clock` names `Clock`, which is not a type", "4: `clock` comes after `plan`"]
    );
}
