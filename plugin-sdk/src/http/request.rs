//! Requests whose shape is known before the run.

use super::{Exchange, Options};
use crate::bindings::{http, http_types as raw};
use crate::operation::Operation;
use crate::{ConfigError, Fields, JsonTemplate, Task, Template};

/// A prepared request. All users share it; sending it passes only a number to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request(pub(super) u32);

impl Request {
    /// Begins a request with any method, such as `POST`, in upper case. The URL is absolute, or resolved against the
    /// script's `base_url`.
    pub fn builder(method: impl Into<String>, url: Template) -> RequestBuilder {
        RequestBuilder {
            raw: raw::RequestTemplate {
                method: method.into(),
                url: url.0,
                query: Vec::new(),
                headers: Vec::new(),
                body: raw::RequestBody::None,
                credentials: None,
                options: Options::default().into_raw(),
            },
        }
    }

    /// Begins a `GET` request.
    pub fn get(url: Template) -> RequestBuilder {
        Self::builder("GET", url)
    }

    /// Submits the request immediately; awaiting the exchange waits for the reply.
    pub fn send<'t>(&self, task: &'t Task) -> Exchange<'t> {
        Exchange(Operation::new(task, http::send(self.0)))
    }
}

/// A request to be prepared.
#[derive(Clone, Debug)]
#[must_use = "a request is ready after `prepare`"]
pub struct RequestBuilder {
    /// The contract's type, filled in step by step.
    raw: raw::RequestTemplate,
}

impl RequestBuilder {
    /// Sets the parameters to append to the URL's query, percent-encoded.
    pub fn query(mut self, query: Fields) -> Self {
        self.raw.query = query.into_raw();
        self
    }

    /// Sets the header fields; they win over those that the user carries.
    pub fn headers(mut self, headers: Fields) -> Self {
        self.raw.headers = headers.into_raw();
        self
    }

    /// Sets the content.
    pub fn body(mut self, body: Body) -> Self {
        self.raw.body = body.into_raw();
        self
    }

    /// Adds an `authorization` field, unless there is one among the headers.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.raw.credentials = Some(credentials.into_raw());
        self
    }

    /// Sets the options for sending it.
    pub fn options(mut self, options: Options) -> Self {
        self.raw.options = options.into_raw();
        self
    }

    /// Prepares the request in the host. Only within [`Action::configure`](crate::Action::configure): later the host
    /// ends the instance.
    ///
    /// # Errors
    /// The host rejects the request, such as one with an invalid URL or header.
    pub fn prepare(self) -> Result<Request, ConfigError> {
        http::prepare(&self.raw).map(Request).map_err(ConfigError::new)
    }
}

/// The content of a request. A `content-type` among the headers wins over the one implied.
#[derive(Clone, Debug, Default)]
pub enum Body {
    /// Nothing.
    #[default]
    None,
    /// The rendered text, without a `content-type`.
    Text(Template),
    /// The rendered text as `application/json`.
    Json(JsonTemplate),
    /// Encoded as `application/x-www-form-urlencoded`.
    Form(Fields),
    /// The contents of a file. The path must appear verbatim among the step's parameters.
    File(String),
}

impl Body {
    fn into_raw(self) -> raw::RequestBody {
        match self {
            Self::None => raw::RequestBody::None,
            Self::Text(text) => raw::RequestBody::Text(text.0),
            Self::Json(JsonTemplate(text)) => raw::RequestBody::Json(text.0),
            Self::Form(fields) => raw::RequestBody::Form(fields.into_raw()),
            Self::File(path) => raw::RequestBody::File(path),
        }
    }
}

/// Credentials for an `authorization` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// RFC 7617.
    Basic {
        /// The user name.
        user: Template,
        /// The password.
        password: Template,
    },
    /// RFC 6750: the token.
    Bearer(Template),
}

impl Credentials {
    fn into_raw(self) -> raw::Credentials {
        match self {
            Self::Basic { user, password } => raw::Credentials::Basic((user.0, password.0)),
            Self::Bearer(token) => raw::Credentials::Bearer(token.0),
        }
    }
}
