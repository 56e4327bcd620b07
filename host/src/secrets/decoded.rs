//! A decoded text, with the range that each byte came from. Decoding the text finds more than encoding the secret
//! would: it does not depend on the bytes beside the secret, nor on which of its characters were escaped.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// A decoded text.
pub(super) struct DecodedView {
    bytes: Vec<u8>,
    /// The range that each byte came from, in the text that is searched.
    origins: Vec<Range<usize>>,
}

/// A lenient decoder: a part of an encoded text may end anywhere, which a strict one rejects.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

impl DecodedView {
    /// Creates the view of a text as it is.
    pub(super) fn of(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), origins: (0..text.len()).map(|at| at..at + 1).collect() }
    }

    /// Returns the bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the range that some of the bytes came from.
    ///
    /// # Panics
    /// Panics if `bytes` is empty or out of range.
    pub(super) fn source_range(&self, bytes: Range<usize>) -> Range<usize> {
        self.origins[bytes.start].start..self.origins[bytes.end - 1].end
    }

    /// Calls `each` with the view decoded from percent-encoding, from a form, from JSON, and with each run of base64
    /// that holds `min_bytes` bytes or more.
    pub(super) fn for_each_decoding(&self, min_bytes: usize, mut each: impl FnMut(Self)) {
        let has = |byte| self.bytes.contains(&byte);
        if has(b'%') {
            each(self.unescape(percent));
        }
        if has(b'+') {
            each(self.unescape(form));
        }
        if has(b'\\') {
            each(self.unescape(json));
        }
        let mut start = 0;
        for run in self.bytes.split(|byte| !is_base64(*byte)) {
            self.base64(start..start + run.len(), min_bytes, &mut each);
            start += run.len() + 1;
        }
    }

    /// Decodes escapes. `escape` looks at the rest of the bytes: it returns the length of an escape at their beginning,
    /// 0 if there is none, and appends the bytes that the escape stands for.
    fn unescape(&self, escape: impl Fn(&[u8], &mut Vec<u8>) -> usize) -> Self {
        let mut view = Self { bytes: Vec::new(), origins: Vec::new() };
        let (mut at, mut decoded) = (0, Vec::new());
        while at < self.bytes.len() {
            decoded.clear();
            let mut length = escape(&self.bytes[at..], &mut decoded);
            if length == 0 {
                decoded.push(self.bytes[at]);
                length = 1;
            }
            view.push(&decoded, self.source_range(at..at + length));
            at += length;
        }
        view
    }

    fn push(&mut self, bytes: &[u8], from: Range<usize>) {
        self.bytes.extend_from_slice(bytes);
        self.origins.extend(bytes.iter().map(|_| from.clone()));
    }

    /// Decodes a run of base64, of either alphabet. Each decoded byte counts as coming from the whole run and the
    /// padding behind it. A path or a name may precede the base64, so each of the first four offsets is tried.
    fn base64(&self, run: Range<usize>, min_bytes: usize, each: &mut impl FnMut(Self)) {
        let standard: Vec<u8> = self.bytes[run.clone()].iter().map(|byte| to_standard(*byte)).collect();
        let padding = self.bytes[run.end..].iter().take_while(|byte| **byte == b'=').count().min(2);
        for skipped in 0..4.min(run.len()) {
            let encoded = &standard[skipped..];
            let whole = &encoded[..encoded.len() - usize::from(encoded.len() % 4 == 1)];
            let Ok(bytes) = BASE64.decode(whole) else { continue };
            if bytes.len() >= min_bytes {
                let from = self.source_range(run.start..run.end + padding);
                let from = bytes.iter().map(|_| from.clone()).collect();
                each(Self { bytes, origins: from });
            }
        }
    }
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Converts a digit of the alphabet for URLs to the standard one.
const fn to_standard(digit: u8) -> u8 {
    match digit {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

/// Decodes a percent-encoded byte.
fn percent(rest: &[u8], meant: &mut Vec<u8>) -> usize {
    let [b'%', high, low, ..] = rest else { return 0 };
    byte([*high, *low], meant).map_or(0, |()| 3)
}

/// Decodes a byte in hexadecimal.
fn byte(digits: [u8; 2], meant: &mut Vec<u8>) -> Option<()> {
    let [high, low] = digits;
    meant.push((hex(high)? << 4 | hex(low)?) as u8);
    Some(())
}

/// Decodes a percent-encoded byte, or `+` for a space, as in forms.
fn form(rest: &[u8], meant: &mut Vec<u8>) -> usize {
    if rest.first() == Some(&b'+') {
        meant.push(b' ');
        return 1;
    }
    percent(rest, meant)
}

/// Decodes an escape of a JSON string, or one of Rust's for bytes.
fn json(rest: &[u8], meant: &mut Vec<u8>) -> usize {
    let character = match rest {
        [b'\\', b'u', ..] => return unicode(rest, meant),
        [b'\\', b'x', high, low, ..] => return byte([*high, *low], meant).map_or(0, |()| 4),
        [b'\\', escaped @ (b'"' | b'\'' | b'\\' | b'/'), ..] => *escaped,
        [b'\\', b'b', ..] => 8,
        [b'\\', b'f', ..] => 12,
        [b'\\', b'n', ..] => b'\n',
        [b'\\', b'r', ..] => b'\r',
        [b'\\', b't', ..] => b'\t',
        _ => return 0,
    };
    meant.push(character);
    2
}

/// Decodes `\u1234`, or two of them that are one character.
fn unicode(rest: &[u8], meant: &mut Vec<u8>) -> usize {
    let units = rest.chunks(6).map_while(unit).take(2);
    // A unit behind a character that needs no second one belongs to the next character.
    let Some(Ok(character)) = char::decode_utf16(units).next() else { return 0 };
    meant.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    6 * character.len_utf16()
}

/// Decodes one unit, `\u1234`.
fn unit(escape: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = escape else { return None };
    let digits: [u8; 4] = digits.try_into().ok()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | hex(*digit)?))
}

/// Returns the value of a hexadecimal digit.
fn hex(digit: u8) -> Option<u16> {
    char::from(digit).to_digit(16).and_then(|value| u16::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut views = Vec::new();
        DecodedView::of(text)
            .for_each_decoding(4, |view| views.push(String::from_utf8_lossy(&view.bytes).into_owned()));
        views
    }

    #[test]
    fn escapes_are_decoded() {
        for (case, text, expected) in [
            ("plain words are too short", "a few, and 100 more", &[][..]),
            ("percent", "%41%2b%zz%4", &["A+%zz%4"]),
            ("a form", "a+%2B", &["a++", "a +"]),
            ("JSON", r#"\"\\\/\n\x"#, &["\"\\/\n\\x"]),
            ("JSON in ASCII", r"\u00e9\ud83d\ude00\u0041!", &["é😀A!"]),
            ("bytes", r"\'\xc3\xa9\xg0", &[r"'é\xg0"]),
            ("half a character", r"\ud83d!\u12", &[r"\ud83d!\u12"]),
        ] {
            assert_eq!(all(text), expected, "{case}");
        }
        let base64 = all("in dXNlcjpwYXNz.");
        assert!(base64.contains(&"user:pass".to_owned()), "{base64:?}");
    }

    #[test]
    fn the_origin_of_each_byte_is_known() {
        let text = r"p=%7Bé\u00e9%7D";
        let mut seen = Vec::new();
        DecodedView::of(text).for_each_decoding(4, |view| {
            view.for_each_decoding(4, |inner| {
                seen.push((inner.bytes.clone(), inner.source_range(2..inner.bytes.len())))
            });
        });
        assert_eq!(seen[0], ("p={éé}".as_bytes().to_vec(), 2..text.len()));
    }
}
