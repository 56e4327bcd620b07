//! What a step may say.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use prost_reflect::MethodDescriptor;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use stampede_plugin::{ConfigError, Fields};

use crate::expect::Expect;
use crate::outgoing::Outgoing;
use crate::save::Source;
use crate::schema;
use crate::status::Code;
use crate::time_span::TimeSpan;

/// What a step may say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Where the services are: `http://host:port`, with HTTP/2 at once, or `https://`; the script's `base_url` if absent.
    #[serde(default)]
    pub url: String,
    /// `package.Service/Method`.
    pub method: String,
    /// The `.proto` files with the service, and all that they import, relative to the script.
    #[serde(default)]
    pub proto: Vec<String>,
    /// The path of a compiled set of descriptors (`protoc --descriptor_set_out --include_imports`) instead.
    pub descriptors: Option<String>,
    /// The message to send; an empty one if absent.
    pub message: Option<Value>,
    /// The messages to send where the method takes a stream: a list, or `{message: …, times: …}`.
    pub messages: Option<Messages>,
    /// Metadata of the call.
    #[serde(default)]
    pub metadata: Fields,
    /// How long the call may take; the server is told.
    pub deadline: Option<TimeSpan>,
    /// The status that the call must end with, by name or number; `OK` if absent.
    #[serde(default)]
    pub expect_status: Code,
    /// What one of the reply's messages must be, as JSON: a text in it, or `{contains: …, regex: …, json: …, equals: …}`.
    pub expect: Option<Expect>,
    /// Variables to set from that message, or the first: `{name: {json: …}}` or `{name: {regex: …}}`.
    #[serde(default)]
    pub save: BTreeMap<String, Source>,
    /// The largest message that is taken, in bytes; 4194304 if absent.
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
pub struct Messages(Value);

impl From<Value> for Messages {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

/// One message, several times.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeated {
    message: Value,
    times: NonZeroU64,
}

impl Params {
    /// The method that the step calls.
    pub fn find(&self) -> Result<MethodDescriptor, ConfigError> {
        schema::find(&self.method, &self.proto, self.descriptors.as_ref())
    }

    /// What is sent.
    pub fn outgoing(&self, method: &MethodDescriptor) -> Result<Vec<Outgoing>, ConfigError> {
        let one = |document: &Value, times, pointer: String| {
            Outgoing::new(document.clone(), times, method.input())
                .map_err(|error| ConfigError { pointer: format!("{pointer}{}", error.pointer), ..error })
        };
        let Some(Messages(messages)) = &self.messages else {
            let empty = Value::Object(serde_json::Map::new());
            return Ok(vec![one(self.message.as_ref().unwrap_or(&empty), 1, "/message".to_owned())?]);
        };
        let wrong = |message: String| ConfigError::new(message).at("/messages");
        if self.message.is_some() {
            return Err(wrong("`message` and `messages` exclude each other".to_owned()));
        }
        if !method.is_client_streaming() {
            return Err(wrong(format!("`{}` takes one message", self.method)).help("say it with `message`"));
        }
        match messages {
            Value::Array(list) => {
                list.iter().enumerate().map(|(at, message)| one(message, 1, format!("/messages/{at}"))).collect()
            }
            other => {
                let repeated = Repeated::deserialize(other.clone());
                let Repeated { message, times } =
                    repeated.map_err(|_| wrong("`messages` must be a list, or `{message: …, times: …}`".to_owned()))?;
                Ok(vec![one(&message, times.get(), "/messages/message".to_owned())?])
            }
        }
    }
}
