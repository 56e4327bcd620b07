//! The bytes of a case: those that its target receives or sends. A text stands for its UTF-8; bytes that are no text
//! are written in hexadecimal or base64, and bytes that may be anything are counted, or skipped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::diagnostic::Span;
use crate::script::model::{Node, NodeValue};
use crate::script::value_reader::{DiagnosticText, ValueReader};

/// The most bytes that `{bytes: n}` stands for.
const MAX_COUNT: i64 = 64 << 20;
/// The keys of a mapping that stands for bytes.
const KEYS: [&str; 4] = ["hex", "base64", "text", "bytes"];
/// The help for a value that does not stand for bytes.
const HELP: &str = "write a text, `{hex: 0d0a}`, `{base64: DQo=}`, `{bytes: 2}`, or a list of these";
/// The most received bytes that a message shows.
const MAX_QUOTED_BYTES: usize = 200;

/// A part of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BytePart {
    /// Exactly these.
    Exact(Vec<u8>),
    /// This number of bytes, whichever they are; sent as zeros.
    Count(usize),
    /// All that have arrived; one at least if nothing stands before it. The last part.
    Rest,
}

/// Some bytes, part after part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BytePattern(Vec<BytePart>);

/// The result of comparing received bytes with a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// They fit, this number of them.
    Complete(usize),
    /// They fit so far; more are needed.
    Incomplete,
    /// They do not fit.
    Different,
}

impl BytePattern {
    /// Reads the bytes under a key. `sent` if the target sends them, and so must know each.
    pub(super) fn read(reader: &mut ValueReader, key: &str, node: Node, sent: bool) -> Option<Self> {
        let NodeValue::List(items) = node.value else { return Some(Self(vec![part(reader, key, node, sent)?])) };
        let spans: Vec<Span> = items.iter().map(|item| item.span).collect();
        let parts: Vec<_> = items.into_iter().map(|item| part(reader, key, item, sent)).collect::<Option<_>>()?;
        let early = parts.iter().position(|part| *part == BytePart::Rest).filter(|at| at + 1 < parts.len());
        if let Some(at) = early {
            let message = "`any` must be the last of a list";
            let help = "what follows it could not be found: write `{bytes: n}` for bytes whose number is known";
            reader.report(spans[at], &DiagnosticText { code: "cases::bytes", message, label: "not the last", help });
            return None;
        }
        Some(Self(parts))
    }

    /// Returns `true` if it stands for no bytes at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0
            .iter()
            .all(|part| matches!(part, BytePart::Exact(bytes) if bytes.is_empty()) || *part == BytePart::Count(0))
    }

    /// Returns the bytes to send.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let bytes = self.0.iter().flat_map(|part| match part {
            BytePart::Exact(bytes) => bytes.clone(),
            BytePart::Count(count) => vec![0; *count],
            BytePart::Rest => Vec::new(),
        });
        bytes.collect()
    }

    /// Compares received bytes with it.
    pub(super) fn compare(&self, received: &[u8]) -> Match {
        let mut at = 0;
        for part in &self.0 {
            let there = &received[at..];
            match part {
                BytePart::Exact(bytes) => {
                    let common = bytes.len().min(there.len());
                    if bytes[..common] != there[..common] {
                        return Match::Different;
                    }
                    if common < bytes.len() {
                        return Match::Incomplete;
                    }
                    at += bytes.len();
                }
                BytePart::Count(count) if there.len() < *count => return Match::Incomplete,
                BytePart::Count(count) => at += count,
                BytePart::Rest if received.is_empty() => return Match::Incomplete,
                BytePart::Rest => at = received.len(),
            }
        }
        Match::Complete(at)
    }

    /// Formats it for a message.
    pub(super) fn describe(&self) -> String {
        let parts = self.0.iter().map(|part| match part {
            BytePart::Exact(bytes) => quoted(bytes),
            BytePart::Count(count) => format!("{count} bytes"),
            BytePart::Rest => "any bytes".into(),
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() { quoted(b"") } else { parts.join(" and ") }
    }
}

impl From<Vec<u8>> for BytePattern {
    fn from(bytes: Vec<u8>) -> Self {
        Self(vec![BytePart::Exact(bytes)])
    }
}

/// Reads one part.
fn part(reader: &mut ValueReader, key: &str, node: Node, sent: bool) -> Option<BytePart> {
    let (span, is_plain) = (node.span, reader.source.text[node.span.start..node.span.end] == *"any");
    match node.value {
        NodeValue::String(text) if is_plain && text == "any" => {
            if sent {
                let (message, help) = ("the target cannot send `any`", "for the text, write `\"any\"`");
                reader.report(span, &DiagnosticText { code: "cases::bytes", message, label: "unknown bytes", help });
                return None;
            }
            Some(BytePart::Rest)
        }
        NodeValue::Map(mut entries) if entries.len() == 1 => {
            let (name, value) = entries.remove(0);
            encoded(reader, &name.value, value).unwrap_or_else(|| {
                reader.unknown_key(&name, &format!("`{key}`"), &KEYS);
                None
            })
        }
        NodeValue::List(_) | NodeValue::Map(_) | NodeValue::Null => {
            let node = Node { value: node.value, span };
            reader.wrong_type(key, &node, "bytes", HELP);
            None
        }
        value => {
            reader.text(key, Node { value, span }, "\"PING\\r\\n\"").map(|text| BytePart::Exact(text.value.into()))
        }
    }
}

/// Reads bytes in an encoding: `None` if its name is unknown, `Some(None)` if they are wrong.
fn encoded(reader: &mut ValueReader, encoding: &str, node: Node) -> Option<Option<BytePart>> {
    if encoding == "bytes" {
        let count = reader.integer::<i64>("bytes", &node, 0, MAX_COUNT);
        return Some(count.map(|count| BytePart::Count(usize::try_from(count.value).unwrap_or_default())));
    }
    if !KEYS.contains(&encoding) {
        return None;
    }
    let text = reader.text(encoding, node, if encoding == "base64" { "DQo=" } else { "0d0a" });
    Some(text.and_then(|text| {
        let compact: String = text.value.chars().filter(|c| !c.is_whitespace()).collect();
        let (decoded, help) = match encoding {
            "hex" => (from_hex(&compact), "two digits for each byte, such as `0d0a` or `0d 0a`"),
            "base64" => (STANDARD.decode(&compact).ok(), "standard alphabet, padded, such as `DQo=`"),
            _ => (Some(text.value.into_bytes()), ""),
        };
        if decoded.is_none() {
            let message = format!("`{encoding}` is not {encoding}");
            let label = "cannot be decoded";
            reader.report(text.span, &DiagnosticText { code: "cases::bytes", message: &message, label, help });
        }
        decoded.map(BytePart::Exact)
    }))
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let bytes = digits.as_bytes();
    let is_hex = bytes.len().is_multiple_of(2) && bytes.iter().all(u8::is_ascii_hexdigit);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if is_hex { bytes.chunks(2).map(byte).collect() } else { None }
}

/// Quotes bytes for a message: as a text, or in hexadecimal if they are none.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(MAX_QUOTED_BYTES)];
    let more = if bytes.len() > MAX_QUOTED_BYTES { "…" } else { "" };
    // A character may have been cut in two.
    let is_text = std::str::from_utf8(start).is_ok_and(|text| !text.contains('\0'))
        || std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'));
    if is_text {
        return format!("\"{}{more}\"", String::from_utf8_lossy(start).escape_debug());
    }
    let digits: String = start.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{{hex: {digits}{more}}}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Diagnostics, SourceText};
    use crate::script::yaml;

    fn read(text: &str, sent: bool) -> Result<BytePattern, String> {
        let source = Arc::new(SourceText { name: "cases.yml".into(), text: text.into() });
        let node = yaml::read(&source).expect("YAML");
        let mut reader = ValueReader { source, diagnostics: Diagnostics::default() };
        let pattern = BytePattern::read(&mut reader, "receives", node, sent);
        pattern.ok_or_else(|| reader.diagnostics.0[0].message.clone())
    }

    #[test]
    fn bytes_are_written_in_several_ways() {
        for (text, bytes) in [
            ("\"a\\r\\n\"", b"a\r\n".to_vec()),
            ("12", b"12".to_vec()),
            ("{hex: 0d 0A ff}", vec![13, 10, 255]),
            ("{hex: 10}", vec![16]),
            ("{base64: //79}", vec![255, 254, 253]),
            ("{text: any}", b"any".to_vec()),
            ("\"any\"", b"any".to_vec()),
            ("{bytes: 3}", vec![0; 3]),
            ("[{hex: ff}, x, {bytes: 1}]", vec![255, b'x', 0]),
        ] {
            assert_eq!(read(text, true).map(|pattern| pattern.bytes()), Ok(bytes), "{text}");
        }
        for (text, message) in [
            ("any", "the target cannot send `any`"),
            ("{hex: 0d0}", "`hex` is not hex"),
            ("{base64: '?'}", "`base64` is not base64"),
            ("{hexa: 0d}", "`hexa` is not a key of `receives`"),
            ("{hex: 0d, text: a}", "`receives` must be bytes"),
            ("~", "`receives` must be bytes"),
        ] {
            assert_eq!(read(text, true), Err(message.to_owned()), "{text}");
        }
        assert_eq!(read("[any, x]", false), Err("`any` must be the last of a list".to_owned()));
    }

    #[test]
    fn received_bytes_fit_part_after_part() {
        let pattern = read("[{hex: ff}, {bytes: 2}, end]", false).expect("bytes");
        assert_eq!(pattern.compare(b"\xff12en"), Match::Incomplete);
        assert_eq!(pattern.compare(b"\xff12endmore"), Match::Complete(6));
        assert_eq!(pattern.compare(b"\xff12eX"), Match::Different);
        let any = read("any", false).expect("bytes");
        assert_eq!((any.compare(b""), any.compare(b"abc")), (Match::Incomplete, Match::Complete(3)));
        let rest = read("[x, any]", false).expect("bytes");
        assert_eq!((rest.compare(b"x"), rest.compare(b"xyz")), (Match::Complete(1), Match::Complete(3)));
        assert!(!any.is_empty() && BytePattern::default().is_empty());
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_in_hexadecimal() {
        assert_eq!((quoted(b"a\r\n"), quoted(b"\xff\x00")), ("\"a\\r\\n\"".to_owned(), "{hex: ff00}".to_owned()));
    }
}
