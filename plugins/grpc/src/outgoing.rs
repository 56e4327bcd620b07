//! Messages to send, from YAML mappings. One without templates is encoded once.

use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::Value;
use stampede_plugin::{ConfigError, Failure, Task, Template};

use crate::frames::framed;

/// A message to send once or several times.
pub(crate) struct Outgoing {
    form: Form,
    /// The number of times to send it in a row.
    pub times: u64,
}

enum Form {
    /// A message that is encoded already.
    Fixed(Vec<u8>),
    /// A message that is rendered and encoded each time.
    Rendered(Draft, MessageDescriptor),
}

/// A message as it was typed, before its type is known.
#[derive(Clone)]
pub(crate) struct Draft {
    document: Value,
    /// The pointers (RFC 6901) to the texts in it that are rendered, and their templates.
    texts: Vec<(String, Template)>,
    times: u64,
    /// The pointer to it in the step.
    pointer: String,
}

/// The messages of a step.
pub(crate) enum Drafts {
    /// None: a message without any value, of whatever type.
    Empty,
    /// `message`.
    One(Draft),
    /// `messages`, for a method that takes a stream.
    Several(Vec<Draft>),
}

impl Drafts {
    /// Checks the messages against the type that a method takes, and encodes those without templates.
    pub(crate) fn encode(&self, method: &MethodDescriptor) -> Result<Vec<Outgoing>, ConfigError> {
        match self {
            Self::Empty => Ok(vec![Outgoing { form: Form::Fixed(framed(&[])), times: 1 }]),
            Self::One(draft) => Ok(vec![draft.encode(method.input())?]),
            Self::Several(_) if !method.is_client_streaming() => {
                let (service, name) = (method.parent_service(), method.name());
                let message = format!("`{}/{name}` takes one message", service.full_name());
                Err(ConfigError::new(message).at("/messages").help("give it with `message`"))
            }
            Self::Several(drafts) => drafts.iter().map(|draft| draft.encode(method.input())).collect(),
        }
    }
}

impl Draft {
    /// Compiles the templates in a message.
    pub(crate) fn new(document: Value, times: u64, pointer: String) -> Result<Self, ConfigError> {
        let (mut texts, mut at) = (Vec::new(), String::new());
        find(&document, &mut at, &mut texts)
            .map_err(|error| ConfigError { pointer: format!("{pointer}{}", error.pointer), ..error })?;
        Ok(Self { document, texts, times, pointer })
    }

    /// Checks the message against its descriptor.
    fn encode(&self, descriptor: MessageDescriptor) -> Result<Outgoing, ConfigError> {
        let frame = match without_templates(self.document.clone()) {
            Some(certain) => encode(certain, descriptor.clone()),
            None => Ok(Vec::new()),
        };
        let frame = frame.map_err(|error| ConfigError::new(error).at(self.pointer.clone()))?;
        let form = if self.texts.is_empty() { Form::Fixed(frame) } else { Form::Rendered(self.clone(), descriptor) };
        Ok(Outgoing { form, times: self.times })
    }
}

impl Outgoing {
    /// Returns the encoded message, rendered for the task's user.
    pub(crate) fn frame(&self, task: &Task) -> Result<Vec<u8>, Failure> {
        match &self.form {
            Form::Fixed(frame) => Ok(frame.clone()),
            Form::Rendered(draft, descriptor) => {
                let mut document = draft.document.clone();
                for (pointer, template) in &draft.texts {
                    if let Some(text) = document.pointer_mut(pointer) {
                        *text = Value::String(template.render(task));
                    }
                }
                // serde's message repeats the rendered text, which may be a secret.
                let wrong = |_| Failure::check(format!("the message did not render to a `{}`", descriptor.full_name()));
                encode(document, descriptor.clone()).map_err(wrong)
            }
        }
    }
}

fn encode(document: Value, descriptor: MessageDescriptor) -> Result<Vec<u8>, String> {
    let message = DynamicMessage::deserialize(descriptor, document).map_err(|error| error.to_string())?;
    Ok(framed(&message.encode_to_vec()))
}

/// Compiles the texts that have templates.
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

/// Removes the texts that have templates: the rest can be checked before the run. `None` if nothing is left.
fn without_templates(document: Value) -> Option<Value> {
    match document {
        Value::String(text) if text.contains("{{") => None,
        Value::Array(values) => Some(values.into_iter().filter_map(without_templates).collect()),
        Value::Object(fields) => {
            Some(fields.into_iter().filter_map(|(key, value)| Some((key, without_templates(value)?))).collect())
        }
        other => Some(other),
    }
}
