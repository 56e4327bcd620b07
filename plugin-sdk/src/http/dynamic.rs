//! Requests decided at run time, such as the next segment of a playlist.

use super::{Exchange, Options};
use crate::Task;
use crate::bindings::{http, http_types as raw};
use crate::operation::Operation;

/// A request decided at run time. Each [`send`](DynamicRequest::send) copies its texts to the host, which a prepared
/// [`Request`](super::Request) saves.
#[derive(Clone, Debug, Default)]
pub struct DynamicRequest {
    /// The method, in upper case.
    pub method: String,
    /// The URL, absolute or resolved against the script's `base_url`.
    pub url: String,
    /// Names and values of header fields.
    pub headers: Vec<(String, String)>,
    /// The content; none if empty.
    pub body: Vec<u8>,
    /// Options for sending it.
    pub options: Options,
}

impl DynamicRequest {
    /// Creates a `GET` request with default options.
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), url: url.into(), ..Self::default() }
    }

    /// Submits the request immediately; awaiting the exchange waits for the reply.
    pub fn send(self, task: &Task) -> Exchange<'_> {
        Exchange(Operation::new(task, http::send_dynamic(&self.into_raw())))
    }

    /// Converts to the type of the contract.
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
