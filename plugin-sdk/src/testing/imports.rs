//! The host's imports as native functions: the names and signatures that `wit-bindgen` generates, answered by the fake.

use super::state::{set, with};

/// Knows the helpers that the test named, and `var`.
pub(crate) mod templates {
    use super::with;
    use crate::bindings::template_types::TemplateError;

    pub(crate) fn compile(source: &str) -> Result<u32, TemplateError> {
        with(|state| {
            assert!(!state.running, "templates are compiled while a step is configured, not in a task");
            state.compile(source).map_err(|message| {
                let help = message.starts_with("unknown").then(|| "it takes a `renders` of the test".to_owned());
                TemplateError { message, help }
            })
        })
    }

    pub(crate) fn render(template: u32) -> String {
        with(|state| state.render(template))
    }
}

/// Records what is sent and answers with the test's replies.
pub(crate) mod http {
    use super::super::{SentBody, SentCredentials, SentRequest};
    use super::with;
    use crate::bindings::http_types::{Credentials, DynamicRequest, ReplySummary, RequestBody, RequestTemplate};

    pub(crate) fn prepare(request: &RequestTemplate) -> Result<u32, String> {
        with(|state| {
            assert!(!state.running, "requests are prepared while a step is configured, not in a task");
            state.prepared.push(request.clone());
            Ok(u32::try_from(state.prepared.len() - 1).expect("few requests"))
        })
    }

    pub(crate) fn send(request: u32) -> u32 {
        with(|state| {
            let prepared = state.prepared[request as usize].clone();
            let sent = SentRequest {
                method: prepared.method,
                url: state.render(prepared.url),
                query: state.render_fields(&prepared.query),
                headers: state.render_fields(&prepared.headers),
                user_headers: state.user_headers.clone(),
                body: match prepared.body {
                    RequestBody::None => SentBody::None,
                    RequestBody::Text(text) => SentBody::Text(state.render(text)),
                    RequestBody::Json(text) => SentBody::Json(state.render(text)),
                    RequestBody::Form(fields) => SentBody::Form(state.render_fields(&fields)),
                    RequestBody::File(path) => SentBody::File(path),
                },
                credentials: prepared.credentials.map(|credentials| match credentials {
                    Credentials::Basic((user, password)) => {
                        SentCredentials::Basic(state.render(user), state.render(password))
                    }
                    Credentials::Bearer(token) => SentCredentials::Bearer(state.render(token)),
                }),
                options: prepared.options.into(),
            };
            state.send(sent)
        })
    }

    pub(crate) fn send_dynamic(request: &DynamicRequest) -> u32 {
        with(|state| {
            let sent = SentRequest {
                method: request.method.clone(),
                url: request.url.clone(),
                query: Vec::new(),
                headers: request.headers.clone(),
                user_headers: state.user_headers.clone(),
                body: if request.body.is_empty() { SentBody::None } else { SentBody::Bytes(request.body.clone()) },
                credentials: None,
                options: request.options.into(),
            };
            state.send(sent)
        })
    }

    pub(crate) fn reply(operation: u32) -> Result<ReplySummary, crate::bindings::FailureKind> {
        with(|state| {
            let (reply, _) = state.reply(operation);
            let (outcome, body_bytes, after) = (reply.outcome, reply.body.len() as u64, reply.after);
            match outcome {
                Ok(status) => Ok(ReplySummary { status, body_bytes, duration: after.as_nanos() as u64 }),
                Err(kind) => {
                    state.found.get_or_insert(kind);
                    Err(kind.into())
                }
            }
        })
    }

    pub(crate) fn header(operation: u32, name: &str) -> Option<String> {
        with(|state| {
            let mut fields = state.reply(operation).0.headers.iter();
            fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        })
    }

    pub(crate) fn body(operation: u32) -> Vec<u8> {
        with(|state| {
            let (reply, keep_body) = state.reply(operation);
            if keep_body { reply.body.clone() } else { Vec::new() }
        })
    }
}

/// Virtual time: a sleep completes when nothing else is due before.
pub(crate) mod timer {
    use std::time::Duration;

    use super::with;

    pub(crate) fn sleep(nanoseconds: u64) -> u32 {
        with(|state| state.submit(Duration::from_nanos(nanoseconds), None, false))
    }

    pub(crate) fn now() -> u64 {
        with(|state| state.now)
    }
}

/// One user, number 0, in its first iteration.
pub(crate) mod user {
    use super::{set, with};

    pub(crate) fn id() -> u32 {
        0
    }

    pub(crate) fn iteration() -> u64 {
        0
    }

    pub(crate) fn variable(name: &str) -> Option<String> {
        with(|state| state.variable(name))
    }

    pub(crate) fn set_variable(name: &str, value: &str) {
        with(|state| set(&mut state.script.variables, name, value));
    }

    /// Refuses what would break out of its field (RFC 9110 section 5.5), as the host does.
    pub(crate) fn set_header(name: &str, value: &str) -> Result<(), String> {
        if value.contains(['\r', '\n', '\0']) {
            return Err(format!("the value of header `{name}` has characters that HTTP does not allow"));
        }
        with(|state| set(&mut state.user_headers, name, value));
        Ok(())
    }

    /// Counts up from 0, so that a test knows what comes.
    pub(crate) fn random() -> u64 {
        with(|state| {
            state.random += 1;
            state.random - 1
        })
    }
}

/// Keeps the first report, the one that counts.
pub(crate) mod report {
    use super::with;
    use crate::Failure;
    use crate::bindings::FailureKind;

    pub(crate) fn fail(kind: FailureKind, detail: &str) {
        with(|state| {
            state.reported.get_or_insert_with(|| Failure::new(kind.into(), detail));
        });
    }
}

/// Keeps every line.
pub(crate) mod log {
    use super::with;
    use crate::bindings::log_types::Level;

    pub(crate) fn write(_level: Level, message: &str) {
        with(|state| state.log.push(message.to_owned()));
    }
}
