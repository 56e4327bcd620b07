//! The lines of a playlist: tags, references and the rest, with their numbers. Lines end with a line feed, a carriage
//! return, or both.

/// A line that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Counts from 1.
    pub(super) number: usize,
    pub(super) kind: LineKind<'a>,
}

/// The kinds of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind<'a> {
    /// A tag `#EXT…`.
    Tag {
        /// The name, without the `#`.
        name: &'a str,
        /// The text behind the colon, trimmed.
        value: &'a str,
    },
    /// A reference.
    Reference(&'a str),
    /// A comment.
    Comment,
}

/// Splits a text into lines.
pub(super) fn lines(text: &str) -> Lines<'_> {
    Lines { rest: text, number: 0 }
}

/// The lines of a text.
#[derive(Debug, Clone)]
pub(super) struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while !self.rest.is_empty() {
            let end = self.rest.find(['\n', '\r']).unwrap_or(self.rest.len());
            let (line, after) = self.rest.split_at(end);
            self.rest = after.strip_prefix("\r\n").or_else(|| after.get(1..)).unwrap_or_default();
            self.number += 1;
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let kind = match line.strip_prefix('#') {
                None => LineKind::Reference(line),
                Some(tag) if tag.starts_with("EXT") => {
                    let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
                    LineKind::Tag { name: name.trim_end(), value: value.trim() }
                }
                Some(_) => LineKind::Comment,
            };
            return Some(Line { number: self.number, kind });
        }
        None
    }
}

/// An attribute list: `NAME=value,NAME="quoted, text"`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attributes<'a>(pub(super) &'a str);

impl<'a> Attributes<'a> {
    /// Returns the value of an attribute, without its quotes.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.0;
        while let Some((found, after)) = rest.split_once('=') {
            let after = after.trim_start();
            let value = match after.strip_prefix('"') {
                Some(quoted) => {
                    let end = quoted.find('"').unwrap_or(quoted.len());
                    let behind = quoted.get(end + 1..).unwrap_or_default();
                    rest = behind.split_once(',').map_or("", |(_, rest)| rest);
                    &quoted[..end]
                }
                None => {
                    let (value, next) = after.split_once(',').unwrap_or((after, ""));
                    rest = next;
                    value.trim()
                }
            };
            if found.trim() == name {
                return Some(value);
            }
        }
        None
    }

    /// Returns `true` if an attribute is `YES`.
    pub(super) fn is_yes(&self, name: &str) -> bool {
        self.get(name) == Some("YES")
    }

    /// Returns the number of an attribute.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag<'a>(number: usize, name: &'a str, value: &'a str) -> Line<'a> {
        Line { number, kind: LineKind::Tag { name, value } }
    }

    #[test]
    fn lines_end_in_every_way() {
        let text = "#EXTM3U \r\n\r#EXTINF : 4,\r\r\n a.ts\t\n\n# note\n#EXT-X-ENDLIST";
        let read: Vec<_> = lines(text).collect();
        let reference = Line { number: 5, kind: LineKind::Reference("a.ts") };
        let comment = Line { number: 7, kind: LineKind::Comment };
        assert_eq!(
            read,
            [tag(1, "EXTM3U", ""), tag(3, "EXTINF", "4,"), reference, comment, tag(8, "EXT-X-ENDLIST", "")]
        );
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn attributes_are_found() {
        let list = Attributes("A=1, B=\"x,C=y\",C = z ,D=\"open");
        let values = ["A", "B", "C", "D", "E"].map(|name| list.get(name));
        assert_eq!(values, [Some("1"), Some("x,C=y"), Some("z"), Some("open"), None]);
        assert_eq!(list.number("A"), Some(1));
        assert_eq!(list.number::<u32>("C"), None);
    }
}
