//! The limits that a script sets for a plugin, each at work.

use super::{TASKS, ran, ran_under};

const FLAGS: &str = "--users 4 --iterations 5 --workers 2";

#[test]
fn uses_memory() {
    ran("uses_memory", "mib: 32").all_passed();
    ran("uses_memory", "mib: 80").all_trapped("bytes failed: wasm trap: wasm `unreachable` instruction executed");
    ran_under("uses_memory", "limits: {memory: 100MiB}", "mib: 80", FLAGS).all_passed();
    ran_under("uses_memory", "limits: {memory: 16MiB}", "mib: 32", FLAGS).all_trapped("bytes failed");
}

#[test]
fn copies_too_much() {
    ran("copies_too_much", "mib: 16").all_passed();
    ran("copies_too_much", "mib: 18").all_trapped("fuel");
    ran_under("copies_too_much", "limits: {copied: 1MiB}", "mib: 2", FLAGS).all_trapped("fuel");
    ran_under("copies_too_much", "limits: {copied: 30MiB}", "mib: 20", FLAGS).all_passed();
}

#[test]
fn the_limit_of_operations() {
    let terms = "limits: {operations: 5}";
    ran_under("too_many_operations", terms, "", FLAGS).all_trapped("a task may submit 5 operations");
}

#[test]
fn the_limit_of_a_calls_time() {
    ran_under("endless_loop", "limits: {call: 10ms}", "", FLAGS).all_trapped("trapped: wasm trap: interrupt");
}

#[test]
fn the_limit_of_log_lines() {
    let ran = ran_under("floods_the_log", "limits: {log_lines: 3}", "", "--users 1 --iterations 1");
    let lines = ran.run.stderr.matches("of a flood").count();
    // The call may stand across two of the run's seconds.
    assert!((3..=6).contains(&lines), "{lines} lines");
    let none = ran_under("floods_the_log", "limits: {log_lines: 0}", "", "--users 1 --iterations 1");
    assert_eq!(none.run.stderr.matches("of a flood").count(), 0, "{}", none.run.stderr);
}

#[test]
fn holds_too_much() {
    let ran = ran_under("holds_too_much", "allow: ['127.0.0.1']", "", "--users 1 --iterations 1 --workers 1");
    let bad = ran.bad();
    assert_eq!(bad.example("plugin"), "a task may hold 64 MiB of bodies");
    assert_eq!((bad.tasks("failed"), TASKS), (1, 20));
}

#[test]
fn breaks_utf8() {
    ran("breaks_utf8", "").all_trapped("utf-8");
}
