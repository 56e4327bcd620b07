//! The terminal of a run, in shells that restore its modes themselves and in one that does not.

use std::path::Path;
use std::process::Command;

use stampede_tests::{Terminal, guest, site, wait_for};
use tempfile::TempDir;

use crate::native::misbehaving;

/// A shell that restores the modes of its terminal.
const BASH: &str = "bash --norc --noprofile -i";
/// A shell that leaves them as a program does.
const DASH: &str = "dash -i";
/// Two steps, one of which fails.
const PAGES: &str = "- {name: Page, url: /bytes/1}\n- {name: Missing, url: /status/404}\n";

/// Asserts that the terminal waits for lines and echoes keys, as it does before a run.
#[track_caller]
fn assert_usual_modes(terminal: &mut Terminal, number: u32) {
    terminal.type_keys(&format!("stty -a; echo MODES-$(({number} + 0))-END\n"));
    let shown = terminal.wait_for(&format!("MODES-{number}-END"));
    let modes: Vec<&str> = shown.split_whitespace().collect();
    for mode in ["icanon", "echo"] {
        assert!(modes.contains(&mode), "{mode}: {shown}");
    }
}

/// Stops a run by Ctrl-Z, continues it, and ends it by its key.
fn stops_continues_and_ends(shell: &str) {
    let (site, folder) = (site(), TempDir::new().expect("a temporary folder"));
    let stats = site.stats();
    let requests = || stats.snapshot().requests;
    let mut terminal = Terminal::start(shell, folder.path());
    let program = env!("CARGO_BIN_EXE_stampede-shooter");
    std::fs::write(folder.path().join("script.yml"), "- {name: Page, url: /bytes/1}\n").expect("a file");
    let address = site.base_url();
    terminal
        .type_keys(&format!("{program} --script script.yml --verbose --duration 1h --rps 50 --base-url {address}\n"));
    wait_for("the run to send requests", || requests() > 5);
    terminal.type_keys("\u{1a}");
    terminal.wait_for("Stopped");
    assert_usual_modes(&mut terminal, 1);
    let before = requests();
    terminal.type_keys("fg\n");
    wait_for("the run to go on", || requests() > before + 5);
    terminal.type_keys("q");
    terminal.wait_for("Totals:");
    assert_usual_modes(&mut terminal, 2);
}

/// Starts a run of an hour at a terminal, and waits until its table has been drawn.
fn with_live_table(folder: &TempDir, address: &str, flags: &str) -> Terminal {
    let mut terminal = started(BASH, folder, PAGES, &format!("{flags} --base-url {address}"));
    terminal.wait_for("generator  CPU ");
    terminal
}

/// Starts a run of an hour at a terminal.
fn started(shell: &str, folder: &TempDir, script: &str, flags: &str) -> Terminal {
    let mut terminal = Terminal::start(shell, folder.path());
    let program = env!("CARGO_BIN_EXE_stampede-shooter");
    std::fs::write(folder.path().join("script.yml"), script).expect("a file");
    // No core file: the crashes are meant.
    terminal.type_keys("stty rows 20 columns 100; ulimit -c 0\n");
    terminal.type_keys(&format!(
        "sh -c 'echo $$ > process; exec {program} --script script.yml --verbose --duration 1h --rps 20 {flags}'; \
         echo CODE-$?-END\n"
    ));
    terminal
}

/// Sends a signal to the run in a folder.
fn send_signal(folder: &Path, signal: &str) {
    let process = std::fs::read_to_string(folder.join("process")).expect("its number");
    let sent = Command::new("kill").args([signal, process.trim()]).status();
    assert!(sent.expect("there is a kill").success());
}

#[test]
fn a_live_table_shows_actions_thresholds_and_errors_and_leaves_the_report_alone() {
    let (site, folder) = (site(), TempDir::new().expect("a temporary folder"));
    let mut terminal = with_live_table(&folder, &site.base_url(), "--threshold \"http_reqs:count>=1\"");
    let drawn = terminal.wait_for("generator  CPU ");
    for part in [
        "s elapsed, ",
        "Action",
        "Page",
        "Missing",
        "Totals",
        "holds    http_reqs: count>=1",
        "error    status  Missing:",
    ] {
        assert!(drawn.contains(part), "`{part}` is not in {drawn}");
    }
    assert!(drawn.contains('█'), "a chart: {drawn}");
    terminal.type_keys("q");
    let last = terminal.wait_for("Totals: ");
    let report = last.rsplit("\u{1b}[J").next().expect("the table was drawn");
    assert!(report.contains("\u{1b}[2K") && !report.contains("generator  CPU"), "it was erased: {report}");
    assert!(report.contains("Action "), "the report stands in its place: {report}");
    terminal.wait_for("CODE-0-END");
    assert_usual_modes(&mut terminal, 3);
}

#[test]
fn signals_leave_the_terminal_as_it_was() {
    let site = site();
    for (number, key, code) in [(4, "\u{1c}", 130), (5, "\u{3}", 130)] {
        let folder = TempDir::new().expect("a temporary folder");
        let mut terminal = with_live_table(&folder, &site.base_url(), "");
        terminal.type_keys(key);
        terminal.wait_for(&format!("CODE-{code}-END"));
        assert_usual_modes(&mut terminal, number);
    }
    let folder = TempDir::new().expect("a temporary folder");
    let mut terminal = with_live_table(&folder, &site.base_url(), "");
    send_signal(folder.path(), "-HUP");
    terminal.wait_for("CODE-130-END");
    assert_usual_modes(&mut terminal, 6);
}

#[test]
fn a_run_in_dash_leaves_the_terminal_as_it_was_when_it_stops_and_when_it_ends() {
    stops_continues_and_ends(DASH);
}

#[test]
fn a_run_in_bash_leaves_the_terminal_as_it_was_when_it_stops_and_when_it_ends() {
    stops_continues_and_ends(BASH);
}

#[test]
fn signals_of_a_crash_leave_the_terminal_as_it_was() {
    let site = site();
    for (number, signal, code) in [(7, "-SEGV", 139), (8, "-BUS", 135), (9, "-ABRT", 134)] {
        let folder = TempDir::new().expect("a temporary folder");
        let flags = format!("--base-url {}", site.base_url());
        let mut terminal = started(DASH, &folder, PAGES, &flags);
        terminal.wait_for("generator  CPU ");
        send_signal(folder.path(), signal);
        terminal.wait_for(&format!("CODE-{code}-END"));
        assert_usual_modes(&mut terminal, number);
    }
}

#[test]
fn a_native_plugin_that_crashes_leaves_the_terminal_as_it_was() {
    let site = site();
    for (number, how, code) in [(10, "fault", 139), (11, "overflow", 134), (12, "abort", 134)] {
        let folder = TempDir::new().expect("a temporary folder");
        std::fs::write(folder.path().join("it.so"), misbehaving("crashes")).expect("a file");
        let script = format!("plugins: {{it: ./it.so}}\nsteps: [{{name: Crash, action: misbehave, how: {how}}}]\n");
        let flags = format!("--allow-native --base-url {}", site.base_url());
        let mut terminal = started(DASH, &folder, &script, &flags);
        terminal.wait_for("keys: ");
        let shown = terminal.wait_for(&format!("CODE-{code}-END"));
        if how == "overflow" {
            assert!(shown.contains("has overflowed its stack"), "{shown}");
        }
        assert_usual_modes(&mut terminal, number);
    }
}

/// A fault in a guest's code is a trap, also while crashes are handled.
#[test]
fn guests_that_trap_at_a_terminal_do_not_end_the_run() {
    let site = site();
    for (number, plugin) in [(13, "overflows_its_stack"), (14, "trap_on_start")] {
        let (folder, component) = (TempDir::new().expect("a temporary folder"), guest(plugin));
        let script = format!(
            "plugins: {{it: {{source: '{}'}}}}\nsteps: [{{name: Trap, action: misbehave}}]\n",
            component.display()
        );
        let flags = format!("--iterations 5 --fail-on never --base-url {}", site.base_url());
        let mut terminal = started(DASH, &folder, &script, &flags);
        let shown = terminal.wait_for("CODE-0-END");
        assert!(shown.contains("Totals: 5 requests") && shown.contains("plugin `it` "), "{shown}");
        assert_usual_modes(&mut terminal, number);
    }
}
