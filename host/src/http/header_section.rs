//! The header section of a reply. It is kept as the text that arrived, checked once: in a load run the fields of most
//! replies are never looked up, so no map is built.

use hyper::header::HeaderMap;

/// The header fields of a reply, in the order they arrived. Names are case-insensitive.
#[derive(Clone, Default)]
pub struct HeaderSection {
    /// A line per field, `name: value`, each ended by a line feed.
    text: Vec<u8>,
    /// True when a `set-cookie` is among them, which is looked up for every reply.
    sets_cookies: bool,
}

impl HeaderSection {
    /// Copies fields from the wire, each line valid and ended by a line feed, with or without a carriage return.
    pub(super) fn of_lines(text: &[u8], sets_cookies: bool) -> Self {
        Self { text: text.to_vec(), sets_cookies }
    }

    /// Converts the fields of an HTTP/2 reply.
    pub(super) fn of_map(map: &HeaderMap) -> Self {
        map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    /// Returns the size in bytes.
    pub const fn size(&self) -> usize {
        self.text.len()
    }

    /// Returns the first value of a field.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// Iterates over all values of a field.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields()
            .filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// Iterates over the values of all `set-cookie` fields.
    pub fn cookies(&self) -> impl Iterator<Item = &[u8]> {
        self.sets_cookies.then(|| self.get_all(SET_COOKIE)).into_iter().flatten()
    }

    /// Iterates over all names and values.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.text.split(|&byte| byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }
}

/// The field whose presence is noted.
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
    fn fields_of_http2_are_found_in_the_same_way() {
        let mut map = HeaderMap::new();
        map.append("x", "y: z".parse().unwrap());
        map.append("set-cookie", "a=1".parse().unwrap());
        let section = HeaderSection::of_map(&map);
        assert_eq!(section.get("x"), Some(&b"y: z"[..]));
        assert_eq!(section.cookies().collect::<Vec<_>>(), [b"a=1"]);
        assert_eq!(HeaderSection::default().cookies().count(), 0);
    }
}
