//! The limits that a script sets for a plugin, each exceeded.

use std::fs;

use stampede_tests::{Silent, guest, site};
use tempfile::TempDir;

use super::{TASKS, ran, ran_under};
use crate::shooter;

const FLAGS: &str = "--users 4 --iterations 5 --workers 2";

fn port_of(base: &str) -> &str {
    base.rsplit(':').next().unwrap_or_default()
}

#[test]
fn uses_memory() {
    ran("uses_memory", "mib: 32").all_passed();
    ran("uses_memory", "mib: 80").all_trapped("bytes failed: wasm trap: wasm `unreachable` instruction executed");
    ran_under("uses_memory", "limits: {memory: 100MiB}", "mib: 80", FLAGS).all_passed();
    ran_under("uses_memory", "limits: {memory: 16MiB}", "mib: 32", FLAGS).all_trapped("bytes failed");
}

#[test]
fn copies_too_much() {
    // On a busy machine, copying that much takes longer than a call may.
    let time = "limits: {call: 10s}";
    ran_under("copies_too_much", time, "mib: 16", FLAGS).all_passed();
    ran_under("copies_too_much", time, "mib: 18", FLAGS).all_trapped("fuel");
    ran_under("copies_too_much", "limits: {call: 10s, copied: 1MiB}", "mib: 2", FLAGS).all_trapped("fuel");
    ran_under("copies_too_much", "limits: {call: 10s, copied: 30MiB}", "mib: 20", FLAGS).all_passed();
}

#[test]
fn the_limit_of_operations() {
    let terms = "limits: {operations: 5}";
    ran_under("too_many_operations", terms, "", FLAGS).all_trapped("a task may have 5 operations at a time");
}

#[test]
fn the_limit_of_a_calls_time() {
    ran_under("endless_loop", "limits: {call: 10ms}", "", FLAGS)
        .all_trapped("it computed for longer than `limits: {call: 10ms}` allows");
}

#[test]
fn the_limit_of_log_lines() {
    let ran = ran_under("floods_the_log", "limits: {log_lines: 3}", "", "--users 1 --iterations 1");
    let lines = ran.run.stderr.matches("of a flood").count();
    // The call may span two of the run's seconds.
    assert!((3..=6).contains(&lines), "{lines} lines");
    let none = ran_under("floods_the_log", "limits: {log_lines: 0}", "", "--users 1 --iterations 1");
    assert_eq!(none.run.stderr.matches("of a flood").count(), 0, "{}", none.run.stderr);
}

#[test]
fn holds_too_much() {
    // On a busy machine, copying that much takes longer than a call may.
    let terms = "allow: ['127.0.0.1'], limits: {call: 10s}";
    let ran = ran_under("holds_too_much", terms, "", "--users 1 --iterations 1 --workers 1");
    let bad = ran.bad();
    assert_eq!(bad.example("plugin"), "a task may hold 64 MiB of bodies");
    assert_eq!((bad.tasks("failed"), TASKS), (1, 20));
}

#[test]
fn breaks_utf8() {
    ran("breaks_utf8", "").all_trapped("utf-8");
}

#[test]
fn overuses_wasi() {
    ran("overuses_wasi", "what: random").all_trapped("requested len 1048576 exceeds limit 65536");
    let ran = ran_under("overuses_wasi", "limits: {call: 10s}", "what: output", "--users 1 --iterations 1 --log debug");
    ran.all_of(1, "passed");
    let said = ran.run.stderr.matches("xxxxxxxx").count();
    assert!(said > 0 && ran.run.stderr.len() < 64 << 10, "{} bytes", ran.run.stderr.len());
}

#[test]
fn floods_metrics() {
    let ran = ran("floods_metrics", "add: 0");
    ran.all_trapped("a counter does not take the value -1");
    let metrics = ran.report.at("/metrics").as_array().map(Vec::len);
    assert_eq!(metrics, Some(256));
    ran_under("floods_metrics", "", "add: 256", FLAGS).all_trapped("there is no metric 256");
}

/// A socket that the guest was never told of is closed at the end of its task, and `close` may be called in `cancel`.
#[test]
fn forgets_sockets() {
    let peer = Silent::bind();
    let step = format!("timeout: 20ms\n    port: {}", port_of(&peer.base_url()));
    let ran = ran_under("forgets_sockets", "allow: ['127.0.0.1']", &step, "--users 1 --iterations 70 --workers 1");
    assert_eq!(ran.bad().errors(), [("timeout", 70)].into(), "{}", ran.run.stdout);
}

#[test]
fn hoards_sockets() {
    let peer = site();
    let base = peer.base_url();
    let port = port_of(&base);
    let grant = "allow: ['127.0.0.1']";
    let flags = "--users 2 --iterations 1 --workers 1";
    ran_under("hoards_sockets", grant, &format!("port: {port}\n    sockets: 64"), flags).all_of(2, "passed");
    let ran = ran_under("hoards_sockets", grant, &format!("port: {port}\n    sockets: 65"), flags);
    ran.all_of(2, "failed");
    assert_eq!(ran.bad().example("plugin"), "a user may have 64 open sockets");
}

#[test]
fn misuses_sockets() {
    let peer = site();
    let base = peer.base_url();
    let port = port_of(&base);
    for (how, category, said) in [
        ("forged", "network", "the socket is closed"),
        (
            "elsewhere",
            "network",
            "a connection to `127.0.0.1:1`, which is not granted; add `allow: [\"127.0.0.1:1\"]` to the plugin's entry",
        ),
        ("two reads", "plugin", "another operation of that kind is under way on the socket"),
        ("wrong kind", "plugin", "operation 0 is not a completed one of that kind"),
        ("too large", "plugin", "one write may have 16777216 bytes"),
    ] {
        let params = format!("how: {how}\n    port: {port}");
        let terms = format!("allow: ['127.0.0.1:{port}']");
        ran_under("misuses_sockets", &terms, &params, FLAGS).all_failed(category, said);
    }
    let (params, terms) = (format!("how: another's\n    port: {port}"), format!("allow: ['127.0.0.1:{port}']"));
    let ran = ran_under("misuses_sockets", &terms, &params, "--users 2 --iterations 1 --workers 1");
    let bad = ran.bad();
    assert_eq!((bad.tasks("passed"), bad.tasks("failed")), (1, 1), "{}", ran.run.stdout);
    assert_eq!(bad.example("network"), "the socket is closed");
}

#[test]
fn gives_up() {
    let ran = ran_under("gives_up", "allow: ['127.0.0.1']", "", FLAGS);
    ran.all_passed();
    assert_eq!(ran.bad().total(), 0, "a request that never began does not count");
}

/// An exchange that the guest gives up is a sample, of the category that the guest names, or cancelled.
#[test]
fn loses_patience() {
    let peer = site();
    let url = format!("url: {}/delay/60000", peer.base_url());
    let ran = ran_under("loses_patience", "allow: ['127.0.0.1']", &format!("{url}\n    why: it took too long"), FLAGS);
    ran.all_failed("timeout", "it took too long");
    let ran = ran_under("loses_patience", "allow: ['127.0.0.1']", &url, FLAGS);
    ran.all_passed();
    assert_eq!(ran.bad().errors(), [("cancelled", TASKS)].into());
    assert_eq!(ran.bad().example("cancelled"), "the plugin gave it up");
}

/// Only exchanges that are in flight or kept count, not earlier ones.
#[test]
fn many_in_turn() {
    let peer = site();
    let params = |keep: &str| format!("url: {}/status/200\n    keep: '{keep}'", peer.base_url());
    let terms = "allow: ['127.0.0.1'], limits: {operations: 20}";
    let ran = ran_under("many_in_turn", terms, &params("no"), "--users 2 --iterations 1 --workers 1");
    ran.all_of(2, "passed");
    assert_eq!(ran.bad().total(), 2 * 500);
    ran_under("many_in_turn", terms, &params("yes"), FLAGS).all_trapped("a task may have 20 operations at a time");
}

#[test]
fn misuses_streams() {
    let peer = site();
    let params = |what: &str| format!("what: {what}\n    url: {}/bytes/1000000", peer.base_url());
    let terms = "allow: ['127.0.0.1']";
    for (what, said) in [
        ("no exchange", "operation 0 is not a streamed exchange"),
        ("made up", "operation 4000000000 is not a streamed exchange"),
        ("given up", "operation 0 is not a streamed exchange"),
        ("a file too late", "this function may be called only within `configure`"),
    ] {
        ran_under("misuses_streams", terms, &params(what), FLAGS).all_trapped(said);
    }
    let ran = ran_under("misuses_streams", terms, &params("pieces over HTTP/1.1"), FLAGS);
    ran.all_failed("protocol", "content in pieces can be sent only over HTTP/2");
    // Content that the guest does not read stays on the wire, and is cut off when the task ends.
    let ran = ran_under("misuses_streams", terms, &params("nothing"), FLAGS);
    ran.all_passed();
    assert_eq!(ran.bad().errors(), [("cancelled", TASKS)].into(), "{}", ran.run.stdout);
    assert!(ran.bad().body_in() < TASKS * 1_000_000, "{} bytes were taken", ran.bad().body_in());
    let script = super::script("misuses_streams", terms, &peer.base_url(), &params("another file"));
    let said = shooter().script(&script).finish().exits(3).stderr;
    assert!(said.contains("the file `../../../etc/passwd` is not among the step's parameters"), "{said}");
}

/// A guest built against 0.1.1 may ask for the result of a socket operation twice; a current guest may not.
#[test]
fn asks_twice() {
    let peer = site();
    let params = format!("port: {}", port_of(&peer.base_url()));
    ran_under("asks_twice", "allow: ['127.0.0.1']", &params, FLAGS).all_trapped("is not a completed one of that kind");
    let today = fs::read(guest("asks_twice")).unwrap();
    let folder = TempDir::new().unwrap();
    let older = folder.path().join("older.wasm");
    fs::write(&older, replaced(&today, b"@0.1.2", b"@0.1.1")).unwrap();
    let script = format!(
        "plugins: {{older: {{source: {}, allow: ['127.0.0.1']}}}}\nsteps: [{{name: Twice, action: misbehave, {params}}}]\n",
        older.display()
    );
    let flags = "--users 2 --iterations 1 --workers 1";
    let run = shooter().args(flags).script(&script).report().finish().exits(0);
    assert_eq!(run.report().row("Twice").tasks("passed"), 2, "{}", run.stdout);
}

/// Returns bytes with every occurrence of some replaced by others of the same length.
fn replaced(bytes: &[u8], old: &[u8; 6], new: &[u8; 6]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + new.len()].copy_from_slice(new);
        }
    }
    bytes
}

/// The memory that the guest keeps is too little to be noticed here; `plugin test --conformance` finds it.
#[test]
fn leaks_memory() {
    ran("leaks_memory", "").all_passed();
}

/// The deadline of a guest that never waits is enforced, and other users of its worker go on.
#[test]
fn spins_in_place() {
    let terms = "limits: {operations: 100000}";
    ran_under("spins_in_place", terms, "timeout: 300ms", "--users 4 --iterations 1 --workers 1").all_of(4, "failed");
    let ran = ran_under("spins_in_place", terms, "timeout: 300ms", "--users 1 --iterations 1 --workers 1");
    assert_eq!(ran.bad().errors(), [("timeout", 1)].into());
}

#[test]
fn changes_its_mind() {
    let peer = site();
    let base = peer.base_url();
    let params = format!("port: {}\n    timeout: 20s", port_of(&base));
    let flags = "--users 2 --iterations 2 --workers 1 --rps 4";
    ran_under("changes_its_mind", "allow: ['127.0.0.1']", &params, flags).all_of(4, "passed");
}

#[test]
fn judges_and_leaves() {
    let peer = site();
    let base = format!("base: {}", peer.base_url());
    let ran = ran_under("judges_and_leaves", "allow: ['127.0.0.1']", &base, FLAGS);
    ran.all_of(TASKS, "failed");
    assert_eq!(ran.bad().errors(), [("status", TASKS), ("cancelled", TASKS)].into(), "{}", ran.run.stdout);
    assert_eq!(ran.bad().example("status"), "a status of 500");
}
