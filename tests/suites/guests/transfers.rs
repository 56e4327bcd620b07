//! Guests of transfers and of tasks that last, against the real host.

use stampede_tests::{guest, site};

use super::{ran_under, script};
use crate::shooter;

const FLAGS: &str = "--users 4 --iterations 5 --workers 2";

#[test]
fn misuses_transfers() {
    let peer = site();
    let params = |what: &str| format!("what: {what}\n    url: {}/status/200", peer.base_url());
    let terms = "allow: ['127.0.0.1']";
    for (what, said) in [
        ("no row", "the step has no row 4000000000"),
        ("a row too late", "this function may be called only within `configure`"),
        ("lasts too late", "this function may be called only within `configure`"),
        ("connections too late", "this function may be called only within `configure`"),
        ("no exchange", "operation 0 is not an exchange"),
        ("made up", "operation 4000000000 is not an exchange"),
        ("times too early", "operation 0 is not a completed exchange"),
        ("given up", "operation 0 is not an exchange"),
        ("left twice", "operation 0 is not an exchange"),
        ("left in no row", "the step has no row 4000000000"),
        ("left a wait", "operation 0 is not an exchange"),
        ("an ordinary exchange", "operation 0 is not one that `begin` has submitted"),
    ] {
        ran_under("misuses_transfers", terms, &params(what), FLAGS).all_trapped(said);
    }
    // The other step has the row 0 of the instance, and this one the row 1.
    let two =
        format!("{}\n  - name: Other\n    action: misbehave\n    {}", params("x"), params("a row of another step"));
    let run = shooter().script(&script("misuses_transfers", terms, &peer.base_url(), &two)).args(FLAGS);
    let run = run.args("--fail-on never").report().finish().exits(0);
    assert!(run.report().row("Other").example("plugin").contains("the step has no row 0"), "{}", run.stdout);
    for (what, code, said) in [
        ("a slash in a name", 3, "a row's name has 1 to 64 letters"),
        ("other times", 3, "the times of the row `row` are counted already"),
        ("many rows", 3, "a step may have 16 rows"),
        ("ending too early", 4, "this function may be called only while a task runs"),
    ] {
        let run = shooter().script(&script("misuses_transfers", terms, &peer.base_url(), &params(what))).finish();
        let said_so = run.exits(code).stderr;
        assert!(said_so.contains(said), "{what}: {said_so}");
    }
}

/// A case of a guest that looks at its transfer every so often.
fn watched(every_ms: u64, reply: &str, expect: &str) -> String {
    format!(
        "- name: a paced reply\n  steps: [{{name: S, action: misbehave, url: 'http://site/file', every_ms: {every_ms}}}]\n  \
         target: [{{reply: {{{reply}}}}}]\n  expect: {{{expect}}}\n"
    )
}

/// 1,000 bytes come in 20 pieces, one each 100 ms from 1 s on, so that what is seen follows by arithmetic.
#[test]
fn watches_progress() {
    let paced = format!("body: '{}', after: 1s, over: 2s", "x".repeat(1_000));
    // Looks at 0.73, 1.46, 2.19 and 2.92 s; or at 1.03 and 2.06 s.
    for (every_ms, pieces) in [(730, [0, 4, 11, 19].as_slice()), (1_030, &[0, 10])] {
        let seen = pieces.iter().sum::<u64>() * 50;
        let cases = watched(every_ms, &paced, &format!("outcome: passed, takes: 3s, metrics: {{seen: {seen}}}"));
        shooter().file("cases.yml", &cases).args("plugin test").arg(guest("watches_progress")).finish().exits(0);
    }
}
