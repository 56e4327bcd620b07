//! The header section of a reply. It is kept as the text it came as, checked once: most replies of a load run are never
//! asked for a header field, so nothing is made for the case.

use hyper::header::HeaderMap;

/// The header fields of a reply, in the order they came. Names are found in any case.
#[derive(Clone, Default)]
pub struct HeaderSection {
    /// A line per field, `name: value`, each ended by a line feed.
    text: Vec<u8>,
    /// Whether a `set-cookie` is among them. Every reply is asked that.
    sets_cookies: bool,
}

impl HeaderSection {
    /// Fields as they stood on the wire, each line valid and ended by a line feed, with or without a carriage return.
    pub(super) fn of_lines(text: &[u8], sets_cookies: bool) -> Self {
        Self { text: text.to_vec(), sets_cookies }
    }

    /// The fields of an HTTP/2 reply.
    pub(super) fn of_map(map: &HeaderMap) -> Self {
        map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    /// Bytes that it takes.
    pub const fn size(&self) -> usize {
        self.text.len()
    }

    /// The first value of a field.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// All values of a field.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields().filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The values of all `set-cookie` fields.
    pub fn cookies(&self) -> impl Iterator<Item = &[u8]> {
        self.sets_cookies.then(|| self.get_all(SET_COOKIE)).into_iter().flatten()
    }

    /// All names and values.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.text.split(|&byte| byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }
}

/// The one field whose presence is noted.
pub(super) const SET_COOKIE: &str = "set-cookie";

impl<'a> FromIterator<(&'a str, &'a [u8])> for HeaderSection {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a [u8])>>(fields: I) -> Self {
        let mut section = Self::default();
        for (name, value) in fields {
            section.sets_cookies |= name.eq_ignore_ascii_case(SET_COOKIE);
            [name.as_bytes(), b": ", value, b"\n"].iter().for_each(|part| section.text.extend_from_slice(part));
        }
        section
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_any_case_and_in_order() {
        let section = HeaderSection::of_lines(b"Set-Cookie: a=1\r\nX:\r\nset-cookie:b=2:3 \nLast: y\r\n", true);
        assert_eq!(section.get("x"), Some(&b""[..]));
        assert_eq!(section.get("LAST"), Some(&b"y"[..]));
        assert_eq!(section.get("set-cook"), None);
        assert_eq!(section.cookies().collect::<Vec<_>>(), [&b"a=1"[..], b"b=2:3"]);
    }

    #[test]
    fn the_fields_of_http2_read_the_same() {
        let mut map = HeaderMap::new();
        map.append("x", "y: z".parse().unwrap());
        map.append("set-cookie", "a=1".parse().unwrap());
        let section = HeaderSection::of_map(&map);
        assert_eq!(section.get("x"), Some(&b"y: z"[..]));
        assert_eq!(section.cookies().collect::<Vec<_>>(), [b"a=1"]);
        assert_eq!(HeaderSection::default().cookies().count(), 0);
    }
}
