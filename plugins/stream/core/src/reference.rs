//! Resolution of references (RFC 3986, section 5.2) against the URL that a manifest came from. The `url` crate is half
//! a megabyte in a component, and the host normalizes an absolute URL anyway, so this is all that a viewer needs.
//!
//! One deviation is intended: `a_14:49.ts` is a path, although the RFC reads a scheme, since packagers write times in
//! the names of segments. Only `http://` and `https://` begin an absolute URL.

/// The components of an absolute URL.
struct Components<'a> {
    /// The scheme with its colon.
    scheme: &'a str,
    /// The authority with its two slashes, or nothing.
    authority: &'a str,
    path: &'a str,
    /// The query with its question mark, or nothing.
    query: &'a str,
}

/// Resolves a reference against an absolute URL. Fragments are dropped: a request never has one.
///
/// ```
/// assert_eq!(viewer_core::resolve("https://a/b/c.m3u8?t=1", "../d/14:49.ts"), "https://a/d/14:49.ts");
/// ```
#[must_use]
pub fn resolve(base: &str, reference: &str) -> String {
    let reference = without_fragment(reference.trim());
    if is_absolute(reference) {
        let Components { scheme, authority, path, query } = components(reference);
        return [scheme, authority, &without_dots(path), query].concat();
    }
    let Components { scheme, authority, path, query } = components(without_fragment(base));
    if let Some(rest) = reference.strip_prefix("//") {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (target, query) = split_query(&rest[end..]);
        return [scheme, "//", &rest[..end], &without_dots(target), query].concat();
    }
    let (target, own_query) = split_query(reference);
    // A base is normal already if it is the URL of a reply, but one in a manifest may not be.
    let path = without_dots(path);
    if target.is_empty() {
        let query = if own_query.is_empty() { query } else { own_query };
        return [scheme, authority, &path, query].concat();
    }
    let merged = if target.starts_with('/') {
        without_dots(target)
    } else {
        let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
        without_dots(&[folder, target].concat())
    };
    [scheme, authority, &merged, own_query].concat()
}

/// Returns `true` if a reference is an absolute URL of the Web.
#[must_use]
pub fn is_absolute(reference: &str) -> bool {
    let begins = |scheme: &str| reference.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
    begins("http://") || begins("https://")
}

/// Returns the query of a URL without its question mark; `None` if it has none.
#[must_use]
pub fn query(url: &str) -> Option<&str> {
    without_fragment(url).split_once('?').map(|(_, query)| query)
}

/// Appends parameters, such as `_HLS_msn=5`, to the query of a URL without a fragment.
#[must_use]
pub fn with_query(url: &str, parameters: &str) -> String {
    let separator = match url.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    [url, separator, parameters].concat()
}

fn without_fragment(text: &str) -> &str {
    text.split('#').next().unwrap_or_default()
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_at(text.find('?').unwrap_or(text.len()))
}

fn components(url: &str) -> Components<'_> {
    let (scheme, rest) = url.split_at(url.find(':').map_or(0, |colon| colon + 1));
    let end = rest.strip_prefix("//").map_or(0, |after| 2 + after.find(['/', '?']).unwrap_or(after.len()));
    let (authority, rest) = rest.split_at(end);
    let (path, query) = split_query(rest);
    Components { scheme, authority, path, query }
}

/// Removes the segments `.` and `..` of a path; an empty path is `/`.
fn without_dots(path: &str) -> String {
    let mut output = String::with_capacity(path.len() + 1);
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    output.truncate(output.rfind('/').unwrap_or(0));
                }
                if is_last {
                    output.push('/');
                }
            }
            _ => {
                output.push('/');
                output.push_str(segment);
            }
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn references_are_resolved() {
        let base = "https://site:8443/a/b/master.m3u8?token=x/y#f";
        for (case, reference, resolved) in [
            ("a name", "c.ts", "https://site:8443/a/b/c.ts"),
            ("the query is not inherited", "c/d.ts?e", "https://site:8443/a/b/c/d.ts?e"),
            ("only a query", "?e=1", "https://site:8443/a/b/master.m3u8?e=1"),
            ("nothing", "", "https://site:8443/a/b/master.m3u8?token=x/y"),
            ("a fragment", "#g", "https://site:8443/a/b/master.m3u8?token=x/y"),
            ("up", "../c.ts", "https://site:8443/a/c.ts"),
            ("above the root", "../../../c.ts", "https://site:8443/c.ts"),
            ("up at the end", "..", "https://site:8443/a/"),
            ("here", "./", "https://site:8443/a/b/"),
            ("a root", "/c", "https://site:8443/c"),
            ("another host", "//cdn/c?d", "https://cdn/c?d"),
            ("another host alone", "//cdn", "https://cdn/"),
            ("absolute", "HTTP://cdn/c/../d", "HTTP://cdn/d"),
            ("absolute, without a path", "http://cdn?a", "http://cdn/?a"),
            ("a colon in a name", "a_14:49.ts", "https://site:8443/a/b/a_14:49.ts"),
            ("a colon behind letters", "chunk:1.ts", "https://site:8443/a/b/chunk:1.ts"),
            ("a URL in a query", "c?u=http://x/../y", "https://site:8443/a/b/c?u=http://x/../y"),
            ("spaces around", " c.ts ", "https://site:8443/a/b/c.ts"),
            ("empty segments", "c//d", "https://site:8443/a/b/c//d"),
        ] {
            assert_eq!(resolve(base, reference), resolved, "{case}");
        }
        assert_eq!(resolve("http://site", "a"), "http://site/a");
        assert_eq!(resolve("http://site?b", "a"), "http://site/a");
    }

    #[test]
    fn parameters_are_appended() {
        for (url, appended) in [("http://a", "http://a?p"), ("http://a?", "http://a?p"), ("http://a?b", "http://a?b&p")]
        {
            assert_eq!(with_query(url, "p"), appended);
        }
        assert_eq!(query("http://a?b?c#d"), Some("b?c"));
        assert_eq!(query("http://a#d?"), None);
    }

    proptest! {
        #[test]
        fn ordinary_references_are_resolved_as_browsers_do(
            base in "https?://[a-z]{1,5}(:8[0-9]{3})?(/([a-z0-9.]{0,3}))*(\\?[a-z=/]{0,5})?(#[a-z]{0,3})?",
            start in "(//[a-z]{1,5}/|/)?",
            path in "([a-z0-9._~-]{1,4}(/(\\.|\\.\\.|[a-z0-9._~-]{0,4}))*)?",
            end in "(\\?[a-z0-9=&/:]{0,8})?(#[a-z]{0,3})?",
        ) {
            let reference = [start, path, end].concat();
            let mut expected = url::Url::parse(&base).unwrap().join(&reference).unwrap();
            expected.set_fragment(None);
            prop_assert_eq!(resolve(&base, &reference), expected.as_str());
        }

        #[test]
        fn anything_is_resolved(base in ".*", reference in ".*") {
            let resolved = resolve(&base, &reference);
            prop_assert!(resolved.len() <= base.len() + reference.len() + 3);
        }
    }
}
