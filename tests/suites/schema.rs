//! The schema for editors accepts and rejects the scripts that the program accepts and rejects.

use std::fs;

use jsonschema::Validator;
use serde_json::Value;
use stampede_tests::guest;

use crate::{shooter, tests_folder};

/// Scripts with one error, in the plain or the long form.
const WRONG: [&str; 27] = [
    "[]",
    "{steps: []}",
    "{users: 0, steps: [{name: a, url: /}]}",
    "{userss: 1, steps: [{name: a, url: /}]}",
    "{duration: 10, steps: [{name: a, url: /}]}",
    "{data: {movies: movies.txt}, steps: [{name: a, url: /}]}",
    "{plugins: {a: {path: a.wasm}}, steps: [{name: a, url: /}]}",
    "{plugins: {a: {limits: {memory: 1}}}, steps: [{name: a, url: /}]}",
    "{login: {}, steps: [{name: a, url: /}]}",
    "{login: {url: /, follow_redirects: 3}, steps: [{name: a, url: /}]}",
    "[{url: /}]",
    "[{group: a}]",
    "[{group: a, name: b, steps: [{name: c, url: /}]}]",
    "[{name: a}]",
    "[{name: a, url: /, expect_statuss: 200}]",
    "[{name: a, url: /, follow_redirects: 21}]",
    "[{name: a, url: /, headers: [a]}]",
    "[{name: a, url: /, capture: {token: {json: $.a, header: b}}}]",
    "[{name: a, url: /, tags: [b]}]",
    "[{name: a, url: /, checks: []}]",
    "[{name: a, url: /, checks: {b: {status: 99}}}]",
    "[{name: a, url: /, checks: {b: {status: 200, size: < 1KB}}}]",
    "[{name: a, url: /, checks: [{name: b}]}]",
    "[{name: a, url: /, checks: {b: {header: {contains: c}}}}]",
    "{fail_on: always, steps: [{name: a, url: /}]}",
    "{thresholds: [a], steps: [{name: a, url: /}]}",
    "{thresholds: {a: {abort: true}}, steps: [{name: a, url: /}]}",
];

fn json(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).expect(yaml)
}

/// Returns the schema that the program prints, which must be valid.
#[track_caller]
fn validator(text: &str) -> Validator {
    let schema = serde_json::from_str(text).expect("JSON");
    jsonschema::meta::validate(&schema).expect("a schema");
    jsonschema::validator_for(&schema).expect("a schema")
}

#[track_caller]
fn assert_fits(validator: &Validator, script: &Value, name: &str) {
    let wrong: Vec<_> = validator.iter_errors(script).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
}

#[test]
fn good_scripts_fit_and_errors_do_not() {
    let validator = validator(&shooter().args("schema").finish().exits(0).stdout);
    for entry in fs::read_dir(tests_folder().join("scripts/ok")).unwrap() {
        let path = entry.unwrap().path();
        assert_fits(&validator, &json(&fs::read_to_string(&path).unwrap()), &path.display().to_string());
    }
    let plugins = fs::read_dir(tests_folder().join("../plugins")).unwrap().map(|folder| folder.unwrap().path());
    for readme in plugins.chain([tests_folder().join("..")]).map(|folder| folder.join("README.md")) {
        let text = fs::read_to_string(&readme).unwrap();
        let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).map(json);
        let scripts: Vec<_> = blocks.filter(|block| block.is_array() || block.get("steps").is_some()).collect();
        assert!(!scripts.is_empty() || text.contains("# The `login` action"), "{}", readme.display());
        scripts.iter().for_each(|script| assert_fits(&validator, script, &readme.display().to_string()));
    }
    for wrong in WRONG {
        assert!(!validator.is_valid(&json(wrong)), "{wrong}");
    }
}

#[test]
fn the_plugins_of_a_script_are_in_its_schema() {
    let plugin = guest("ignores_its_schema");
    let script = format!("{{plugins: {{it: '{}'}}, steps: [{{name: a, url: /}}]}}\n", plugin.display());
    let validator = validator(&shooter().args("schema").script(&script).finish().exits(0).stdout);
    for (step, fits) in [
        ("{name: a, action: misbehave, mode: fast, topics: [a/b], timeout: 1s}", true),
        ("{name: a, action: misbehave, mode: loud}", false),
        ("{name: a, action: misbehave, mode: fast, topics: [A]}", false),
        ("{name: a, action: misbehave, mode: fast, url: /}", false),
        ("{name: a, action: nonesuch}", false),
        ("{name: a, url: /}", true),
    ] {
        assert_eq!(validator.is_valid(&json(&format!("[{step}]"))), fits, "{step}");
    }
}
