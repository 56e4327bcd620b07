//! A request before it is rendered, for `check`: the URL as far as it is known, and an error in its JSON.

use serde::de::IgnoredAny;
use url::Url;

use super::request_url::parse_url;
use crate::data::DataSets;
use crate::template::Template;

/// Stands for a part of a URL that is rendered. Every part of a URL may have these letters.
pub(super) const RENDERED: &str = "stampederendered";

/// A description of a request that was not rendered yet.
#[derive(Debug, Default)]
pub struct RequestPreview {
    /// The method.
    pub method: String,
    /// The URL, resolved, with `…` for what is rendered; `None` if its beginning is rendered.
    pub url: Option<String>,
    /// The path of the base URL, if the request goes to another one although its URL is relative.
    pub dropped_path: Option<String>,
    /// The reason why the body is not JSON when it is rendered with the first row of its data sets.
    pub json_error: Option<String>,
}

/// Returns the URL of a request as text.
pub(crate) fn url<'q>(
    address: &Template,
    query: impl Iterator<Item = (&'q str, &'q Template)>,
    base: Option<&Url>,
) -> Option<String> {
    if address.prefix().is_empty() && address.constant().is_none() {
        return None;
    }
    let mut url = parse_url(&address.outline(RENDERED), base).ok()?;
    let query: Vec<_> = query.collect();
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query.iter().map(|(name, value)| (name, value.outline(RENDERED))));
    }
    Some(url.as_str().replace(RENDERED, "…"))
}

/// Returns the path of the base URL, if a relative URL leads to another: one that begins with `/` replaces it, and one
/// that does not replaces its last segment.
pub(crate) fn dropped_path(address: &Template, base: Option<&Url>) -> Option<String> {
    let (base, text) = (base?, address.outline(RENDERED));
    let is_relative = Url::parse(&text) == Err(url::ParseError::RelativeUrlWithoutBase) && !text.starts_with("//");
    if !is_relative || (address.prefix().is_empty() && address.constant().is_none()) {
        return None;
    }
    let resolved = parse_url(&text, Some(base)).ok()?;
    (!resolved.path().starts_with(base.path())).then(|| base.path().to_owned())
}

/// Returns the reason why a text is not JSON when it is rendered with the first row of its data sets. With variables it
/// is unknown.
pub(crate) fn json_error(document: &Template, data: &DataSets) -> Option<String> {
    let text = document.sample(data)?;
    let error = serde_json::from_str::<IgnoredAny>(&text).err()?;
    let reason = error.to_string().replace("EOF while parsing", "it ends within");
    Some(reason.split(" at line ").next().unwrap_or_default().to_owned())
}
