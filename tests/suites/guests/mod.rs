//! Plugins that misbehave, in the real binary. Whatever one does, the run goes on and ends as documented, the report
//! names the plugin at fault, and the well-behaved step beside it is not affected. `tests/tidy.rs` checks that every
//! guest has a test of its name here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use stampede_tests::{Finished, Report, Row, Silent, guest, settled, site};

use crate::shooter;

mod limits;
mod reach;
mod schema;
mod storm;
mod transfers;

const USERS: u64 = 4;
const WALKS: u64 = 5;
/// Runs of each step.
const TASKS: u64 = USERS * WALKS;

/// A finished run of a step `Bad`, with a misbehaving plugin, and a step `Good`, with the built-in one.
struct Ran {
    run: Finished,
    report: Report,
    plugin: &'static str,
}

/// Runs a guest's step, with additional lines, and a good one after it; checks everything that holds for any guest.
#[track_caller]
fn ran(plugin: &'static str, more: &str) -> Ran {
    ran_with(plugin, more, &format!("--users {USERS} --iterations {WALKS} --workers 2"))
}

#[track_caller]
fn ran_with(plugin: &'static str, more: &str, flags: &str) -> Ran {
    ran_under(plugin, "", more, flags)
}

/// Runs a guest as [`run`] does, with additional lines in the plugin's entry.
#[track_caller]
fn ran_under(plugin: &'static str, terms: &str, more: &str, flags: &str) -> Ran {
    let site = site();
    let script = script(plugin, terms, &site.base_url(), more);
    let run = shooter().script(&script).args(flags).args("--fail-on never").report().finish().exits(0);
    let (report, counted) = (run.report(), settled(&site.stats()));
    report.assert_consistent();
    let good = report.row("Good");
    assert_eq!(good.total(), counted.requests, "requests of the good step");
    assert_eq!(good.ok(), good.total(), "{}", run.stdout);
    assert_eq!(good.statuses(), counted.statuses, "statuses of the good step");
    assert_eq!(good.body_in(), counted.body_bytes_sent, "bytes of reply bodies of the good step");
    assert_eq!(good.tasks("started"), report.row("Bad").tasks("started"), "the bad step lets the good one begin");
    assert!(!run.stderr.contains("panicked at host"), "{}", run.stderr);
    Ran { run, report, plugin }
}

fn script(plugin: &str, terms: &str, base: &str, more: &str) -> String {
    let component = guest(plugin);
    format!(
        "base_url: {base}
plugins:
  {plugin}: {{source: '{}', {terms}}}
steps:
  - name: Bad
    action: misbehave
    {more}
  - name: Good
    url: /api/v1/catalog?page={{{{randInt 1 20}}}}
    expect_status: 200
",
        component.display()
    )
}

impl Ran {
    fn bad(&self) -> Row<'_> {
        self.report.row("Bad")
    }

    /// Checks that every run of the bad step failed in that category, and that the example names the plugin and has the
    /// given text.
    #[track_caller]
    fn all_failed(&self, category: &str, said: &str) {
        let bad = self.bad();
        assert_eq!(bad.tasks("failed"), TASKS, "{}", self.run.stdout);
        assert_eq!(bad.errors(), BTreeMap::from([(category, TASKS)]));
        let example = bad.example(category);
        assert!(example.contains(said), "{example}");
    }

    /// Checks that every run of the bad step failed, and that the report names the plugin.
    #[track_caller]
    fn all_trapped(&self, said: &str) {
        self.all_failed("plugin", said);
        let named = format!("plugin `{}` ", self.plugin);
        let example = self.bad().example("plugin");
        assert!(example.starts_with(&named), "{example}");
    }

    /// Checks that `tasks` runs of the bad step ended that way, and none in another.
    #[track_caller]
    fn all_of(&self, tasks: u64, how: &str) {
        let bad = self.bad();
        assert_eq!((bad.tasks("started"), bad.tasks(how)), (tasks, tasks), "{}\n{}", self.run.stdout, self.run.stderr);
    }

    #[track_caller]
    fn all_passed(&self) {
        assert_eq!(self.bad().tasks("passed"), TASKS, "{}", self.run.stdout);
    }
}

#[test]
fn every_capability() {
    let report = speaks_the_contract(&guest("every_capability"), 6);
    let (read, trip) = (report.at("/metrics/0"), report.at("/metrics/1"));
    assert_eq!((&read["name"], &read["unit"], &read["count"]), (&"read".into(), &"bytes".into(), &6.into()));
    assert_eq!((&trip["plugin"], &trip["kind"], &trip["count"]), (&"guest".into(), &"trend".into(), &6.into()));
    // The bytes that sockets read are in the samples of their tasks, beside those of HTTP exchanges.
    let socket_bytes = read["sum"].as_f64().expect("a sum");
    assert!(report.row("All").at("/bytes/in").as_f64().is_some_and(|all| all > socket_bytes), "{read}");
    let segment = report.row("All/segment");
    assert_eq!((segment.ok(), segment.total(), segment.at("/step").as_str()), (6, 6, Some("All")));
    assert_eq!(report.rows().count(), 2, "the row without requests is not shown");
}

/// A component built against an earlier version of the contract runs as it did then.
#[test]
fn components_of_every_version_of_the_contract_so_far() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let all: Vec<_> = fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    let built: Vec<_> = all.iter().filter(|path| path.extension().is_some_and(|end| end == "wasm")).collect();
    assert!(!built.is_empty());
    for component in built {
        // Version 0.1.0 had no sockets, and 0.1.1 neither streams nor upgrades.
        let requests = [("contract-0.1.0.wasm", 2), ("contract-0.1.1.wasm", 3)];
        let older = requests.iter().find(|(version, _)| component.ends_with(version));
        speaks_the_contract(component, older.map_or(5, |(_, requests)| *requests));
    }
}

/// Returns the host and port of a URL without a path.
fn host_of(base: &str) -> &str {
    base.trim_start_matches("http://")
}

/// Requests of each task of `every_capability`, which passes only if every import answered correctly.
#[track_caller]
fn speaks_the_contract(component: &Path, requests: u64) -> Report {
    let site = site();
    let host = host_of(&site.base_url()).to_owned();
    let script = format!(
        "base_url: http://{host}
plugins: {{guest: {{source: '{}', allow: ['{host}']}}}}
steps: [{{name: All, action: misbehave, url: /api/v1/catalog, port: {}, file: script.yml}}]
",
        component.display(),
        host.rsplit(':').next().unwrap_or_default()
    );
    let run = shooter().script(&script).args("--users 2 --iterations 3 --workers 2").report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    assert_eq!(report.row("All").tasks("passed"), 6, "{}", run.stdout);
    assert_eq!(settled(&site.stats()).requests, 6 * requests);
    report
}

#[test]
fn trap_on_start() {
    let ran = ran("trap_on_start", "");
    // A panic's message is the reason; it is printed before the trap.
    ran.all_trapped("as it was made to: wasm trap: wasm `unreachable` instruction executed");
    let logged = ran.run.stderr.matches("ERROR").count();
    assert_eq!(logged, 1, "a trap is logged once, not {TASKS} times\n{}", ran.run.stderr);
}

#[test]
fn trap_on_resume() {
    ran("trap_on_resume", "").all_trapped("trapped");
}

#[test]
fn trap_on_cancel() {
    ran("trap_on_cancel", "timeout: 150ms").all_failed("timeout", "not done within 150ms");
}

#[test]
fn trap_once_in_a_hundred() {
    let ran = ran_with("trap_once_in_a_hundred", "", "--users 3 --iterations 100 --workers 2");
    let bad = ran.bad();
    assert_eq!((bad.tasks("passed"), bad.tasks("failed")), (297, 3));
    assert_eq!(bad.errors(), BTreeMap::from([("plugin", 3)]));
    assert!(bad.example("plugin").starts_with("plugin `trap_once_in_a_hundred` trapped"));
}

#[test]
fn endless_loop() {
    ran("endless_loop", "")
        .all_trapped("it computed for longer than `limits: {call: 100ms}` allows: wasm trap: interrupt");
}

#[test]
fn unbounded_memory() {
    ran("unbounded_memory", "").all_trapped("bytes failed: wasm trap: wasm `unreachable` instruction executed");
}

#[test]
fn deep_recursion() {
    ran("deep_recursion", "").all_trapped("trapped: it recursed too deep: wasm trap: call stack exhausted");
}

#[test]
fn overflows_its_stack() {
    ran("overflows_its_stack", "").all_trapped("trapped: it overflowed its stack, by recursion");
}

#[test]
fn pending_with_nothing() {
    ran("pending_with_nothing", "").all_trapped("is pending with nothing in flight");
}

#[test]
fn never_finishes() {
    let ran = ran("never_finishes", "timeout: 150ms");
    ran.all_failed("timeout", "not done within 150ms");
    assert_eq!(ran.run.stderr.matches("was told to give up").count() as u64, TASKS, "{}", ran.run.stderr);
}

#[test]
fn never_finishes_but_the_run_does() {
    let site = site();
    let script = script("never_finishes", "", &site.base_url(), "");
    let flags = "--users 4 --duration 200ms --graceful-stop 100ms --workers 2 --fail-on never";
    let run = shooter().script(&script).args(flags).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    let bad = report.row("Bad");
    assert_eq!((bad.tasks("started"), bad.tasks("cancelled")), (4, 4));
    assert_eq!(bad.total(), 0, "a request that only waited does not count");
    assert_eq!(run.stderr.matches("was told to give up").count(), 4, "{}", run.stderr);
    assert_eq!(settled(&site.stats()).requests, 0);
}

#[test]
fn finishes_early() {
    let ran = ran("finishes_early", "");
    ran.all_passed();
    assert!(!ran.run.stderr.contains("was told of a task that is over"), "{}", ran.run.stderr);
}

#[test]
fn forges_numbers() {
    for (forge, said) in [
        ("operation", "operation 7 is not a completed exchange"),
        ("template", "there is no template 7"),
        ("request", "there is no prepared request 7"),
    ] {
        ran("forges_numbers", &format!("forge: {forge}")).all_trapped(said);
    }
}

#[test]
fn forges_numbers_of_a_task_that_is_over() {
    let ran = ran_with("forges_numbers", "forge: past", "--users 1 --iterations 4");
    let bad = ran.bad();
    assert_eq!((bad.tasks("passed"), bad.tasks("failed")), (2, 2), "every second one trips over the last");
    let example = bad.example("plugin");
    assert!(example.contains("operation 0 is not a completed exchange"), "{example}");
}

#[test]
fn sleeps_through_std() {
    ran("sleeps_through_std", "").all_trapped("a plugin must not wait: use the contract's `timer.sleep`");
}

#[test]
fn reads_standard_input() {
    ran("reads_standard_input", "").all_passed();
}

#[test]
fn prints() {
    let flags = format!("--users {USERS} --iterations {WALKS} --workers 2 --log debug");
    let ran = ran_with("prints", "", &flags);
    ran.all_passed();
    assert!(!ran.run.stdout.contains("by a guest"), "{}", ran.run.stdout);
    for said in ["printed by a guest", "complained by a guest"] {
        assert_eq!(ran.run.stderr.matches(said).count() as u64, TASKS, "{}", ran.run.stderr);
    }
}

#[test]
fn floods_the_log() {
    let ran = ran_with("floods_the_log", "", "--users 1 --iterations 1");
    let lines = ran.run.stderr.matches("of a flood").count();
    // The call may stand across two of the run's seconds.
    assert!((20..=40).contains(&lines), "{lines} lines");
    assert!(ran.run.stderr.contains("more log lines in this second are left out"), "{}", ran.run.stderr);
}

#[test]
fn too_many_operations() {
    ran("too_many_operations", "").all_trapped("a task may have 1024 operations at a time");
}

#[test]
fn compiles_while_running() {
    ran("compiles_while_running", "").all_trapped("this function may be called only within `configure`");
}

#[test]
fn fails_silently() {
    ran("fails_silently", "").all_trapped("failed its task without a reason");
}

#[test]
fn claims_cancellation() {
    ran("claims_cancellation", "").all_failed("plugin", "the run is over, believe me");
}

#[test]
fn lies_about_sizes() {
    ran("lies_about_sizes", "").all_trapped("out of bounds");
}

#[test]
fn looks_around() {
    let ran = ran("looks_around", "");
    ran.all_passed();
    assert!(!ran.run.path("written-by-a-guest").exists());
}

/// Returns the first line of the message about a guest with which there is no run; checks that nothing else is wrong,
/// and that nothing was sent.
#[track_caller]
fn rejected(plugin: &str, code: i32) -> String {
    let target = Silent::bind();
    let script = script(plugin, "", &target.base_url(), "colour: mud");
    let run = shooter().script(&script).finish().exits(code);
    target.assert_untouched();
    single_error(&run)
}

/// Returns the first line of the only message.
#[track_caller]
fn single_error(run: &Finished) -> String {
    assert_eq!(run.stderr.matches("error[").count(), 1, "{}", run.stderr);
    assert!(run.stdout.is_empty() && !run.stderr.contains("panicked at host/"), "{}\n{}", run.stdout, run.stderr);
    run.stderr.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn user_while_described() {
    assert_eq!(
        rejected("user_while_described", 4),
        "error[plugin::load]: plugin `user_while_described` does not load: `describe` failed: this function may be called \
         only while a task runs"
    );
}

#[test]
fn user_while_configured() {
    assert_eq!(
        rejected("user_while_configured", 4),
        "error[plugin::trap]: plugin `user_while_configured` failed while it configured a step: this function may be \
         called only while a task runs"
    );
}

#[test]
fn trap_while_configured() {
    assert_eq!(
        rejected("trap_while_configured", 4),
        "error[plugin::trap]: plugin `trap_while_configured` failed while it configured a step: thread '<unnamed>' (1) panicked at \
         tests/guests/trap_while_configured.rs:10:9: as it was made to: wasm trap: wasm `unreachable` instruction executed"
    );
}

#[test]
fn refuses_its_step() {
    let target = Silent::bind();
    let script = script("refuses_its_step", "", &target.base_url(), "colour: mud");
    let run = shooter().script(&script).finish().exits(3);
    target.assert_untouched();
    let expected = "error[script::parameter]: `colour` must be a colour of the rainbow
 --> script.yml:7:13
  |
7 |     colour: mud
  |             ^^^
  |
  = help: try `indigo`
";
    assert_eq!(run.stderr, expected);
}

#[test]
fn another_contract() {
    assert_eq!(
        rejected("another_contract", 4),
        "error[plugin::load]: plugin `another_contract` does not load: it speaks version 9.9.9 of the plugin contract; \
         this host speaks 0.1.0 to 0.1.3"
    );
}

#[test]
fn wants_sockets() {
    let target = Silent::bind();
    let run = shooter().script(&script("wants_sockets", "", &target.base_url(), "")).args("--iterations 1");
    let run = run.args("--users 1 --timeout 100ms").report().finish();
    assert_eq!(run.report().row("Bad").tasks("failed"), 1, "{}", run.stdout);
    assert!(run.stderr.contains("opens network connections itself, which is refused"), "{}", run.stderr);
}

/// Returns the message about a file with these contents that a script names as a plugin.
#[track_caller]
fn rejected_file(contents: &[u8]) -> String {
    let script = "plugins: {odd: odd.wasm}\nsteps: [{name: Bad, action: misbehave}]\n";
    let run = shooter().file("odd.wasm", contents).script(script).finish().exits(4);
    assert!(run.stderr.contains("--> script.yml:1:16"), "{}", run.stderr);
    let said = single_error(&run);
    said.strip_prefix("error[plugin::load]: plugin `odd` does not load: ").expect("a plugin that does not load").into()
}

#[test]
fn a_file_that_is_not_a_component_is_named_with_the_reason() {
    for (contents, said) in [
        (b"".as_slice(), "it is not a WebAssembly file"),
        (b"(component)", "it is not a WebAssembly file"),
        (b"\0asm\x01\0\0\0", "it is a core module, not a component; build it for `wasm32-wasip2`"),
        (b"\0asm\x0d\0\x01\0", "it is a component, but not a plugin: it does not export `stampede:plugin/action`"),
    ] {
        assert_eq!(rejected_file(contents), said);
    }
}

#[test]
fn a_damaged_component_is_rejected_with_the_reason() {
    let whole = fs::read(guest("prints")).expect("a guest");
    let truncated = rejected_file(&whole[..whole.len() / 2]);
    assert!(truncated.starts_with("failed to parse WebAssembly module"), "{truncated}");
    let (head, rest) = whole.split_at(8);
    let inverted: Vec<u8> = head.iter().copied().chain(rest.iter().map(|byte| !byte)).collect();
    assert!(!rejected_file(&inverted).is_empty());
}

#[test]
fn a_damaged_cache_is_filled_again() {
    let cache = tempfile::tempdir().expect("a temporary folder");
    let entries = || -> Vec<_> {
        let entries = fs::read_dir(cache.path()).expect("the cache");
        entries.map(|entry| entry.expect("a cache entry").path()).collect()
    };
    let site = site();
    let run = || {
        let script = script("prints", "", &site.base_url(), "");
        let cached = shooter().env("STAMPEDE_CACHE_DIR", &cache.path().display().to_string());
        cached.script(&script).finish().exits(0)
    };
    run();
    let filled = entries();
    assert!(filled.len() >= 2, "the guest and the built-in plugins: {filled:?}");
    for (index, entry) in filled.iter().enumerate() {
        let code = fs::read(entry).expect("a cache entry");
        let kept = [0, 100, code.len() / 2][index % 3];
        fs::write(entry, &code[..kept]).expect("the cache is writable");
    }
    run();
    assert!(entries().iter().all(|entry| fs::metadata(entry).is_ok_and(|file| file.len() > 1000)));
}

/// Waits for turns are in neither time of the guest: its turns are a second apart, and a reply takes 100 ms.
#[test]
fn measures_turns() {
    let cases = "
- name: limited
  rps: 1
  base_url: http://site
  steps: [{name: S, action: misbehave, url: /a}]
  times: 3
  target: [{reply: {after: 100ms}}, {reply: {after: 100ms}}, {reply: {after: 100ms}},
           {reply: {after: 100ms}}, {reply: {after: 100ms}}, {reply: {after: 100ms}}]
  expect: {takes: 5100ms, metrics: {exchange: 100000000, task: 200000000}}
- name: unlimited
  base_url: http://site
  steps: [{name: S, action: misbehave, url: /a}]
  target: [{reply: {after: 100ms}}, {reply: {after: 100ms}}]
  expect: {takes: 200ms, metrics: {exchange: 100000000, task: 200000000}}
";
    let run = shooter().file("cases.yml", cases).args("plugin test").arg(guest("measures_turns")).finish();
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
}
