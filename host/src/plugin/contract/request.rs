//! Requests of guests. Parts that do not change from one request to the next are parsed and checked once, when the step
//! is configured; the others are rendered for the user that sends the request.

use std::rc::Rc;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::uri::PathAndQuery;
use url::Url;

use super::bindings::http::{DynamicRequest, RequestOptions, Version as GuestVersion};
use super::header_fields::{check_field_count, check_header_value, header_fields, not_allowed};
use super::prepared_parts::{PreparedBody, PreparedCredentials};
use super::preview::{self, RequestPreview};
use super::request_url::{UrlError, known_url, parse_url, resolve};
use super::target_pattern::{TargetPattern, rendered_url};
use crate::data::DataSets;
use crate::expression::MAX_REMEMBERED_BODY;
use crate::http::{Decoding, Field, Fields, Request, RequestTarget};
use crate::metrics::sample::FailureKind;
use crate::net::{Failure, Grant, Origin, Version, not_granted};
use crate::plugin::instance::limits;
use crate::plugin::instance::worker_plugin::WorkerPlugin;
use crate::script::header::{FRAMING, is_framing};
use crate::template::{RenderContext, Template};
use crate::user::{BodyNeed, RequestScratch, Session};

/// The media type of a JSON document.
pub(crate) const JSON: &str = "application/json";

/// Maximum number of redirects that one exchange follows, whatever the guest gives.
pub(crate) const MAX_REDIRECTS: u8 = 20;

/// A request whose templates are compiled.
pub struct PreparedRequest {
    method: Method,
    /// The URL as it was given, without the query.
    address: Template,
    query: Vec<(String, Template)>,
    destination: PreparedDestination,
    /// Fields that never change.
    fixed: Rc<[Field]>,
    rendered: Vec<(HeaderName, Template)>,
    credentials: Option<PreparedCredentials>,
    body: PreparedBody,
    /// `true` if the body is a JSON document.
    is_json: bool,
    options: RequestOptions,
}

/// The destination of a request, made of its URL and query.
enum PreparedDestination {
    /// No part of it is rendered.
    Fixed(RequestTarget),
    /// Values are rendered into a known URL.
    Pattern(TargetPattern),
    /// The URL is parsed for each request.
    Parsed,
}

impl PreparedRequest {
    /// Returns `true` if its content is kept without being asked to be decoded.
    pub(super) const fn keeps_encoded(&self) -> bool {
        keeps_encoded(&self.options)
    }

    /// Returns the maximum number of redirects that are followed.
    pub fn max_redirects(&self) -> u8 {
        self.options.max_redirects.min(MAX_REDIRECTS)
    }

    /// Builds the request that this user sends now.
    ///
    /// # Errors
    /// A rendered text is not a URL or not a header value, or the host is not granted.
    pub fn build(&self, session: &Session, worker_plugin: &WorkerPlugin) -> Result<Request, Failure> {
        let mut headers = Fields::new(Rc::clone(&self.fixed), session.headers());
        let (target, body) = match (&self.destination, &self.body) {
            (PreparedDestination::Fixed(target), PreparedBody::Fixed(body)) if self.has_fixed_fields() => {
                (target.clone(), body.clone())
            }
            _ => {
                let scratch = &mut *session.shared.request_scratch.borrow_mut();
                scratch.clear();
                let target = session.with_render_context(|values| self.render(values, scratch, worker_plugin))?;
                let mut parts = scratch.parts(session.task.request_memory.copy(&scratch.text));
                let target = self.target(target, &mut parts)?;
                self.add_rendered_fields(&mut headers, &mut parts)?;
                (target, self.body.bytes(&mut parts))
            }
        };
        let mut request = assemble(self.method.clone(), target, headers, body);
        apply_options(&mut request, &self.options, session);
        Ok(request)
    }

    /// Returns `true` if no header field is rendered.
    fn has_fixed_fields(&self) -> bool {
        self.rendered.is_empty() && self.credentials.is_none()
    }

    /// Renders the parts that are not fixed into `scratch`: path and query, header fields, credentials, body. Returns
    /// the destination if it is fixed or had to be parsed, instead of path and query.
    fn render(
        &self,
        values: &mut RenderContext<'_>,
        scratch: &mut RequestScratch,
        worker_plugin: &WorkerPlugin,
    ) -> Result<Option<RequestTarget>, Failure> {
        let target = match &self.destination {
            PreparedDestination::Fixed(target) => Some(target.clone()),
            PreparedDestination::Pattern(pattern) if pattern.render(&self.address, values, scratch) => {
                pattern.render_parameters(&self.query, values, scratch);
                scratch.end_part();
                None
            }
            PreparedDestination::Pattern(_) => {
                let url = rendered_url(&self.address, scratch);
                scratch.text.clear();
                Some(self.with_query(&url, values, worker_plugin)?)
            }
            PreparedDestination::Parsed => {
                let mut url = String::new();
                self.address.render(values, &mut url);
                Some(self.with_query(&url, values, worker_plugin)?)
            }
        };
        for (name, template) in &self.rendered {
            template.render(values, &mut scratch.text);
            check_value(name, scratch.open_part())?;
            scratch.end_part();
        }
        if let Some(credentials) = &self.credentials {
            credentials.render(values, scratch);
            check_value(&AUTHORIZATION, scratch.open_part())?;
            scratch.end_part();
        }
        self.body.render(values, scratch);
        Ok(target)
    }

    /// Returns the destination: `whole`, or the pattern's with path and query from the next part.
    fn target(
        &self,
        whole: Option<RequestTarget>,
        parts: &mut impl Iterator<Item = Bytes>,
    ) -> Result<RequestTarget, Failure> {
        let (None, PreparedDestination::Pattern(pattern)) = (&whole, &self.destination) else {
            return whole.ok_or_else(|| bad_rendered_url(UrlError::Host));
        };
        let path = PathAndQuery::from_maybe_shared(parts.next().unwrap_or_default());
        let path = path.map_err(|_| bad_rendered_url(UrlError::Length))?;
        Ok(RequestTarget { origin: Rc::clone(pattern.origin()), path })
    }

    /// Adds the fields that were rendered.
    fn add_rendered_fields(
        &self,
        headers: &mut Fields,
        parts: &mut impl Iterator<Item = Bytes>,
    ) -> Result<(), Failure> {
        if self.has_fixed_fields() {
            return Ok(());
        }
        headers.reserve(self.rendered.len() + usize::from(self.credentials.is_some()));
        for ((name, _), value) in self.rendered.iter().zip(&mut *parts) {
            headers.push(name.clone(), shared_value(name, value)?);
        }
        if self.credentials.is_some() {
            let mut value = shared_value(&AUTHORIZATION, parts.next().unwrap_or_default())?;
            value.set_sensitive(true);
            headers.push(AUTHORIZATION, value);
        }
        Ok(())
    }

    /// Returns the origin of the request, if it is known before the request is rendered.
    pub fn known_origin(&self, base: Option<&Url>) -> Option<Rc<Origin>> {
        match &self.destination {
            PreparedDestination::Fixed(target) => Some(Rc::clone(&target.origin)),
            _ => Origin::of(&known_url(self.address.prefix(), base)?),
        }
    }

    /// Describes the request before it is rendered.
    pub fn preview(&self, base: Option<&Url>, data: &DataSets) -> RequestPreview {
        let query = self.query.iter().map(|(name, value)| (name.as_str(), value));
        let document = match &self.body {
            PreparedBody::Rendered(template) if self.is_json => Some(template),
            _ => None,
        };
        RequestPreview {
            method: self.method.to_string(),
            url: preview::url(&self.address, query, base),
            dropped_path: preview::dropped_path(&self.address, base),
            json_error: document.and_then(|template| preview::json_error(template, data)),
        }
    }

    /// Parses a rendered URL, and adds the query to it.
    fn with_query(
        &self,
        url: &str,
        values: &mut RenderContext<'_>,
        worker_plugin: &WorkerPlugin,
    ) -> Result<RequestTarget, Failure> {
        let mut url = parse_url(url, worker_plugin.script_context.base_url.as_ref()).map_err(bad_rendered_url)?;
        if !self.query.is_empty() {
            let mut text = String::new();
            let mut pairs = url.query_pairs_mut();
            for (name, template) in &self.query {
                text.clear();
                template.render(values, &mut text);
                pairs.append_pair(name, &text);
            }
        }
        resolve(&url, &worker_plugin.grants).map_err(|error| match error {
            UrlError::Denied => denied(&url),
            other => bad_rendered_url(other),
        })
    }
}

/// The parts of a request that need checking, with their templates looked up.
pub(crate) struct RequestParts {
    /// The method.
    pub method: String,
    /// The URL without the query.
    pub url: Template,
    /// Parameters added to the query.
    pub query: Vec<(String, Template)>,
    /// Header fields.
    pub headers: Vec<(String, Template)>,
    /// Credentials.
    pub credentials: Option<PreparedCredentials>,
    /// The media type of the content.
    pub content_type: Option<&'static str>,
}

impl RequestParts {
    /// Checks the parts.
    ///
    /// # Errors
    /// A message for the user: a part is malformed, or the host is not granted.
    pub(crate) fn check(
        self,
        body: PreparedBody,
        options: RequestOptions,
        worker_plugin: &WorkerPlugin,
    ) -> Result<PreparedRequest, String> {
        let method = Method::from_bytes(self.method.as_bytes())
            .ok()
            .filter(|_| !self.method.bytes().any(|byte| byte.is_ascii_lowercase()))
            .ok_or_else(|| format!("`{}` is not a method; methods are upper case, such as `GET`", self.method))?;
        let address = self.url.trimmed();
        if address.literals().any(|text| text.contains(['\n', '\r', '\t'])) {
            return Err("the URL has a line break or a tab in it; write it on one line".to_owned());
        }
        let base = worker_plugin.script_context.base_url.as_ref();
        let target = match address.constant() {
            Some(text) => {
                let url = parse_url(text, base).map_err(|error| error.describe_quoting(text))?;
                let target = resolve(&url, &worker_plugin.grants).map_err(|error| match error {
                    UrlError::Denied => denied_to_plugin(&worker_plugin.policy.name, &url),
                    other => other.describe_quoting(text),
                })?;
                self.query.is_empty().then_some(target)
            }
            None => {
                let prefix = address.prefix();
                if let Some(url) = known_url(prefix, base)
                    && resolve(&url, &worker_plugin.grants).err() == Some(UrlError::Denied)
                {
                    return Err(denied_to_plugin(&worker_plugin.policy.name, &url));
                }
                None
            }
        };
        check_field_count(self.headers.len())?;
        check_framing(&self.headers)?;
        let HeaderParts { mut fixed, rendered } = HeaderParts::of(self.headers)?;
        let field_names = || fixed.iter().map(|(name, _)| name).chain(rendered.iter().map(|(name, _)| name));
        let credentials = self.credentials.filter(|_| field_names().all(|name| *name != AUTHORIZATION));
        let implied = self.content_type.filter(|_| field_names().all(|name| *name != CONTENT_TYPE));
        fixed.extend(implied.map(|implied| (CONTENT_TYPE, HeaderValue::from_static(implied))));
        let is_json = self.content_type == Some(JSON);
        let (fixed, query) = (fixed.into(), self.query);
        let pattern = || TargetPattern::of(&address, &query, base, &worker_plugin.grants);
        let destination = match target {
            Some(target) => PreparedDestination::Fixed(target),
            None => pattern().map_or(PreparedDestination::Parsed, PreparedDestination::Pattern),
        };
        Ok(PreparedRequest {
            method,
            address,
            query,
            destination,
            fixed,
            rendered,
            credentials,
            body,
            is_json,
            options,
        })
    }
}

/// The header fields of a prepared request.
#[derive(Default)]
struct HeaderParts {
    /// Fields that never change; they are sent first.
    fixed: Vec<Field>,
    /// Fields that are rendered.
    rendered: Vec<(HeaderName, Template)>,
}

impl HeaderParts {
    /// Checks the fields of a request. Values of one name keep their order.
    fn of(headers: Vec<(String, Template)>) -> Result<Self, String> {
        let mut parts = Self::default();
        for (name, template) in headers {
            let constant = template.constant().map(|text| header_fields(&[(name.clone(), text.to_owned())]));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a header name"))?;
            match constant.transpose()? {
                Some(field) if parts.rendered.iter().all(|(earlier, _)| *earlier != name) => parts.fixed.extend(field),
                _ => parts.rendered.push((name, template)),
            }
        }
        Ok(parts)
    }
}

/// Rejects fields that frame a request: they would not be sent.
fn check_framing(headers: &[(String, Template)]) -> Result<(), String> {
    let names = headers.iter().filter_map(|(name, _)| HeaderName::from_bytes(name.as_bytes()).ok());
    names.filter(is_framing).try_for_each(|name| Err(format!("`{name}` {FRAMING}")))
}

/// Builds a request that the guest decided at run time.
///
/// # Errors
/// The method, URL or a header is malformed, the host is not granted, or a limit is exceeded.
pub(crate) fn build_dynamic(
    wanted: DynamicRequest,
    session: &Session,
    worker_plugin: &WorkerPlugin,
) -> Result<Request, Failure> {
    let because = |message: String| unsendable(session, &message);
    let method = Method::from_bytes(wanted.method.as_bytes()).map_err(|_| because("the method is not valid".into()))?;
    let url = parse_url(&wanted.url, worker_plugin.script_context.base_url.as_ref());
    let url = url.map_err(|error| because(error.describe("the URL")))?;
    let target = resolve(&url, &worker_plugin.grants).map_err(|error| match error {
        UrlError::Denied => denied(&url),
        other => because(other.describe("the URL")),
    })?;
    check_field_count(wanted.headers.len()).map_err(over_limit)?;
    if wanted.body.len() > limits::DYNAMIC_BODY {
        return Err(over_limit(format!("the body is longer than {} bytes", limits::DYNAMIC_BODY)));
    }
    let fields = header_fields(&wanted.headers).map_err(because)?;
    let headers = Fields::new(fields.into(), session.headers());
    let mut request = assemble(method, target, headers, wanted.body.into());
    apply_options(&mut request, &wanted.options, session);
    Ok(request)
}

/// Assembles a request without any of the options.
fn assemble(method: Method, target: RequestTarget, headers: Fields, body: Bytes) -> Request {
    Request {
        method,
        origin: target.origin,
        target: target.path,
        headers,
        body,
        version: Version::Negotiate,
        keep_body: None,
        optional_body: None,
        decode: false,
        decoding: Decoding::AtOnce,
        takes_fingerprint: false,
        sent_cookie: Default::default(),
        channel: None,
    }
}

/// Returns `true` if the options keep the content and do not ask for its decoding.
pub(super) const fn keeps_encoded(options: &RequestOptions) -> bool {
    options.keep_body && !options.compression
}

/// Sets the version, and how the reply's content is kept and decoded.
fn apply_options(request: &mut Request, options: &RequestOptions, session: &Session) {
    request.version = match options.version {
        GuestVersion::Negotiate => Version::Negotiate,
        GuestVersion::Http1 => Version::Http1,
        GuestVersion::Http2 => Version::Http2,
    };
    let task = &session.task;
    let need = if options.keep_body { BodyNeed::Required } else { task.body_need() };
    request.keep_body = (need > BodyNeed::Unread).then(|| Rc::clone(&task.allowance));
    request.optional_body = (need == BodyNeed::Wanted).then_some(MAX_REMEMBERED_BODY);
    request.decode = options.compression;
}

/// Rejects a rendered text that is not a header value.
fn check_value(name: &HeaderName, text: &str) -> Result<(), Failure> {
    check_header_value(name, text).map_err(bad_value)
}

/// Returns a checked text as a header value, without copying it.
fn shared_value(name: &HeaderName, text: Bytes) -> Result<HeaderValue, Failure> {
    HeaderValue::from_maybe_shared(text).map_err(|_| bad_value(not_allowed(name)))
}

fn bad_value(message: String) -> Failure {
    Failure { kind: FailureKind::Network, detail: message.into() }
}

/// Returns the failure for a rendered text that is not a URL, without the text: it may hold values of variables.
fn bad_rendered_url(error: UrlError) -> Failure {
    Failure { kind: FailureKind::Network, detail: error.describe("the rendered URL").into() }
}

/// Returns the failure for a request to a host that the script does not grant the plugin.
fn denied(url: &Url) -> Failure {
    Failure { kind: FailureKind::Network, detail: format!("a request to {}", not_granted(url)).into() }
}

/// Returns the message for a host that is not granted, when it is noticed before the run.
fn denied_to_plugin(plugin: &str, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let grant = Grant::of(host, url.port_or_known_default().unwrap_or_default());
    format!("plugin `{plugin}` is not granted `{grant}`; add `allow: [\"{grant}\"]` to its entry")
}

fn unsendable(session: &Session, message: &str) -> Failure {
    Failure { kind: FailureKind::Network, detail: session.redact(message).into() }
}

/// Returns the failure for a request over a limit of the host, which is the plugin's error.
pub(crate) fn over_limit(message: String) -> Failure {
    Failure { kind: FailureKind::Plugin, detail: message.into() }
}
