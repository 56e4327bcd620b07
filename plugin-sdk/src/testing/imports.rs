//! The host's imports as native functions, with the names and signatures that `wit-bindgen` generates, answered by the
//! fake.

use super::state::{in_task, set, with};

/// Templates, with the helpers that the test named, and `var`.
pub(crate) mod templates {
    use super::{in_task, with};
    use crate::bindings::template_types::TemplateError;

    pub(crate) fn compile(source: &str) -> Result<u32, TemplateError> {
        with(|state| {
            assert!(!state.in_task, "templates are compiled while a step is configured, not in a task");
            state.compile(source).map_err(|message| {
                let help = message.starts_with("unknown").then(|| "it takes a `renders` of the test".to_owned());
                TemplateError { message, help }
            })
        })
    }

    pub(crate) fn render(template: u32) -> String {
        in_task(|state| state.render(template))
    }
}

/// HTTP, which records the requests and answers with the test's replies.
pub(crate) mod http {
    use super::super::state::number;
    use super::super::{SentBody, SentCredentials, SentRequest};
    use super::{in_task, with};
    use crate::bindings::http_types::{Credentials, DynamicRequest, ReplySummary, RequestBody, RequestTemplate};

    pub(crate) fn prepare(request: &RequestTemplate) -> Result<u32, String> {
        with(|state| {
            assert!(!state.in_task, "requests are prepared while a step is configured, not in a task");
            state.prepared.push(request.clone());
            Ok(number(state.prepared.len() - 1))
        })
    }

    pub(crate) fn send(request: u32) -> u32 {
        let sent = prepared(request);
        in_task(|state| state.send(sent))
    }

    /// Renders a prepared request.
    pub(super) fn prepared(request: u32) -> SentRequest {
        in_task(|state| {
            let prepared = state.prepared[request as usize].clone();
            SentRequest {
                method: prepared.method,
                url: state.render(prepared.url),
                query: state.render_fields(&prepared.query),
                headers: state.render_fields(&prepared.headers),
                user_headers: state.user().headers.clone(),
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
            }
        })
    }

    pub(crate) fn send_dynamic(request: &DynamicRequest) -> u32 {
        let sent = dynamic(request);
        in_task(|state| state.send(sent))
    }

    /// Converts a request decided in the task.
    pub(in crate::testing) fn dynamic(request: &DynamicRequest) -> SentRequest {
        in_task(|state| SentRequest {
            method: request.method.clone(),
            url: request.url.clone(),
            query: Vec::new(),
            headers: request.headers.clone(),
            user_headers: state.user().headers.clone(),
            body: if request.body.is_empty() { SentBody::None } else { SentBody::Bytes(request.body.clone()) },
            credentials: None,
            options: request.options.into(),
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

    pub(crate) fn url(operation: u32) -> String {
        with(|state| state.reply(operation).0.url.clone().unwrap_or_default())
    }

    pub(crate) fn body(operation: u32) -> Vec<u8> {
        with(|state| {
            let (reply, keep_body) = state.reply(operation);
            if keep_body { reply.body.clone() } else { Vec::new() }
        })
    }
}

/// Streamed exchanges, whose reply arrives in one piece.
pub(crate) mod streams {
    use std::time::Duration;

    use super::super::SentBody;
    use super::super::state::OperationKind;
    use super::in_task;
    use crate::bindings::FailureKind;

    pub(crate) fn open(request: u32, content: &[u8], _more: bool) -> u32 {
        let mut sent = super::http::prepared(request);
        if !content.is_empty() {
            assert_eq!(sent.body, SentBody::None, "the request was prepared with a body");
            sent.body = SentBody::Bytes(content.to_vec());
        }
        in_task(|state| {
            let at = state.requests.len();
            let exchange = state.send(sent);
            state.streams.push((exchange, at, false));
            exchange
        })
    }

    pub(crate) fn head(exchange: u32) -> u32 {
        in_task(|state| state.ask(exchange, OperationKind::Head(exchange)))
    }

    pub(crate) fn arrived(operation: u32) -> Result<u16, FailureKind> {
        in_task(|state| {
            let OperationKind::Head(exchange) = *state.announced(operation) else {
                panic!("that operation is not a head")
            };
            let outcome = state.reply(exchange).0.outcome;
            outcome.map_err(|kind| {
                state.found.get_or_insert(kind);
                kind.into()
            })
        })
    }

    pub(crate) fn header(exchange: u32, name: &str) -> Option<String> {
        in_task(|state| field(&state.streamed(exchange)?.headers, name))
    }

    pub(crate) fn read(exchange: u32) -> u32 {
        in_task(|state| state.ask(exchange, OperationKind::Piece(exchange)))
    }

    pub(crate) fn received(operation: u32) -> Result<Vec<u8>, FailureKind> {
        in_task(|state| {
            let OperationKind::Piece(exchange) = *state.announced(operation) else {
                panic!("that operation is not a read")
            };
            let reply = state.reply(exchange).0;
            let (outcome, body) = (reply.outcome, reply.body.clone());
            outcome?;
            let stream = state.streams.iter_mut().find(|(known, ..)| *known == exchange);
            let (.., taken) = stream.expect("a streamed exchange");
            Ok(if std::mem::replace(taken, true) { Vec::new() } else { body })
        })
    }

    pub(crate) fn trailer(exchange: u32, name: &str) -> Option<String> {
        in_task(|state| field(&state.streamed(exchange)?.trailers, name))
    }

    pub(crate) fn write(exchange: u32, content: &[u8]) -> u32 {
        in_task(|state| {
            let stream = state.streams.iter().find(|(known, ..)| *known == exchange);
            let at = stream.expect("a streamed exchange").1;
            match &mut state.requests[at].body {
                SentBody::Bytes(body) => body.extend_from_slice(content),
                body => *body = SentBody::Bytes(content.to_vec()),
            }
            state.submit(Duration::ZERO, OperationKind::Sent)
        })
    }

    pub(crate) fn written(operation: u32) -> Result<(), FailureKind> {
        in_task(|state| match state.announced(operation) {
            OperationKind::Sent => Ok(()),
            _ => panic!("that operation is not a write"),
        })
    }

    pub(crate) fn leave(exchange: u32) {
        in_task(|state| state.leave(exchange));
    }

    pub(crate) fn finish(_exchange: u32) {}

    fn field(fields: &[(String, String)], name: &str) -> Option<String> {
        fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    }
}

/// Files of the test, relative to its folder.
pub(crate) mod files {
    pub(crate) fn read(path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| format!("cannot read `{path}`: {error}"))
    }
}

/// Virtual time: a sleep completes when no other operation is due before it.
pub(crate) mod timer {
    use std::time::Duration;

    use super::super::state::OperationKind;
    use super::{in_task, with};

    pub(crate) fn sleep(nanoseconds: u64) -> u32 {
        in_task(|state| state.submit(Duration::from_nanos(nanoseconds), OperationKind::Sleep))
    }

    pub(crate) fn now() -> u64 {
        with(|state| state.now)
    }
}

/// Turns, which always have come: the fake has no rate limit.
pub(crate) mod task {
    use super::{in_task, with};

    pub(crate) fn turn() -> Option<u32> {
        in_task(|_| None)
    }

    pub(crate) fn active_time() -> u64 {
        with(|state| state.now)
    }
}

/// Giving up operations, which is recorded.
pub(crate) mod operations {
    use super::with;

    pub(crate) fn cancel(operation: u32) {
        with(|state| state.cancel(operation));
    }
}

/// Sockets whose other ends are the test's peers.
pub(crate) mod sockets {
    use std::time::Duration;

    use super::super::state::OperationKind;
    use super::in_task;
    use crate::FailureKind;
    use crate::bindings::FailureKind as Raw;
    use crate::bindings::socket_types::{Address, DynamicRequest, Switched, TlsOptions};

    pub(crate) fn connect(address: &Address) -> u32 {
        in_task(|state| state.connect(address))
    }

    pub(crate) fn connected(operation: u32) -> Result<u32, Raw> {
        in_task(|state| {
            let OperationKind::Connect(socket) = *state.announced(operation) else {
                panic!("that operation is not a connect")
            };
            match state.socket(socket).peer.refusal {
                Some(kind) => Err(found(state, kind)),
                None => Ok(socket),
            }
        })
    }

    pub(crate) fn upgrade(request: &DynamicRequest) -> u32 {
        assert!(request.body.is_empty(), "a request for a connection has no body");
        let sent = super::http::dynamic(request);
        in_task(|state| state.upgrade(sent))
    }

    pub(crate) fn upgraded(operation: u32) -> Result<Switched, Raw> {
        in_task(|state| {
            let OperationKind::Upgrade(reply, socket) = state.announced(operation) else {
                panic!("that operation is not an upgrade")
            };
            let (outcome, headers, socket, after) = (reply.outcome, reply.headers.clone(), *socket, reply.after);
            let duration = after.as_nanos() as u64;
            outcome.map(|status| Switched { status, headers, socket, duration }).map_err(|kind| found(state, kind))
        })
    }

    pub(crate) fn protocol(socket: u32) -> Option<String> {
        in_task(|state| state.socket(socket).peer.protocol.clone())
    }

    pub(crate) fn secure(socket: u32, _options: &TlsOptions) -> u32 {
        in_task(|state| {
            let refusal = state.tls_refusal(socket);
            let after = state.socket(socket).handshake_time();
            state.submit(after, OperationKind::Secure(socket, refusal))
        })
    }

    pub(crate) fn secured(operation: u32) -> Result<(), Raw> {
        in_task(|state| {
            let OperationKind::Secure(socket, refusal) = *state.announced(operation) else {
                panic!("that operation is not a handshake")
            };
            match refusal {
                None => Ok(()),
                Some(kind @ FailureKind::Plugin) => Err(found(state, kind)),
                Some(kind) => Err(failed(state, socket, kind)),
            }
        })
    }

    pub(crate) fn write(socket: u32, bytes: &[u8]) -> u32 {
        in_task(|state| {
            let refusal = state.refusal(socket, false);
            if refusal.is_none() {
                let now = state.now;
                state.socket(socket).write(bytes, now);
            }
            state.submit(Duration::ZERO, OperationKind::Write(socket, refusal))
        })
    }

    pub(crate) fn written(operation: u32) -> Result<(), Raw> {
        in_task(|state| {
            let OperationKind::Write(socket, refusal) = *state.announced(operation) else {
                panic!("that operation is not a write")
            };
            refusal.map_or(Ok(()), |kind| Err(failed(state, socket, kind)))
        })
    }

    pub(crate) fn read(socket: u32, most: u32) -> u32 {
        in_task(|state| {
            assert!((1..=1 << 20).contains(&most), "a read asks for 1 byte to 1 MiB");
            let received = state.refusal(socket, true).map_or(Ok(Vec::new()), Err);
            state.submit(Duration::ZERO, OperationKind::Read(socket, most as usize, received))
        })
    }

    pub(crate) fn received(operation: u32) -> Result<Vec<u8>, Raw> {
        in_task(|state| {
            let OperationKind::Read(socket, _, received) = state.announced(operation) else {
                panic!("that operation is not a read")
            };
            match received {
                Ok(bytes) => Ok(std::mem::take(bytes)),
                Err(kind) => {
                    let (socket, kind) = (*socket, *kind);
                    Err(failed(state, socket, kind))
                }
            }
        })
    }

    pub(crate) fn close(socket: u32) {
        in_task(|state| state.socket(socket).record.open = false);
    }

    /// Closes a socket after a failure.
    fn failed(state: &mut super::super::state::State, socket: u32, kind: FailureKind) -> Raw {
        state.socket(socket).record.open = false;
        found(state, kind)
    }

    fn found(state: &mut super::super::state::State, kind: FailureKind) -> Raw {
        state.found.get_or_insert(kind);
        kind.into()
    }
}

/// The user of the current task.
pub(crate) mod user {
    use super::{in_task, set};

    pub(crate) fn id() -> u32 {
        in_task(|state| state.user)
    }

    /// Counts each task as an iteration of the script.
    pub(crate) fn iteration() -> u64 {
        in_task(|state| state.user().tasks - 1)
    }

    pub(crate) fn variable(name: &str) -> Option<String> {
        in_task(|state| state.variable(name))
    }

    pub(crate) fn set_variable(name: &str, value: &str) {
        in_task(|state| set(&mut state.user().variables, name, value));
    }

    /// Rejects a value that would break out of its field (RFC 9110 section 5.5), as the host does.
    pub(crate) fn set_header(name: &str, value: &str) -> Result<(), String> {
        if value.contains(['\r', '\n', '\0']) {
            return Err(format!("the value of header `{name}` has characters that HTTP does not allow"));
        }
        in_task(|state| set(&mut state.user().headers, name, value));
        Ok(())
    }

    /// Counts up from 0, so that a test knows the numbers.
    pub(crate) fn random() -> u64 {
        in_task(|state| {
            let user = state.user();
            user.random += 1;
            user.random - 1
        })
    }
}

/// Reports and metrics: keeps the first report, which is the one that counts, and every value.
pub(crate) mod report {
    use super::super::state::{Metric, number};
    use super::{in_task, with};
    use crate::Failure;
    use crate::bindings::FailureKind;
    use crate::bindings::report_types::{MetricKind, MetricUnit};

    /// The largest of the whole numbers that an `f64` represents without gaps.
    const LARGEST: f64 = 9_007_199_254_740_992.0;

    pub(crate) fn fail(kind: FailureKind, detail: &str) {
        with(|state| {
            state.reported.get_or_insert_with(|| Failure::new(kind.into(), detail));
        });
    }

    pub(crate) fn define(name: &str, kind: MetricKind, unit: MetricUnit) -> Result<u32, String> {
        let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(rest) || name.len() > 64 {
            return Err(format!("`{name}` is not a valid metric name"));
        }
        with(|state| {
            assert!(!state.in_task, "metrics are defined while a step is configured, not in a task");
            match state.metrics.iter().position(|metric| metric.name == name) {
                Some(at) if state.metrics[at].kind == kind && state.metrics[at].unit == unit => Ok(number(at)),
                Some(_) => Err(format!("metric `{name}` is defined with another kind or unit")),
                None => {
                    state.metrics.push(Metric { name: name.to_owned(), kind, unit });
                    Ok(number(state.metrics.len() - 1))
                }
            }
        })
    }

    pub(crate) fn add(metric: u32, value: f64) {
        in_task(|state| {
            let Metric { name, kind, .. } = &state.metrics[metric as usize];
            let in_range = match kind {
                MetricKind::Counter => value >= 0.0,
                MetricKind::Trend => (0.0..=LARGEST).contains(&value),
                MetricKind::Gauge | MetricKind::Rate => !value.is_nan(),
            };
            assert!(in_range, "`{name}` does not take {value}: the host would end the instance");
            state.measured.push((name.clone(), value));
        });
    }
}

/// The log, of which every line is kept.
pub(crate) mod log {
    use super::with;
    use crate::bindings::log_types::Level;

    pub(crate) fn write(_level: Level, message: &str) {
        with(|state| state.log.push(message.to_owned()));
    }
}
