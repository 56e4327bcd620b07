//! The reference pages of the book, rendered from the code and compared with the files in `docs/reference`. `BLESS=1`
//! renews them. A page says nothing that is typed in here if the code can say it.

mod causes;
mod cli;
mod errors;
mod metrics;
mod schema;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stampede_shooter::exit::Exit;
use stampede_shooter::template::{helpers, reference};

use crate::assert_golden;

/// The first line of every page made here.
const NOTE: &str =
    "<!-- Generated from the code by tests/suites/reference. Do not edit: renew it with BLESS=1. -->\n\n";

/// Returns a path in the repository.
fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn json(path: &str) -> Value {
    let text = fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Compares a page with its file, or writes the file if `BLESS=1` is set.
#[track_caller]
fn assert_page(name: &str, body: &str) {
    assert_golden(&root("docs/reference").join(name), &format!("{NOTE}{}\n", body.trim_end()));
}

/// Renders a text as a cell of a table: in one line, with its bars escaped.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// Renders a text as a sentence: with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let text = cell(text);
    let mut signs = text.chars();
    let first = signs.next().map(|sign| sign.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.is_empty() || text.ends_with(['.', '?', '!', ':']) { "" } else { "." };
    format!("{first}{}{end}", signs.as_str())
}

#[test]
fn cli_is_fresh() {
    assert_page("cli.md", &cli::page());
}

#[test]
fn script_is_fresh() {
    let page = "# Script keys\n\nA script is a list of [steps](#steps), or a [mapping](#script). \
                `stampede-shooter schema` prints this as a JSON Schema for editors. A step also takes the parameters of \
                its [action](actions.md).\n\n";
    assert_page("script.md", &format!("{page}{}", schema::definitions(&json("host/src/script/schema.json"))));
}

#[test]
fn report_is_fresh() {
    let schema = json("host/src/report/report.schema.json");
    let about = sentence(schema["description"].as_str().unwrap_or_default());
    let page = format!("# Report fields\n\n{about} `--out FILE.json` writes it.\n\n## report\n\n");
    let page = page + &schema::rows(&schema, &schema) + "\n" + &schema::definitions(&schema);
    assert_page("report.md", &page);
}

#[test]
fn actions_is_fresh() {
    let mut page =
        "# Actions\n\nThe parameters of the built-in actions. `stampede-shooter plugins --script FILE` lists those \
                    of a script's own plugins too.\n"
            .to_owned();
    let mut files: Vec<_> = fs::read_dir(root("plugins")).expect("there are plugins").collect();
    files.sort_by_key(|entry| entry.as_ref().map(|entry| entry.file_name()).ok());
    for plugin in files.into_iter().flatten() {
        let Ok(schemas) = fs::read_dir(plugin.path().join("schema")) else { continue };
        let plugin = plugin.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> =
            schemas.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        for name in names {
            let action = name.trim_end_matches(".json");
            let schema = json(&format!("plugins/{plugin}/schema/{name}"));
            let _ = write!(page, "\n## {action}\n\n{}", schema::rows(&schema, &schema));
            let _ = writeln!(page, "\n[More about `{action}`](../../plugins/{plugin}/README.md)");
        }
    }
    assert_page("actions.md", &page);
}

#[test]
fn helpers_is_fresh() {
    let page = "# Template helpers\n\nAny text parameter may hold these. `{{{{` is a literal `{{`. A TEXT is a quoted text, a \
                number, or another helper in parentheses: `{{urlencode (pick movies)}}`. Random values come from one \
                stream per user: the same `--seed` gives the same requests.\n\n";
    assert_page("helpers.md", &format!("{page}{}", reference(helpers())));
}

#[test]
fn metrics_is_fresh() {
    assert_page("metrics.md", &metrics::page());
}

#[test]
fn exit_codes_is_fresh() {
    let mut page =
        "# Exit codes\n\nNumbers are never given a second meaning.\n\n| code | meaning |\n|--:|---|\n".to_owned();
    for exit in Exit::ALL {
        let _ = writeln!(page, "| {} | {} |", exit.code(), sentence(exit.detail()));
    }
    page += "\nErrors in the input end with the code of their family: `usage` 2, `script` and `cases` 3, `plugin` 4, \
             `fleet` 11, any other 1. See [Error codes](errors.md).\n";
    assert_page("exit-codes.md", &page);
}

#[test]
fn errors_is_fresh() {
    assert_page("errors.md", &errors::page());
}
