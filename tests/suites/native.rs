//! Native plugins are rejected unless the user allows them, and then behave like components. The C compiler that the
//! build of the host needs builds the libraries here.

use std::fs;
use std::path::Path;
use std::process::Command;

use stampede_tests::{Nginx, Registry, Run, settled, site};
use tempfile::TempDir;

use crate::{assert_golden, sha256, shooter, tests_folder};

/// Path of the header.
const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-sdk/include");
/// Path of the example.
const GREET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/native-greet");

/// Beginning of the header: a note that it is generated.
const HEAD: &str = "// The contract between stampede-shooter and native plugins. Made from host/src/plugin/native/abi.rs: change that, and
// run the tests with BLESS=1.
";

/// Macros that C needs besides.
const HELPERS: &str = "/// A text from a literal, for initializers.
#define STAMPEDE_TEXT(literal) {(literal), sizeof(literal) - 1}

#if defined(_WIN32)
#define STAMPEDE_EXPORT __declspec(dllexport)
#else
#define STAMPEDE_EXPORT __attribute__((visibility(\"default\")))
#endif";

#[test]
fn the_header_equals_its_definition() {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        header: Some(HEAD.into()),
        include_guard: Some("STAMPEDE_NATIVE_H".into()),
        after_includes: Some(HELPERS.into()),
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        cpp_compat: true,
        usize_is_size_t: true,
        documentation_style: cbindgen::DocumentationStyle::C99,
        line_length: 120,
        tab_width: 4,
        ..cbindgen::Config::default()
    };
    config.function.prefix = Some("STAMPEDE_EXPORT".into());
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/plugin/native/abi.rs");
    let bindings = cbindgen::Builder::new().with_config(config).with_src(source).generate();
    let mut header = Vec::new();
    bindings.expect("the definition is understood").write(&mut header);
    let header = String::from_utf8(header).expect("it is a text");
    assert_golden(&Path::new(INCLUDE).join("stampede_native.h"), &header);
}

/// Builds the library of a C file.
#[track_caller]
fn built(source: &Path) -> Vec<u8> {
    let folder = TempDir::new().expect("a temporary folder");
    let library = folder.path().join("library");
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared", "-I", INCLUDE, "-o"]);
    let output = compiler.arg(&library).arg(source).output().expect("there is a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(library).expect("it was built")
}

/// Builds a library that misbehaves, from `tests/native/`.
#[track_caller]
pub(crate) fn misbehaving(name: &str) -> Vec<u8> {
    built(&tests_folder().join(format!("native/{name}.c")))
}

fn greet() -> Vec<u8> {
    built(&Path::new(GREET).join("greet.c"))
}

/// Returns a call of a command on a script with one step of the library `it.so`.
fn call(command: &str, library: &[u8], more: &str) -> Run {
    let script = format!(
        "base_url: http://127.0.0.1:1\nplugins: {{it: ./it.so}}\nsteps:\n  - {{name: Step, action: misbehave{more}}}\n"
    );
    shooter().file("it.so", library).args(command).script(&script)
}

#[test]
fn a_native_library_is_rejected_unless_the_user_allows_it() {
    let library = misbehaving("breaks_the_contract");
    let mut said = String::new();
    for command in ["", "check", "demo --quiet", "plugins", "schema"] {
        let run = call(command, &library, "").finish().exits(4);
        let rejected = run.stderr.lines().filter(|line| !line.starts_with("running against"));
        let rejected: String = rejected.map(|line| format!("{line}\n")).collect();
        assert!(said.is_empty() || said == rejected, "{rejected}");
        said = rejected;
        let allowed = call(command, &library, "").args("--allow-native").finish();
        let warnings = allowed.stderr.lines().filter(|line| line.starts_with("warning:"));
        assert_eq!(
            warnings.collect::<Vec<_>>(),
            ["warning: plugin `it` is native: it runs with all your rights, and no limit applies to it"],
            "{command}: {}",
            allowed.stderr
        );
        assert_ne!(allowed.code, Some(4), "{}", allowed.stderr);
    }
    let inspect = || shooter().file("it.so", &library).args("plugin inspect it.so");
    said.push_str(&inspect().finish().exits(4).stderr);
    let shown = inspect().env("STAMPEDE_ALLOW_NATIVE", "1").finish().exits(0).stdout;
    assert!(shown.contains("contract       native 1\n"), "{shown}");
    assert!(shown.contains("capabilities   unknown: it is native\n"), "{shown}");
    assert_golden(&tests_folder().join("suites/golden/native.txt"), &said);
}

#[test]
fn the_example_behaves_as_a_component_does() {
    let site = site();
    let script = "
plugins: {greet: {source: ./libgreet.so, allow: [127.0.0.1]}}
data: {names: [Ann Lee, Bob, 'Zoë']}
steps:
  - {name: Page, url: /bytes/10}
  - {name: Hello, action: greet, url: /echo, who: '{{pick names}}'}
  - {name: Missing, action: greet, url: /status/404, who: Ann}
  - {name: Mistaken, action: greet, url: /bytes/10, who: Ann}
";
    let run = shooter()
        .file("libgreet.so", greet())
        .script(script)
        .args("--allow-native --users 10 --iterations 5 --workers 2 --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(0);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    report.assert_consistent();
    assert_eq!((report.row("Hello").ok(), report.row("Hello").err()), (50, 0), "{}", run.stdout);
    assert_eq!(report.row("Missing").errors(), [("status", 50)].into());
    assert_eq!(report.row("Mistaken").errors(), [("check", 50)].into());
    assert_eq!(report.row("Mistaken").example("check"), "expected a greeting for `Ann`");
}

#[test]
fn the_cases_of_the_component_hold_for_the_example() {
    let cases = fs::read(Path::new(GREET).join("../plugin-greet/cases.yml")).expect("the example has cases");
    let run = shooter().file("libgreet.so", greet()).file("cases.yml", cases);
    let run = run.args("plugin test --allow-native libgreet.so").finish().exits(0);
    assert!(run.stdout.ends_with("\n5 passed, 0 failed\n"), "{}", run.stdout);
}

/// Requests of `every_function`, and their replies.
const EVERY_FUNCTION: &str = r#"
- name: every function
  base_url: http://site
  steps: [{name: All, action: misbehave}]
  target:
    - request:
        method: POST
        path: /form?q=user+0
        headers: {authorization: "Basic dTpw", x-native: "yes", content-type: application/x-www-form-urlencoded}
        body: who=user+0
      reply: {status: 201, headers: {x-kind: good}, body: "yes"}
    - request: {method: PUT, path: /dynamic, headers: {x-time: run, x-native: "yes"}, body: bytes}
      reply: {status: 200}
    - receives: PING
      sends: PONG
  expect: {outcome: passed, takes: 5s, metrics: {words: 2}}
"#;

#[test]
fn every_function_of_the_host_works() {
    let run = shooter().file("it.so", misbehaving("every_function")).file("cases.yml", EVERY_FUNCTION);
    let run = run.args("plugin test --allow-native it.so").finish();
    assert_eq!(run.stdout, "ok      every function (5s)\n\n1 passed, 0 failed\n");
    assert!(run.stderr.contains("WARN a line of the library"), "{}", run.stderr);
}

#[test]
fn a_library_that_is_not_a_plugin_is_rejected_with_the_reason() {
    for (name, why) in [
        ("no_export", "it is a native library, but not a plugin: it does not export `stampede_plugin_v1`"),
        ("another_version", "it speaks version 2 of the contract of native plugins; this host speaks 1"),
        ("null_table", "its `stampede_plugin_v1` returns a null pointer"),
        ("lacks_a_function", "it has no function `start`"),
        ("null_action", "`describe` failed: a null pointer is given where data is required"),
    ] {
        let run = call("check --allow-native", &misbehaving(name), "").finish().exits(4);
        let expected = format!("error[plugin::load]: plugin `it` does not load: {why}\n");
        assert!(run.stderr.starts_with(&expected), "{name}: {}", run.stderr);
    }
    let run = call("check --allow-native", b"\x7fELF and nothing", "").finish().exits(4);
    assert!(run.stderr.contains("does not load: it cannot be opened: "), "{}", run.stderr);
}

#[test]
fn the_message_of_a_library_about_its_step_is_shown_at_the_line() {
    let library = misbehaving("refuses_its_step");
    let run = call("check --allow-native", &library, ", color: octarine").finish().exits(3);
    let expected = "error[script::parameter]: `octarine` is not a color
 --> script.yml:4:44
  |
4 |   - {name: Step, action: misbehave, color: octarine}
  |                                            ^^^^^^^^
  |
  = help: try `green`
";
    assert_eq!(run.stderr, expected);
}

/// Each misuse costs the task its instance, and the run goes on with a new one: a third of nine tasks fail.
#[test]
fn a_broken_contract_costs_the_instance_and_not_the_run() {
    let library = misbehaving("breaks_the_contract");
    for (how, why) in [
        ("operation", "operation 7 is not a completed exchange"),
        ("utf8", "a text is not UTF-8"),
        ("nowhere", "a null pointer is given where data is required"),
        ("no_place", "an out parameter is a null pointer"),
        ("too_long", "a call copies more than `copied` of its limits allows"),
        ("answer", "the number 99 has no meaning here"),
        ("message", "a null pointer is given where data is required"),
        ("kind", "the number 77 has no meaning here"),
        ("flag", "the number 2 has no meaning here"),
        ("configure", "this function may be called only within `configure`"),
    ] {
        let run = call("--allow-native --iterations 9 --fail-on never", &library, &format!(", how: {how}"));
        let report = run.report().finish().exits(0).report();
        let row = report.row("Step");
        assert_eq!((row.tasks("passed"), row.tasks("failed")), (6, 3), "{how}");
        assert_eq!(report.traps("it"), (3, 0), "{how}");
        assert_eq!(row.example("plugin"), format!("plugin `it` trapped: {why}"), "{how}");
    }
}

#[test]
fn the_digest_of_a_library_is_checked_before_it_is_opened() {
    let library = misbehaving("another_version");
    let any = "0".repeat(64);
    let script =
        format!("plugins: {{it: {{source: ./it.so, sha256: '{any}'}}}}\nsteps: [{{name: S, url: 'http://a/'}}]\n");
    let run = shooter().file("it.so", &library).args("check --allow-native").script(&script).finish().exits(4);
    assert!(run.stderr.starts_with("error[plugin::digest]"), "{}", run.stderr);
    let lock = format!("plugins:\n  it:\n    source: ./it.so\n    sha256: '{any}'\n");
    let run = call("check --allow-native --locked", &library, "").file("stampede.lock", lock).finish().exits(4);
    assert!(run.stderr.starts_with("error[plugin::locked]"), "{}", run.stderr);
}

#[test]
fn no_library_comes_over_the_network() {
    let (folder, cache) = (TempDir::new().expect("a temporary folder"), TempDir::new().expect("a temporary folder"));
    let (cache, library) = (cache.path().display().to_string(), b"\x7fELF of a stranger");
    fs::write(folder.path().join("it.so"), library).expect("it can be written");
    let site = Nginx::start_tls(&format!("location / {{ root {}; }}", folder.path().display()));
    let certificate = site.certificate().display().to_string();
    let registry = Registry::start();
    registry.push("team/it:1", "application/wasm", &[library]);
    for source in [format!("{}/it.so", site.base_url()), format!("oci://{}/team/it:1", registry.address())] {
        let digest = sha256(library);
        let script = format!(
            "plugins: {{it: {{source: '{source}', sha256: {digest}}}}}\nsteps: [{{name: S, url: 'http://a/'}}]\n"
        );
        let run = shooter().env("STAMPEDE_CACHE_DIR", &cache).env("SSL_CERT_FILE", &certificate);
        let run = run.args("check --allow-native").script(&script).finish().exits(4);
        let expected =
            "plugin `it` does not load: it is a native library; only components may be fetched over the network\n";
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}
