//! Messages to send, from YAML mappings. One without templates is encoded once.

use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::Value;
use stampede_plugin::{ConfigError, Failure, Task, Template};

use crate::frames::framed;

/// A message, as often as it is sent.
pub struct Outgoing {
    form: Form,
    /// How many times in a row.
    pub times: u64,
}

enum Form {
    /// As it is sent.
    Fixed(Vec<u8>),
    /// A document, and the texts in it that are rendered: where they are (RFC 6901).
    Rendered { document: Value, texts: Vec<(String, Template)>, descriptor: MessageDescriptor },
}

impl Outgoing {
    /// Checks a message against its descriptor.
    pub fn new(document: Value, times: u64, descriptor: MessageDescriptor) -> Result<Self, ConfigError> {
        let mut texts = Vec::new();
        find(&document, &mut String::new(), &mut texts)?;
        if texts.is_empty() {
            let frame = encode(document, descriptor).map_err(ConfigError::new)?;
            return Ok(Self { form: Form::Fixed(frame), times });
        }
        encode(without_templates(document.clone()), descriptor.clone()).map_err(ConfigError::new)?;
        Ok(Self { form: Form::Rendered { document, texts, descriptor }, times })
    }

    /// As it is sent this time.
    pub fn frame(&self, task: &Task) -> Result<Vec<u8>, Failure> {
        match &self.form {
            Form::Fixed(frame) => Ok(frame.clone()),
            Form::Rendered { document, texts, descriptor } => {
                let mut document = document.clone();
                for (pointer, template) in texts {
                    if let Some(text) = document.pointer_mut(pointer) {
                        *text = Value::String(template.render(task));
                    }
                }
                // What serde says of it repeats what was rendered, which may be a secret.
                let wrong = |_| Failure::check(format!("the message was rendered to no `{}`", descriptor.full_name()));
                encode(document, descriptor.clone()).map_err(wrong)
            }
        }
    }
}

fn encode(document: Value, descriptor: MessageDescriptor) -> Result<Vec<u8>, String> {
    let message = DynamicMessage::deserialize(descriptor, document).map_err(|error| error.to_string())?;
    Ok(framed(&message.encode_to_vec()))
}

/// Compiles the texts with templates.
fn find(document: &Value, pointer: &mut String, texts: &mut Vec<(String, Template)>) -> Result<(), ConfigError> {
    let length = pointer.len();
    let mut below = |key: &str, value: &Value| {
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        let found = find(value, pointer, texts);
        pointer.truncate(length);
        found
    };
    match document {
        Value::String(text) if text.contains("{{") => {
            let compiled = Template::compile(text).map_err(|error| error.at(pointer.clone()))?;
            texts.push((pointer.clone(), compiled));
            Ok(())
        }
        Value::Array(values) => values.iter().enumerate().try_for_each(|(at, value)| below(&at.to_string(), value)),
        Value::Object(fields) => fields.iter().try_for_each(|(key, value)| below(key, value)),
        _ => Ok(()),
    }
}

/// What can be checked before anything is rendered.
fn without_templates(document: Value) -> Value {
    let stays = |value: &Value| !value.as_str().is_some_and(|text| text.contains("{{"));
    match document {
        Value::Array(values) => values.into_iter().filter(stays).map(without_templates).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| stays(value))
            .map(|(key, value)| (key, without_templates(value)))
            .collect(),
        other => other,
    }
}
