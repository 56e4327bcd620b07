//! `cargo xtask tools`: the tools that build plugins in Python, JavaScript and C, for the tests and the benchmarks, and
//! httpbin, a target of the tests, the messages of OpenTelemetry with gRPC, and the browser. Those from PyPI and npm go
//! into `target/tools`, in the versions that the templates of `plugin new`, `tests/httpbin.txt`, `tests/otlp.txt` and
//! the lock file of `tests/page` name.

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
const CHROMIUM: Program = Program {
    name: "chromium",
    package: "chromium",
    missing: "chromium is missing: install it (Debian and Ubuntu: `apt-get install chromium`)",
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

/// The Debian packages that C also needs: the C library, and clang's runtime.
const LIBC: [&str; 2] = ["wasi-libc", "libclang-rt-dev-wasm32"];

/// Returns the folder of the tools that do not come from a package of the system.
pub fn folder() -> PathBuf {
    target_folder().join("tools")
}

/// Ensures that plugins can be built in every language of `plugin new`. Takes next to no time where they can be.
///
/// # Errors
/// A tool is missing and cannot be installed.
pub fn ensure() -> Result<(), Failure> {
    fs::create_dir_all(folder()).map_err(|error| failed(&folder(), &error))?;
    python()?;
    httpbin()?;
    from_pypi("opentelemetry-proto", &root().join("tests/otlp.txt"), &folder().join("otlp"))?;
    javascript()?;
    browser()?;
    c()
}

/// Installs componentize-py.
fn python() -> Result<(), Failure> {
    from_pypi("componentize-py", &root().join("host/templates/python/requirements.txt"), &folder().join("python"))
}

/// Installs httpbin and the server that runs it.
fn httpbin() -> Result<(), Failure> {
    from_pypi("httpbin", &root().join("tests/httpbin.txt"), &folder().join("httpbin"))
}

/// Installs the requirements of the file `wanted` in a Python environment of their own.
fn from_pypi(name: &str, wanted: &Path, at: &Path) -> Result<(), Failure> {
    once(wanted, at, || {
        let python = PYTHON.ensure()?;
        let venv = || step::run("python3 -m venv", Command::new(&python).args(["-m", "venv", "--clear"]).arg(at));
        // On Debian, venv is in a package of its own.
        venv().or_else(|_| {
            install(&["python3-venv"])?;
            venv()
        })?;
        let mut pip = Command::new(at.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(wanted);
        step::run(&format!("pip install {name}"), &mut pip)
    })
}

/// Installs componentize-js in a folder that node searches from every folder below `tools`.
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

/// Installs a browser and what drives it, for the tests of the page that shows a run, and what the page itself is built
/// and checked with.
fn browser() -> Result<(), Failure> {
    CHROMIUM.ensure()?;
    let (driver, at) = (root().join("tests/page"), folder().join("page"));
    once(&driver.join("package-lock.json"), &at, || {
        fs::create_dir_all(&at).map_err(|error| failed(&at, &error))?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(driver.join(file), at.join(file)).map_err(|error| failed(&at, &error))?;
        }
        npm_ci(&at)
    })?;
    let page = root().join("host/page");
    once(&page.join("package-lock.json"), &page.join("node_modules"), || npm_ci(&page))
}

/// Installs the locked packages of a folder, without running any script of theirs.
fn npm_ci(at: &Path) -> Result<(), Failure> {
    let mut npm = Command::new(NPM.ensure()?);
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(at);
    step::run(&format!("npm ci in {}", at.display()), &mut npm)
}

/// Installs clang and lld with a C library for WASI; the component linker is the Rust toolchain's.
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

/// Returns `true` if clang builds a library that uses the C library and clang's runtime.
fn builds(clang: &Path) -> Result<bool, Failure> {
    let (source, out) = (folder().join("probe.c"), folder().join("probe.wasm"));
    let text = "#include <stdio.h>\nvoid probe(const char *text) { printf(\"%s %f\", text, 1.0); }\n";
    fs::write(&source, text).map_err(|error| failed(&source, &error))?;
    let mut command = Command::new(clang);
    command.args(["--target=wasm32-wasi", "-mexec-model=reactor", "-Wl,--export=probe", "-o"]).arg(out).arg(source);
    let status = command.stderr(Stdio::null()).status();
    Ok(status.is_ok_and(|status| status.success()))
}

/// Runs `install` unless the last installation into `at` was made with the present text of `wanted`.
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
    fn tools_are_installed_again_only_after_a_change() {
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
