//! Builds the measured plugins of `host/benches/languages/`, one in each language.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use xtask::workspace::{cargo, root};
use xtask::{languages, step};

/// Builds the plugin in a language, and returns the path of the component.
pub(crate) fn build(language: &str) -> Result<PathBuf> {
    let tools = languages::folder();
    let folder = tools.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let mut command = match language {
        "rust" => rust(&folder),
        "python" => python(&tools, &folder)?,
        "javascript" => javascript(&folder)?,
        _ => c(&folder)?,
    };
    step::output(&format!("build in {language}"), &mut command)?;
    Ok(match language {
        "rust" => folder.join("wasm32-wasip2/release/get_rust.wasm"),
        _ => folder.join(format!("get-{language}.wasm")),
    })
}

fn rust(folder: &Path) -> Command {
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "--target-dir"]).arg(folder);
    cargo.current_dir(sources().join("rust"));
    cargo
}

fn python(tools: &Path, folder: &Path) -> Result<Command> {
    copy(&[sources().join("get.py"), template("python").join("sdk/stampede.py")], folder)?;
    let mut python = Command::new(tools.join("python/bin/componentize-py"));
    python.args(["-q", "-w", "plugin", "-d"]).arg(root().join("wit"));
    python.args(["componentize", "get", "-p", ".", "-o", "get-python.wasm"]).current_dir(folder);
    Ok(python)
}

fn javascript(folder: &Path) -> Result<Command> {
    let template = template("javascript");
    copy(&[sources().join("get.js"), template.join("sdk/stampede.js"), template.join("build.mjs")], folder)?;
    let mut node = Command::new("node");
    node.args(["build.mjs", "get.js"]).arg(root().join("wit")).arg("get-javascript.wasm").current_dir(folder);
    Ok(node)
}

fn c(folder: &Path) -> Result<Command> {
    copy(&[sources().join("get.c")], folder)?;
    let template = template("c");
    let makefile = template.join("Makefile");
    let text = fs::read_to_string(&makefile).with_context(|| format!("cannot read `{}`", makefile.display()))?;
    let text = text.replace("action.c", "get.c").replace("{{crate}}", "get-c");
    fs::write(folder.join("Makefile"), text).with_context(|| format!("cannot write into `{}`", folder.display()))?;
    let mut make = Command::new("make");
    make.arg(format!("SDK={}", template.join("sdk").display())).arg(format!("WIT={}", root().join("wit").display()));
    make.current_dir(folder);
    Ok(make)
}

fn sources() -> PathBuf {
    root().join("host/benches/languages")
}

/// Returns the folder of the template of `plugin new` in a language.
fn template(language: &str) -> PathBuf {
    root().join("host/templates").join(language)
}

fn copy(files: &[PathBuf], folder: &Path) -> Result<()> {
    for file in files {
        let to = folder.join(file.file_name().unwrap_or_default());
        fs::copy(file, to).with_context(|| format!("cannot copy `{}`", file.display()))?;
    }
    Ok(())
}
