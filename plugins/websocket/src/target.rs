//! The URL of a connection, and the fields of its handshake.

use stampede_plugin::http::{DynamicRequest, Request};
use stampede_plugin::{ConfigError, Failure, Fields, Task, Template};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Request as Handshake;
use tungstenite::http::header::HOST;
use tungstenite::http::{HeaderName, HeaderValue, Uri};

/// Fields that belong to the handshake itself.
const OWN: [&str; 4] = ["host", "connection", "upgrade", "content-length"];

/// The default of the largest message to accept, in bytes.
pub(crate) fn most() -> usize {
    1 << 20
}

/// The parameters of a connection.
pub(crate) struct Target {
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    /// The handshake's field for sub-protocols, if any are offered.
    protocols: Option<HeaderValue>,
    /// The largest message to accept, in bytes.
    pub most: usize,
}

impl Target {
    /// Checks the parameters, except for parts that are rendered later.
    pub(crate) fn new(url: &str, headers: &Fields, protocols: &[String], most: usize) -> Result<Self, ConfigError> {
        if most == 0 {
            return Err(ConfigError::new("`most` must be at least 1").at("/most"));
        }
        Ok(Self {
            url: check_url(url).map_err(|error| error.at("/url"))?,
            headers: headers.iter().map(|(name, value)| header(name, value)).collect::<Result<_, _>>()?,
            protocols: offer(protocols)?,
            most,
        })
    }

    /// Renders the handshake of the task's user: for the library, and for the host, which adds the user's own fields
    /// and cookies.
    pub(crate) fn render(&self, task: &Task) -> Result<(Handshake, DynamicRequest), Failure> {
        let url = self.url.render(task);
        let mut handshake = url.as_str().into_client_request().map_err(|_| not_a_url())?;
        let url = over_http(handshake.uri()).ok_or_else(not_a_url)?;
        let fields = handshake.headers_mut();
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(&value.render(task));
            let value = value.map_err(|_| Failure::check(format!("HTTP does not allow the value of `{name}`")))?;
            fields.append(name.clone(), value);
        }
        if let Some(protocols) = &self.protocols {
            fields.insert("sec-websocket-protocol", protocols.clone());
        }
        let fields = handshake.headers().iter().filter(|(name, _)| *name != HOST);
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = fields.map(|(name, value)| (name.to_string(), text(value))).collect();
        Ok((handshake, DynamicRequest { headers, ..DynamicRequest::get(url) }))
    }
}

/// Creates the failure of a URL that is invalid once rendered. The text may be secret, so the message does not repeat
/// it.
fn not_a_url() -> Failure {
    Failure::check("`url` did not render to a `ws://` or `wss://` URL")
}

/// Compiles a URL. A built-in plugin may connect to the hosts of its requests. A handshake goes over HTTP, so a request
/// to that URL is prepared and never sent: the host checks the URL and grants its host.
fn check_url(url: &str) -> Result<Template, ConfigError> {
    let template = Template::compile(url)?;
    if url.starts_with("{{") {
        return Ok(template);
    }
    let wrong = |why: &str| ConfigError::new(format!("`{url}` is not a WebSocket URL{why}"));
    let rest = url.strip_prefix("ws").filter(|rest| rest.starts_with("://") || rest.starts_with("s://"));
    let Some(rest) = rest else { return Err(wrong("").help("begin it with `ws://` or `wss://`")) };
    let authority = rest.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if authority.contains('@') {
        let wrong = ConfigError::new("the URL has a user name or password in it, which would not be sent");
        return Err(wrong.help("use the header `authorization`"));
    }
    Request::get(Template::compile(&format!("http{rest}"))?).prepare().map_err(|error| {
        // Keeps the reason, without the HTTP URL that the message begins with.
        wrong(error.message.rsplit_once("is not a URL").map_or("", |(_, why)| why))
    })?;
    if !url.contains("{{") && url.parse().ok().as_ref().and_then(over_http).is_none() {
        return Err(wrong("").help("write it as `ws://host:port/path?query`, percent-encoded"));
    }
    Ok(template)
}

/// Converts a WebSocket URL to that of its handshake, which goes over HTTP (RFC 6455, section 4.1).
fn over_http(url: &Uri) -> Option<String> {
    let scheme = match url.scheme_str()? {
        "wss" => "https",
        "ws" => "http",
        _ => return None,
    };
    let authority = url.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    Some(format!("{scheme}://{authority}{target}"))
}

/// Checks a header field of the handshake.
fn header(name: &str, value: &Template) -> Result<(HeaderName, Template), ConfigError> {
    let wrong = |message: String| ConfigError::new(message).at("/headers");
    let known = HeaderName::try_from(name).map_err(|_| wrong(format!("`{name}` is not the name of a header field")))?;
    if known == "sec-websocket-protocol" {
        return Err(wrong(format!("`{name}` is set by `protocols`")));
    }
    if OWN.contains(&known.as_str()) || known.as_str().starts_with("sec-websocket-") {
        return Err(wrong(format!("`{name}` belongs to the handshake")));
    }
    Ok((known, *value))
}

/// Returns the field that offers sub-protocols, in order of preference.
fn offer(protocols: &[String]) -> Result<Option<HeaderValue>, ConfigError> {
    if protocols.is_empty() {
        return Ok(None);
    }
    // A sub-protocol is a token, as a field's name is.
    match protocols.iter().find(|protocol| HeaderName::try_from(protocol.as_str()).is_err()) {
        Some(wrong) => Err(ConfigError::new(format!("`{wrong}` is not the name of a sub-protocol")).at("/protocols")),
        None => Ok(HeaderValue::from_str(&protocols.join(", ")).ok()),
    }
}
