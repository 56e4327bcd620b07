//! The actions `sleep`, `log` and `set`.

use stampede_tests::{settled, site};

use super::{metric, ran};
use crate::shooter;

#[test]
fn variables_that_are_set_are_read_later_and_logged_text_is_shown() {
    let site = site();
    let script = format!(
        "base_url: {}
steps:
  - {{name: Set, action: set, variables: {{size: '{{{{randInt 7 7}}}}', path: '/bytes/{{{{var size}}}}'}}}}
  - {{name: Get, url: '{{{{var path}}}}', expect_status: 200}}
  - {{name: Say, action: log, level: warn, message: 'user {{{{userId}}}} got {{{{var size}}}} bytes'}}
  - {{name: Whisper, action: log, message: unheard}}
",
        site.base_url()
    );
    let (run, report) = ran(&script, "--users 3 --iterations 2 --workers 2");
    assert_eq!((report.row("Get").ok(), report.row("Get").body_in()), (6, 42), "{}", run.stdout);
    assert_eq!(settled(&site.stats()).requests, 6);
    for user in 0..3 {
        let line = format!("user {user} got 7 bytes");
        assert_eq!(run.stderr.matches(&line).count(), 2, "{}", run.stderr);
    }
    assert!(!run.stderr.contains("unheard"), "{}", run.stderr);
    for name in ["Set", "Say", "Whisper"] {
        assert_eq!((report.row(name).tasks("passed"), report.row(name).total()), (6, 0), "{name}");
    }
}

#[test]
fn a_sleep_takes_at_least_its_time_and_the_steps_time_ends_it() {
    let site = site();
    let script = format!(
        "
steps:
  - {{name: Short, action: sleep, for: {{from: 20ms, to: 40ms}}}}
  - {{name: Long, action: sleep, for: 10m, timeout: 50ms}}
  - {{name: Get, url: '{}/bytes/1'}}
",
        site.base_url()
    );
    let (run, report) = ran(&script, "--users 2 --iterations 2 --workers 1");
    let short = report.row("Short");
    assert_eq!((short.tasks("passed"), short.total()), (4, 0), "a wait is not a request\n{}", run.stdout);
    assert!(report.at("/run/elapsed_us").as_u64().is_some_and(|took| took >= 2 * 70_000), "{}", run.stdout);
    assert_eq!(report.row("Long").errors(), [("timeout", 4)].into());
}

#[test]
fn errors_are_shown_at_their_line() {
    let script = "steps:\n  - {name: Nap, action: sleep, for: 5}\n";
    let run = shooter().script(script).finish().exits(3);
    let expected = "error[script::parameter]: `5` is not a time
 --> script.yml:2:37
  |
2 |   - {name: Nap, action: sleep, for: 5}
  |                                     ^
  |
  = help: write a number and its unit, such as `500ms` or `2s`
";
    assert_eq!(run.stderr, expected);
}

#[test]
fn groups_time_their_steps_together_waits_included() {
    let site = site();
    let script = format!(
        r#"
base_url: {}
steps:
  - {{name: Before, url: /status/200}}
  - group: Outer
    steps:
      - {{name: First, url: /status/200}}
      - group: Inner
        steps:
          - {{name: Wait, action: sleep, for: 120ms}}
          - {{name: Fails, url: /status/503}}
  - group: After
    steps: [{{name: Last, url: /status/200}}]
"#,
        site.base_url()
    );
    let (_, report) = ran(&script, "--users 3 --iterations 4");
    for (group, passed, least) in [("Outer", 0.0, 120e6), ("Inner", 0.0, 120e6), ("After", 12.0, 0.0)] {
        assert_eq!(metric(&report, "group", &format!("{group}.duration"), "count"), 12.0, "{group}");
        assert_eq!(metric(&report, "group", &format!("{group}.passed"), "hits"), passed, "{group}");
        assert!(metric(&report, "group", &format!("{group}.duration"), "min") >= least, "{group}");
    }
    let max = |group: &str| metric(&report, "group", &format!("{group}.duration"), "max");
    assert!(max("Outer") >= max("Inner"), "the outer group lasts as long as the inner one at least");
}
