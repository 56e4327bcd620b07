//! The violations of an action's schema, in the words of a script: each at its value, with what was typed and, where it
//! is known, the way to fix it. The schema is a plugin's, and its texts are shortened.

use boon::{ErrorKind, Type, ValidationError};
use serde_json::Value;

use crate::text::one_line;

/// Maximum number of values of an `enum` that are listed.
const MAX_LISTED: usize = 10;
/// Maximum number of characters of a parameter's description that are shown.
const MAX_DESCRIPTION: usize = 200;

/// One way in which parameters do not fit.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer to the value, or to the mapping in which one is missing.
    pub pointer: String,
    /// The message.
    pub message: String,
    /// A way to fix it, if one is known.
    pub help: Option<String>,
    /// True if a value is missing or of another type, so that no plugin could use the parameters.
    pub is_structural: bool,
}

/// Returns the violations that the validator found.
pub(super) fn of(error: &ValidationError<'_, '_>, schema: &Value, params: &Value) -> Vec<Violation> {
    let mut found = ViolationList { schema, params, list: Vec::new() };
    found.collect(error);
    found.list
}

/// The violations of a schema by some parameters.
struct ViolationList<'a> {
    schema: &'a Value,
    params: &'a Value,
    list: Vec<Violation>,
}

impl ViolationList<'_> {
    /// Collects the violations that can be fixed one by one.
    fn collect(&mut self, error: &ValidationError<'_, '_>) {
        let pointer = error.instance_location.to_string();
        let subject = subject(&pointer);
        match &error.kind {
            ErrorKind::Group | ErrorKind::Schema { .. } | ErrorKind::Reference { .. } | ErrorKind::AllOf => {
                error.causes.iter().for_each(|cause| self.collect(cause));
            }
            ErrorKind::Required { want } => {
                for key in want {
                    let message = format!("`{}` is missing in {subject}", truncate(key));
                    let help = if pointer.is_empty() { self.description(key) } else { None };
                    self.list.push(Violation { pointer: pointer.clone(), message, help, is_structural: true });
                }
            }
            ErrorKind::AdditionalProperties { got } => got.iter().for_each(|key| {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                self.push(format!("{pointer}/{escaped}"), format!("`{}` is not a key of {subject}", one_line(key)));
            }),
            ErrorKind::Type { want, .. } => self.push_type(pointer, want.iter().map(type_name).collect()),
            ErrorKind::AnyOf | ErrorKind::OneOf(None) => self.collect_forms(error, pointer),
            kind => self.push(pointer, format!("{subject} {}", requirement(kind))),
        }
    }

    /// Collects the violations of a value that fits none of several forms: of the only form that takes values of its
    /// type, which was meant, or otherwise the types that the forms take.
    fn collect_forms(&mut self, error: &ValidationError<'_, '_>, pointer: String) {
        let forms: Vec<Option<Vec<&'static str>>> =
            error.causes.iter().map(|form| types_wanted(form, &pointer)).collect();
        let mut meant = forms.iter().zip(&error.causes).filter(|(wanted, _)| wanted.is_none()).map(|(_, form)| form);
        match (meant.next(), meant.next()) {
            (Some(form), None) => self.collect(form),
            (None, _) if !forms.is_empty() => {
                let mut wanted: Vec<_> = forms.into_iter().flatten().flatten().collect();
                wanted.dedup();
                self.push_type(pointer, wanted);
            }
            _ => {
                let subject = subject(&pointer);
                self.push(pointer, format!("{subject} has none of the forms that the action accepts"));
            }
        }
    }

    fn push(&mut self, pointer: String, message: String) {
        self.list.push(Violation { pointer, message, help: None, is_structural: false });
    }

    /// Adds that a value is of another type than those wanted.
    fn push_type(&mut self, pointer: String, wanted: Vec<&'static str>) {
        let got = self.params.pointer(&pointer).unwrap_or(&Value::Null);
        let message = format!("{} must be {}, got {}", subject(&pointer), join_or(wanted.iter().copied()), found(got));
        let help = type_help(got, &wanted).map(str::to_owned);
        self.list.push(Violation { pointer, message, help, is_structural: true });
    }

    /// Returns what the schema says about a parameter of the step.
    fn description(&self, key: &str) -> Option<String> {
        let text = self.schema["properties"][key]["description"].as_str()?;
        Some(format!("`{}`: {}", one_line(key), cut(text, MAX_DESCRIPTION)))
    }
}

/// Returns the types that a form wants of the value at `pointer`, if the value is of another type.
fn types_wanted(form: &ValidationError<'_, '_>, pointer: &str) -> Option<Vec<&'static str>> {
    match &form.kind {
        ErrorKind::Type { want, .. } if form.instance_location.to_string() == pointer => {
            Some(want.iter().map(type_name).collect())
        }
        ErrorKind::Group | ErrorKind::Schema { .. } | ErrorKind::Reference { .. } | ErrorKind::AllOf => {
            form.causes.iter().find_map(|cause| types_wanted(cause, pointer))
        }
        _ => None,
    }
}

/// Describes a value in the words of a script, where the quotes of a text are not to be seen.
fn found(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number `{number}`"),
        Value::String(text) => format!("the text `{}`", truncate(text)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a mapping".into(),
    }
}

/// Returns the way to make a value one of the types wanted.
fn type_help(got: &Value, wanted: &[&str]) -> Option<&'static str> {
    let text = got.as_str()?;
    let wants = |kind: Type| wanted.contains(&type_name(kind));
    if text.contains("{{") {
        return Some("a helper such as `{{var x}}` gives a text, and this parameter takes none");
    }
    let is_number = text.parse::<f64>().is_ok() && (wants(Type::Integer) || wants(Type::Number));
    let is_truth = ["true", "false"].contains(&text) && wants(Type::Boolean);
    (is_number || is_truth).then_some("remove the quotes")
}

/// Names the value at a pointer for users: `headers.accept`.
fn subject(pointer: &str) -> String {
    let keys: Vec<_> = pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    if keys.is_empty() { "the step".into() } else { format!("`{}`", one_line(&keys.join("."))) }
}

/// Describes what a value must be, to continue after its name.
fn requirement(kind: &ErrorKind<'_, '_>) -> String {
    use ErrorKind as Kind;
    match kind {
        Kind::Enum { want } => {
            let listed = join_or(want.iter().take(MAX_LISTED).map(|option| format!("`{}`", shown(option))));
            let more = want.len().saturating_sub(MAX_LISTED);
            if more > 0 { format!("must be {listed}, or one of {more} more") } else { format!("must be {listed}") }
        }
        Kind::Const { want } => format!("must be `{}`", shown(want)),
        Kind::Minimum { want, .. } => format!("must be at least {want}"),
        Kind::Maximum { want, .. } => format!("must be at most {want}"),
        Kind::ExclusiveMinimum { want, .. } => format!("must be more than {want}"),
        Kind::ExclusiveMaximum { want, .. } => format!("must be less than {want}"),
        Kind::MultipleOf { want, .. } => format!("must be a multiple of {want}"),
        Kind::MinLength { want, .. } => format!("must have {} at least", count(*want, "character")),
        Kind::MaxLength { want, .. } => format!("must have {} at most", count(*want, "character")),
        Kind::Pattern { want, .. } => format!("must match `{}`", truncate(want)),
        Kind::MinItems { want, .. } => format!("must have {} at least", count(*want, "item")),
        Kind::MaxItems { want, .. } => format!("must have {} at most", count(*want, "item")),
        Kind::UniqueItems { .. } => "must not have an item twice".into(),
        Kind::MinProperties { want, .. } => format!("must have {} at least", count(*want, "key")),
        Kind::MaxProperties { want, .. } => format!("must have {} at most", count(*want, "key")),
        Kind::FalseSchema => "must not be there".into(),
        _ => "does not fit the schema of the action".into(),
    }
}

/// Returns a type's name in scripts.
const fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Null => "nothing",
        Type::Boolean => "`true` or `false`",
        Type::Integer => "a whole number",
        Type::Number => "a number",
        Type::String => "text",
        Type::Array => "a list",
        Type::Object => "a mapping",
    }
}

/// Joins words: `a, b or c`.
fn join_or(words: impl Iterator<Item = impl Into<String>>) -> String {
    let mut words: Vec<String> = words.map(Into::into).collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} or {last}", words.join(", ")) }
}

fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// Returns a value of the schema as it would be typed.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| truncate(&value.to_string()), truncate)
}

/// Shortens a text to one line of at most 60 characters.
fn truncate(text: &str) -> String {
    cut(text, 60)
}

/// Shortens a text to one line of at most `max_chars` characters.
fn cut(text: &str, max_chars: usize) -> String {
    let line = one_line(text);
    let short: String = line.chars().take(max_chars).collect();
    if short.len() < line.len() { short + "…" } else { line }
}
