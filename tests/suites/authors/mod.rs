//! Mistakes in plugins in Python, JavaScript and C, with what their authors are told, and the helpers of these
//! languages: one plugin in each language does what its parameter names.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use stampede_tests::{Authority, Finished, Identity, Report, Silent, SmtpServer, StartTls, guest, site};

use crate::languages::{built, command_after, tools};
use crate::shooter;

fn port_of(base: &str) -> u16 {
    base.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a URL with a port")
}

/// Returns the plugin of a language, built like one of `plugin new`.
fn odd(language: &str) -> PathBuf {
    static BUILT: OnceLock<std::sync::Mutex<BTreeMap<String, PathBuf>>> = OnceLock::new();
    let mut known = BUILT.get_or_init(Default::default).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(built) = known.get(language) {
        return built.clone();
    }
    let folder = tools().join("authors").join(language).join("odd");
    let _ = fs::remove_dir_all(&folder);
    let new = shooter().args("plugin new odd --lang").arg(language).arg("--into");
    new.arg(folder.parent().expect("it has one")).finish().exits(0);
    let (file, text) = match language {
        "python" => ("action.py", include_str!("odd.py")),
        "javascript" => ("action.js", include_str!("odd.js")),
        _ => ("action.c", include_str!("odd.c")),
    };
    fs::write(folder.join(file), text).expect("the folder is writable");
    let readme = fs::read_to_string(folder.join("README.md")).expect("there is a README");
    let component = built(&folder, &[&folder], command_after(&readme, "- Build"), "odd.wasm");
    known.insert(language.to_owned(), component.clone());
    component
}

/// Returns a script with a step for each way, named like it, and a step of the sample site after them.
fn script(language: &str, ways: &[&str], port: u16) -> String {
    let limits = if language == "javascript" { ", limits: {memory: 128MiB}" } else { "" };
    let mut script =
        format!("plugins:\n  odd: {{source: '{}', allow: ['127.0.0.1']{limits}}}\nsteps:\n", odd(language).display());
    for way in ways {
        script += &format!("  - {{name: '{way}', action: odd, how: '{way}', port: {port}}}\n");
    }
    script + "  - {name: Good, url: /status/200}\n"
}

/// Runs some ways, twice by each of two users, and checks that nothing but their own tasks fails.
#[track_caller]
fn ran(language: &str, ways: &[&str], flags: &str) -> (Finished, Report) {
    let site = site();
    let run = shooter().script(&script(language, ways, port_of(&site.base_url())));
    let run = run.args("--users 2 --iterations 2 --workers 1 --fail-on never --base-url").arg(site.base_url());
    let run = run.args(flags).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    assert_eq!(report.traps("odd"), (0, 0), "{}\n{}", run.stdout, run.stderr);
    assert_eq!(report.row("Good").ok(), 4, "{}", run.stdout);
    (run, report)
}

/// Checks that every task of each way failed as the plugin's fault, with a text.
#[track_caller]
fn all_break(language: &str, expected: &[(&str, &str)]) {
    let ways: Vec<&str> = expected.iter().map(|(way, _)| *way).collect();
    let (run, report) = ran(language, &ways, "");
    for (way, text) in expected {
        let row = report.row(way);
        assert_eq!(row.tasks("failed"), 4, "{way}: {}\n{}", run.stdout, run.stderr);
        let example = row.example("plugin");
        assert!(example.contains(text), "{way}: `{example}` has no `{text}`");
    }
}

#[test]
fn an_exception_in_python_fails_its_task_with_type_message_file_and_line() {
    all_break(
        "python",
        &[
            ("exception", "action.py:38: KeyError: 'nothing'"),
            ("early", "action.py:38: KeyError: 'nothing'"),
            ("missing module", "ModuleNotFoundError: No module named 'colorsys' (import it at the top of the file"),
            ("no such module", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
            ("exits", "SystemExit: 3"),
            ("waits", "RuntimeError: `time.sleep` would stop all users of the thread: write `yield sleep(seconds)`"),
            ("opens a file", "action.py:99: FileNotFoundError: "),
            ("opens a socket", "PermissionError: "),
            ("recurses", "RecursionError"),
            ("yields a number", "TypeError: `yield` takes an operation such as `send(…)`, not `5`"),
            ("yields a generator", "not a generator: write `yield from`"),
        ],
    );
}

#[test]
fn an_exception_in_javascript_fails_its_task_with_type_message_file_and_line() {
    all_break(
        "javascript",
        &[
            ("exception", "action.js:10: TypeError: "),
            ("early", "action.js:10: TypeError: "),
            ("fetches", "Error: `fetch` does not work in a plugin, whose calls may not wait: write `yield send(…)`"),
            (
                "times",
                "Error: `setTimeout` does not work in a plugin, whose calls may not wait: write `yield sleep(seconds)`",
            ),
            ("waits", "TypeError: `run` is a generator: write `*run()`, without `async`"),
            ("yields a number", "TypeError: `yield` takes an operation such as `send(…)`, not `5`"),
            ("yields a generator", "not a generator: write `yield*`"),
            ("recurses", "InternalError: too much recursion"),
        ],
    );
}

#[test]
fn an_exception_while_a_step_is_configured_is_shown_at_the_step() {
    for (language, text) in [
        ("python", "the plugin failed: action.py:38: KeyError: 'nothing'"),
        ("javascript", "the plugin failed: action.js:10: TypeError: "),
    ] {
        let run = shooter().args("check").script(&script(language, &["configure"], 1)).finish().exits(3);
        assert!(run.stderr.contains(text), "{language}: {}", run.stderr);
        assert!(run.stderr.contains("--> script.yml:4:"), "{language}: {}", run.stderr);
    }
}

#[test]
fn what_a_plugin_prints_is_in_the_log() {
    for (language, lines) in [
        ("python", ["printed 1 and {'a': 2}", "to stderr", "two", "lines"]),
        ("javascript", ["printed 1 and {\"a\":2}", "to stderr", "two", "lines"]),
    ] {
        let (run, report) = ran(language, &["prints"], "--log info");
        assert_eq!(report.row("prints").tasks("passed"), 4, "{language}: {}", run.stdout);
        for line in lines {
            let ending = format!(" {line} plugin=\"odd\"");
            let found = run.stderr.lines().filter(|logged| logged.ends_with(&ending)).count();
            assert!(found >= 4, "{language}: {found} of `{line}` in\n{}", run.stderr);
        }
    }
}

#[test]
fn clocks_are_the_runs_and_also_in_virtual_time() {
    for language in ["python", "javascript"] {
        let (run, report) = ran(language, &["clocks"], "");
        let row = report.row("clocks");
        assert_eq!(row.tasks("passed"), 4, "{language}: {}\n{}", run.stdout, run.stderr);
        let case = "- {name: c, steps: [{name: S, action: odd, how: clocks}], expect: {takes: 250ms}}\n";
        shooter().file("cases.yml", case).args("plugin test").arg(odd(language)).finish().exits(0);
    }
}

/// Returns the lines with numbers that the users have drawn, sorted.
fn drawn(run: &Finished) -> Vec<String> {
    let mut lines: Vec<String> =
        run.stderr.lines().filter_map(|line| line.split_once("drew ")).map(|(_, drawn)| drawn.to_owned()).collect();
    lines.sort();
    lines
}

#[test]
fn random_numbers_are_the_users_own_and_the_seed_decides_them() {
    for language in ["python", "javascript"] {
        let (first, report) = ran(language, &["random"], "--log info --seed 7");
        assert_eq!(report.row("random").tasks("passed"), 4, "{language}: {}\n{}", first.stdout, first.stderr);
        let numbers = drawn(&first);
        assert_eq!(numbers.len(), 4, "{language}: {}", first.stderr);
        assert!((1..4).all(|at| numbers[at] != numbers[at - 1]), "{language}: {numbers:?}");
        assert_eq!(numbers, drawn(&ran(language, &["random"], "--log info --seed 7").0), "{language}");
        assert_ne!(numbers, drawn(&ran(language, &["random"], "--log info --seed 8").0), "{language}");
    }
}

/// Runs the unit tests of a new plugin of each kind, against the fake load runner.
#[track_caller]
fn unit_tests_pass(language: &str, sources: [(&str, &str); 2], tests: (&str, &str), command: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for kind in ["http", "socket", "stream"] {
        let new = shooter().args("plugin new my-page --lang").arg(language).arg("--kind").arg(kind).arg("--into");
        new.arg(folder.path().join(kind)).finish().exits(0);
    }
    let page = folder.path().join("http/my-page");
    for (kind, (from, to)) in ["socket", "stream"].into_iter().zip(sources) {
        fs::copy(folder.path().join(kind).join("my-page").join(from), page.join(to)).expect("it was written");
    }
    fs::write(page.join(tests.0), tests.1).expect("the folder is writable");
    let mut run = std::process::Command::new(command[0]);
    run.args(&command[1..]).env("PYTHONPATH", "sdk").env("PYTHONDONTWRITEBYTECODE", "1").current_dir(page);
    let output = run.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Ran 6 tests") || said.contains("# pass 5\n"), "{said}");
}

#[test]
fn actions_in_python_are_tested_without_a_component() {
    let sources = [("action.py", "line_action.py"), ("action.py", "watch_action.py")];
    let tests = ("test_action.py", include_str!("test_action.py"));
    unit_tests_pass("python", sources, tests, &["python3", "-m", "unittest"]);
}

#[test]
fn actions_in_javascript_are_tested_without_a_component() {
    let sources = [("action.js", "line.js"), ("action.js", "watch.js")];
    let tests = ("action.test.js", include_str!("action_test.js"));
    unit_tests_pass("javascript", sources, tests, &["node", "--test", "--test-reporter", "tap"]);
}

/// Runs a test in the folder of a new plugin.
#[track_caller]
fn passes_in_a_new_plugin(language: &str, file: &str, text: &str, command: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let new = shooter().args("plugin new my-page --lang").arg(language).arg("--into");
    new.arg(folder.path()).finish().exits(0);
    let page = folder.path().join("my-page");
    fs::write(page.join(file), text).expect("the folder is writable");
    let mut run = std::process::Command::new(command[0]);
    let output = run.args(&command[1..]).arg(file).current_dir(page).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && (said.contains("Ran 1 test") || said.contains("# pass 1\n")), "{said}");
}

#[test]
fn type_stubs_are_those_of_the_helpers() {
    passes_in_a_new_plugin("python", "test_types.py", include_str!("test_types.py"), &["python3"]);
    let node = ["node", "--test", "--test-reporter", "tap"];
    passes_in_a_new_plugin("javascript", "types.test.js", include_str!("types_test.js"), &node);
}

#[test]
fn data_are_hashed_and_signed() {
    for language in ["python", "javascript", "c"] {
        let (run, report) = ran(language, &["hashes"], "");
        assert_eq!(report.row("hashes").tasks("passed"), 4, "{language}: {}\n{}", run.stdout, run.stderr);
    }
}

#[test]
fn lines_and_blocks_are_read_whole() {
    for language in ["python", "javascript", "c"] {
        let (run, report) = ran(language, &["lines"], "");
        assert_eq!(report.row("lines").tasks("passed"), 4, "{language}: {}\n{}", run.stdout, run.stderr);
    }
}

#[test]
fn sockets_that_began_in_clear_begin_tls_unless_bytes_in_clear_are_left() {
    for language in ["python", "javascript", "c"] {
        for (answer, errors) in [(StartTls::Agrees, BTreeMap::new()), (StartTls::Injects, [("protocol", 4)].into())] {
            let authority = Authority::default();
            let server = SmtpServer::start(authority.server(Identity::Valid, &[]), answer);
            let script = script(language, &["mail"], server.port());
            let script = script.split("  - {name: Good").next().expect("a script");
            let run = shooter().file("authority.pem", authority.pem()).script(script);
            let run = run.args("--users 2 --iterations 2 --cacert authority.pem --fail-on never").report().finish();
            let report = run.report();
            let row = report.row("mail");
            assert_eq!(row.errors(), errors, "{language}: {}\n{}", run.stdout, run.stderr);
            assert_eq!(row.total(), 4, "{language}: {}", run.stderr);
            match answer {
                StartTls::Agrees => assert_eq!(server.commands().secure, ["EHLO client"; 4], "{language}"),
                _ => assert!(row.example("protocol").contains("bytes in clear before TLS began"), "{language}"),
            }
        }
    }
}

#[test]
fn a_session_counts_itself_and_leaves_what_is_under_way_when_its_users_time_ends() {
    let cases = "- name: a segment is under way
  steps: [{name: S, action: odd, how: session}]
  ends_after: 10s
  target: [{reply: {body: aaaaaaaaaaaaaaaaaaaaaaaa, after: 1s, over: 60s}}]
  expect: {outcome: passed, takes: 10s, metrics: {watched: 10s}}
- name: it completes
  steps: [{name: S, action: odd, how: session}]
  ends_after: 100s
  target: [{reply: {body: aaaaaaaaaaaaaaaaaaaaaaaa, after: 1s, over: 60s}}]
  expect: {outcome: passed, takes: 61s, metrics: {watched: 61s}}
";
    for language in ["python", "javascript", "c"] {
        shooter().file("cases.yml", cases).args("plugin test").arg(odd(language)).finish().exits(0);
    }
}

/// A user may have 64 sockets of a plugin: with one left open by each task, the last of 70 could not connect.
#[test]
fn a_task_that_is_cut_off_or_breaks_leaves_no_socket_open() {
    for language in ["python", "javascript", "c"] {
        for (way, category) in [("silent peer", "timeout"), ("breaks with a socket", "plugin")] {
            let target = Silent::bind();
            let script = script(language, &[way], port_of(&target.base_url()));
            let script = script.replace("how: 'silent peer'", "timeout: 20ms, how: 'silent peer'");
            let script = script.split("  - {name: Good").next().expect("a script");
            let run = shooter().script(script).args("--users 1 --iterations 70 --workers 1 --fail-on never").report();
            // If all of a run's requests time out, the target was never reached, which is an exit code of its own.
            let run = run.finish();
            let report = run.report();
            let row = report.row(way);
            assert_eq!(row.errors(), [(category, 70)].into(), "{language}: {}\n{}", run.stdout, run.stderr);
            let example = row.example(category);
            assert!(!example.contains("open sockets"), "{language}: {example}");
            assert_eq!(report.traps("odd"), (0, 0), "{language}: {}", run.stderr);
        }
    }
}

#[test]
fn a_trap_in_c_names_functions_and_has_lines_if_they_are_asked_for() {
    for (details, has_lines) in [("0", false), ("1", true)] {
        for (way, function, said) in [
            ("exception", "look_up_nothing", "wasm trap: wasm `unreachable` instruction executed"),
            ("recurses", "deeper", "it overflowed its stack, by recursion or by large local variables"),
        ] {
            let script = script("c", &[way], 1);
            let script = script.split("  - {name: Good").next().expect("a script");
            let run = shooter().env("WASMTIME_BACKTRACE_DETAILS", details).script(script).report();
            let run = run.args("--users 1 --iterations 1 --fail-on never").finish().exits(0);
            assert!(run.report().row(way).example("plugin").contains(said), "{}", run.stdout);
            assert!(run.stderr.contains(function), "{}", run.stderr);
            assert_eq!(run.stderr.contains("action.c:"), has_lines, "{details}: {}", run.stderr);
        }
    }
    let script = script("c", &["configure"], 1);
    let script = script.split("  - {name: Good").next().expect("a script");
    let said = shooter().args("check").script(script).finish().exits(4).stderr;
    assert!(said.contains("plugin `odd` failed while it configured a step: "), "{said}");
    assert!(said.contains("--> script.yml:4:"), "{said}");
}

#[test]
fn conformance_cancels_tasks_more_often_than_a_user_may_have_sockets() {
    let cases = "- name: a greeting
  steps: [{name: S, action: odd, how: lines, port: 9}]
  target:
    - receives: any
      sends: [\"HTTP/1.1 200 OK\\r\\n\\r\\n\", {hex: 00 01 02 03 ff}]
";
    for language in ["python", "c"] {
        let run = shooter().file("cases.yml", cases).args("plugin test --conformance").arg(odd(language)).finish();
        let run = run.exits(0);
        assert!(run.stdout.contains("\nok      closes the sockets of cancelled tasks\n"), "{language}: {}", run.stdout);
    }
    let cases = cases.replace("odd", "misbehave").replace("how: lines, port: 9", "port: 9, sockets: 1");
    let run = shooter().file("cases.yml", cases);
    let run = run.args("plugin test --conformance").arg(guest("hoards_sockets")).finish().exits(7);
    assert!(!run.stdout.contains("\nok      closes the sockets"), "{}", run.stdout);
}
