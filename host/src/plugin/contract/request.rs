//! Requests of guests. Parts that do not change from one request to the next are parsed and checked once, when the step
//! is configured; the others are rendered for the user that sends the request.

use std::rc::Rc;

use base64::Engine as _;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use url::Url;

use super::bindings::http::{DynamicRequest, RequestOptions, Version as GuestVersion};
use super::header_fields::{check_field_count, header_fields, header_value};
use crate::http::{Field, Fields, Request, RequestTarget};
use crate::metrics::sample::FailureKind;
use crate::net::{self, Failure, Grants, Origin, OriginError, Version, not_granted};
use crate::plugin::instance::limits;
use crate::plugin::instance::worker_plugin::WorkerPlugin;
use crate::template::Template;
use crate::user::Session;

/// Maximum number of redirects that one exchange follows, whatever the guest gives.
pub(crate) const MAX_REDIRECTS: u8 = 20;

/// A request whose templates are compiled.
pub struct PreparedRequest {
    method: Method,
    url: PreparedUrl,
    query: Vec<(String, Template)>,
    /// Fields that never change.
    fixed: Rc<[Field]>,
    rendered: Vec<(HeaderName, Template)>,
    credentials: Option<PreparedCredentials>,
    body: PreparedBody,
    options: RequestOptions,
}

enum PreparedUrl {
    Fixed(RequestTarget),
    Rendered(Template),
}

/// The content of a request.
pub(crate) enum PreparedBody {
    /// Fixed bytes.
    Fixed(Bytes),
    /// A text that is rendered for each request.
    Rendered(Template),
    /// A form of rendered values.
    Form(Vec<(String, Template)>),
}

/// The credentials of a request.
pub(crate) enum PreparedCredentials {
    /// User and password.
    Basic(Template, Template),
    /// A token.
    Bearer(Template),
}

impl PreparedRequest {
    /// Returns the maximum number of redirects that are followed.
    pub fn max_redirects(&self) -> u8 {
        self.options.max_redirects.min(MAX_REDIRECTS)
    }

    /// Builds the request that this user sends now.
    ///
    /// # Errors
    /// A rendered text is not a URL or not a header value, or the host is not granted.
    pub fn build(&self, session: &Session, worker_plugin: &WorkerPlugin) -> Result<Request, Failure> {
        let mut text = String::new();
        let target = match &self.url {
            PreparedUrl::Fixed(target) => target.clone(),
            PreparedUrl::Rendered(template) => {
                session.render(template, &mut text);
                self.with_query(&text, session, worker_plugin)?
            }
        };
        let mut headers = Fields::new(Rc::clone(&self.fixed), session.headers());
        for (name, template) in &self.rendered {
            text.clear();
            session.render(template, &mut text);
            headers.push(name.clone(), checked_value(name, &text)?);
        }
        if let Some(login) = &self.credentials {
            headers.push(AUTHORIZATION, login.field(session)?);
        }
        let body = self.body.bytes(session);
        let mut request = assemble(self.method.clone(), target, headers, body);
        apply_options(&mut request, &self.options, session);
        Ok(request)
    }

    /// Returns the origin of the request, if it is known before the request is rendered.
    pub fn known_origin(&self, base: Option<&Url>) -> Option<Rc<Origin>> {
        let url = match &self.url {
            PreparedUrl::Fixed(target) => return Some(Rc::clone(&target.origin)),
            PreparedUrl::Rendered(template) => known_url(template.prefix(), base)?,
        };
        Origin::of(&url)
    }

    fn with_query(&self, url: &str, session: &Session, worker_plugin: &WorkerPlugin) -> Result<RequestTarget, Failure> {
        let mut url = parse_url(url, worker_plugin.script_context.base_url.as_ref()).map_err(bad_rendered_url)?;
        if !self.query.is_empty() {
            let mut text = String::new();
            let mut pairs = url.query_pairs_mut();
            for (name, template) in &self.query {
                text.clear();
                session.render(template, &mut text);
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
        let url = match self.url.constant() {
            Some(text) => {
                let url = parse_url(text, worker_plugin.script_context.base_url.as_ref())
                    .map_err(|error| error.describe_quoting(text))?;
                let target = resolve(&url, &worker_plugin.grants).map_err(|error| match error {
                    UrlError::Denied => denied_to_plugin(&worker_plugin.policy.name, &url),
                    other => other.describe_quoting(text),
                })?;
                if self.query.is_empty() { PreparedUrl::Fixed(target) } else { PreparedUrl::Rendered(self.url) }
            }
            None => {
                let prefix = self.url.prefix();
                if let Some(url) = known_url(prefix, worker_plugin.script_context.base_url.as_ref())
                    && resolve(&url, &worker_plugin.grants).err() == Some(UrlError::Denied)
                {
                    return Err(denied_to_plugin(&worker_plugin.policy.name, &url));
                }
                PreparedUrl::Rendered(self.url)
            }
        };
        check_field_count(self.headers.len())?;
        let mut fixed = Vec::new();
        let mut rendered = Vec::new();
        for (name, template) in self.headers {
            match template.constant() {
                Some(text) => fixed.extend(header_fields(&[(name, text.to_owned())])?),
                None => rendered.push((
                    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a header name"))?,
                    template,
                )),
            }
        }
        let field_names = || fixed.iter().map(|(name, _)| name).chain(rendered.iter().map(|(name, _)| name));
        let credentials = self.credentials.filter(|_| field_names().all(|name| *name != AUTHORIZATION));
        let implied = self.content_type.filter(|_| field_names().all(|name| *name != CONTENT_TYPE));
        fixed.extend(implied.map(|implied| (CONTENT_TYPE, HeaderValue::from_static(implied))));
        let (fixed, query) = (fixed.into(), self.query);
        Ok(PreparedRequest { method, url, query, fixed, rendered, credentials, body, options })
    }
}

impl PreparedBody {
    /// Returns the content that a template makes.
    pub(crate) fn text(template: Template) -> Self {
        match template.constant() {
            Some(text) => Self::Fixed(Bytes::copy_from_slice(text.as_bytes())),
            None => Self::Rendered(template),
        }
    }

    fn bytes(&self, session: &Session) -> Bytes {
        let mut out = String::new();
        match self {
            Self::Fixed(bytes) => return bytes.clone(),
            Self::Rendered(template) => session.render(template, &mut out),
            Self::Form(pairs) => {
                let mut text = String::new();
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                for (name, template) in pairs {
                    text.clear();
                    session.render(template, &mut text);
                    form.append_pair(name, &text);
                }
                out = form.finish();
            }
        }
        out.into()
    }
}

impl PreparedCredentials {
    fn field(&self, session: &Session) -> Result<HeaderValue, Failure> {
        let mut text = String::new();
        let field = match self {
            Self::Bearer(token) => {
                text.push_str("Bearer ");
                session.render(token, &mut text);
                text
            }
            Self::Basic(user, password) => {
                session.render(user, &mut text);
                text.push(':');
                session.render(password, &mut text);
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
            }
        };
        let mut field = checked_value(&AUTHORIZATION, &field)?;
        field.set_sensitive(true);
        Ok(field)
    }
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

/// The reason why a text is not a usable URL. It does not repeat the text, which may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UrlError {
    /// The URL is relative, and there is no base to resolve it against.
    Relative,
    /// The text is not in the syntax of URLs.
    Malformed(url::ParseError),
    /// The scheme is neither http nor https.
    Scheme,
    /// The URL has a user name or a password.
    UserInfo,
    /// The URL has no usable host.
    Host,
    /// The host is not granted.
    Denied,
    /// The URL is too long for a request.
    Length,
}

impl UrlError {
    /// Returns a message for the user that quotes a text from the script, unless it has user information in it.
    fn describe_quoting(self, text: &str) -> String {
        if text.contains('@') { self.describe("the URL") } else { self.describe(&format!("`{text}`")) }
    }

    /// Returns a message for the user in which `url` stands for the text.
    fn describe(self, url: &str) -> String {
        match self {
            Self::Relative => format!("{url} is relative, and there is no `base_url`"),
            Self::Malformed(error) => format!("{url} is not a URL: {error}"),
            Self::Scheme => format!("{url} is neither http nor https"),
            Self::UserInfo => format!(
                "{url} has a user name or password in it, which would not be sent; \
                 use `auth: {{basic: {{user: ..., password: ...}}}}` or the header `authorization`"
            ),
            Self::Host => format!("{url} names no host"),
            Self::Denied => format!("{url} leads to a host that is not granted"),
            Self::Length => format!("{url} is too long for a request"),
        }
    }
}

/// Parses an absolute URL, or one relative to the script's `base_url`.
///
/// # Errors
/// See [`UrlError`].
pub(crate) fn parse_url(text: &str, base: Option<&Url>) -> Result<Url, UrlError> {
    let parsed = match base {
        Some(base) => base.join(text),
        None => Url::parse(text),
    };
    let url = parsed.map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => UrlError::Relative,
        other => UrlError::Malformed(other),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme);
    }
    let anonymous = url.username().is_empty() && url.password().is_none();
    if anonymous { Ok(url) } else { Err(UrlError::UserInfo) }
}

/// Returns the part of a URL's fixed beginning that names its origin; `None` if the rendered rest could still change
/// it.
fn origin_of(prefix: &str, has_base: bool) -> Option<&str> {
    match prefix.split_once("://") {
        Some((scheme, rest)) => rest.find(['/', '?']).map(|end| &prefix[..scheme.len() + 3 + end]),
        None => (has_base && prefix.starts_with('/') && !prefix.starts_with("//")).then_some("/"),
    }
}

/// Returns a URL with the origin of a template's fixed beginning; `None` if the rendered rest could change it.
fn known_url(prefix: &str, base: Option<&Url>) -> Option<Url> {
    parse_url(origin_of(prefix, base.is_some())?, base).ok()
}

fn resolve(url: &Url, grants: &Rc<Grants>) -> Result<RequestTarget, UrlError> {
    let origin = Origin::granted(url, grants).map_err(|none| match none {
        OriginError::Malformed => UrlError::Host,
        OriginError::Denied => UrlError::Denied,
    })?;
    let path = net::target(url).ok_or(UrlError::Length)?;
    Ok(RequestTarget { origin, path })
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
        decode: false,
        channel: None,
    }
}

/// Sets the version, and how the reply's content is kept and decoded.
fn apply_options(request: &mut Request, options: &RequestOptions, session: &Session) {
    request.version = match options.version {
        GuestVersion::Negotiate => Version::Negotiate,
        GuestVersion::Http1 => Version::Http1,
        GuestVersion::Http2 => Version::Http2,
    };
    let task = &session.task;
    request.keep_body = (options.keep_body || task.keeps_body()).then(|| Rc::clone(&task.allowance));
    request.decode = options.compression;
}

fn checked_value(name: &HeaderName, text: &str) -> Result<HeaderValue, Failure> {
    header_value(name, text).map_err(|message| Failure { kind: FailureKind::Network, detail: message.into() })
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
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    format!("plugin `{plugin}` is not granted `{host}:{port}`; add that to the list `allow` of the plugin")
}

fn unsendable(session: &Session, message: &str) -> Failure {
    Failure { kind: FailureKind::Network, detail: session.redact(message).into() }
}

/// Returns the failure for a request over a limit of the host, which is the plugin's error.
pub(crate) fn over_limit(message: String) -> Failure {
    Failure { kind: FailureKind::Plugin, detail: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_known_only_when_nothing_rendered_can_change_it() {
        for (case, prefix, has_base, expected) in [
            ("host and a path", "https://site/catalog?page=", false, Some("https://site")),
            ("the host is still open", "https://site", false, None),
            ("the port is still open", "https://site:", false, None),
            ("a path under a base", "/catalog/", true, Some("/")),
            ("a path without a base", "/catalog/", false, None),
            ("another host without a scheme", "//cdn/", true, None),
            ("all of it rendered", "", true, None),
        ] {
            assert_eq!(origin_of(prefix, has_base), expected, "{case}");
        }
    }

    #[test]
    fn urls_are_absolute_or_resolved_against_the_base() {
        let base = Url::parse("http://site:8080/app/").unwrap();
        assert_eq!(parse_url("x?y=a b", Some(&base)).unwrap().as_str(), "http://site:8080/app/x?y=a%20b");
        assert_eq!(parse_url("https://other/", Some(&base)).unwrap().as_str(), "https://other/");
        for (text, error) in [
            ("/x", UrlError::Relative),
            ("ftp://site/", UrlError::Scheme),
            ("http://me:s3cret@site/", UrlError::UserInfo),
            ("http://me@site/", UrlError::UserInfo),
            ("http://:s3cret@site/", UrlError::UserInfo),
        ] {
            assert_eq!(parse_url(text, None), Err(error), "{text}");
        }
        assert_eq!(parse_url("//me@site/", Some(&base)), Err(UrlError::UserInfo));
    }

    #[test]
    fn messages_repeat_no_secret() {
        assert_eq!(UrlError::Relative.describe_quoting("/x"), "`/x` is relative, and there is no `base_url`");
        for error in [UrlError::UserInfo, UrlError::Malformed(url::ParseError::InvalidPort)] {
            assert!(!error.describe_quoting("http://me:s3cret@site:x/").contains("s3cret"));
        }
        let detail = bad_rendered_url(parse_url("token s3cret", None).unwrap_err()).detail;
        assert_eq!(&*detail, "the rendered URL is relative, and there is no `base_url`");
    }
}
