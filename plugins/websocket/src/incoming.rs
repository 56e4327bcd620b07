//! `expect:` a text, or a mapping of conditions, all of which must hold for one message.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use stampede_plugin::parameters::{JsonPath, Pattern, text_or_mapping};
use stampede_plugin::{ConfigError, Task, Template};
use tungstenite::Message;

/// Conditions on a message. Without any, every text or binary message meets them.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conditions {
    #[serde(default)]
    kind: Kind,
    contains: Option<Template>,
    regex: Option<Pattern>,
    json: Option<JsonPath>,
    equals: Option<Template>,
    code: Option<u16>,
}

/// The kind of message to look at.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Text or binary.
    #[default]
    Message,
    Text,
    Binary,
    Ping,
    Pong,
    Close,
}

/// The conditions, rendered for one run.
pub(crate) struct RenderedConditions<'a> {
    conditions: &'a Conditions,
    contains: Option<String>,
    equals: Option<String>,
}

impl Conditions {
    /// Renders the conditions for one run.
    pub(crate) fn render(&self, task: &Task) -> RenderedConditions<'_> {
        let render = |template: &Option<Template>| template.map(|template| template.render(task));
        RenderedConditions { conditions: self, contains: render(&self.contains), equals: render(&self.equals) }
    }

    /// Rejects conditions that do not go together.
    fn check(self) -> Result<Self, ConfigError> {
        if self.equals.is_some() && self.json.is_none() {
            return Err(ConfigError::new("`equals` needs `json`").help("give the path of the value with `json`"));
        }
        if self.code.is_some() && self.kind != Kind::Close {
            return Err(ConfigError::new("`code` needs `kind: close`").help("only a close frame has a code"));
        }
        Ok(self)
    }
}

impl RenderedConditions<'_> {
    /// Returns `true` if the step waits for a close frame.
    pub(crate) fn is_close(&self) -> bool {
        self.conditions.kind == Kind::Close
    }

    /// Returns `true` if the message meets the conditions.
    pub(crate) fn accepts(&self, message: &Message) -> bool {
        self.conditions.kind.is(message) && self.has_code(message) && self.fits(message)
    }

    fn has_code(&self, message: &Message) -> bool {
        let Some(code) = self.conditions.code else { return true };
        matches!(message, Message::Close(Some(frame)) if u16::from(frame.code) == code)
    }

    fn fits(&self, message: &Message) -> bool {
        let Conditions { regex, json, .. } = self.conditions;
        if self.contains.is_none() && regex.is_none() && json.is_none() {
            return true;
        }
        let text = text(message);
        self.contains.as_ref().is_none_or(|part| text.contains(part.as_str()))
            && regex.as_ref().is_none_or(|regex| regex.matches(&text))
            && json.as_ref().is_none_or(|path| self.leads(path, &text))
    }

    fn leads(&self, path: &JsonPath, text: &str) -> bool {
        let found = path.find_in(text).unwrap_or_default();
        found.is_some_and(|value| self.equals.as_ref().is_none_or(|expected| *expected == value))
    }
}

/// Completes "expected …".
impl fmt::Display for RenderedConditions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.conditions.kind.name())?;
        let mut word = " with";
        let mut next = |f: &mut fmt::Formatter<'_>| f.write_str(std::mem::replace(&mut word, " and"));
        if let Some(code) = self.conditions.code {
            next(f)?;
            write!(f, " code {code}")?;
        }
        if let Some(text) = &self.contains {
            next(f)?;
            write!(f, " `{text}`")?;
        }
        if let Some(regex) = &self.conditions.regex {
            next(f)?;
            write!(f, " a match of `{regex}`")?;
        }
        if let Some(path) = &self.conditions.json {
            next(f)?;
            match &self.equals {
                Some(value) => write!(f, " `{value}` at `{path}`")?,
                None => write!(f, " a value at `{path}`")?,
            }
        }
        Ok(())
    }
}

impl Kind {
    fn is(self, message: &Message) -> bool {
        match self {
            Self::Message => message.is_text() || message.is_binary(),
            Self::Text => message.is_text(),
            Self::Binary => message.is_binary(),
            Self::Ping => message.is_ping(),
            Self::Pong => message.is_pong(),
            Self::Close => message.is_close(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Message => "a message",
            Self::Text => "a text message",
            Self::Binary => "a binary message",
            Self::Ping => "a ping",
            Self::Pong => "a pong",
            Self::Close => "a close frame",
        }
    }
}

/// Returns the contents of a message as text; of a close frame its reason.
pub(crate) fn text(message: &Message) -> Cow<'_, str> {
    match message {
        Message::Text(text) => Cow::Borrowed(text.as_str()),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => String::from_utf8_lossy(bytes),
        Message::Close(Some(frame)) => Cow::Borrowed(frame.reason.as_str()),
        Message::Close(None) | Message::Frame(_) => Cow::Borrowed(""),
    }
}

/// The `expect:` of a step.
#[derive(Default)]
pub(crate) struct Incoming(pub Conditions);

impl<'de> Deserialize<'de> for Incoming {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let forms = "a text, or a mapping such as `{regex: …}` or `{json: …, equals: …}`";
        text_or_mapping(source, forms, Self::of_text, |conditions: Conditions| conditions.check().map(Self))
    }
}

impl Incoming {
    fn of_text(text: &str) -> Result<Self, ConfigError> {
        let contains = Some(Template::compile(text)?);
        Ok(Self(Conditions { contains, ..Conditions::default() }))
    }
}

impl JsonSchema for Incoming {
    fn schema_name() -> Cow<'static, str> {
        "Expect".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Template>();
        json_schema!({
            "type": ["string", "object"],
            "properties": {
                "kind": { "enum": ["message", "text", "binary", "ping", "pong", "close"] },
                "contains": text,
                "regex": { "type": "string" },
                "json": { "type": "string" },
                "equals": text,
                "code": { "type": "integer", "minimum": 0, "maximum": 65535 },
            },
            "additionalProperties": false,
        })
    }
}
