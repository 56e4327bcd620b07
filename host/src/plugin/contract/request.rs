//! Requests whose shape is known before the run. Whatever does not change from one request to the next is parsed and
//! checked once, when the step is configured; what does is rendered for the user who sends it.

use std::rc::Rc;

use base64::Engine as _;
use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::uri::PathAndQuery;
use url::Url;

use super::bindings::http::{DynamicRequest, RequestOptions, Version as GuestVersion};
use super::header_fields::{check_field_count, header_fields, header_value};
use crate::http::{Field, Fields, Request};
use crate::metrics::sample::FailureKind;
use crate::net::{self, Failure, Grants, Origin, OriginError, Version, not_granted};
use crate::plugin::instance::limits;
use crate::plugin::instance::worker_plugin::WorkerPlugin;
use crate::template::Template;
use crate::user::Session;

/// Most redirects one exchange follows, whatever was asked for.
pub const MAX_REDIRECTS: u8 = 20;

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
    Fixed(Rc<Origin>, PathAndQuery),
    Rendered(Template),
}

/// The content of a request.
pub enum PreparedBody {
    /// The same bytes each time.
    Fixed(Bytes),
    /// Rendered for each request.
    Rendered(Template),
    /// A form of rendered values.
    Form(Vec<(String, Template)>),
}

/// The credentials of a request.
pub enum PreparedCredentials {
    /// User and password.
    Basic(Template, Template),
    /// A token.
    Bearer(Template),
}

impl PreparedRequest {
    /// How many redirects are followed.
    pub fn max_redirects(&self) -> u8 {
        self.options.max_redirects.min(MAX_REDIRECTS)
    }

    /// The request as this user sends it now.
    ///
    /// # Errors
    /// What was rendered is no URL or no header value.
    pub fn build(&self, session: &Session, family: &WorkerPlugin) -> Result<Request, Failure> {
        let mut text = String::new();
        let (origin, target) = match &self.url {
            PreparedUrl::Fixed(origin, uri) => (Rc::clone(origin), uri.clone()),
            PreparedUrl::Rendered(template) => {
                session.render(template, &mut text);
                self.with_query(&text, session, family)?
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
        Ok(assemble(self.method.clone(), (origin, target), headers, body, (&self.options, session)))
    }

    /// Where the request goes, as far as that is known before it is rendered: scheme, host and port.
    pub fn known_origin(&self, base: Option<&Url>) -> Option<Rc<Origin>> {
        let url = match &self.url {
            PreparedUrl::Fixed(origin, _) => return Some(Rc::clone(origin)),
            PreparedUrl::Rendered(template) => known_url(template.prefix(), base)?,
        };
        Origin::of(&url)
    }

    fn with_query(
        &self,
        url: &str,
        session: &Session,
        family: &WorkerPlugin,
    ) -> Result<(Rc<Origin>, PathAndQuery), Failure> {
        let mut url = parse_url(url, family.scripting.base_url.as_ref()).map_err(bad_rendered_url)?;
        if !self.query.is_empty() {
            let mut text = String::new();
            let mut pairs = url.query_pairs_mut();
            for (name, template) in &self.query {
                text.clear();
                session.render(template, &mut text);
                pairs.append_pair(name, &text);
            }
        }
        resolve(&url, &family.grants).map_err(|fault| match fault {
            UrlError::Denied => denied(&url),
            other => bad_rendered_url(other),
        })
    }
}

/// The parts of a request that can be wrong, templates looked up.
pub struct RequestParts {
    /// The method.
    pub method: String,
    /// The URL without the query.
    pub url: Template,
    /// What is added to the query.
    pub query: Vec<(String, Template)>,
    /// Header fields.
    pub headers: Vec<(String, Template)>,
    /// Who asks.
    pub credentials: Option<PreparedCredentials>,
    /// The media type of the content.
    pub content_type: Option<&'static str>,
}

impl RequestParts {
    /// Checks the parts. The error is for the user.
    pub fn check(
        self,
        body: PreparedBody,
        options: RequestOptions,
        family: &WorkerPlugin,
    ) -> Result<PreparedRequest, String> {
        let method = Method::from_bytes(self.method.as_bytes())
            .ok()
            .filter(|_| !self.method.bytes().any(|byte| byte.is_ascii_lowercase()))
            .ok_or_else(|| format!("`{}` is not a method; methods are upper case, such as `GET`", self.method))?;
        let url = match self.url.constant() {
            Some(text) => {
                let url = parse_url(text, family.scripting.base_url.as_ref())
                    .map_err(|fault| fault.describe_quoting(text))?;
                let (origin, uri) = resolve(&url, &family.grants).map_err(|fault| match fault {
                    UrlError::Denied => denied_to_plugin(&family.policy.name, &url),
                    other => other.describe_quoting(text),
                })?;
                if self.query.is_empty() { PreparedUrl::Fixed(origin, uri) } else { PreparedUrl::Rendered(self.url) }
            }
            None => {
                let prefix = self.url.prefix();
                if let Some(url) = known_url(prefix, family.scripting.base_url.as_ref())
                    && resolve(&url, &family.grants) == Err(UrlError::Denied)
                {
                    return Err(denied_to_plugin(&family.policy.name, &url));
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
    /// The content that a template makes.
    pub fn text(template: Template) -> Self {
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

/// A request that the guest decided at run time.
///
/// # Errors
/// The method, URL or a header is none, or there is too much of it.
pub fn build_dynamic(wanted: DynamicRequest, session: &Session, family: &WorkerPlugin) -> Result<Request, Failure> {
    let because = |message: String| unsendable(session, &message);
    let method = Method::from_bytes(wanted.method.as_bytes()).map_err(|_| because("that is no method".into()))?;
    let url = parse_url(&wanted.url, family.scripting.base_url.as_ref());
    let url = url.map_err(|fault| because(fault.describe("the URL")))?;
    let target = resolve(&url, &family.grants).map_err(|fault| match fault {
        UrlError::Denied => denied(&url),
        other => because(other.describe("the URL")),
    })?;
    check_field_count(wanted.headers.len()).map_err(over_limit)?;
    if wanted.body.len() > limits::DYNAMIC_BODY {
        return Err(over_limit(format!("the body is longer than {} bytes", limits::DYNAMIC_BODY)));
    }
    let fields = header_fields(&wanted.headers).map_err(because)?;
    let headers = Fields::new(fields.into(), session.headers());
    Ok(assemble(method, target, headers, wanted.body.into(), (&wanted.options, session)))
}

/// Why a text is no URL that a request can go to. It does not repeat the text, which may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// Relative, and there is nothing to resolve it against.
    Relative,
    /// Not in the syntax of URLs.
    Malformed(url::ParseError),
    /// Neither http nor https.
    Scheme,
    /// With a user name or a password.
    UserInfo,
    /// Without a host that can be asked.
    Host,
    /// To a host that is not granted.
    Denied,
    /// Too long for a request.
    Length,
}

impl UrlError {
    /// A message for the user that shows a text from the script. One with user information in it is not shown.
    fn describe_quoting(self, text: &str) -> String {
        if text.contains('@') { self.describe("the URL") } else { self.describe(&format!("`{text}`")) }
    }

    /// A message for the user; `url` stands for the text.
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
/// Why it is none.
pub fn parse_url(text: &str, base: Option<&Url>) -> Result<Url, UrlError> {
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

/// The part of a URL's fixed beginning that names its origin; `None` if what follows could still change it.
fn origin_of(prefix: &str, has_base: bool) -> Option<&str> {
    match prefix.split_once("://") {
        Some((scheme, rest)) => rest.find(['/', '?']).map(|end| &prefix[..scheme.len() + 3 + end]),
        None => (has_base && prefix.starts_with('/') && !prefix.starts_with("//")).then_some("/"),
    }
}

/// A URL with the fixed beginning of a template, which tells its origin; `None` if what is rendered could change it.
fn known_url(prefix: &str, base: Option<&Url>) -> Option<Url> {
    parse_url(origin_of(prefix, base.is_some())?, base).ok()
}

fn resolve(url: &Url, grants: &Rc<Grants>) -> Result<(Rc<Origin>, PathAndQuery), UrlError> {
    let origin = Origin::granted(url, grants).map_err(|none| match none {
        OriginError::Malformed => UrlError::Host,
        OriginError::Denied => UrlError::Denied,
    })?;
    let target = net::target(url).ok_or(UrlError::Length)?;
    Ok((origin, target))
}

fn assemble(
    method: Method,
    to: (Rc<Origin>, PathAndQuery),
    headers: Fields,
    body: Bytes,
    (options, session): (&RequestOptions, &Session),
) -> Request {
    let version = match options.version {
        GuestVersion::Negotiate => Version::Negotiate,
        GuestVersion::Http1 => Version::Http1,
        GuestVersion::Http2 => Version::Http2,
    };
    let (origin, target) = to;
    Request {
        method,
        origin,
        target,
        headers,
        body,
        version,
        keep_body: (options.keep_body || session.task.keep_body.get()).then(|| Rc::clone(&session.task.allowance)),
        decode: options.compression,
        flow: None,
    }
}

fn checked_value(name: &HeaderName, text: &str) -> Result<HeaderValue, Failure> {
    header_value(name, text).map_err(|message| Failure { kind: FailureKind::Network, detail: message.into() })
}

/// Why a rendered URL is none, without its text: it may hold the values of variables.
fn bad_rendered_url(fault: UrlError) -> Failure {
    Failure { kind: FailureKind::Network, detail: fault.describe("the rendered URL").into() }
}

/// A request to a host that the script does not grant the plugin.
fn denied(url: &Url) -> Failure {
    Failure { kind: FailureKind::Network, detail: format!("a request to {}", not_granted(url)).into() }
}

/// The same before the run, for the one who writes the script.
fn denied_to_plugin(plugin: &str, url: &Url) -> String {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    format!("plugin `{plugin}` is not granted `{host}:{port}`; add that to the list `allow` of the plugin")
}

fn unsendable(session: &Session, message: &str) -> Failure {
    Failure { kind: FailureKind::Network, detail: session.redact(message).into() }
}

/// What is wrong with a request that goes over a limit of the host: no target refused it, the guest asked for too much.
pub fn over_limit(message: String) -> Failure {
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
        for (text, fault) in [
            ("/x", UrlError::Relative),
            ("ftp://site/", UrlError::Scheme),
            ("http://me:s3cret@site/", UrlError::UserInfo),
            ("http://me@site/", UrlError::UserInfo),
            ("http://:s3cret@site/", UrlError::UserInfo),
        ] {
            assert_eq!(parse_url(text, None), Err(fault), "{text}");
        }
        assert_eq!(parse_url("//me@site/", Some(&base)), Err(UrlError::UserInfo));
    }

    #[test]
    fn messages_repeat_no_secret() {
        assert_eq!(UrlError::Relative.describe_quoting("/x"), "`/x` is relative, and there is no `base_url`");
        for fault in [UrlError::UserInfo, UrlError::Malformed(url::ParseError::InvalidPort)] {
            assert!(!fault.describe_quoting("http://me:s3cret@site:x/").contains("s3cret"));
        }
        let detail = bad_rendered_url(parse_url("token s3cret", None).unwrap_err()).detail;
        assert_eq!(&*detail, "the rendered URL is relative, and there is no `base_url`");
    }
}
