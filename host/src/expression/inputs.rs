//! The inputs of a condition: the user, its variables, and its last exchange.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use cel::objects::Key;
use cel::{Context, Value};

use super::reply_part::ReplyPart;
use crate::template::{VariableId, Variables};

/// The longest content that is remembered, in bytes. Each user keeps one, and a condition may look at all of it.
pub(crate) const MAX_REMEMBERED_BODY: usize = 1 << 20;

/// The parts of a user's last exchange that conditions of its scenario read.
pub struct LastExchange {
    /// Its status; 0 without a reply.
    pub status: u16,
    /// Its response time in milliseconds.
    pub latency: f64,
    /// Bytes of its content, before decoding.
    pub size: u64,
    /// Its content; empty if it is longer than [`MAX_REMEMBERED_BODY`].
    pub body: Bytes,
    /// Its content as JSON, parsed when a condition first reads it.
    pub json: OnceCell<Value>,
    /// Its header fields, in their order.
    pub headers: Vec<(String, String)>,
}

impl LastExchange {
    /// Returns the value before the first exchange.
    pub const fn empty() -> Self {
        Self { status: 0, latency: 0.0, size: 0, body: Bytes::new(), json: OnceCell::new(), headers: Vec::new() }
    }
}

/// The state of a user at the moment when a condition is evaluated.
pub struct ExpressionInputs<'a> {
    /// The user's variables.
    pub variables: &'a Variables,
    /// Its last exchange.
    pub last: &'a LastExchange,
    /// `true` if the step before passed, or there was none.
    pub passed: bool,
    /// The user's number, from 0.
    pub user: u32,
    /// The number of iterations before this one.
    pub iteration: u64,
    /// Rounds so far of the loop around the condition; 0 without a loop.
    pub round: u64,
}

impl ExpressionInputs<'_> {
    /// Declares the names that a condition reads.
    pub(super) fn declare(
        &self,
        context: &mut Context<'_, '_>,
        variables: &[(String, VariableId)],
        reply: &[ReplyPart],
    ) {
        let text = |id: VariableId| Value::from(self.variables.get(id).unwrap_or_default());
        let vars = variables.iter().map(|(name, id)| (key(name), text(*id)));
        context.add_variable_from_value("vars", map(vars));
        context.add_variable_from_value("reply", map(reply.iter().map(|part| self.reply_part(*part))));
        context.add_variable_from_value("passed", Value::Bool(self.passed));
        context.add_variable_from_value("user", Value::Int(self.user.into()));
        context.add_variable_from_value("iteration", integer(self.iteration));
        context.add_variable_from_value("round", integer(self.round));
    }

    fn reply_part(&self, part: ReplyPart) -> (Key, Value) {
        let last = self.last;
        match part {
            ReplyPart::Status => (key("status"), Value::Int(last.status.into())),
            ReplyPart::Latency => (key("latency"), Value::Float(last.latency)),
            ReplyPart::Size => (key("size"), integer(last.size)),
            ReplyPart::Body => (key("body"), Value::from(&*String::from_utf8_lossy(&last.body))),
            ReplyPart::Json => {
                // RFC 8259, section 8.1: a reader may ignore a byte order mark.
                let text = last.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&last.body);
                let parsed = || serde_json::from_slice(text).map_or(Value::Null, |json| cel_value(&json));
                (key("json"), last.json.get_or_init(parsed).clone())
            }
            ReplyPart::Headers => {
                let fields = last.headers.iter().map(|(name, text)| (key(name), Value::from(text.as_str())));
                (key("headers"), map(fields))
            }
        }
    }
}

fn key(name: &str) -> Key {
    Key::String(Arc::new(name.to_owned()))
}

fn map(entries: impl Iterator<Item = (Key, Value)>) -> Value {
    Value::Map(cel::objects::Map { map: Arc::new(entries.collect::<HashMap<_, _>>()) })
}

fn integer(number: u64) -> Value {
    i64::try_from(number).map_or(Value::UInt(number), Value::Int)
}

/// Converts JSON to a CEL value: whole numbers are `int`, unless they are too large for it.
fn cel_value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::UInt(number),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(cel_value).collect())),
        serde_json::Value::Object(entries) => map(entries.iter().map(|(name, json)| (key(name), cel_value(json)))),
    }
}
