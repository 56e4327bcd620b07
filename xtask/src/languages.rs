//! `cargo xtask tools`: what plugins in Python, JavaScript and C are built with, so that the tests can build some. What
//! comes from PyPI and npm goes into `target/tools`, in the versions that the templates of `plugin new` name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::{Program, install};
use crate::step::{self, Failure};
use crate::workspace::{root, target_folder};

const PYTHON: Program = Program {
    name: "python3",
    package: "python3-venv",
    missing: "python3 is missing: install it (Debian and Ubuntu: `apt-get install python3-venv`)",
};
const NPM: Program = Program {
    name: "npm",
    package: "npm",
    missing: "npm is missing: install Node.js 20 or later with npm (Debian and Ubuntu: `apt-get install npm`)",
};
const CLANG: Program = Program {
    name: "clang",
    package: "clang",
    missing: "clang is missing: install it (Debian and Ubuntu: `apt-get install clang`)",
};
const LLD: Program = Program {
    name: "wasm-ld",
    package: "lld",
    missing: "wasm-ld is missing: install lld (Debian and Ubuntu: `apt-get install lld`)",
};

/// What C needs besides.
const LIBC: [&str; 2] = ["wasi-libc", "libclang-rt-dev-wasm32"];

/// Where the tools are that are no system's.
fn folder() -> PathBuf {
    target_folder().join("tools")
}

/// Sees to it that plugins can be built in every language of `plugin new`. Costs next to nothing where they can.
pub fn ensure() -> Result<(), Failure> {
    fs::create_dir_all(folder()).map_err(|error| failed(&folder(), &error))?;
    python()?;
    javascript()?;
    c()
}

/// Builds what the benchmarks measure of a language, `host/benches/languages/get.*`; the component.
pub fn build(language: &str) -> Result<PathBuf, Failure> {
    let (folder, sources) = (folder().join("bench"), root().join("host/benches/languages"));
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    let sdk = root().join("host/templates").join(language).join("sdk");
    let copy = |from: PathBuf| {
        let to = folder.join(from.file_name().unwrap_or_default());
        fs::copy(&from, to).map(drop).map_err(|error| failed(&from, &error))
    };
    let mut command = match language {
        "rust" => {
            let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "--target-dir"]).arg(&folder);
            cargo.current_dir(sources.join("rust"));
            cargo
        }
        "python" => {
            copy(sources.join("get.py"))?;
            copy(sdk.join("stampede.py"))?;
            let mut python = Command::new(self::folder().join("python/bin/componentize-py"));
            python.args(["-q", "-w", "plugin", "-d"]).arg(root().join("wit"));
            python.args(["componentize", "get", "-p", ".", "-s", "-o", "get-python.wasm"]);
            python
        }
        "javascript" => {
            copy(sources.join("get.js"))?;
            copy(sdk.join("stampede.js"))?;
            copy(sdk.with_file_name("build.mjs"))?;
            let mut node = Command::new("node");
            node.args(["build.mjs", "get.js"]).arg(root().join("wit")).arg("get-javascript.wasm");
            node
        }
        _ => {
            copy(sources.join("get.c"))?;
            let (template, makefile) = (sdk.with_file_name("Makefile"), folder.join("Makefile"));
            let text = fs::read_to_string(&template).map_err(|error| failed(&template, &error))?;
            let text = text.replace("action.c", "get.c").replace("{{crate}}", "get-c");
            fs::write(&makefile, text).map_err(|error| failed(&makefile, &error))?;
            let mut make = Command::new("make");
            make.arg(format!("SDK={}", sdk.display())).arg(format!("WIT={}", root().join("wit").display()));
            make
        }
    };
    if language != "rust" {
        command.current_dir(&folder);
    }
    step::output(&format!("build in {language}"), &mut command)?;
    Ok(match language {
        "rust" => folder.join("wasm32-wasip2/release/get_rust.wasm"),
        _ => folder.join(format!("get-{language}.wasm")),
    })
}

/// componentize-py, in an environment of its own.
fn python() -> Result<(), Failure> {
    let (wanted, at) = (root().join("host/templates/python/requirements.txt"), folder().join("python"));
    once(&wanted, &at, || {
        let python = PYTHON.ensure()?;
        let made = step::run("python3 -m venv", Command::new(&python).args(["-m", "venv", "--clear"]).arg(&at));
        // Debian has it in a package of its own.
        made.or_else(|_| {
            install(&["python3-venv"])?;
            step::run("python3 -m venv", Command::new(&python).args(["-m", "venv", "--clear"]).arg(&at))
        })?;
        let mut pip = Command::new(at.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&wanted);
        step::run("pip install componentize-py", &mut pip)
    })
}

/// componentize-js, in a folder that node looks into from every folder below `tools`.
fn javascript() -> Result<(), Failure> {
    let (wanted, at) = (root().join("host/templates/javascript/package.json"), folder());
    once(&wanted, &at.join("node_modules"), || {
        let npm = NPM.ensure()?;
        let text = fs::read_to_string(&wanted).map_err(|error| failed(&wanted, &error))?;
        let text = text.replace("{{name}}", "tools");
        fs::write(at.join("package.json"), text).map_err(|error| failed(&at, &error))?;
        let mut npm = Command::new(npm);
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&at);
        step::run("npm install componentize-js", &mut npm)
    })
}

/// clang and lld with a libc for WASI; the component linker is the Rust toolchain's.
fn c() -> Result<(), Failure> {
    let clang = CLANG.ensure()?;
    LLD.ensure()?;
    let missing = || {
        let packages = LIBC.join(" ");
        Failure(format!("clang builds nothing for wasm32-wasi: install `{packages}` (Debian and Ubuntu: by apt-get)"))
    };
    if builds(&clang)? {
        return Ok(());
    }
    install(&LIBC).map_err(|_| missing())?;
    if builds(&clang)? { Ok(()) } else { Err(missing()) }
}

/// Whether clang builds something that uses the libc and its own runtime.
fn builds(clang: &Path) -> Result<bool, Failure> {
    let (source, out) = (folder().join("probe.c"), folder().join("probe.wasm"));
    let text = "#include <stdio.h>\nvoid probe(const char *text) { printf(\"%s %f\", text, 1.0); }\n";
    fs::write(&source, text).map_err(|error| failed(&source, &error))?;
    let mut command = Command::new(clang);
    command.args(["--target=wasm32-wasi", "-mexec-model=reactor", "-Wl,--export=probe", "-o"]).arg(out).arg(source);
    let status = command.stderr(Stdio::null()).status();
    Ok(status.is_ok_and(|status| status.success()))
}

/// Installs what a file names, unless that is what was installed the last time.
fn once(wanted: &Path, at: &Path, install: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let mark = at.join("installed");
    let text = fs::read(wanted).map_err(|error| failed(wanted, &error))?;
    if fs::read(&mark).is_ok_and(|installed| installed == text) {
        return Ok(());
    }
    install()?;
    fs::write(&mark, text).map_err(|error| failed(&mark, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure(format!("step `tools` failed: `{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_already_is_not_installed_again() {
        let folder = std::env::temp_dir().join(format!("stampede-tools-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let wanted = folder.join("wanted");
        let mut times = 0;
        for text in ["a==1", "a==1", "a==2", "a==2"] {
            fs::write(&wanted, text).unwrap();
            once(&wanted, &folder, || {
                times += 1;
                Ok(())
            })
            .unwrap();
        }
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(times, 2);
    }
}
