//! Finds the secrets that a script has typed out, so that an excerpt does not show them: the values of header fields
//! and credentials, passwords in URLs, and what follows a name such as `password`.
//!
//! The text may not be YAML at all, which is why it has an excerpt. So this reads it line by line, by indentation and
//! brackets, and prefers to hide too much. Templates stay visible: `{{env TOKEN}}` is a name, not a value.

use std::ops::Range;

use super::secret_names::is_secret_name;
use super::suggest::suggest;
use crate::text::without_scheme;

/// Keys whose whole value is secret, keys of mappings in it excepted.
const CONTAINERS: [&str; 6] = ["headers", "set_headers", "auth", "basic", "bearer", "login_hdr"];

/// Header fields whose values are never secret.
const HARMLESS: [&str; 16] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "origin",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The secrecy of the value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secrecy {
    /// Not at all.
    Open,
    /// It is if it is a text.
    Text,
    /// All texts in it are.
    All,
}

impl Secrecy {
    /// Returns the secrecy of a key's value within a value of this secrecy.
    fn of_key(self, key: &str) -> Self {
        let name = key.to_ascii_lowercase();
        if self == Self::All {
            return if HARMLESS.contains(&name.as_str()) { Self::Open } else { Self::All };
        }
        // A capture's `header` is a name, and the `secret` of a data set says which columns are.
        if ["header", "secret"].contains(&name.as_str()) {
            return Self::Open;
        }
        let is_misspelt = !name.contains(' ') && suggest(&name, ["headers", "set_headers"]).is_some();
        if CONTAINERS.contains(&name.as_str()) || is_misspelt {
            return Self::All;
        }
        if is_secret_name(key) { Self::Text } else { Self::Open }
    }

    /// Returns the secrecy of the parts of a list or a mapping of this secrecy.
    fn of_parts(self) -> Self {
        if self == Self::All { Self::All } else { Self::Open }
    }
}

/// Returns the ranges of a text that are secrets, in order. They do not overlap.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut finder = SecretFinder { text, blocks: Vec::new(), brackets: Vec::new(), found: Vec::new() };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        finder.line(start, line.trim_end_matches(['\n', '\r']));
        start += line.len();
    }
    finder.found.extend(passwords_in_urls(text));
    finder.found.extend(secret_queries(text));
    merged(finder.found)
}

/// Returns a text with `***` for its secrets.
pub fn hide_literal_secrets(text: &str) -> String {
    let (mut shown, mut done) = (String::with_capacity(text.len()), 0);
    for secret in find(text) {
        shown.push_str(&text[done..secret.start]);
        shown.push_str("***");
        done = secret.end;
    }
    shown + &text[done..]
}

struct SecretFinder<'t> {
    text: &'t str,
    /// The keys around a line, each with its indentation and the secrecy of its value.
    blocks: Vec<(usize, Secrecy)>,
    /// The secrecy of the parts of each open bracket.
    brackets: Vec<Secrecy>,
    found: Vec<Range<usize>>,
}

impl SecretFinder<'_> {
    fn line(&mut self, start: usize, line: &str) {
        let content = line.trim_start_matches([' ', '\t']);
        if content.is_empty() {
            return;
        }
        if !self.brackets.is_empty() {
            self.values(start, start + line.len(), Secrecy::Open);
            return;
        }
        let dashes = content.len() - without_dashes(content).len();
        let indent = line.len() - content.len() + dashes;
        self.blocks.retain(|(of_key, _)| *of_key < indent);
        let around = self.blocks.last().map_or(Secrecy::Open, |(_, secrecy)| *secrecy);
        let (begin, end) = (start + indent, start + line.len());
        match key(&self.text[begin..end]).filter(|_| around != Secrecy::Text) {
            Some((key, value)) => {
                let secrecy = around.of_parts().of_key(key);
                self.blocks.push((indent, secrecy));
                self.values(begin + value, end, secrecy);
            }
            None => self.values(begin, end, around),
        }
    }

    /// Reads the values of a part of a line; the first one has this secrecy, unless it is in brackets already.
    fn values(&mut self, mut at: usize, end: usize, first: Secrecy) {
        let mut secrecy = self.brackets.last().copied().unwrap_or(first);
        while at < end {
            let rest = &self.text[at..end];
            match rest.as_bytes()[0] {
                b' ' | b'\t' => at += 1,
                b'#' => return,
                b'{' | b'[' if !rest.starts_with("{{") => {
                    self.brackets.push(secrecy.of_parts());
                    secrecy = secrecy.of_parts();
                    at += 1;
                }
                b'}' | b']' if !self.brackets.is_empty() => {
                    self.brackets.pop();
                    secrecy = self.brackets.last().copied().unwrap_or(Secrecy::Open);
                    at += 1;
                }
                b',' if !self.brackets.is_empty() => {
                    secrecy = self.brackets.last().copied().unwrap_or(Secrecy::Open);
                    at += 1;
                }
                _ => {
                    let scalar = Scalar::of(rest, !self.brackets.is_empty());
                    let text = at + scalar.text.start..at + scalar.text.end;
                    at += scalar.length;
                    if scalar.is_key {
                        let around = self.brackets.last().copied().unwrap_or(Secrecy::Open);
                        secrecy = around.of_key(&self.text[text]);
                    } else if secrecy != Secrecy::Open {
                        self.found.extend(literals(self.text, text));
                    } else {
                        self.inner(text);
                    }
                }
            }
        }
    }
}

impl SecretFinder<'_> {
    /// Searches a text for what is secret in it: it may be JSON, or a form.
    fn inner(&mut self, text: Range<usize>) {
        let value = &self.text[text.clone()];
        if value.starts_with(['{', '[']) && !value.starts_with("{{") {
            let mut inner =
                SecretFinder { text: self.text, blocks: Vec::new(), brackets: Vec::new(), found: Vec::new() };
            inner.values(text.start, text.end, Secrecy::Open);
            self.found.extend(inner.found);
        } else if value.split('&').next().is_some_and(|first| first.contains('=') && !first.contains(' ')) {
            self.found.extend(secret_parameter(self.text, text.start));
        }
    }
}

/// A text at the beginning of another.
struct Scalar {
    /// The range of the text without its quotes.
    text: Range<usize>,
    /// The length of all of it, with a colon behind it.
    length: usize,
    /// `true` if it is a key in brackets.
    is_key: bool,
}

impl Scalar {
    fn of(rest: &str, in_brackets: bool) -> Self {
        let bytes = rest.as_bytes();
        let (text, end) = match bytes[0] {
            quote @ (b'"' | b'\'') => {
                let mut end = 1;
                while end < bytes.len() && bytes[end] != quote {
                    end += if bytes[end] == b'\\' && quote == b'"' { 2 } else { 1 };
                }
                let end = rest.ceil_char_boundary(end.min(bytes.len()));
                (1..end, (end + 1).min(bytes.len()))
            }
            _ => {
                let end = plain_end(rest, in_brackets);
                (0..rest[..end].trim_end().len(), end)
            }
        };
        let spaces = rest[end..].len() - rest[end..].trim_start().len();
        let is_key = in_brackets && rest[end + spaces..].starts_with(':');
        Self { text, length: if is_key { end + spaces + 1 } else { end.max(1) }, is_key }
    }
}

/// Returns where a text without quotes ends: at a comment or, in brackets, at punctuation.
fn plain_end(rest: &str, in_brackets: bool) -> usize {
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("{{") {
            at += here.find("}}").map_or(here.len(), |end| end + 2);
            continue;
        }
        let is_colon = here.starts_with(": ") || here == ":";
        if here.starts_with(" #") || (in_brackets && (is_colon || here.starts_with([',', '}', ']']))) {
            break;
        }
        at += here.chars().next().map_or(1, char::len_utf8);
    }
    at
}

/// Returns the rest of a line after the dashes of lists.
fn without_dashes(mut content: &str) -> &str {
    while let Some(rest) = content.strip_prefix("- ") {
        content = rest.trim_start();
    }
    content
}

/// Returns the key of a line, and where its value begins.
fn key(line: &str) -> Option<(&str, usize)> {
    if line.starts_with(['{', '[', '#']) {
        return None;
    }
    let colon = line.match_indices(':').map(|(at, _)| at);
    let colon = colon.into_iter().find(|at| line[at + 1..].is_empty() || line[at + 1..].starts_with([' ', '\t']))?;
    let key = line[..colon].trim().trim_matches(['"', '\'']);
    Some((key, colon + 1))
}

/// Returns the literal parts of a secret text: not its templates, but the texts in quotes within them.
fn literals(text: &str, secret: Range<usize>) -> Vec<Range<usize>> {
    let (value, base) = (&text[secret.clone()], secret.start);
    // Of a block text the lines follow, which are read one by one.
    let is_no_text = ["|", ">", "|-", ">-", "|+", ">+", "true", "false", "null", "~", ""].contains(&value);
    if is_no_text {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = value.len() - without_scheme(value).len();
    while at < value.len() {
        let template = value[at..].find("{{").map_or(value.len(), |open| at + open);
        found.push(base + at..base + template);
        let end = value[template..].find("}}").map_or(value.len(), |close| template + close + 2);
        let mut quotes = value[template..end].match_indices(['"', '\'']).map(|(quote, _)| template + quote);
        while let (Some(open), Some(close)) = (quotes.next(), quotes.next()) {
            found.push(base + open + 1..base + close);
        }
        at = end;
    }
    found.retain(|range| !text[range.clone()].trim().is_empty());
    found
}

/// Returns the passwords of URLs (RFC 3986 section 3.2.1).
fn passwords_in_urls(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, scheme) in text.match_indices("://") {
        let start = at + scheme.len();
        let ends = |c: char| c.is_whitespace() || ['/', '?', '#', '"', '\'', '`', ',', '<', '>'].contains(&c);
        let authority = text[start..].split(ends).next().unwrap_or_default();
        let Some(userinfo) = authority.rfind('@').map(|at| &authority[..at]) else { continue };
        let password = userinfo.find(':').map_or(0, |colon| colon + 1);
        found.extend(literals(text, start + password..start + userinfo.len()));
    }
    found
}

/// Returns the values of parameters in queries and fragments whose names are secret.
fn secret_queries(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(['?', '&', '#']) {
        found.extend(secret_parameter(text, at + 1));
    }
    found
}

/// Returns the value of the parameter that begins at a place, if its name is secret.
fn secret_parameter(text: &str, start: usize) -> Vec<Range<usize>> {
    let ends = |c: char| c.is_whitespace() || ['&', '#', '"', '\'', '`', ','].contains(&c);
    let parameter = text[start..].split(ends).next().unwrap_or_default();
    match parameter.split_once('=') {
        Some((name, value)) if Secrecy::Open.of_key(name) == Secrecy::Text => {
            let start = start + name.len() + 1;
            literals(text, start..start + value.len())
        }
        _ => Vec::new(),
    }
}

/// Sorts ranges, and joins those that overlap.
fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_unstable_by_key(|range| range.start);
    let mut all: Vec<Range<usize>> = Vec::new();
    for range in found.into_iter().filter(|range| !range.is_empty()) {
        match all.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => all.push(range),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_a_script_types_them() {
        for (text, expected) in [
            (
                "headers:\n  x-a: b c\n  accept: text/html\nurl: /x\n",
                "headers:\n  x-a: ***\n  accept: text/html\nurl: /x\n",
            ),
            ("headers: {x-a: b, accept: c, \"y\": 'd e'}", "headers: {x-a: ***, accept: c, \"y\": '***'}"),
            ("hedaers: {y: b}", "hedaers: {y: ***}"),
            ("headers:\n  x: [b, c]\n", "headers:\n  x: [***, ***]\n"),
            ("headers:\n\tx: b\n", "headers:\n\tx: ***\n"),
            ("headers:\n  x: \"b\n  y: [\n", "headers:\n  x: \"***\n  y: [\n"),
            ("headers:\n  x: |\n    b\n    c\n", "headers:\n  x: |\n    ***\n    ***\n"),
            ("- {name: A, auth: {basic: [u, p]}, url: /a}", "- {name: A, auth: {basic: [***, ***]}, url: /a}"),
            ("  auth:\n    basic: {user: u, pass: p}\n", "  auth:\n    basic: {user: ***, pass: ***}\n"),
            ("headers: {authorization: Bearer b}", "headers: {authorization: Bearer ***}"),
            ("headers: {x: 'a{{env TOKEN}}b'}", "headers: {x: '***{{env TOKEN}}***'}"),
            ("headers: {x: \"{{base64 'u:p'}}\"}", "headers: {x: \"{{base64 '***'}}\"}"),
            ("headers: {x: 'a{{bad'}", "headers: {x: '***{{bad'}"),
            ("json_body: {user: ann, password: p}", "json_body: {user: ann, password: ***}"),
            (
                "json_body: '{\"user\": \"ann\", \"password\": \"p\",}'",
                "json_body: '{\"user\": \"ann\", \"password\": \"***\",}'",
            ),
            ("body: \"password=p&a=b\"", "body: \"password=***&a=b\""),
            ("body: 'a=b&password=p'", "body: 'a=b&password=***'"),
            ("password: |\n  a: b\n  c\n", "password: |\n  ***\n  ***\n"),
            ("capture: {token: {json: $.token}}", "capture: {token: {json: $.token}}"),
            ("capture: {a: {header: etag}, b: {cookie: sid}}", "capture: {a: {header: etag}, b: {cookie: sid}}"),
            ("secret: true # yes", "secret: true # yes"),
            ("{\"headers\":{\"x\":\"b\"},\"url\":\"/\"}", "{\"headers\":{\"x\":\"***\"},\"url\":\"/\"}"),
            ("set_headers:\n  - b\nsteps: []\n", "set_headers:\n  - ***\nsteps: []\n"),
            ("url: http://u:p@host/a", "url: http://u:***@host/a"),
            ("url: http://p@host/a", "url: http://***@host/a"),
            ("url: http://u:{{env P}}@host/a", "url: http://u:{{env P}}@host/a"),
            ("url: /a?page=1&api_key=b&c=d", "url: /a?page=1&api_key=***&c=d"),
            ("url: http://host/@a", "url: http://host/@a"),
            ("steps: [{name: A, url: /a}]", "steps: [{name: A, url: /a}]"),
        ] {
            assert_eq!(hide_literal_secrets(text), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "[-a:{}\\[\\], \"'\\n\\t#|/@?&=é]{0,60}") {
            let found = find(&text);
            prop_assert!(found.iter().all(|range| text.get(range.clone()).is_some_and(|part| !part.is_empty())));
            prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }

        #[test]
        fn a_header_is_hidden_in_any_style(secret in "[a-z0-9]{8,20}") {
            for text in [
                format!("headers:\n  x-key: {secret}\n"),
                format!("headers: {{x-key: {secret}}}\n"),
                format!("{{\"headers\": {{\"x-key\": \"{secret}\"}}}}"),
                format!("login:\n    headers:\n        x-key: '{secret}' # a comment\n"),
            ] {
                prop_assert!(!hide_literal_secrets(&text).contains(&secret), "{text}");
            }
        }
    }
}
