//! Generates `sdk.rs`: the plugin SDK and the contract as they are in this build, for `plugin new`. The SDK is on no
//! registry, so a plugin outside this repository gets it from the program.
//!
//! ```text
//! pub(super) const SDK: &[(&str, &str)] = &[("plugin-sdk/Cargo.toml", "…"), ("plugin-sdk/src/lib.rs", "…"), …];
//! ```
//!
//! Tests are left out. The examples come along to be read, not built: their section of the manifest is left out. Values
//! that the manifest inherits from the workspace are filled in.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use stampede_components::Result;

/// The declaration of tests that are in a file of their own.
const TESTS: &str = "\n#[cfg(test)]\nmod tests;\n";

/// Sections of the manifest that are valid only in the workspace.
const LEFT_OUT: [&str; 2] = ["[lints]", "[[example]]"];

/// Writes `sdk.rs` into `out`.
pub(crate) fn embed(root: &Path, out: &Path) -> Result<()> {
    let manifest = manifest(
        &fs::read_to_string(root.join("plugin-sdk/Cargo.toml"))?,
        &fs::read_to_string(root.join("Cargo.toml"))?,
    )?;
    let mut files = vec![("plugin-sdk/Cargo.toml".to_owned(), manifest)];
    collect(root, "plugin-sdk/src", &mut files)?;
    collect(root, "plugin-sdk/examples", &mut files)?;
    // A link to the folder of the contract, so that the package of the SDK has it too.
    collect(root, "plugin-sdk/wit", &mut files)?;
    collect(root, "wit", &mut files)?;
    files.sort();
    let mut source = "/// The SDK's files, by their paths.\npub(super) const SDK: &[(&str, &str)] = &[\n".to_owned();
    for (path, text) in files {
        writeln!(source, "    ({path:?}, {text:?}),")?;
    }
    source.push_str("];\n");
    Ok(fs::write(out.join("sdk.rs"), source)?)
}

/// Collects the files below a folder, without tests and READMEs, which link to other places in this repository.
fn collect(root: &Path, folder: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else if !path.ends_with("/tests.rs") && !path.ends_with(".md") {
            files.push((path, fs::read_to_string(entry.path())?.replace(TESTS, "")));
        }
    }
    Ok(())
}

/// Returns the SDK's manifest without its workspace. A comment stays with the line or section below it.
fn manifest(own: &str, workspace: &str) -> Result<String> {
    let (mut out, mut comments, mut wanted) = (String::new(), String::new(), true);
    for line in own.lines() {
        if line.starts_with('[') {
            wanted = !LEFT_OUT.contains(&line);
        }
        if line.starts_with('#') {
            comments = format!("{comments}{line}\n");
            continue;
        }
        if wanted && !line.starts_with("readme") {
            let line = match line.strip_suffix(".workspace = true") {
                Some(key) => format!("{key} = {}", inherited(key, workspace)?),
                None => line.to_owned(),
            };
            out = format!("{out}{comments}{line}\n");
        }
        comments.clear();
    }
    Ok(out.trim_end().to_owned() + "\n")
}

/// Returns the value of a key in `[workspace.package]`.
fn inherited<'w>(key: &str, workspace: &'w str) -> Result<&'w str> {
    let package = workspace.split_once("[workspace.package]\n").map_or("", |(_, rest)| rest);
    let mut lines = package.lines().take_while(|line| !line.starts_with('['));
    let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    value.ok_or_else(|| format!("the workspace has no `{key}`").into())
}
