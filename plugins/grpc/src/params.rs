//! The parameters of a step.

use std::num::NonZeroU64;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use stampede_plugin::parameters::{Save, TimeSpan};
use stampede_plugin::{ConfigError, Fields};

use crate::expect::Expect;
use crate::method::{Method, MethodSource};
use crate::outgoing::{Draft, Drafts};
use crate::reflection::ServerMethod;
use crate::schema;
use crate::status::Code;

/// The parameters of `grpc`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// The URL of the services: `http://host:port` (HTTP/2 with prior knowledge) or `https://`; the script's `base_url`
    /// if absent.
    #[serde(default)]
    pub url: String,
    /// `package.Service/Method`.
    pub method: String,
    /// The `.proto` files with the service and all their imports, relative to the script.
    #[serde(default)]
    pub proto: Vec<String>,
    /// The path of a compiled set of descriptors (`protoc --descriptor_set_out --include_imports`) instead.
    pub descriptors: Option<String>,
    /// `true` to ask the server for the schema instead, through its reflection service; `false` if absent.
    #[serde(default)]
    pub reflection: bool,
    /// The message to send; an empty one if absent.
    pub message: Option<Value>,
    /// The messages to send, for a method that takes a stream: a list, or `{message: …, times: …}`.
    pub messages: Option<Messages>,
    /// Metadata of the call.
    #[serde(default)]
    pub metadata: Fields,
    /// The time limit of the call, sent to the server too.
    pub deadline: Option<TimeSpan>,
    /// The status that the call must end with, by name or number; `OK` if absent.
    #[serde(default)]
    pub expect_status: Code,
    /// Conditions on one of the reply's messages, as JSON: a text in it, or
    /// `{contains: …, regex: …, json: …, equals: …}`.
    pub expect: Option<Expect>,
    /// Variables to set from that message, or the first: `{name: {json: …}}` or `{name: {regex: …}}`.
    #[serde(default)]
    pub save: Save,
    /// The largest message to accept, in bytes; 4194304 if absent.
    #[serde(default = "max_message")]
    #[schemars(range(min = 1, max = 16_777_216))]
    pub max_message: usize,
}

fn max_message() -> usize {
    4 << 20
}

/// Several messages.
#[derive(Deserialize, JsonSchema)]
#[serde(from = "Value")]
#[schemars(with = "Value")]
pub(crate) struct Messages(Value);

impl From<Value> for Messages {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

/// One message, several times.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RepeatedMessage {
    message: Value,
    times: NonZeroU64,
}

impl Params {
    /// Returns the source of the step's method.
    pub(crate) fn method_source(&self) -> Result<MethodSource, ConfigError> {
        let drafts = self.drafts()?;
        let pool = match (self.proto.as_slice(), &self.descriptors, self.reflection) {
            ([], None, true) => return ServerMethod::new(self, drafts).map(MethodSource::Server),
            ([], Some(path), false) => schema::decode(path).map_err(|error| error.at("/descriptors"))?,
            (proto @ [_, ..], None, false) => schema::compile(proto).map_err(|error| error.at("/proto"))?,
            ([], None, false) => {
                let error = ConfigError::new("a step needs `proto`, `descriptors` or `reflection`");
                return Err(error.help("`reflection: true` asks the server for the schema"));
            }
            _ => return Err(ConfigError::new("`proto`, `descriptors` and `reflection` exclude each other")),
        };
        Method::new(&schema::find(&pool, &self.method)?, &drafts).map(MethodSource::Files)
    }

    /// Returns the messages to send.
    fn drafts(&self) -> Result<Drafts, ConfigError> {
        let Some(Messages(messages)) = &self.messages else {
            let Some(message) = self.message.clone() else { return Ok(Drafts::Empty) };
            return Ok(Drafts::One(Draft::new(message, 1, "/message".to_owned())?));
        };
        let wrong = |message: &str| ConfigError::new(message).at("/messages");
        if self.message.is_some() {
            return Err(wrong("`message` and `messages` exclude each other"));
        }
        let list = match messages {
            Value::Array(list) => {
                let drafts = list.iter().enumerate();
                drafts.map(|(at, message)| Draft::new(message.clone(), 1, format!("/messages/{at}"))).collect()
            }
            other => {
                let RepeatedMessage { message, times } = RepeatedMessage::deserialize(other.clone())
                    .map_err(|_| wrong("`messages` must be a list, or `{message: …, times: …}`"))?;
                Draft::new(message, times.get(), "/messages/message".to_owned()).map(|draft| vec![draft])
            }
        };
        list.map(Drafts::Several)
    }
}
