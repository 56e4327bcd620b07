//! Steering manifests of HLS: a small JSON object, of which the members at the top are read and the rest is passed
//! over.

use viewer_core::{Micros, SECOND, SteeringReply, from_seconds, resolve};

use crate::note::ManifestError;

/// The time to the next request where the manifest gives none.
const DEFAULT_TTL: Micros = 300 * SECOND;

/// The deepest nesting of values that is read.
const DEEPEST: usize = 32;

/// Reads a steering manifest. `url` is the absolute URL that answered.
///
/// # Errors
/// The text is not a JSON object, or it has no `PATHWAY-PRIORITY`.
pub fn read_steering(bytes: &[u8], url: &str) -> Result<SteeringReply, ManifestError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::new(1, "the text is not UTF-8"))?;
    let mut scanner = Scanner { text, at: 0 };
    let wrong = || ManifestError::new(1, "the steering manifest is not a JSON object");
    let Some(Value::Object(members)) = scanner.value(0) else { return Err(wrong()) };
    let (mut ttl, mut reload, mut priority) = (DEFAULT_TTL, None, None);
    for Member { name, value } in members {
        match (name.as_str(), value) {
            ("TTL", Value::Number(seconds)) => ttl = from_seconds(seconds).filter(|ttl| *ttl > 0).unwrap_or(ttl),
            ("RELOAD-URI", Value::Text(reference)) => reload = Some(resolve(url, &reference).into()),
            ("PATHWAY-PRIORITY", Value::List(values)) => {
                let pathways = values.into_iter().filter_map(|value| match value {
                    Value::Text(pathway) => Some(pathway.into()),
                    _ => None,
                });
                priority = Some(pathways.collect());
            }
            _ => {}
        }
    }
    let priority = priority.ok_or_else(|| ManifestError::new(1, "the steering manifest has no `PATHWAY-PRIORITY`"))?;
    Ok(SteeringReply { ttl, reload, priority })
}

/// A JSON value.
enum Value {
    Object(Vec<Member>),
    List(Vec<Value>),
    Text(String),
    Number(f64),
    /// `true`, `false` or `null`.
    Word,
}

/// A member of an object.
struct Member {
    name: String,
    value: Value,
}

/// A place in a text.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    /// Reads a value; `None` if there is none, or it is malformed.
    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            '{' => {
                let mut members = Vec::new();
                self.items('{', '}', |scanner| {
                    let name = scanner.string()?;
                    scanner.take(':')?;
                    members.push(Member { name, value: scanner.value(depth + 1)? });
                    Some(())
                })?;
                Some(Value::Object(members))
            }
            '[' => {
                let mut values = Vec::new();
                self.items('[', ']', |scanner| {
                    values.push(scanner.value(depth + 1)?);
                    Some(())
                })?;
                Some(Value::List(values))
            }
            '"' => self.string().map(Value::Text),
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
                let word = &rest[..end];
                self.at += end;
                match word {
                    "true" | "false" | "null" => Some(Value::Word),
                    _ => word.parse().ok().map(Value::Number),
                }
            }
        }
    }

    /// Reads items between brackets, with commas between them.
    fn items(&mut self, open: char, close: char, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(open)?;
        if self.peek()? == close {
            return self.take(close);
        }
        loop {
            item(self)?;
            if self.peek()? == close {
                return self.take(close);
            }
            self.take(',')?;
        }
    }

    fn string(&mut self) -> Option<String> {
        self.take('"')?;
        let mut output = String::new();
        let mut characters = self.text[self.at..].char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.at += at + 1;
                    return Some(output);
                }
                '\\' => match characters.next()?.1 {
                    'n' => output.push('\n'),
                    't' => output.push('\t'),
                    'u' => {
                        let digits: String = characters.by_ref().take(4).map(|(_, digit)| digit).collect();
                        let code = u32::from_str_radix(&digits, 16).ok()?;
                        output.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    other => output.push(other),
                },
                _ => output.push(character),
            }
        }
        None
    }

    /// Passes over a character, which must come next.
    fn take(&mut self, expected: char) -> Option<()> {
        (self.peek()? == expected).then(|| self.at += expected.len_utf8())
    }

    /// Returns the next character that is not a space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.text[self.at..].chars().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steering_manifests_are_read() {
        let text = r#" {"VERSION": 1, "TTL": 2.5, "RELOAD-URI": "next?a=\u0062", "PATHWAY-PRIORITY": ["b", "a"],
            "PATHWAY-CLONES": [{"ID": "c", "URI-REPLACEMENT": {"HOST": "x", "PARAMS": {}}}], "X": [null, true, -1e3]} "#;
        let reply = read_steering(text.as_bytes(), "https://steer/a/b").unwrap();
        assert_eq!((reply.ttl, reply.reload.as_deref()), (2_500_000, Some("https://steer/a/next?a=b")));
        assert_eq!(reply.priority, ["b".into(), "a".into()]);
        let reply = read_steering(b"{\"PATHWAY-PRIORITY\":[]}", "https://steer/").unwrap();
        assert_eq!((reply.ttl, reply.reload, reply.priority.len()), (DEFAULT_TTL, None, 0));
        let deep = "[".repeat(100_000);
        for text in
            ["", "{", "[]", "{\"a\" 1}", "{\"a\":}", "{\"TTL\":1}", "{\"a\":\"", "{\"a\":\"\\u12", "\u{e9}", &deep]
        {
            assert!(read_steering(text.as_bytes(), "").is_err(), "{text}");
        }
    }
}
