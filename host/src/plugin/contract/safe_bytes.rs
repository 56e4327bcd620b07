//! Bytes that may stand in a part of a request as they are. Looking each byte of a rendered text up in a table tells
//! whether the text needs a closer look.

/// A part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum RequestPlace {
    /// A segment of a URL's path. The parser leaves these bytes as they are, and so does a segment that has one of them
    /// lead to no other folder.
    Path = 1,
    /// A URL's query, behind its `?`.
    Query = 2,
    /// A name or value in the form of `application/x-www-form-urlencoded`.
    Form = 4,
    /// The value of a header field.
    HeaderValue = 8,
}

/// The places of each byte.
static PLACES: [u8; 256] = places();

impl RequestPlace {
    /// Returns `true` if every byte may stand here as it is.
    #[inline]
    pub(super) fn takes(self, text: &str) -> bool {
        let common = text.bytes().fold(self as u8, |common, byte| common & PLACES[byte as usize]);
        common != 0
    }
}

const fn places() -> [u8; 256] {
    let mut places = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        let is_form = character.is_ascii_alphanumeric() || matches!(character, b'*' | b'-' | b'.' | b'_');
        // Without `.` and `%`, of which the parser makes more than itself, and what it encodes or ends the path at.
        let is_path = character.is_ascii_alphanumeric()
            || matches!(character, b'-' | b'_' | b'~' | b'!' | b'$' | b'&' | b'(' | b')' | b'*' | b'+' | b',')
            || matches!(character, b':' | b';' | b'=' | b'@');
        let is_query = character.is_ascii_graphic() && !matches!(character, b'"' | b'#' | b'\'' | b'<' | b'>');
        let is_header = character == b'\t' || (character >= b' ' && character != 0x7f);
        places[byte] = bit(is_path, RequestPlace::Path)
            | bit(is_query, RequestPlace::Query)
            | bit(is_form, RequestPlace::Form)
            | bit(is_header, RequestPlace::HeaderValue);
        byte += 1;
    }
    places
}

const fn bit(is_set: bool, place: RequestPlace) -> u8 {
    if is_set { place as u8 } else { 0 }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use proptest::prelude::*;
    use url::form_urlencoded::byte_serialize;

    use super::*;

    #[test]
    fn a_text_is_taken_if_all_its_bytes_are() {
        for (place, text, is_taken) in [
            (RequestPlace::Path, "", true),
            (RequestPlace::Path, "Movie-7_x~", true),
            (RequestPlace::Path, "a.b", false),
            (RequestPlace::Path, "a/b", false),
            (RequestPlace::Path, "a%2e", false),
            (RequestPlace::Query, "a=b&c=%20/?.", true),
            (RequestPlace::Query, "a b", false),
            (RequestPlace::Query, "a#b", false),
            (RequestPlace::Query, "ü", false),
            (RequestPlace::Form, "a+b", false),
            (RequestPlace::HeaderValue, "text/html; q=0.5,\tü", true),
            (RequestPlace::HeaderValue, "a\nb", false),
        ] {
            assert_eq!(place.takes(text), is_taken, "{place:?} {text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_tables_agree_with_those_that_they_stand_for(text in any::<String>()) {
            prop_assert_eq!(RequestPlace::HeaderValue.takes(&text), HeaderValue::from_str(&text).is_ok());
            let form: String = byte_serialize(text.as_bytes()).collect();
            prop_assert_eq!(RequestPlace::Form.takes(&text), form == text);
        }
    }

    #[test]
    fn each_byte_of_a_header_value_and_of_a_form_is_in_its_table() {
        for byte in 0..=u8::MAX {
            let bits = PLACES[usize::from(byte)];
            assert_eq!(bits & RequestPlace::HeaderValue as u8 != 0, HeaderValue::from_bytes(&[byte]).is_ok(), "{byte}");
            let is_same = byte_serialize(&[byte]).eq([str::from_utf8(&[byte]).unwrap_or_default()]);
            assert_eq!(bits & RequestPlace::Form as u8 != 0, is_same, "{byte}");
        }
    }
}
