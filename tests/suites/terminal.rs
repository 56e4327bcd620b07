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

#[test]
fn a_run_in_dash_leaves_the_terminal_as_it_was_when_it_stops_and_when_it_ends() {
    stops_continues_and_ends("dash -i");
}

#[test]
fn a_run_in_bash_leaves_the_terminal_as_it_was_when_it_stops_and_when_it_ends() {
    stops_continues_and_ends("bash --norc --noprofile -i");
}
