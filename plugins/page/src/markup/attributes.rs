//! The attributes of a start tag that decide what is fetched. Others are dropped while they are read, since a page may
//! have millions.

/// The names of the attributes that are kept.
const NAMES: [&[u8]; 18] = [
    b"href",
    b"src",
    b"srcset",
    b"rel",
    b"type",
    b"data",
    b"poster",
    b"background",
    b"disabled",
    b"nomodule",
    b"autoplay",
    b"preload",
    b"srcdoc",
    b"xlink:href",
    b"encoding",
    b"color",
    b"face",
    b"size",
];

/// The most bytes of a value: the host sends no longer URL.
const LONGEST_VALUE: usize = 64 << 10;

/// The attributes of one start tag.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<(usize, Vec<u8>)>);

impl Attributes {
    /// Adds an attribute, unless it is not kept or the tag has one of that name already.
    pub(super) fn add(&mut self, name: &[u8], value: &[u8]) {
        let Some(index) = NAMES.iter().position(|known| *known == name) else { return };
        if self.0.iter().all(|(taken, _)| *taken != index) {
            // A reference that is too long leads nowhere.
            let value = if value.len() > LONGEST_VALUE { &[] } else { value };
            self.0.push((index, value.to_vec()));
        }
    }

    /// Returns `true` if an attribute of that name would be added.
    pub(super) fn keeps(name: &[u8]) -> bool {
        NAMES.contains(&name)
    }

    /// Returns `true` if there are enough bytes of a value.
    pub(super) const fn is_too_long(value: &[u8]) -> bool {
        value.len() > LONGEST_VALUE
    }

    /// Returns `true` if the tag has the attribute.
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Returns the value of an attribute without blanks around it; empty if the tag has none of that name.
    pub(super) fn text(&self, name: &str) -> String {
        self.value(name).map(|value| String::from_utf8_lossy(value).trim().to_owned()).unwrap_or_default()
    }

    /// Returns the value of an attribute, unless it is empty.
    pub(super) fn reference(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    /// Returns `true` if the value is the word, in any case.
    pub(super) fn is(&self, name: &str, word: &str) -> bool {
        self.text(name).eq_ignore_ascii_case(word)
    }

    /// Returns `true` if one of the words of a value is one of these.
    pub(super) fn is_one_of(&self, name: &str, words: &[&str]) -> bool {
        self.text(name).split_ascii_whitespace().any(|word| words.iter().any(|known| word.eq_ignore_ascii_case(known)))
    }

    fn value(&self, name: &str) -> Option<&[u8]> {
        let index = NAMES.iter().position(|known| *known == name.as_bytes())?;
        self.0.iter().find(|(kept, _)| *kept == index).map(|(_, value)| value.as_slice())
    }
}
