//! A plugin outside this workspace, on the SDK alone, behaves as the built-in ones do. It is built here by the command
//! of its README; its own tests are run by `cargo xtask test`.

use std::path::{Path, PathBuf};
use std::process::Command;

use stampede_tests::{settled, site};

use crate::shooter;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/plugin-greet");

/// Variables that an outer cargo sets for its own packages, or a user for the host.
pub(crate) const NOT_FOR_PLUGINS: [&str; 6] = [
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_TARGET",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
];

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-greet")
}

/// Runs cargo in the plugin's folder, with a target folder that is kept between runs.
#[track_caller]
fn cargo(arguments: &[&str]) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).arg("--locked").arg("--target-dir").arg(target()).current_dir(FOLDER);
    NOT_FOR_PLUGINS.iter().for_each(|name| {
        command.env_remove(name);
    });
    let output = command.output().expect("cargo starts");
    assert!(output.status.success(), "cargo {arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Builds the component.
pub(crate) fn component() -> Vec<u8> {
    cargo(&["build", "--release", "--target", "wasm32-wasip2"]);
    std::fs::read(target().join("wasm32-wasip2/release/plugin_greet.wasm")).expect("the component was built")
}

#[test]
fn a_plugin_from_outside_the_workspace_behaves_as_a_built_in_one() {
    let site = site();
    let script = "
plugins: {greet: {source: greet.wasm, allow: [127.0.0.1]}}
data: {names: [Ann Lee, Bob, 'Zoë']}
steps:
  - {name: Page, url: /bytes/10}
  - {name: Hello, action: greet, url: /echo, who: '{{pick names}}'}
  - {name: Missing, action: greet, url: /status/404, who: Ann}
  - {name: Mistaken, action: greet, url: /bytes/10, who: Ann}
";
    let run = shooter()
        .file("greet.wasm", component())
        .script(script)
        .args("--users 10 --iterations 5 --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(0);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    report.assert_consistent();
    assert_eq!((report.row("Hello").ok(), report.row("Hello").err()), (50, 0), "{}", run.stdout);
    assert_eq!(report.row("Hello").at("/action"), "greet");
    assert_eq!(report.row("Missing").errors(), [("status", 50)].into());
    assert_eq!(report.row("Missing").example("status"), "expected status 200, got 404");
    assert_eq!(report.row("Mistaken").errors(), [("check", 50)].into());
    let listed = shooter()
        .file("greet.wasm", component())
        .file("greet.yml", script)
        .args("plugins --script greet.yml")
        .finish()
        .exits(0);
    assert!(listed.stdout.contains("greet: asks for a greeting and expects the name in it"), "{}", listed.stdout);
}

/// The package of the SDK builds from what is in it, and has what a stranger needs: the contract, examples, licence.
#[test]
fn the_package_of_the_sdk_builds_by_itself() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-sdk");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk-package");
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).args(["--offline", "--allow-dirty", "--target-dir"]).arg(&target).current_dir(folder);
        NOT_FOR_PLUGINS.iter().for_each(|name| {
            command.env_remove(name);
        });
        let output = command.output().expect("cargo starts");
        assert!(output.status.success(), "cargo {arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let listed = cargo(&["package", "--list"]);
    for file in ["README.md", "LICENSE", "examples/05_socket.rs", "wit/world.wit", "wit/sockets.wit", "src/lib.rs"] {
        assert!(listed.lines().any(|line| line == file), "{file} is not in\n{listed}");
    }
    cargo(&["package"]);
}
