//! Requests decided while the task runs, such as the next segment of a playlist.

use super::{Exchange, Options};
use crate::Task;
use crate::bindings::{http, http_types as raw};
use crate::operation::Operation;

/// A request put together at run time. Its texts are copied to the host on each [`send`](DynamicRequest::send), which
/// a prepared [`Request`](super::Request) spares.
#[derive(Clone, Debug, Default)]
pub struct DynamicRequest {
    /// In upper case.
    pub method: String,
    /// Absolute, or resolved against the script's `base_url`.
    pub url: String,
    /// Field names and values.
    pub headers: Vec<(String, String)>,
    /// What is sent after the header section; nothing if empty.
    pub body: Vec<u8>,
    /// How it is sent.
    pub options: Options,
}

impl DynamicRequest {
    /// A `GET` request with default options.
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), url: url.into(), ..Self::default() }
    }

    /// Submits the request, at once: awaiting the exchange waits for the reply.
    pub fn send(self, task: &Task) -> Exchange<'_> {
        Exchange(Operation::new(task, http::send_dynamic(&self.into_raw())))
    }

    /// In the shape of the contract.
    pub(super) fn into_raw(self) -> raw::DynamicRequest {
        raw::DynamicRequest {
            method: self.method,
            url: self.url,
            headers: self.headers,
            body: self.body,
            options: self.options.into_raw(),
        }
    }
}
