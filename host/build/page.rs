//! Builds the page that shows a run from `host/page/` with npm, and generates `page.rs`, which embeds it:
//!
//! ```text
//! const PAGE: Option<&str> = Some(include_str!(…));
//! ```
//!
//! Without npm the build goes on without the page. A packaged source has it ready-made, as `host/page/prebuilt.html`.

use std::fs;
use std::path::Path;
use std::process::Command;

use stampede_components::Result;

/// The files of `host/page/` that the page is made from.
const INPUTS: [&str; 6] = ["src", "package.json", "package-lock.json", ".npmrc", "build.mjs", "tsconfig.json"];

/// Builds the page into `out`, and writes the file that includes it.
pub(crate) fn embed(root: &Path, out: &Path) -> Result<()> {
    let source = root.join("host/page");
    for input in INPUTS {
        println!("cargo::rerun-if-changed={}", source.join(input).display());
    }
    let prebuilt = source.join("prebuilt.html");
    let page = out.join("page.html");
    let built = if prebuilt.exists() {
        println!("cargo::rerun-if-changed={}", prebuilt.display());
        fs::copy(&prebuilt, &page).map(|_| ()).map_err(|error| error.to_string())
    } else {
        build(&source, &out.join("page"), &page)
    };
    let value = match built {
        Ok(()) => "Some(include_str!(concat!(env!(\"OUT_DIR\"), \"/page.html\")))",
        Err(reason) => {
            let remedy = "install Node.js 20 or later with npm, and touch `host/page/package.json`";
            println!(
                "cargo::warning=this build has no page of a run (`--page`, `--out report.html`): {reason}; {remedy}"
            );
            "None"
        }
    };
    let text = format!(
        "/// The page without a run in it; `None` if it could not be built.\nconst PAGE: Option<&str> = {value};\n"
    );
    Ok(fs::write(out.join("page.rs"), text)?)
}

/// Copies the sources to `folder`, where npm may write, and builds them.
///
/// # Errors
/// Returns the reason in a few words.
fn build(source: &Path, folder: &Path, page: &Path) -> std::result::Result<(), String> {
    let copied = copy_inputs(source, folder);
    copied.map_err(|error| format!("{}: {error}", folder.display()))?;
    let lock = fs::read(folder.join("package-lock.json")).map_err(|error| error.to_string())?;
    let installed = folder.join("installed.json");
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        // Neither the checks of types nor the tests are needed, nor any script of a package.
        run(Command::new("npm").args(["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]), folder)?;
        fs::write(&installed, &lock).map_err(|error| error.to_string())?;
    }
    run(Command::new("node").arg("build.mjs").arg(page), folder)
}

fn copy_inputs(source: &Path, folder: &Path) -> std::io::Result<()> {
    let _ = fs::remove_dir_all(folder.join("src"));
    fs::create_dir_all(folder.join("src"))?;
    for input in INPUTS.iter().filter(|input| **input != "src") {
        fs::copy(source.join(input), folder.join(input))?;
    }
    for entry in fs::read_dir(source.join("src"))? {
        let entry = entry?;
        fs::copy(entry.path(), folder.join("src").join(entry.file_name()))?;
    }
    Ok(())
}

fn run(command: &mut Command, folder: &Path) -> std::result::Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.current_dir(folder).output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{name} is missing"),
        _ => format!("{name} cannot be started: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    Err(format!("{name} has failed: {}", line.trim()))
}
