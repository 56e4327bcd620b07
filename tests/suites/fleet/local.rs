//! A fleet for a first try, as a new user types it.

use stampede_tests::{settled, site};

use crate::shooter;

const SCRIPT: &str = "- {name: Page, url: /bytes/100}\n";

#[test]
fn a_first_try_needs_no_server_and_no_other_machine() {
    let site = site();
    let load = "fleet local --nodes 3 --users 6 --iterations 5 --base-url";
    let run = shooter().args(load).arg(site.base_url()).script(SCRIPT).report().finish().exits(0);
    run.report().assert_equals(&settled(&site.stats()));
    assert_eq!(run.report().totals().total(), 30);
    assert!(run.stdout.contains("Segments: all 3."), "{}", run.stdout);
}

#[test]
fn what_cannot_be_divided_is_refused_before_anything_is_started() {
    for (script, arguments, expected) in [
        (SCRIPT, "--users 2", "3 machines for 2 users: some would have none"),
        (
            "setup: [{name: A, url: /a}]\nsteps: [{name: B, url: /b}]\n",
            "--users 3",
            "the script has a `setup` or a `teardown`",
        ),
        (SCRIPT, "--users 3 --segment 1/3", "a fleet divides the run itself"),
        (SCRIPT, "--users 3 --header authorization:abc", "the value of `--header authorization` would travel"),
        ("headers: {authorization: abc}\nsteps: [{name: B, url: /b}]\n", "--users 3", "has a secret typed into it"),
    ] {
        let run = shooter().args("fleet local --nodes 3 --base-url http://127.0.0.1:1").args(arguments).script(script);
        let run = run.finish().exits(2);
        assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    }
}
