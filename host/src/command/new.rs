//! `new`: writes a first script, and the schema for editors beside it.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;

use super::output::print;
use super::{run, schema};
use crate::cli::{NewScriptArgs, RunArgs};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, io_reason};
use crate::exit::Exit;

/// The script, with `{{…}}` for what differs.
const TEMPLATE: &str = include_str!("../../templates/script.yml");

/// The name of the file with the schema.
const SCHEMA_FILE: &str = "stampede-shooter.schema.json";

/// The address of the sample site, and the steps of a script for it.
const SAMPLE_SITE: [&str; 2] = [
    "http://127.0.0.1:8080",
    "  - name: Catalog\n    url: /api/v1/catalog?page={{randInt 1 20}}\n    expect_status: 200",
];

/// The steps of a script for another site.
const FIRST_PAGE: &str = "  - name: Home\n    url: /\n    expect_status: 200";

/// Writes a script that `check` accepts, and says what to do next.
///
/// # Errors
/// The URL is not one of a site, the file exists, or it cannot be written.
pub(super) fn new(args: &NewScriptArgs) -> Result<Exit, Diagnostics> {
    let path = match args.file.extension() {
        Some(_) => args.file.clone(),
        None => args.file.with_extension("yml"),
    };
    let name = path.display().to_string();
    let text = match &args.base_url {
        Some(url) => script(&name, url, FIRST_PAGE),
        None => script(&name, SAMPLE_SITE[0], SAMPLE_SITE[1]),
    };
    let source = Arc::new(SourceText { name: name.clone(), text });
    run::build_plan(&RunArgs { base_url: args.base_url.clone(), ..RunArgs::default() }, &source)?;
    let schema = path.with_file_name(SCHEMA_FILE);
    if !write(&path, &source.text)? {
        let help = format!("name another file: `stampede-shooter new FILE`, or run it: `stampede-shooter {name}`");
        return Err(Diagnostic::new("usage::output-path", format!("`{name}` exists")).help(help).into());
    }
    // One that exists may know the plugins of another script.
    write(&schema, &schema::text(None)?)?;
    let site = if args.base_url.is_none() { " while `stampede-shooter demo --serve` serves its site" } else { "" };
    print(format!("Wrote `{name}`. Run it{site}: `stampede-shooter {name}`\n").as_bytes())
}

fn script(file: &str, base_url: &str, steps: &str) -> String {
    // A string of JSON is one of YAML.
    let base_url = serde_json::Value::from(base_url).to_string();
    let values = [("schema", SCHEMA_FILE), ("file", file), ("base_url", &base_url), ("steps", steps)];
    values.iter().fold(TEMPLATE.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

/// Writes a file. Returns `false` if it exists.
fn write(path: &Path, text: &str) -> Result<bool, Diagnostic> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => {
            let message = format!("cannot write `{}`: {}", path.display(), io_reason(&error));
            Err(Diagnostic::new("usage::output-path", message))
        }
    }
}
