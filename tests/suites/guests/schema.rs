//! Plugins whose schema and whose `configure` disagree.

use stampede_tests::Silent;

use super::script;
use crate::shooter;

/// Returns the message of `check` about a step with these lines.
#[track_caller]
fn said(plugin: &str, step: &str, code: i32) -> String {
    let target = Silent::bind();
    let script = script(plugin, "", &target.base_url(), step);
    let run = shooter().args("check").script(&script).finish().exits(code);
    target.assert_untouched();
    run.stderr
}

/// With the parameters that it expects, the guest works; `plugin test --conformance` tries the rest.
#[test]
fn trusts_its_parameters() {
    said("trusts_its_parameters", "who: Ann", 0);
    let wrong = said("trusts_its_parameters", "who: 7", 4);
    assert!(wrong.contains("a text"), "{wrong}");
}

#[test]
fn ignores_its_schema() {
    let wrong = said("ignores_its_schema", "count: 0\n    mode: loud\n    topics: [a/b, A]", 3);
    let expected = "error[script::parameter]: `count` must be at least 1
 --> script.yml:7:12
  |
7 |     count: 0
  |            ^

error[script::parameter]: `mode` must be `fast` or `slow`
 --> script.yml:8:11
  |
8 |     mode: loud
  |           ^^^^

error[script::parameter]: `topics.1` must match `^[a-z/]+$`
 --> script.yml:9:19
  |
9 |     topics: [a/b, A]
  |                   ^
";
    assert_eq!(wrong, expected);
    let trapped = said("ignores_its_schema", "mode: fast\n    count: many", 3);
    assert!(
        trapped.starts_with("error[script::parameter]: `count` must be a whole number, got the text `many`\n"),
        "{trapped}"
    );
    let missing = said("ignores_its_schema", "", 3);
    assert!(missing.starts_with("error[script::parameter]: `mode` is missing in the step\n"), "{missing}");
    assert_eq!(said("ignores_its_schema", "mode: fast", 0), "");
}

/// Everything that is missing or of another type is named, each at its line, and the plugin does not see the step.
#[test]
fn all_that_a_schema_requires_is_checked_before_the_plugin_sees_the_step() {
    let wrong = said("ignores_its_schema", "count: '3'\n    topics: a/b", 3);
    let expected = "error[script::parameter]: `mode` is missing in the step
 --> script.yml:5:11
  |
5 |   - name: Bad
  |           ^^^ in this step

error[script::parameter]: `count` must be a whole number, got the text `3`
 --> script.yml:7:12
  |
7 |     count: '3'
  |            ^^^
  |
  = help: remove the quotes

error[script::parameter]: `topics` must be a list, got the text `a/b`
 --> script.yml:8:13
  |
8 |     topics: a/b
  |             ^^^
";
    assert_eq!(wrong, expected);
    let several = said("ignores_its_schema", "mode: fast\n    count: [1]\n    topics: {a: b}", 3);
    for line in ["`count` must be a whole number, got a list", "`topics` must be a list, got a mapping"] {
        assert!(several.contains(line), "{several}");
    }
    let helper = said("ignores_its_schema", "mode: fast\n    count: '{{userId}}'", 3);
    assert!(helper.contains("= help: a helper such as `{{var x}}` gives a text"), "{helper}");
}

#[test]
fn wrong_schema() {
    let rejected = said("wrong_schema", "", 4);
    let why = "its schema of the parameters of `misbehave` is not a JSON Schema: ";
    assert!(
        rejected.starts_with(&format!("error[plugin::load]: plugin `wrong_schema` does not load: {why}")),
        "{rejected}"
    );
}
