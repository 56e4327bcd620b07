//! Variables of a playlist (`EXT-X-DEFINE`) and their substitution in references and attributes.

use std::borrow::Cow;

use viewer_core::{Variable, query};

use super::lines::Attributes;
use crate::note::ManifestError;

/// The longest value of a variable, so that a text does not grow without bounds.
const LONGEST: usize = 4096;

/// The most variables.
const MOST: usize = 1000;

/// The variables that are defined so far.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) list: Vec<Variable>,
}

impl Variables {
    /// Adds what a tag `EXT-X-DEFINE` in a line defines: by its value, from the URL of the playlist, or from the
    /// variables of the multivariant playlist.
    ///
    /// # Errors
    /// The variable has no value, or is defined already.
    pub(super) fn define(
        &mut self,
        line: usize,
        attributes: Attributes<'_>,
        url: &str,
        imported: &[Variable],
    ) -> Result<(), ManifestError> {
        let (name, value) = if let Some(name) = attributes.get("NAME") {
            (name, attributes.get("VALUE").unwrap_or_default().to_owned())
        } else if let Some(name) = attributes.get("QUERYPARAM") {
            let value = parameter(url, name).filter(|value| !value.is_empty()).ok_or_else(|| {
                ManifestError::new(line, format!("the URL of the playlist has no parameter `{name}`"))
                    .help("`EXT-X-DEFINE:QUERYPARAM` takes it from there, after redirects")
            })?;
            (name, value)
        } else if let Some(name) = attributes.get("IMPORT") {
            let known = imported.iter().find(|variable| &*variable.name == name).ok_or_else(|| {
                ManifestError::new(line, format!("the multivariant playlist does not define `{name}`"))
                    .help("`EXT-X-DEFINE:IMPORT` takes it from there")
            })?;
            (name, known.value.to_string())
        } else {
            return Err(ManifestError::new(line, "`EXT-X-DEFINE` has none of `NAME`, `QUERYPARAM` and `IMPORT`"));
        };
        if value.len() > LONGEST {
            return Err(ManifestError::new(line, format!("the value of `{name}` is longer than {LONGEST} bytes")));
        }
        if self.list.len() >= MOST {
            return Err(ManifestError::new(line, format!("more than {MOST} variables are defined")));
        }
        if self.get(name).is_some() {
            return Err(ManifestError::new(line, format!("the variable `{name}` is defined twice")));
        }
        self.list.push(Variable { name: name.into(), value: value.into() });
        Ok(())
    }

    /// Replaces each `{$name}` of a text. What is not closed stays.
    ///
    /// # Errors
    /// A variable is not defined.
    pub(super) fn substitute<'a>(&self, line: usize, text: &'a str) -> Result<Cow<'a, str>, ManifestError> {
        if !text.contains("{$") {
            return Ok(Cow::Borrowed(text));
        }
        let (mut output, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("{$") {
            let Some((name, next)) = after.split_once('}') else { break };
            let value = self
                .get(name)
                .ok_or_else(|| ManifestError::new(line, format!("the variable `{name}` is not defined")))?;
            output.push_str(before);
            output.push_str(value);
            rest = next;
        }
        output.push_str(rest);
        Ok(Cow::Owned(output))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.list.iter().find(|variable| &*variable.name == name).map(|variable| &*variable.value)
    }
}

/// Returns a parameter of a URL's query, percent-decoded.
fn parameter(url: &str, name: &str) -> Option<String> {
    let pairs = query(url)?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(key, value)| (decode(key), value)).find(|(key, _)| key == name).map(|(_, value)| decode(value))
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_defined_and_replaced() {
        let mut variables = Variables::default();
        let imported = [Variable { name: "host".into(), value: "cdn".into() }];
        let url = "http://a/b.m3u8?x=1&t%6Fken=a%2Fb%zz";
        for list in ["NAME=\"a\",VALUE=\"{b}\"", "QUERYPARAM=\"token\"", "IMPORT=\"host\""] {
            variables.define(1, Attributes(list), url, &imported).unwrap();
        }
        for (text, replaced) in
            [("plain", Some("plain")), ("//{$host}/{$a}?{$token}{$", Some("//cdn/{b}?a/b%zz{$")), ("{$none}", None)]
        {
            assert_eq!(variables.substitute(3, text).ok().as_deref(), replaced, "{text}");
        }
        for list in ["NAME=\"a\",VALUE=\"\"", "QUERYPARAM=\"none\"", "IMPORT=\"none\"", "VALUE=\"\""] {
            assert!(variables.define(1, Attributes(list), url, &imported).is_err(), "{list}");
        }
    }
}
