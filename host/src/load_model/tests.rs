//! Rules that every registered load model keeps.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::cli::RunArgs;
use crate::diagnostic::SourceText;
use crate::script::{self, SCHEMA};

/// Reads the load of a script.
fn spec(text: &str) -> LoadSpec {
    let source =
        Arc::new(SourceText { name: "script.yml".into(), text: format!("{{{text}, steps: [{{name: A, url: /}}]}}") });
    let Ok(script) = script::parse(&source) else { panic!("`{text}` is a load") };
    script.settings.load.spec
}

fn model(text: &str) -> LoadModelHandle {
    parse(LOAD_MODELS, &spec(text), 0).unwrap()
}

/// A load of each registered model, the smallest that has all numbers.
const SAMPLES: &[&str] = &[
    "users: 4, duration: 10s",
    "stages: [10s:4]",
    "users: 4, shared_iterations: 8",
    "arrival_rate: 4/s, duration: 10s",
];

#[test]
fn every_model_names_itself_as_its_entry_does_and_has_a_sample_here() {
    let mut named: Vec<_> = SAMPLES.iter().map(|text| model(text).name()).collect();
    let mut registered: Vec<_> = LOAD_MODELS.iter().map(|entry| entry.name).collect();
    named.sort_unstable();
    registered.sort_unstable();
    assert_eq!(named, registered);
}

#[test]
fn the_shares_of_a_load_are_loads_of_its_model() {
    for text in SAMPLES {
        let whole = model(text);
        for (before, after) in [(0.0, 0.5), (0.5, 1.0)] {
            let half = whole.share(WeightShare { before, after }).unwrap();
            assert_eq!((half.name(), half.rule().length()), (whole.name(), whole.rule().length()), "{text}");
            assert!(half.rule().max_users() < whole.rule().max_users(), "{text}: {half:?}");
        }
        assert!(!whole.describe().ends_with('.'), "{text}");
    }
}

#[test]
fn the_schema_of_reports_lists_the_models() {
    let schema: Value = serde_json::from_str(include_str!("../report/report.schema.json")).unwrap();
    let listed = schema.pointer("/$defs/scenario/properties/model/enum").and_then(Value::as_array).unwrap();
    let mut listed: Vec<_> = listed.iter().map(|name| name.as_str().unwrap()).collect();
    let mut registered: Vec<_> = LOAD_MODELS.iter().map(|entry| entry.name).collect();
    listed.sort_unstable();
    registered.sort_unstable();
    assert_eq!(listed, registered);
}

/// Returns the keys of an entry that a document lacks: not a property of scripts in the schema, or not in the guide.
fn undocumented<'a>(entry: &LoadModelEntry, schema: &Value, guide: &str) -> Vec<&'a str> {
    let has_property = |place: &str, key: &str| schema.pointer(&format!("/$defs/{place}/properties/{key}")).is_some();
    let is_in_guide = |key: &str| guide.contains(&format!("`{key}`")) || guide.contains(&format!("`{key}:"));
    let is_documented =
        |key: &&&'static str| has_property("script", key) && has_property("scenario", key) && is_in_guide(key);
    entry.keys.iter().filter(|key| !is_documented(key)).copied().collect()
}

/// Returns the text of the guide.
fn guide() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide");
    let pages = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    pages.collect()
}

#[test]
fn every_key_of_a_model_is_in_the_schema_and_in_the_guide() {
    let (schema, guide) = (serde_json::from_str(SCHEMA).unwrap(), guide());
    for entry in LOAD_MODELS {
        assert_eq!(undocumented(entry, &schema, &guide), [""; 0], "keys of `{}` without documentation", entry.name);
    }
    // The check itself: a model with a key that no document has.
    let planted = LoadModelEntry { name: "timetable", keys: &["users", "departures"], ..constant::ENTRY };
    assert_eq!(undocumented(&planted, &schema, &guide), ["departures"]);
}

#[test]
fn a_flag_that_chooses_another_model_removes_the_keys_of_the_scripts_model() {
    let users = RunArgs { users: Some(5), ..RunArgs::default() };
    let rate = RunArgs { arrival_rate: Some(9.0), ..RunArgs::default() };
    let iterations = RunArgs { iterations: Some(3), ..RunArgs::default() };
    let longer = RunArgs { duration: Some(std::time::Duration::from_secs(9)), ..RunArgs::default() };
    for (script, args, expected) in [
        ("stages: [1s:4]", &users, &["users"][..]),
        ("arrival_rate: 4/s, duration: 1s, max_users: 9, arrivals: even", &users, &["users", "duration"]),
        ("users: 1, shared_iterations: 4, ramp_up: 1s", &users, &["users", "shared_iterations", "ramp_up"]),
        ("users: 1, shared_iterations: 4", &iterations, &["users", "iterations"]),
        ("users: 1, duration: 1s, max_users: 4", &rate, &["duration", "arrival_rate", "max_users"]),
        ("stages: [1s:4/s], max_wait: 1s", &rate, &["arrival_rate", "max_wait"]),
        ("stages: [1s:4]", &longer, &["duration"]),
        ("arrival_rate: 4/s, duration: 1s", &longer, &["duration", "arrival_rate"]),
    ] {
        let keys: Vec<_> = with_flags(spec(script), args).given().iter().map(|key| key.name).collect();
        assert_eq!(keys, expected, "{script}");
    }
}
