//! The helpers that turn one text into another.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How a text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Percent-encoded UTF-8, all but the unreserved characters of RFC 3986: safe in any part of a URL.
    Url,
    /// Base64 of the UTF-8 bytes, standard alphabet, padded (RFC 4648 section 4).
    Base64,
    /// A JSON string, quotes included (RFC 8259).
    Json,
}

/// Everything but letters, digits, `-`, `.`, `_` and `~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Encoding {
    /// Appends the encoded text.
    pub fn append(self, text: &str, out: &mut String) {
        match self {
            Self::Url => out.extend(utf8_percent_encode(text, RESERVED)),
            Self::Base64 => STANDARD.encode_string(text, out),
            Self::Json => serde_json::to_writer(Utf8(out), text).expect("a string is JSON, and memory takes it"),
        }
    }
}

/// Lets serde_json write to the end of a string; it writes whole characters only.
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

    use super::*;

    fn encode(encoding: Encoding, text: &str) -> String {
        let mut out = String::new();
        encoding.append(text, &mut out);
        out
    }

    #[test]
    fn known_texts() {
        let cases = [
            (Encoding::Url, "", ""),
            (Encoding::Url, "a-b.c_d~e", "a-b.c_d~e"),
            (Encoding::Url, "a b&c=ü/?", "a%20b%26c%3D%C3%BC%2F%3F"),
            (Encoding::Base64, "", ""),
            (Encoding::Base64, "user:pass", "dXNlcjpwYXNz"),
            (Encoding::Base64, "ü", "w7w="),
            (Encoding::Json, "", "\"\""),
            (Encoding::Json, "a\"b\\c\nü\u{1}", "\"a\\\"b\\\\c\\nü\\u0001\""),
        ];
        for (encoding, text, expected) in cases {
            assert_eq!(encode(encoding, text), expected, "{encoding:?} of {text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let url = encode(Encoding::Url, &text);
            prop_assert_eq!(&*percent_encoding::percent_decode_str(&url).decode_utf8().unwrap(), &text);
            prop_assert_eq!(STANDARD.decode(encode(Encoding::Base64, &text)).unwrap(), text.as_bytes());
            prop_assert_eq!(serde_json::from_str::<String>(&encode(Encoding::Json, &text)).unwrap(), text);
        }
    }
}
