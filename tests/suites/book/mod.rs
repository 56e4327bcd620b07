//! The documents are true: every script in them passes `check`, every command line parses, every link leads to a file
//! and a heading that exist, and the book lists all of its pages. Reads the Markdown files that [`pages`] finds.
//!
//! A YAML block is a whole script, unless the words after `yaml` say otherwise:
//!
//! | words | meaning |
//! |---|---|
//! | `fragment` | a base URL, the data files of its page, and a step if the block has none complete the script |
//! | `cases` | a file of cases; `plugin test` runs it on [`examples/plugin-greet`](../../examples/plugin-greet) |
//! | `file=NAME` | the block, of any language, is also a file for all scripts of its page |

mod commands;
mod page;
mod scripts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use page::Page;

/// Returns the root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository exists")
}

/// Lists the Markdown files in a folder and the folders below it.
fn markdown(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target" && name != "node_modules") {
            files.extend(markdown(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files
}

/// Reads every document; paths are from the root.
fn pages() -> Vec<Page> {
    let root = root();
    let single = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "wit/README.md"];
    let mut files: Vec<_> = single.iter().map(|name| root.join(name)).collect();
    files.extend(["docs", "examples", "plugins"].iter().flat_map(|folder| markdown(&root.join(folder))));
    files.sort();
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = |path: &PathBuf| path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
    files.iter().map(|path| Page::parse(&name(path), &read(path))).collect()
}

/// Fails with every offence against a rule.
#[track_caller]
fn none(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

/// Returns the relative links of a page that lead nowhere. `anchors` has the headings of every document.
fn dead_links(page: &Page, anchors: &BTreeMap<String, BTreeSet<String>>, root: &Path) -> Vec<String> {
    let mut dead = Vec::new();
    for link in &page.links {
        let target = &link.target;
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, anchor) = target.split_once('#').map_or((target.as_str(), None), |(path, rest)| (path, Some(rest)));
        let path = if path.is_empty() { page.path.clone() } else { page.resolve(path) };
        let known = anchors.get(&path);
        let leads = match anchor {
            Some(anchor) => known.is_some_and(|headings| headings.contains(anchor)),
            None => known.is_some() || root.join(&path).exists(),
        };
        if !leads {
            dead.push(format!("{}:{}: {target}", page.path, link.line));
        }
    }
    dead
}

fn anchors(pages: &[Page]) -> BTreeMap<String, BTreeSet<String>> {
    pages.iter().map(|page| (page.path.clone(), page.anchors.clone())).collect()
}

/// Returns the pages that the summary lacks, and the entries of the summary that do not exist.
fn unlisted(pages: &[Page]) -> Vec<String> {
    const SUMMARY: &str = "docs/SUMMARY.md";
    let summary = pages.iter().find(|page| page.path == SUMMARY).expect("the book has a summary");
    let listed: BTreeSet<_> = summary.links.iter().map(|link| summary.resolve(&link.target)).collect();
    let is_page = |path: &&str| path.starts_with("docs/") && *path != SUMMARY;
    let there: BTreeSet<_> = pages.iter().map(|page| page.path.as_str()).filter(is_page).map(str::to_owned).collect();
    let missing = there.difference(&listed).map(|path| format!("{path} is not in the summary"));
    let gone = listed.difference(&there).map(|path| format!("{path} does not exist"));
    missing.chain(gone).collect()
}

#[test]
fn every_script_passes_check() {
    none("a YAML block passes `check`", &pages().iter().flat_map(scripts::offences).collect::<Vec<_>>());
}

#[test]
fn every_command_line_parses() {
    none("a command line parses", &pages().iter().flat_map(commands::offences).collect::<Vec<_>>());
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let (anchors, root) = (anchors(&pages), root());
    let dead: Vec<_> = pages.iter().flat_map(|page| dead_links(page, &anchors, &root)).collect();
    none("a link leads to a file and a heading that exist", &dead);
}

#[test]
fn the_summary_lists_every_page() {
    none("`docs/SUMMARY.md` lists all pages", &unlisted(&pages()));
}

#[test]
fn a_planted_dead_link_is_found() {
    let page = Page::parse(
        "docs/guide/a.md",
        "# Here\n\n## The `next` one\n\n[a](#here) [b](#the-next-one) [c](#there) [d](b.md) [e](../../README.md)\n\n\
         | [f](../../README.md#no-such-heading) |\n|---|\n",
    );
    let mut anchors = anchors(std::slice::from_ref(&page));
    anchors.insert("README.md".into(), BTreeSet::from(["first".into()]));
    let dead = dead_links(&page, &anchors, &root());
    let expected = ["5: #there", "5: b.md", "7: ../../README.md#no-such-heading"];
    assert_eq!(dead, expected.map(|rest| format!("docs/guide/a.md:{rest}")));
}

#[test]
fn a_planted_page_outside_the_summary_is_found() {
    let summary = Page::parse("docs/SUMMARY.md", "- [A](guide/a.md)\n- [C](c.md)\n");
    let pages =
        [summary, Page::parse("docs/guide/a.md", ""), Page::parse("docs/b.md", ""), Page::parse("README.md", "")];
    assert_eq!(unlisted(&pages), ["docs/b.md is not in the summary", "docs/c.md does not exist"]);
}
