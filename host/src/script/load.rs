//! The keys that describe a load, of a whole script or of one scenario: their types, and how they are read. A load
//! model decides what its keys mean together, see `load_model`.

use std::time::Duration;

use super::link::LinkSpec;
use super::spanned::{Node, NodeValue, Spanned};
use super::stage::{StageSpec, parse_rate, parse_stage, parse_target};
use super::step_spec::ThinkSpec;
use super::value_reader::{DiagnosticText, ValueReader};
use crate::diagnostic::Span;

/// The keys of a load.
#[derive(Clone, Debug, Default)]
pub struct LoadSettings {
    /// The keys of the load model.
    pub spec: LoadSpec,
    /// `rps`, per user.
    pub rps: Option<Spanned<f64>>,
    /// `graceful_ramp_down`: how long an iteration may go on after its user is no longer wanted.
    pub graceful_ramp_down: Option<Spanned<Duration>>,
    /// `graceful_stop`.
    pub graceful_stop: Option<Spanned<Duration>>,
    /// `pace`: the least time from the beginning of a user's iteration to the beginning of its next one.
    pub pace: Option<Spanned<Duration>>,
    /// `think` after each step.
    pub think: Option<Spanned<ThinkSpec>>,
    /// `cookies`: how long a user keeps them.
    pub cookies: Option<Spanned<LifespanSpec>>,
    /// `connections`: how long a user keeps them.
    pub connections: Option<Spanned<LifespanSpec>>,
    /// `link`: the links of the users.
    pub link: Option<Spanned<LinkSpec>>,
}

impl LoadSettings {
    /// Replaces the load by one user who walks once, with no waits but those of the steps.
    pub fn walk_once(&mut self) {
        let users = Some(Setting { value: 1, span: None });
        self.spec = LoadSpec { users, ..LoadSpec::default() };
        (self.rps, self.pace, self.think) = (None, None, None);
    }
}

/// The keys that choose a load model and give its numbers: from a script alone, or with flags put over it.
#[derive(Clone, Debug, Default)]
pub struct LoadSpec {
    /// `users`.
    pub users: Option<Setting<u32>>,
    /// `duration`.
    pub duration: Option<Setting<Duration>>,
    /// `iterations`, per user.
    pub iterations: Option<Setting<u64>>,
    /// `shared_iterations`, of all users together.
    pub shared_iterations: Option<Setting<u64>>,
    /// `ramp_up`.
    pub ramp_up: Option<Setting<Duration>>,
    /// `stages`.
    pub stages: Option<Setting<Vec<StageSpec>>>,
    /// `arrival_rate`, iterations begun per second.
    pub arrival_rate: Option<Setting<f64>>,
    /// `max_users`: the most users that there may be.
    pub max_users: Option<Setting<u32>>,
    /// `max_wait` of an arrival for a user.
    pub max_wait: Option<Setting<Duration>>,
    /// `arrivals`: the process by which iterations arrive.
    pub arrivals: Option<Setting<ArrivalSpec>>,
}

/// A value from a script, or from a flag of the same name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting<T> {
    /// The value as typed.
    pub value: T,
    /// Its place in the script; `None` for a flag.
    pub span: Option<Span>,
}

/// A key of a [`LoadSpec`] that has a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadKey {
    /// Its name in scripts.
    pub name: &'static str,
    /// The place of its value in the script; `None` for a flag.
    pub span: Option<Span>,
}

/// The lifespan of a user's cookies or connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifespanSpec {
    /// Kept as long as the user exists.
    Keep,
    /// Kept until the next iteration.
    Iteration,
    /// Kept for one request.
    Request,
}

/// The process by which iterations arrive, at a given rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArrivalSpec {
    /// Evenly spaced arrivals.
    #[default]
    Even,
    /// Random arrivals, independent of each other.
    Poisson,
}

impl<T> From<Spanned<T>> for Setting<T> {
    fn from(typed: Spanned<T>) -> Self {
        Self { value: typed.value, span: Some(typed.span) }
    }
}

/// One key of a [`LoadSpec`], whatever its type.
trait LoadField {
    /// Returns the place of the value, if there is a value.
    #[allow(clippy::option_option, reason = "a key may be absent, and a flag has no place")]
    fn span(&self) -> Option<Option<Span>>;
    /// Removes the value.
    fn clear(&mut self);
}

impl<T> LoadField for Option<Setting<T>> {
    fn span(&self) -> Option<Option<Span>> {
        self.as_ref().map(|setting| setting.span)
    }

    fn clear(&mut self) {
        *self = None;
    }
}

impl LoadSpec {
    /// Returns the keys that have a value, in the order of the fields.
    pub fn given(&self) -> Vec<LoadKey> {
        let mut spec = self.clone();
        let fields = spec.fields().into_iter();
        fields.filter_map(|(name, field)| Some(LoadKey { name, span: field.span()? })).collect()
    }

    /// Removes the values of all keys but these.
    pub fn retain(&mut self, kept: &[&str]) {
        self.fields().into_iter().filter(|(name, _)| !kept.contains(name)).for_each(|(_, field)| field.clear());
    }

    /// Lists every key. The pattern has no `..`, so the compiler asks for a new one.
    fn fields(&mut self) -> [(&'static str, &mut dyn LoadField); 10] {
        let Self {
            users,
            duration,
            iterations,
            shared_iterations,
            ramp_up,
            stages,
            arrival_rate,
            max_users,
            max_wait,
            arrivals,
        } = self;
        [
            ("users", users),
            ("duration", duration),
            ("iterations", iterations),
            ("shared_iterations", shared_iterations),
            ("ramp_up", ramp_up),
            ("stages", stages),
            ("arrival_rate", arrival_rate),
            ("max_users", max_users),
            ("max_wait", max_wait),
            ("arrivals", arrivals),
        ]
    }
}

/// The keys of a load, in the order of the reference.
pub(super) const KEYS: [&str; 18] = [
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
    "link",
];

/// The values of `cookies`.
pub(super) const COOKIES: [(&str, LifespanSpec); 2] =
    [("keep", LifespanSpec::Keep), ("iteration", LifespanSpec::Iteration)];
/// The values of `connections`.
pub(super) const CONNECTIONS: [(&str, LifespanSpec); 3] =
    [("keep", LifespanSpec::Keep), ("iteration", LifespanSpec::Iteration), ("request", LifespanSpec::Request)];
const STAGE_KEYS: [&str; 2] = ["duration", "target"];
const STAGES_HELP: &str = "for example `stages: [1m:100, 5m:100, 30s:0]`";
const THINK_HELP: &str = "for example `think: 2s`, `think: {uniform: [1s, 3s]}` or `think: {normal: [2s, 500ms]}`";
const THINK_KEYS: [&str; 2] = ["uniform", "normal"];

/// Reads the value of one key; returns `false` if it is none of [`KEYS`].
pub(super) fn entry(reader: &mut ValueReader, load: &mut LoadSettings, name: &str, node: Node) -> bool {
    let spec = &mut load.spec;
    match name {
        "users" => spec.users = reader.integer(name, &node, 1, u32::MAX.into()).map(Setting::from),
        "rps" => load.rps = reader.positive(name, &node),
        "duration" => spec.duration = reader.positive_duration(name, &node).map(Setting::from),
        "iterations" => spec.iterations = reader.integer(name, &node, 1, i64::MAX).map(Setting::from),
        "shared_iterations" => spec.shared_iterations = reader.integer(name, &node, 1, i64::MAX).map(Setting::from),
        "ramp_up" => spec.ramp_up = reader.duration(name, &node).map(Setting::from),
        "stages" => spec.stages = stages(reader, node).map(Setting::from),
        "arrival_rate" => spec.arrival_rate = arrival_rate(reader, name, node).map(Setting::from),
        "arrivals" => spec.arrivals = arrival_spec(reader, node).map(Setting::from),
        "max_users" => spec.max_users = reader.integer(name, &node, 1, u32::MAX.into()).map(Setting::from),
        "max_wait" => spec.max_wait = reader.duration(name, &node).map(Setting::from),
        "graceful_ramp_down" => load.graceful_ramp_down = reader.duration(name, &node),
        "graceful_stop" => load.graceful_stop = reader.duration(name, &node),
        "pace" => load.pace = reader.positive_duration(name, &node),
        "think" => load.think = think(reader, node),
        "cookies" => load.cookies = lifespan(reader, name, node, &COOKIES),
        "connections" => load.connections = lifespan(reader, name, node, &CONNECTIONS),
        "link" => load.link = super::link::link(reader, node),
        _ => return false,
    }
    true
}

/// Reads `stages`: a list of `1m:100` or `{duration: 1m, target: 100}`.
fn stages(reader: &mut ValueReader, node: Node) -> Option<Spanned<Vec<StageSpec>>> {
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

fn stage(reader: &mut ValueReader, node: Node) -> Option<StageSpec> {
    let span = node.span;
    let NodeValue::Map(entries) = node.value else {
        let text = reader.non_empty_text("stages", node, "1m:100")?;
        return match parse_stage(&text.value) {
            Ok(value) => Some(value),
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
    Some(StageSpec { duration: duration.value, target })
}

/// Reads a rate such as `500/s`.
fn arrival_rate(reader: &mut ValueReader, key: &str, node: Node) -> Option<Spanned<f64>> {
    let text = reader.non_empty_text(key, node, "500/s")?;
    match parse_rate(&text.value) {
        Ok(value) => Some(Spanned { value, span: text.span }),
        Err(why) => report_load(reader, &text, &format!("`{key}` {why}")),
    }
}

fn report_load<T>(reader: &mut ValueReader, text: &Spanned<String>, message: &str) -> Option<T> {
    // The part before the colon is the error, the part after it is the help.
    let (message, help) = message.split_once(": ").unwrap_or((message, STAGES_HELP));
    reader.report(text.span, &DiagnosticText { code: "script::load", message, label: "", help });
    None
}

/// Reads `arrivals`: the arrival process.
fn arrival_spec(reader: &mut ValueReader, node: Node) -> Option<Spanned<ArrivalSpec>> {
    let text = reader.non_empty_text("arrivals", node, "poisson")?;
    let value = match text.value.as_str() {
        "even" => ArrivalSpec::Even,
        "poisson" => ArrivalSpec::Poisson,
        _ => {
            let help = "write `arrivals: even` or `arrivals: poisson`";
            let message = "`arrivals` must be `even` or `poisson`";
            reader.report(text.span, &DiagnosticText { code: "script::load", message, label: "", help });
            return None;
        }
    };
    Some(Spanned { value, span: text.span })
}

/// Reads `cookies` or `connections`: how long they are kept.
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

/// Reads `think`: a time, or a distribution of times.
pub(super) fn think(reader: &mut ValueReader, node: Node) -> Option<Spanned<ThinkSpec>> {
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
            ThinkSpec::Uniform { min: first, max: second }
        } else {
            ThinkSpec::Normal { mean: first, std_dev: second }
        });
    }
    if let Some(ThinkSpec::Uniform { min, max }) = think
        && max < min
    {
        let message = "the second time of `uniform` must not be less than the first";
        reader.report(span, &DiagnosticText { code: "script::range", message, label: "", help: THINK_HELP });
        return None;
    }
    match think {
        Some(value) => Some(Spanned { value, span }),
        None => {
            let message = "`think` must not be empty";
            reader.report(
                span,
                &DiagnosticText { code: "script::missing-key", message, label: "no time", help: THINK_HELP },
            );
            None
        }
    }
}

/// Reads a list of two times.
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
