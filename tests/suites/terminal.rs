//! The terminal of a run, in shells that restore its modes themselves and in one that does not.

use stampede_tests::{Terminal, site, wait_for};
use tempfile::TempDir;

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
    let mut terminal = Terminal::start("bash --norc --noprofile -i", folder.path());
    let program = env!("CARGO_BIN_EXE_stampede-shooter");
    let script = "- {name: Page, url: /bytes/1}\n- {name: Missing, url: /status/404}\n";
    std::fs::write(folder.path().join("script.yml"), script).expect("a file");
    terminal.type_keys("stty rows 20 columns 100\n");
    terminal.type_keys(&format!(
        "sh -c 'echo $$ > process; exec {program} --script script.yml --verbose --duration 1h --rps 20 {flags} \
         --base-url {address}'; echo CODE-$?-END\n"
    ));
    terminal.wait_for("generator  CPU ");
    terminal
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
    let process = std::fs::read_to_string(folder.path().join("process")).expect("its number");
    let killed = std::process::Command::new("kill").args(["-HUP", process.trim()]).status();
    assert!(killed.expect("there is a kill").success());
    terminal.wait_for("CODE-130-END");
    assert_usual_modes(&mut terminal, 6);
}

#[test]
fn a_run_in_dash_leaves_the_terminal_as_it_was_when_it_stops_and_when_it_ends() {
    stops_continues_and_ends("dash -i");
}

#[test]
fn a_run_in_bash_leaves_the_terminal_as_it_was_when_it_stops_and_when_it_ends() {
    stops_continues_and_ends("bash --norc --noprofile -i");
}
