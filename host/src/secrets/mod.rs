//! Secrets, and how they are removed from a text. Texts that guests or peers influence are searched here before they
//! are logged or reported, and so are messages about the script.
//!
//! ```text
//! text ──decoded──▶ views of it ──secrets of the run and of one user──▶ places ──▶ the text with `***` there
//! ```
//! None of this is on the path of a request: one failure of each kind is shown, and log lines are few.

mod cells;
mod decoded;
mod parts;

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::ops::Range;

use crate::data::DataSets;
use cells::SecretCells;
use decoded::DecodedView;
use parts::{MIN_PART_BYTES, MIN_SECRET_BYTES, secret_in_parts, whole_and_lines};

/// The number of characters that are shown of a text, such as the detail of a failure or a log line.
const SHOWN: usize = 200;
/// The shortest beginning of a secret, in bytes, that counts as the secret where a text was cut.
const MIN_PREFIX_BYTES: usize = 6;
/// The number of bytes of a text that are searched, plus the longest secret cell; the rest is left out.
const MAX_SEARCHED_BYTES: usize = 2048;
/// The deepest nesting of encodings that is decoded.
const MAX_DECODINGS: u8 = 2;

/// The secrets that all users of a run share.
#[derive(Default)]
pub struct Secrets {
    /// Values of environment variables that the script reads.
    texts: Vec<String>,
    /// Secret columns of data sets.
    cells: SecretCells,
}

impl Secrets {
    /// Creates the secrets from texts, and from the secret columns of the data sets.
    pub fn new(texts: impl IntoIterator<Item = String>, data: &DataSets) -> Self {
        let texts: BTreeSet<_> = texts.into_iter().filter(|text| text.len() >= MIN_SECRET_BYTES).collect();
        Self { texts: texts.into_iter().collect(), cells: SecretCells::from_data(data) }
    }

    /// Returns the first [`SHOWN`] characters of a text without its secrets, the user's included.
    pub fn excerpt(&self, text: &str, user_secrets: &[&str]) -> String {
        let max_bytes = MAX_SEARCHED_BYTES + self.cells.longest();
        self.redact(&text[..text.floor_char_boundary(max_bytes)], user_secrets).chars().take(SHOWN).collect()
    }

    /// Returns the text with `***` for its secrets, the user's included. It finds them whole, line by line, and as
    /// templates encode them, in upper or lower case. A text from elsewhere may have been cut, so [`MIN_PART_BYTES`] of
    /// a secret count anywhere, and fewer of its beginning where the text, or a quotation in it, ends.
    pub fn redact(&self, text: &str, user_secrets: &[&str]) -> String {
        let texts = self
            .texts
            .iter()
            .map(String::as_str)
            .chain(user_secrets.iter().copied())
            .flat_map(whole_and_lines)
            .collect();
        let mut search = SecretSearch { texts, cells: &self.cells, ranges: Vec::new() };
        if search.is_empty() {
            return text.to_owned();
        }
        search.search(&DecodedView::of(text), MAX_DECODINGS);
        mask(text, search.ranges)
    }
}

/// Shows the number of texts and no secret.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("texts", &self.texts.len()).finish_non_exhaustive()
    }
}

/// A search under way.
struct SecretSearch<'s> {
    texts: Vec<&'s str>,
    cells: &'s SecretCells,
    /// Ranges in the text that is searched, in any order.
    ranges: Vec<Range<usize>>,
}

impl SecretSearch<'_> {
    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.cells.is_empty()
    }

    /// Records the secrets in a view, and in its decodings down to a depth of `deeper`.
    fn search(&mut self, view: &DecodedView, deeper: u8) {
        let (bytes, ends) = (view.bytes(), possible_cuts(view.bytes()));
        for text in &self.texts {
            self.ranges.extend(occurrences(bytes, text.as_bytes()).map(|place| view.source_range(place)));
            self.ranges
                .extend(truncated_occurrences(bytes, &ends, text.as_bytes()).map(|place| view.source_range(place)));
            self.ranges.extend(parts(bytes, secret_in_parts(text).as_bytes()).map(|place| view.source_range(place)));
        }
        self.cells.find(bytes, |place| self.ranges.push(view.source_range(place)));
        if deeper > 0 {
            view.for_each_decoding(MIN_SECRET_BYTES, |inner| self.search(&inner, deeper - 1));
        }
    }
}

/// Finds one text in another, overlapping occurrences included.
fn occurrences<'a>(bytes: &'a [u8], secret: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
    let places = bytes.windows(secret.len()).enumerate().filter(move |(_, window)| window.eq_ignore_ascii_case(secret));
    places.map(|(start, window)| start..start + window.len())
}

/// Finds the parts of one text in another, in pieces of [`MIN_PART_BYTES`] that may overlap.
fn parts<'a>(bytes: &'a [u8], secret: &[u8]) -> impl Iterator<Item = Range<usize>> + 'a {
    let pieces: HashSet<Vec<u8>> = secret.windows(MIN_PART_BYTES).map(<[u8]>::to_ascii_lowercase).collect();
    let windows = bytes.windows(MIN_PART_BYTES).enumerate();
    let found = windows.filter(move |(_, window)| !pieces.is_empty() && pieces.contains(&window.to_ascii_lowercase()));
    found.map(|(start, window)| start..start + window.len())
}

/// Returns the positions at which a text may have been cut: before a mark that shows a cut or ends a quotation, and at
/// the end.
fn possible_cuts(bytes: &[u8]) -> Vec<usize> {
    let marks = |rest: &[u8]| ["…", "...", "`", "\"", "'"].iter().any(|mark| rest.starts_with(mark.as_bytes()));
    (0..=bytes.len()).filter(|end| *end == bytes.len() || marks(&bytes[*end..])).collect()
}

/// Finds the beginning of one text in another, before one of the `ends`.
fn truncated_occurrences(bytes: &[u8], ends: &[usize], secret: &[u8]) -> impl Iterator<Item = Range<usize>> {
    ends.iter().filter_map(|end| {
        let mut lengths = (MIN_PREFIX_BYTES..=secret.len() - 1).rev().filter(|length| length <= end);
        let length = lengths.find(|length| bytes[end - length..*end].eq_ignore_ascii_case(&secret[..*length]))?;
        Some(end - length..*end)
    })
}

/// Replaces these ranges of a text by `***`.
fn mask(text: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_unstable_by_key(|place| place.start);
    let (mut clean, mut done) = (String::with_capacity(text.len()), 0);
    for place in places {
        let (start, end) = (text.floor_char_boundary(place.start), text.ceil_char_boundary(place.end));
        if end <= done {
            continue;
        }
        // A range that begins where the last one ended is part of it.
        if start > done || done == 0 {
            clean.push_str(&text[done..start.max(done)]);
            clean.push_str("***");
        }
        done = end;
    }
    clean.push_str(&text[done..]);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(own: &[&str], text: &str) -> String {
        Secrets::default().redact(text, own)
    }

    #[test]
    fn secrets_are_redacted_in_any_script_and_order() {
        for (case, secrets, text, expected) in [
            ("in another case", &["Hunter2"][..], "http://hUNTER2/", "http://***/"),
            ("several times", &["hunter2"], "sent hunter2 twice: hunter2", "sent *** twice: ***"),
            ("not ASCII", &["schlüssel"], "é schlüssel!", "é ***!"),
            ("one within another, the short one first", &["abcd", "abcdefgh"], "x abcdefgh abcd", "x *** ***"),
            ("one after the other", &["abcd", "efgh"], "abcdefgh.", "***."),
            ("overlapping", &["abcab"], "abcabcab!", "***!"),
            ("too short to be one", &["abc"], "abc", "abc"),
            ("none", &[], "abcd", "abcd"),
            ("all of it", &["abcd"], "abcd", "***"),
            (
                "line by line",
                &["BEGIN\nMIIB\nEND!"],
                "the second line is MIIB, then END!",
                "the second line is ***, then ***",
            ),
        ] {
            assert_eq!(redacted(secrets, text), expected, "{case}");
        }
    }

    #[test]
    fn secrets_are_found_as_templates_encode_them() {
        let secret = "p&ss \"wörd\" 1+1/2?";
        for (case, text, expected) in [
            ("percent", "/a?p=p%26ss%20%22w%C3%B6rd%22%201%2B1%2F2%3F&x=1", "/a?p=***&x=1"),
            ("percent, in lower case", "p=p%26ss%20%22w%c3%b6rd%22%201%2b1%2f2%3f;", "p=***;"),
            ("a form", "p=p%26ss+%22w%C3%B6rd%22+1%2B1%2F2%3F&x=1+1", "p=***&x=1+1"),
            ("JSON", r#"{"p":"p&ss \"wörd\" 1+1/2?"}"#, r#"{"p":"***"}"#),
            ("JSON in ASCII", r#"{"p":"p&ss \u0022w\u00f6rd\u0022 1+1\/2?"}"#, r#"{"p":"***"}"#),
            ("base64", "it is cCZzcyAid8O2cmQiIDErMS8yPw==.", "it is ***."),
            ("base64, for URLs", "it is cCZzcyAid8O2cmQiIDErMS8yPw.", "it is ***."),
            ("base64 of more", "Basic dXNlcjpwJnNzICJ3w7ZyZCIgMSsxLzI/", "Basic ***"),
            ("base64 after a slash", "/v1/cCZzcyAid8O2cmQiIDErMS8yPw==", "***"),
            ("base64, percent-encoded", "p=cCZzcyAid8O2cmQiIDErMS8yPw%3D%3D&x", "p=***&x"),
            ("nothing of it", "p%26ss %22 \\u0022 cCZz", "p%26ss %22 \\u0022 cCZz"),
        ] {
            assert_eq!(redacted(&[secret], text), expected, "{case}");
        }
    }

    #[test]
    fn the_beginning_of_a_secret_counts_where_the_text_was_cut() {
        for (case, text, expected) in [
            ("at its end", "the body begins with correct-horse-bat", "the body begins with ***"),
            ("in a quotation", "got `correct-horse-bat` and the end", "got `***` and the end"),
            ("with dots", "the body begins with correct-horse-bat…", "the body begins with ***…"),
            ("quoted", "`correct-ho`", "`***`"),
            ("too little of it", "this is cor", "this is cor"),
            ("in the middle", "correct it!", "correct it!"),
            ("before its end", "it was correct-hor; go on", "it was ***; go on"),
            ("without its beginning", "…ct-horse-battery and", "…*** and"),
            ("on both sides", "it was ECT-HORSE-BA, in short", "it was ***, in short"),
            ("too short a part", "it was t-horse, in short", "it was t-horse, in short"),
        ] {
            assert_eq!(redacted(&["correct-horse-battery"], text), expected, "{case}");
        }
        let long = "correct-horse-battery".repeat(1_000);
        assert_eq!(Secrets::default().excerpt(&format!("it was {long}"), &[&long]), "it was ***");
    }

    #[test]
    fn names_of_schemes_are_shown() {
        assert_eq!(redacted(&["Bearer abcd"], "sent Bearer abcd"), "sent Bearer ***");
        assert_eq!(redacted(&["https://host/s3cret"], "https://elsewhere/"), "https://elsewhere/");
    }

    #[test]
    fn a_text_is_cut_after_its_secrets_are_gone() {
        let text = "secret ".repeat(100) + &"é".repeat(1_000);
        let shown = Secrets::default().excerpt(&text, &["secret"]);
        assert_eq!(shown, "*** ".repeat(50));
    }

    #[test]
    fn debug_shows_no_secret() {
        let secrets = Secrets::new(["hunter2".to_owned()], &DataSets::default());
        assert_eq!(format!("{secrets:?}"), "Secrets { texts: 1, .. }");
    }
}
