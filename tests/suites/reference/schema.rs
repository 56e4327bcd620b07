//! JSON Schemas as tables: one for each object, with a row for each of its keys.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::{cell, sentence};

/// Renders a section for each definition of a schema that is more than a plain value.
pub(super) fn definitions(root: &Value) -> String {
    let mut page = String::new();
    for (name, schema) in root["$defs"].as_object().into_iter().flatten().filter(|(_, schema)| is_section(schema)) {
        let _ = writeln!(page, "## {name}\n");
        let about = ["title", "description"].iter().filter_map(|key| schema[key].as_str());
        for about in about.filter(|about| !about.eq_ignore_ascii_case(name)) {
            let _ = writeln!(page, "{}\n", sentence(about));
        }
        let rows = rows(schema, root);
        let examples: Vec<_> = examples(schema);
        if rows.is_empty() {
            let _ = writeln!(page, "{}\n", sentence(&kind(schema, root)));
        } else {
            let _ = writeln!(page, "{rows}");
        }
        if !examples.is_empty() {
            let _ = writeln!(page, "For example {}.\n", examples.join(", "));
        }
    }
    page
}

/// Returns `true` for a definition with a section: an object, or a value with a title.
fn is_section(schema: &Value) -> bool {
    schema["title"].is_string() || !properties(schema).is_empty()
}

fn examples(schema: &Value) -> Vec<String> {
    let own = schema["examples"].as_array().into_iter().flatten();
    let of_choices = schema["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|choice| choice["examples"].as_array().into_iter().flatten());
    own.chain(of_choices).filter_map(Value::as_str).map(|text| format!("`{text}`")).collect()
}

/// Returns the schemas that together describe a value.
fn parts(schema: &Value) -> Vec<&Value> {
    let branches = ["then", "else"].iter().map(|key| &schema[key]).filter(|branch| branch.is_object());
    let choices = ["oneOf", "anyOf", "allOf"].iter().flat_map(|key| schema[key].as_array().into_iter().flatten());
    [schema].into_iter().chain(branches).chain(choices).collect()
}

/// Returns the keys of an object, each with its schema, and `true` if it is required.
fn properties(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let mut found = Vec::new();
    for part in parts(schema) {
        let required = |name: &str| part["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
        let keys = part["properties"].as_object().into_iter().flatten();
        found.extend(keys.map(|(name, schema)| (name.as_str(), schema, required(name))));
    }
    found
}

/// Renders the table of an object's keys; empty if it has none.
pub(super) fn rows(schema: &Value, root: &Value) -> String {
    let mut rows = String::new();
    add_rows(&mut rows, "", schema, root);
    if rows.is_empty() { rows } else { format!("| key | value | meaning |\n|---|---|---|\n{rows}") }
}

fn add_rows(rows: &mut String, prefix: &str, schema: &Value, root: &Value) {
    // In a report every key is there, so only a key beside others that may be absent is worth the word.
    let properties = properties(schema);
    let all_required = properties.iter().all(|(_, _, required)| *required);
    for (name, schema, required) in properties {
        let mut meaning = schema["description"].as_str().map(sentence).unwrap_or_default();
        if required && !all_required {
            meaning = format!("Required. {meaning}");
        }
        let _ = writeln!(rows, "| `{prefix}{name}` | {} | {} |", cell(&kind(schema, root)), meaning.trim_end());
        if schema["items"]["properties"].is_object() {
            add_rows(rows, &format!("{prefix}{name}[]."), &schema["items"], root);
        } else if schema["$ref"].is_null() {
            add_rows(rows, &format!("{prefix}{name}."), schema, root);
        }
    }
}

/// Describes the values that a schema allows, in a few words.
fn kind(schema: &Value, root: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        let target = &root["$defs"][name];
        return if is_section(target) { format!("[{name}](#{name})") } else { kind(target, root) };
    }
    if let Some(value) = schema.get("const") {
        return format!("`{value}`");
    }
    if let Some(values) = schema["enum"].as_array() {
        let mut seen = BTreeSet::new();
        return values.iter().map(shown).filter(|value| seen.insert(value.clone())).collect::<Vec<_>>().join(", ");
    }
    let choices = ["oneOf", "anyOf"].iter().find_map(|key| schema[key].as_array());
    let mut kinds: Vec<String> = match (choices, schema.get("if")) {
        (Some(choices), None)
            if choices.iter().all(|choice| choice.get("required").is_none() || choice.get("type").is_some()) =>
        {
            choices.iter().map(|choice| kind(choice, root)).collect()
        }
        (_, Some(condition)) => [merged(condition, &schema["then"]), merged(schema, &schema["else"])]
            .iter()
            .map(|branch| kind(branch, root))
            .collect(),
        _ => names(schema, root).iter().map(|name| named(name, schema, root)).collect(),
    };
    kinds.retain(|kind| !kind.is_empty());
    kinds.dedup();
    kinds.join(" or ")
}

/// Merges the condition of a schema with a branch that depends on it.
fn merged(condition: &Value, branch: &Value) -> Value {
    if branch.get("$ref").is_some() || branch.get("type").is_some() {
        return branch.clone();
    }
    let mut all = condition.as_object().cloned().unwrap_or_default();
    ["if", "then", "else"].iter().for_each(|key| drop(all.remove(*key)));
    all.extend(branch.as_object().cloned().unwrap_or_default());
    Value::Object(all)
}

/// Returns the types of a value. A plain value of a script is text, however YAML reads it, and `null` there is an
/// absent key; in a report both mean what they say.
fn names<'a>(schema: &'a Value, root: &Value) -> Vec<&'a str> {
    let mut names: Vec<_> = match &schema["type"] {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ if schema["properties"].is_object() => vec!["object"],
        _ => Vec::new(),
    };
    let is_report = root["$id"].is_string();
    let is_plain = ["string", "number", "boolean"].iter().all(|name| names.contains(name));
    names.retain(|name| is_report || !(*name == "null" || is_plain && ["number", "boolean"].contains(name)));
    names
}

/// Describes one type of JSON in the words of scripts.
fn named(name: &str, schema: &Value, root: &Value) -> String {
    let items = |key: &str| Some(kind(schema.get(key)?, root)).filter(|kind| !kind.is_empty());
    match name {
        "string" => "text".into(),
        "integer" | "number" => format!("{name}{}", bounds(schema)),
        "boolean" => "`true` or `false`".into(),
        "array" => items("items").map_or("list".into(), |kind| format!("list of {kind}")),
        "object" => {
            items("additionalProperties").map_or("mapping".into(), |kind| format!("mapping of names to {kind}"))
        }
        other => other.into(),
    }
}

fn bounds(schema: &Value) -> String {
    // The largest number of 32 bits is a limit of the program's types, and says nothing to a reader.
    let most = schema.get("maximum").filter(|most| most.as_u64() != Some(u32::MAX.into()));
    match (schema.get("minimum"), most, schema.get("exclusiveMinimum")) {
        (Some(least), Some(most), _) => format!(" from {least} to {most}"),
        (Some(least), None, _) => format!(" from {least}"),
        (None, Some(most), _) => format!(" up to {most}"),
        (None, None, Some(least)) => format!(" above {least}"),
        (None, None, None) => String::new(),
    }
}

/// Renders a value of an enumeration as it is typed.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("`{value}`"), |text| format!("`{text}`"))
}
