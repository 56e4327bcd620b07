//! The scripts of a document, given to the real binary with the files that they name.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;
use stampede_tests::Run;

use super::page::{Block, Page};
use crate::{TARGET_TMP, plugin_outside, sha256, shooter, tests_folder};

/// Names under which scripts know the component of `examples/plugin-greet`.
const GREET: [&str; 2] = ["greet.wasm", "target/wasm32-wasip2/release/plugin_greet.wasm"];

/// The component that stands for one on a web site. A script names it by its digest, so the cache has it.
const FETCHED: &str = "fixtures/contract-0.1.2.wasm";

/// The address that completes a fragment.
const BASE_URL: &str = "http://127.0.0.1:8080";

static GREET_COMPONENT: LazyLock<Vec<u8>> = LazyLock::new(plugin_outside::component);

/// Returns the YAML blocks that the program rejects, or that have an unknown word after their language.
pub(super) fn offences(page: &Page) -> Vec<String> {
    let blocks = page.blocks.iter().filter(|block| block.language == "yaml");
    blocks.filter_map(|block| Some(format!("{}:{}: {}", page.path, block.line, rejection(page, block)?))).collect()
}

/// Returns the reason for rejecting a block.
fn rejection(page: &Page, block: &Block) -> Option<String> {
    let known = |word: &&String| ["fragment", "cases"].contains(&word.as_str()) || word.starts_with("file=");
    if let Some(word) = block.words.iter().find(|word| !known(word)) {
        return Some(format!("`{word}` says nothing about a YAML block"));
    }
    let run = if block.is("cases") {
        shooter().args("plugin test greet.wasm --cases these-cases.yml").file("these-cases.yml", &block.text)
    } else if block.is("fragment") {
        let run = shooter().args("check --base-url").arg(BASE_URL).script(&completed(&block.text));
        data_sets(page).fold(run, |run, data| run.arg("--data").arg(data))
    } else {
        shooter().args("check").script(&block.text)
    };
    let finished = environment(with_files(run, page), &block.text).finish();
    (finished.code != Some(0)).then(|| format!("{}{}", finished.stdout, finished.stderr))
}

/// Adds the files that the scripts of a page may name.
fn with_files(mut run: Run, page: &Page) -> Run {
    let named = page.blocks.iter().filter_map(|block| Some((block.file()?, &block.text)));
    run = named.fold(run, |run, (name, text)| run.file(name, text));
    let mentions = |name: &str| page.blocks.iter().any(|block| block.text.contains(name) || block.is("cases"));
    if GREET.iter().any(|name| mentions(name)) {
        run = GREET.iter().fold(run, |run, name| run.file(name, &*GREET_COMPONENT));
    }
    keep_fetched();
    run
}

/// Returns the data files of a page, as `--data` takes them.
fn data_sets(page: &Page) -> impl Iterator<Item = String> {
    let names = page.blocks.iter().filter_map(Block::file);
    names.filter_map(|file| {
        let name = file.strip_suffix(".txt").or(file.strip_suffix(".csv"))?;
        Some(format!("{name}={file}"))
    })
}

/// Puts the component that stands for a fetched one into the cache.
fn keep_fetched() {
    let component = fs::read(tests_folder().join(FETCHED)).expect("the fixture exists");
    let folder = Path::new(TARGET_TMP).join("plugin-cache");
    let entry = folder.join(format!("{}.wasm", sha256(&component)));
    if !entry.exists() {
        fs::create_dir_all(&folder).expect("the folder is writable");
        // Tests in other processes look for the entry meanwhile, so it appears complete.
        let unfinished = folder.join(format!("{}.{}.tmp", sha256(&component), std::process::id()));
        fs::write(&unfinished, component).expect("the folder is writable");
        fs::rename(unfinished, entry).expect("the folder is writable");
    }
}

/// Gives every `{{env NAME}}` of a script a value.
fn environment(run: Run, text: &str) -> Run {
    let names = text.split("{{env ").skip(1).filter_map(|rest| rest.split("}}").next());
    names.fold(run, |run, name| run.env(name.trim(), "a-value"))
}

/// Completes a script that has no steps with one.
fn completed(text: &str) -> String {
    let root: Value = serde_saphyr::from_str(text).unwrap_or_default();
    let lacks_steps = root.is_object() && root.get("steps").is_none() && root.get("scenarios").is_none();
    if lacks_steps { format!("{text}steps: [{{name: Page, url: /}}]\n") } else { text.to_owned() }
}

#[test]
fn planted_wrong_scripts_are_found() {
    let text = "```csv file=a.csv\nname\nAnn\n```\n\n\
                ```yaml\n- {name: A, url: http://127.0.0.1:8080/, expect_statuss: 200}\n```\n\n\
                ```yaml\ndata: {a: {file: a.csv}}\nsteps: [{name: A, url: 'http://127.0.0.1/{{next a.name}}'}]\n```\n\n\
                ```yaml\n- {name: A, url: /relative}\n```\n\n\
                ```yaml fragment\n- {name: A, url: /relative}\n```\n\n\
                ```yaml fragment\nusers: 5\n```\n\n\
                ```yaml part\nusers: 5\n```\n";
    let found = offences(&Page::parse("a.md", text));
    let places: Vec<_> = found.iter().filter_map(|offence| offence.lines().next()?.split(": ").next()).collect();
    assert_eq!(places, ["a.md:6", "a.md:15", "a.md:27"], "{found:#?}");
    assert!(found[0].contains("`expect_statuss` is not a parameter"), "{}", found[0]);
}
