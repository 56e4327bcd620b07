//! The helpers that turn one text into another.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but letters, digits, `-`, `.`, `_` and `~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Appends percent-encoded UTF-8, all but the unreserved characters of RFC 3986: safe in any part of a URL.
pub(super) fn url(text: &str, out: &mut String) {
    out.extend(utf8_percent_encode(text, RESERVED));
}

/// Appends the base64 of the UTF-8 bytes, standard alphabet, padded (RFC 4648 section 4).
pub(super) fn base64(text: &str, out: &mut String) {
    STANDARD.encode_string(text, out);
}

/// Appends a JSON string, quotes included (RFC 8259).
pub(super) fn json(text: &str, out: &mut String) {
    if is_plain_json(text) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        serde_json::to_writer(Utf8(out), text).expect("a string is JSON, and memory takes it");
    }
}

/// Returns `true` if a text stands between the quotes of a JSON string as it is.
fn is_plain_json(text: &str) -> bool {
    // Without an early end, so that the loop takes many bytes at a time.
    let is_escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    !text.bytes().fold(false, |any, byte| any | is_escaped(byte))
}

/// Appends a text as it stands between the quotes of a JSON string (RFC 8259).
pub(super) fn json_escape(text: &str, out: &mut String) {
    if is_plain_json(text) {
        return out.push_str(text);
    }
    let start = out.len();
    json(text, out);
    out.pop();
    out.remove(start);
}

/// An adapter with which serde_json, which writes whole characters only, appends to a string.
struct Utf8<'a>(&'a mut String);

impl io::Write for Utf8<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push_str(str::from_utf8(bytes).map_err(io::Error::other)?);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::render::Encode;
    use super::*;

    fn encode(encoding: Encode, text: &str) -> String {
        let mut out = String::new();
        encoding(text, &mut out);
        out
    }

    #[test]
    fn known_texts() {
        let cases: [(&str, Encode, &str, &str); 10] = [
            ("url", url, "", ""),
            ("url", url, "a-b.c_d~e", "a-b.c_d~e"),
            ("url", url, "a b&c=ü/?", "a%20b%26c%3D%C3%BC%2F%3F"),
            ("base64", base64, "", ""),
            ("base64", base64, "user:pass", "dXNlcjpwYXNz"),
            ("base64", base64, "ü", "w7w="),
            ("json", json, "", "\"\""),
            ("json_escape", json_escape, "", ""),
            ("json_escape", json_escape, "a\"b\\c\nü\u{1}", "a\\\"b\\\\c\\nü\\u0001"),
            ("json", json, "a\"b\\c\nü\u{1}", "\"a\\\"b\\\\c\\nü\\u0001\""),
        ];
        for (name, encoding, text, expected) in cases {
            assert_eq!(encode(encoding, text), expected, "{name} of {text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let url = encode(url, &text);
            prop_assert_eq!(&*percent_encoding::percent_decode_str(&url).decode_utf8().unwrap(), &text);
            prop_assert_eq!(STANDARD.decode(encode(base64, &text)).unwrap(), text.as_bytes());
            let quoted = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(&encode(json, &text), &quoted);
            prop_assert_eq!(&encode(json_escape, &text), &quoted[1..quoted.len() - 1]);
        }
    }
}
