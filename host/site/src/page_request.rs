//! A request as the pages see it: received in full, without the connection. So each page can be tested without a
//! socket.

use std::borrow::Cow;
use std::str::FromStr;

use bytes::Bytes;
use hyper::header::COOKIE;
use hyper::http::request::Parts;
use url::form_urlencoded;

use super::route::Route;
use super::shared::SiteState;

/// One received request.
pub(crate) struct PageRequest<'a> {
    /// State that all connections share.
    pub shared: &'a std::sync::Arc<SiteState>,
    /// Method, URI, version and fields.
    pub parts: &'a Parts,
    /// Its route.
    pub route: Route,
    /// The body, if the route keeps it.
    pub body: Bytes,
}

impl PageRequest<'_> {
    /// Returns the part of the path that follows the fixed part of the route.
    pub(crate) fn path_rest(&self) -> &str {
        self.route.variable_part(self.parts.uri.path())
    }

    /// Returns the raw query; empty if there is none.
    pub(crate) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// Iterates over all decoded names and values of the query.
    pub(crate) fn query_pairs(&self) -> form_urlencoded::Parse<'_> {
        form_urlencoded::parse(self.query().as_bytes())
    }

    /// Returns the first decoded value of that name in the query.
    pub(crate) fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        self.query_pairs().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Returns a number from the query; `default` if the name is absent.
    ///
    /// # Errors
    /// The message for the client.
    pub(crate) fn query_number<T: FromStr>(&self, name: &str, default: T) -> Result<T, String> {
        let parse = |text: Cow<str>| text.parse().map_err(|_| format!("`{name}` is not a number of the right size"));
        self.query_value(name).map_or(Ok(default), parse)
    }

    /// Returns the first value of a field, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Iterates over names and values of all cookies.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.parts.headers.get_all(COOKIE).iter().filter_map(|field| field.to_str().ok());
        fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='))
    }
}
