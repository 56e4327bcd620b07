//! The actions on a fake host.

use std::time::Duration;

use stampede_plugin::testing::{Host, Run, json, written_schema};
use stampede_plugin::{Action, Failure};

use super::{Log, Set, Sleep};

fn run<A: Action>(params: impl ToString) -> Run {
    let host = Host::new().variable("who", "Ann").renders("randInt 1 5", &["4"]);
    host.run::<A>(params).expect("the parameters are right")
}

/// Returns pointer and message for wrong parameters.
fn error<A: Action>(params: impl ToString) -> (String, String) {
    let error = Host::new().run::<A>(params).expect_err("the parameters are wrong");
    (error.pointer, error.message)
}

#[test]
fn a_sleep_takes_its_time_and_no_other() {
    for (length, took) in [("1500ms", 1500), ("{{randInt 1 5}}s", 4000), ("1s 1ms", 1001), ("0s", 0)] {
        let run = run::<Sleep>(json!({"for": length}));
        assert_eq!((run.failure, run.elapsed), (None, Duration::from_millis(took)), "{length}");
    }
    let run = run::<Sleep>(json!({"for": {"from": "1s", "to": "2s"}}));
    assert!((Duration::from_secs(1)..=Duration::from_secs(2)).contains(&run.elapsed), "{:?}", run.elapsed);
}

#[test]
fn invalid_times_are_rejected() {
    let at = |text: &str| ("/for".to_owned(), text.to_owned());
    assert_eq!(error::<Sleep>(json!({"for": 5})), at("`5` is not a time"));
    assert_eq!(error::<Sleep>(json!({"for": "5 parsecs"})), at("`5 parsecs` is not a time"));
    assert_eq!(error::<Sleep>(json!({"for": {"from": "2s", "to": "1s"}})), at("`to` must not be less than `from`"));
    assert_eq!(error::<Sleep>(json!({"for": {"from": "2s"}})), at("`to` is missing"));
    assert_eq!(error::<Sleep>(json!({"for": {"from": 1, "to": "1s"}})).0, "/for/from");
    assert_eq!(error::<Sleep>(json!({})), (String::new(), "`for` is missing".to_owned()));
    let run = run::<Sleep>(json!({"for": "{{var who}}"}));
    assert_eq!(run.failure, Some(Failure::check("`Ann` is not a time")));
}

#[test]
fn a_line_is_rendered_and_logged() {
    for level in ["error", "warn", "info", "debug"] {
        let run = run::<Log>(json!({"message": "{{var who}} is here", "level": level}));
        assert_eq!((run.failure, run.log), (None, vec!["Ann is here".to_owned()]), "{level}");
    }
    assert_eq!(error::<Log>(json!({"message": "a", "level": "loud"})).0, "/level");
}

#[test]
fn variables_are_set_in_order_and_read_each_other() {
    let run = run::<Set>(r#"{"variables": {"z": "{{var who}}", "a": "{{var z}} {{var who}}", "n": 7}}"#);
    let variable = |name| run.variable(name).expect("it is set");
    assert_eq!((variable("z"), variable("a"), variable("n")), ("Ann", "Ann Ann", "7"));
}

#[test]
fn names_and_values_that_the_host_would_trap_on_are_rejected() {
    let at = |text: &str| ("/variables".to_owned(), text.to_owned());
    assert_eq!(error::<Set>(json!({"variables": {}})), at("`variables` is empty"));
    let name = "n".repeat(257);
    let expected = at("the name of a variable has 1 to 256 bytes, got 257");
    assert_eq!(error::<Set>(json!({"variables": {name: "a"}})), expected);
    let host = Host::new().variable("long", &"a".repeat((64 << 10) + 1));
    let run = host.run::<Set>(json!({"variables": {"copy": "{{var long}}"}})).expect("the parameters are right");
    assert_eq!(run.failure, Some(Failure::check("a variable holds 65536 bytes, `copy` got 65537")));
}

#[test]
fn the_written_schemas_are_those_of_the_parameters() {
    written_schema::<Sleep>("schema/sleep.json");
    written_schema::<Log>("schema/log.json");
    written_schema::<Set>("schema/set.json");
}
