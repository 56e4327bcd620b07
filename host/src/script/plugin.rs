//! Entries of `plugins`: the source of a component, the hosts that it may reach, and its limits.

use std::time::Duration;

use super::model::{Isolation, Node, NodeValue, PluginLimits, PluginSpec, Spanned};
use super::value_reader::{DiagnosticText, ValueReader};

/// The keys of an entry in its long form.
pub(super) const KEYS: [&str; 5] = ["source", "sha256", "allow", "isolation", "limits"];

/// The keys of `limits`.
pub(super) const LIMIT_KEYS: [&str; 7] =
    ["memory", "call", "operations", "copied", "log_lines", "compile_time", "compile_memory"];

/// The help of messages about the form of an entry.
const HELP: &str = "for example `mqtt: ./mqtt.wasm`, or `mqtt: {source: ./mqtt.wasm, allow: [\"broker:1883\"]}`";

/// The shortest limit of a call: the period in which a long call is checked.
const MIN_CALL_TIME: Duration = Duration::from_millis(10);
/// The shortest limit of compiling: operating systems count it in seconds.
const MIN_COMPILE_TIME: Duration = Duration::from_secs(1);
/// The smallest limit of an instance's memory, in bytes: a page of WebAssembly is 64 KiB, and every language needs
/// several.
const MIN_MEMORY: u64 = 1 << 20;
/// The largest limit of an instance's memory, in bytes: the size of a full 32-bit WebAssembly memory.
const MAX_MEMORY: u64 = 4 << 30;
/// The smallest limit of memory for compiling, in bytes: the compiler does not start with less.
const MIN_COMPILE_MEMORY: u64 = 256 << 20;
/// The largest limit of memory for compiling, in bytes.
const MAX_COMPILE_MEMORY: u64 = 64 << 30;

/// Reads `plugins`: names and entries.
pub(super) fn plugins(reader: &mut ValueReader, node: Node) -> Vec<(Spanned<String>, PluginSpec)> {
    let entries = reader.mapping("plugins", node, "for example `plugins: {mqtt: ./mqtt.wasm}`");
    let entries = entries.unwrap_or_default().into_iter();
    entries
        .filter_map(|(name, node)| {
            reader.check_name("a plugin", &name);
            entry(reader, &name.value, node).map(|entry| (name, entry))
        })
        .collect()
}

fn entry(reader: &mut ValueReader, name: &str, node: Node) -> Option<PluginSpec> {
    let mut entry = PluginSpec::default();
    if !matches!(node.value, NodeValue::Map(_)) {
        if matches!(node.value, NodeValue::List(_) | NodeValue::Null) {
            reader.wrong_type(name, &node, "a path or a mapping", HELP);
            return None;
        }
        entry.source = Some(reader.non_empty_text(name, node, "./mqtt.wasm")?);
        return Some(entry);
    }
    for (key, node) in reader.mapping(name, node, HELP)? {
        match key.value.as_str() {
            "source" => entry.source = reader.non_empty_text("source", node, "./mqtt.wasm"),
            "sha256" => entry.sha256 = sha256(reader, node),
            "allow" => entry.allow = allow(reader, node),
            "isolation" => entry.isolation = isolation(reader, node),
            "limits" => entry.limits = limits(reader, node),
            _ => reader.unknown_key(&key, "a plugin", &KEYS),
        }
    }
    Some(entry)
}

/// Reads `sha256`: 64 hexadecimal digits.
fn sha256(reader: &mut ValueReader, node: Node) -> Option<Spanned<String>> {
    let digest = reader.non_empty_text("sha256", node, "9f86d0…")?;
    if digest.value.len() == 64 && digest.value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(Spanned { value: digest.value.to_ascii_lowercase(), span: digest.span });
    }
    let diagnostic = DiagnosticText {
        code: "script::digest",
        message: "`sha256` must be 64 hexadecimal digits",
        label: "not a SHA-256 digest",
        help: "`sha256sum FILE` prints it, and so does `stampede-shooter plugin inspect FILE`",
    };
    reader.report(digest.span, &diagnostic);
    None
}

/// Reads `allow`: a list of hosts.
fn allow(reader: &mut ValueReader, node: Node) -> Vec<Spanned<String>> {
    let NodeValue::List(items) = node.value else {
        reader.wrong_type("allow", &node, "a list of hosts", "for example `allow: [\"broker:1883\", \"*.site\"]`");
        return Vec::new();
    };
    items.into_iter().filter_map(|item| reader.non_empty_text("allow", item, "[\"broker:1883\"]")).collect()
}

fn isolation(reader: &mut ValueReader, node: Node) -> Option<Spanned<Isolation>> {
    let text = reader.non_empty_text("isolation", node, "user")?;
    let value = match text.value.as_str() {
        "worker" => Isolation::Worker,
        "user" => Isolation::User,
        _ => {
            let message = "`isolation` must be `worker` or `user`";
            let help = "`worker` is one instance for all users of a worker thread, `user` is one for each user";
            let diagnostic = DiagnosticText { code: "script::isolation", message, label: "unknown", help };
            reader.report(text.span, &diagnostic);
            return None;
        }
    };
    Some(Spanned { value, span: text.span })
}

fn limits(reader: &mut ValueReader, node: Node) -> PluginLimits {
    let mut limits = PluginLimits::default();
    for (key, node) in reader.mapping("limits", node, "for example `limits: {memory: 128MiB}`").unwrap_or_default() {
        let name = key.value.as_str();
        match name {
            "memory" => limits.memory = reader.size(name, &node, MIN_MEMORY, MAX_MEMORY),
            "call" => limits.call = reader.duration_at_least(name, &node, MIN_CALL_TIME),
            "operations" => limits.operations = reader.integer(name, &node, 1, 100_000),
            "copied" => limits.copied = reader.size(name, &node, 64 << 10, MAX_MEMORY),
            "log_lines" => limits.log_lines = reader.integer(name, &node, 0, 100_000),
            "compile_time" => limits.compile_time = reader.duration_at_least(name, &node, MIN_COMPILE_TIME),
            "compile_memory" => {
                limits.compile_memory = reader.size(name, &node, MIN_COMPILE_MEMORY, MAX_COMPILE_MEMORY);
            }
            _ => reader.unknown_key(&key, "`limits`", &LIMIT_KEYS),
        }
    }
    limits
}
