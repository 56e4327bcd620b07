//! The keys that say how much load: of a whole script, or of one scenario.

use std::time::Duration;

use super::model::{ArrivalSpec, LifespanSpec, LoadSettings, Node, NodeValue, Spanned, ThinkSpec};
use super::stage::{StageSpec, parse_rate, parse_stage, parse_target};
use super::value_reader::{DiagnosticText, ValueReader};

/// The keys, in the order of the reference.
pub const KEYS: [&str; 17] = [
    "users",
    "rps",
    "duration",
    "iterations",
    "shared_iterations",
    "ramp_up",
    "stages",
    "arrival_rate",
    "arrivals",
    "max_users",
    "max_wait",
    "graceful_ramp_down",
    "graceful_stop",
    "pace",
    "think",
    "cookies",
    "connections",
];

/// How long cookies may be kept.
pub const COOKIES: [(&str, LifespanSpec); 2] = [("keep", LifespanSpec::Keep), ("iteration", LifespanSpec::Iteration)];
/// How long connections may be.
pub const CONNECTIONS: [(&str, LifespanSpec); 3] =
    [("keep", LifespanSpec::Keep), ("iteration", LifespanSpec::Iteration), ("request", LifespanSpec::Request)];
const STAGE_KEYS: [&str; 2] = ["duration", "target"];
const STAGES_HELP: &str = "for example `stages: [1m:100, 5m:100, 30s:0]`";
const THINK_HELP: &str = "for example `think: 2s`, `think: {uniform: [1s, 3s]}` or `think: {normal: [2s, 500ms]}`";
const THINK_KEYS: [&str; 2] = ["uniform", "normal"];

/// Reads the value of one key; `false` if it is none of [`KEYS`].
pub fn entry(reader: &mut ValueReader, load: &mut LoadSettings, name: &str, node: Node) -> bool {
    match name {
        "users" => load.users = reader.integer(name, &node, 1, u32::MAX.into()),
        "rps" => load.rps = reader.positive(name, &node),
        "duration" => load.duration = reader.positive_duration(name, &node),
        "iterations" => load.iterations = reader.integer(name, &node, 1, i64::MAX),
        "shared_iterations" => load.shared_iterations = reader.integer(name, &node, 1, i64::MAX),
        "ramp_up" => load.ramp_up = reader.duration(name, &node),
        "stages" => load.stages = stages(reader, node),
        "arrival_rate" => load.arrival_rate = arrival_rate(reader, name, node),
        "arrivals" => load.arrivals = arrival_spec(reader, node),
        "max_users" => load.max_users = reader.integer(name, &node, 1, u32::MAX.into()),
        "max_wait" => load.max_wait = reader.duration(name, &node),
        "graceful_ramp_down" => load.graceful_ramp_down = reader.duration(name, &node),
        "graceful_stop" => load.graceful_stop = reader.duration(name, &node),
        "pace" => load.pace = reader.positive_duration(name, &node),
        "think" => load.think = think(reader, node),
        "cookies" => load.cookies = lifespan(reader, name, node, &COOKIES),
        "connections" => load.connections = lifespan(reader, name, node, &CONNECTIONS),
        _ => return false,
    }
    true
}

/// `stages`: a list of `1m:100` or `{duration: 1m, target: 100}`.
fn stages(reader: &mut ValueReader, node: Node) -> Option<Spanned<Vec<Spanned<StageSpec>>>> {
    let span = node.span;
    let NodeValue::List(items) = node.value else {
        reader.wrong_type("stages", &node, "a list", STAGES_HELP);
        return None;
    };
    if items.is_empty() {
        let diagnostic = DiagnosticText {
            code: "script::range",
            message: "`stages` must not be empty",
            label: "no stages",
            help: STAGES_HELP,
        };
        reader.report(span, &diagnostic);
    }
    let value = items.into_iter().filter_map(|item| stage(reader, item)).collect();
    Some(Spanned { value, span })
}

fn stage(reader: &mut ValueReader, node: Node) -> Option<Spanned<StageSpec>> {
    let span = node.span;
    let NodeValue::Map(entries) = node.value else {
        let text = reader.non_empty_text("stages", node, "1m:100")?;
        return match parse_stage(&text.value) {
            Ok(value) => Some(Spanned { value, span }),
            Err(why) => report_load(reader, &text, &format!("a stage {why}")),
        };
    };
    let (mut duration, mut target) = (None, None);
    for (key, node) in entries {
        match key.value.as_str() {
            "duration" => duration = reader.duration("duration", &node),
            "target" => {
                let text = reader.non_empty_text("target", node, "100")?;
                match parse_target(&text.value) {
                    Ok(value) => target = Some(value),
                    Err(why) => return report_load(reader, &text, &format!("`target` {why}")),
                }
            }
            _ => reader.unknown_key(&key, "a stage", &STAGE_KEYS),
        }
    }
    let (Some(duration), Some(target)) = (duration, target) else {
        if reader.diagnostics.0.is_empty() {
            let help = "give both: `{duration: 1m, target: 100}`";
            let message = "a stage needs `duration` and `target`";
            reader.report(span, &DiagnosticText { code: "script::missing-key", message, label: "this stage", help });
        }
        return None;
    };
    Some(Spanned { value: StageSpec { duration: duration.value, target }, span })
}

/// A rate such as `500/s`.
fn arrival_rate(reader: &mut ValueReader, key: &str, node: Node) -> Option<Spanned<f64>> {
    let text = reader.non_empty_text(key, node, "500/s")?;
    match parse_rate(&text.value) {
        Ok(value) => Some(Spanned { value, span: text.span }),
        Err(why) => report_load(reader, &text, &format!("`{key}` {why}")),
    }
}

fn report_load<T>(reader: &mut ValueReader, text: &Spanned<String>, message: &str) -> Option<T> {
    // What is wrong stands before the colon, and how to put it right after it.
    let (message, help) = message.split_once(": ").unwrap_or((message, STAGES_HELP));
    reader.report(text.span, &DiagnosticText { code: "script::load", message, label: "", help });
    None
}

/// `arrivals`: how they are spread.
fn arrival_spec(reader: &mut ValueReader, node: Node) -> Option<Spanned<ArrivalSpec>> {
    let text = reader.non_empty_text("arrivals", node, "poisson")?;
    let value = match text.value.as_str() {
        "even" => ArrivalSpec::Even,
        "poisson" => ArrivalSpec::Poisson,
        _ => {
            let help = "write `arrivals: even` or `arrivals: poisson`";
            let message = "`arrivals` is neither `even` nor `poisson`";
            reader.report(text.span, &DiagnosticText { code: "script::load", message, label: "", help });
            return None;
        }
    };
    Some(Spanned { value, span: text.span })
}

/// `cookies` and `connections`: how long they are kept.
fn lifespan(
    reader: &mut ValueReader,
    key: &str,
    node: Node,
    words: &[(&str, LifespanSpec)],
) -> Option<Spanned<LifespanSpec>> {
    let text = reader.non_empty_text(key, node, "iteration")?;
    let entry = words.iter().find(|(word, _)| *word == text.value);
    if entry.is_none() {
        let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let (message, help) = (format!("`{key}` cannot be `{}`", text.value), format!("it is {}", known.join(" or ")));
        reader.report(
            text.span,
            &DiagnosticText { code: "script::type", message: &message, label: "unknown", help: &help },
        );
    }
    entry.map(|(_, value)| Spanned { value: *value, span: text.span })
}

/// `think`: a time, or how times are spread.
pub fn think(reader: &mut ValueReader, node: Node) -> Option<Spanned<ThinkSpec>> {
    let span = node.span;
    let NodeValue::Map(entries) = node.value else {
        let time = reader.duration("think", &node)?;
        return Some(Spanned { value: ThinkSpec::Fixed(time.value), span });
    };
    let mut think = None;
    for (key, node) in entries {
        if !THINK_KEYS.contains(&key.value.as_str()) {
            reader.unknown_key(&key, "`think`", &THINK_KEYS);
            return None;
        }
        let [first, second] = duration_pair(reader, &key.value, node)?;
        think = Some(if key.value == "uniform" {
            ThinkSpec::Uniform(first, second)
        } else {
            ThinkSpec::Normal(first, second)
        });
    }
    if let Some(ThinkSpec::Uniform(from, to)) = think
        && to < from
    {
        let message = "the second time of `uniform` is less than the first";
        reader.report(span, &DiagnosticText { code: "script::range", message, label: "", help: THINK_HELP });
        return None;
    }
    match think {
        Some(value) => Some(Spanned { value, span }),
        None => {
            let message = "`think` says no time";
            reader.report(
                span,
                &DiagnosticText { code: "script::missing-key", message, label: "nothing in it", help: THINK_HELP },
            );
            None
        }
    }
}

/// A list of two times.
fn duration_pair(reader: &mut ValueReader, key: &str, node: Node) -> Option<[Duration; 2]> {
    let read = match &node.value {
        NodeValue::List(items) if items.len() == 2 => {
            let times: Vec<_> = items.iter().filter_map(|item| reader.duration(key, item)).collect();
            return <[_; 2]>::try_from(times).ok().map(|times| times.map(|time| time.value));
        }
        _ => &node,
    };
    reader.wrong_type(key, read, "a list of two times", THINK_HELP);
    None
}
