//! `plugin new`: the files it writes build and pass their tests at once, outside this repository, and their script
//! runs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stampede_tests::{settled, site};

use crate::plugin_outside::NOT_FOR_PLUGINS;
use crate::{TARGET_TMP, shooter};

/// A target folder that is kept between runs, so that later runs are fast.
fn target() -> PathBuf {
    Path::new(TARGET_TMP).join("plugin-new")
}

/// Runs cargo in a new plugin's folder, offline, on the packages that this repository uses.
#[track_caller]
fn cargo(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).arg("--offline").arg("--target-dir").arg(target()).current_dir(folder);
    NOT_FOR_PLUGINS.iter().for_each(|name| {
        command.env_remove(name);
    });
    let output = command.output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}\n{}{said}", String::from_utf8_lossy(&output.stdout));
    assert!(!said.contains("warning:"), "cargo {arguments:?}\n{said}");
}

/// Waits until no other test here builds: each new plugin has an SDK of its own, and one build replaces the library of
/// another, which its documentation tests still need.
fn alone() -> MutexGuard<'static, ()> {
    static BUILDING: Mutex<()> = Mutex::new(());
    BUILDING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_new_plugin_builds_passes_its_tests_and_runs_its_script() {
    let _alone = alone();
    let written = shooter().args("plugin new hello-plugin").finish().exits(0);
    assert_eq!(written.stdout, "Wrote `hello-plugin`. Its README.md says how to build, test and run it.\n");
    let folder = written.path("hello-plugin");
    cargo(&folder, &["test"]);
    cargo(&folder, &["build", "--release", "--target", "wasm32-wasip2"]);
    // The place where the script looks for the component, but in the target folder that is kept.
    let component = "target/wasm32-wasip2/release/hello_plugin.wasm";
    std::fs::create_dir_all(folder.join(component).parent().expect("a folder")).expect("the folder is writable");
    let built = target().join(component.trim_start_matches("target/"));
    std::fs::copy(built, folder.join(component)).expect("the component was built");
    let tested = shooter().current_dir(&folder).args("plugin test").arg(component).finish().exits(0);
    assert!(tested.stdout.ends_with("\n3 passed, 0 failed\n"), "{}", tested.stdout);
    let site = site();
    let run = shooter()
        .current_dir(&folder)
        .args("--script script.yml --users 5 --iterations 4 --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(0);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    assert_eq!((report.row("Greeting").ok(), report.row("Greeting").err()), (20, 0), "{}", run.stdout);
    assert_eq!(report.row("Greeting").at("/action"), "hello-plugin");
}

/// The other kinds: their unit tests against the fake host, their cases, and their script.
#[test]
fn a_new_plugin_of_each_kind_builds_and_passes_its_tests() {
    let _alone = alone();
    let site = site();
    let address = site.base_url().replace("http://", "");
    for kind in ["socket", "stream"] {
        let name = format!("hello-{kind}");
        let written = shooter().args("plugin new --kind").arg(kind).arg(&name).finish().exits(0);
        let folder = written.path(&name);
        cargo(&folder, &["test"]);
        cargo(&folder, &["build", "--release", "--target", "wasm32-wasip2"]);
        let built = target().join(format!("wasm32-wasip2/release/hello_{kind}.wasm"));
        std::fs::copy(built, folder.join("it.wasm")).expect("the component was built");
        let tested = shooter().current_dir(&folder).args("plugin test it.wasm").finish().exits(0);
        assert!(tested.stdout.ends_with("\n3 passed, 0 failed\n"), "{}", tested.stdout);
        let script = std::fs::read_to_string(folder.join("script.yml")).expect("a script");
        let component = format!("target/wasm32-wasip2/release/hello_{kind}.wasm");
        let script = script.replace("127.0.0.1:8080", &address).replace(&component, "it.wasm");
        std::fs::write(folder.join("here.yml"), script).expect("the folder is writable");
        let run = shooter().current_dir(&folder).args("--script here.yml --users 2 --iterations 2").report();
        let run = run.finish().exits(0);
        assert_eq!(run.report().row("Greeting").ok(), 4, "{}", run.stdout);
    }
}

#[test]
fn files_that_are_not_plugins_are_rejected() {
    let run = shooter().args("plugin new 9lives").finish().exits(2);
    let expected = "error[usage::plugin-name]: `9lives` cannot be the name of a plugin
  = help: a name has lower case letters, digits, `-` and `_`, a letter first, 64 at most
";
    assert_eq!(run.stderr, expected);
    let run = shooter().file("hello", "a file").args("plugin new hello").finish().exits(2);
    assert_eq!(run.stderr, "error[usage::output-path]: cannot write `hello`: not a directory\n");
    let run = shooter().file("taken", "").args("plugin new hello --lang cobol").finish().exits(2);
    assert!(run.stderr.contains("invalid value 'cobol' for '--lang <LANGUAGE>'"), "{}", run.stderr);
}

#[test]
fn nothing_is_overwritten() {
    let run = shooter().args("plugin new hello --into a/b").finish().exits(0);
    assert!(run.path("a/b/hello/src/lib.rs").is_file());
    let again = shooter().current_dir(&run.path("a")).args("plugin new hello --into b").finish().exits(2);
    let expected = "error[usage::output-path]: `b/hello` is not empty
  = help: choose another name, or another `--into`
";
    assert_eq!(again.stderr, expected);
}
