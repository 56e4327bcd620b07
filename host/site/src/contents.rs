//! Contents that pages keep: the catalogue, and a text in every coding. This file does not depend on requests.

use std::fmt::Write;
use std::io::Read;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::{GzEncoder, ZlibEncoder};

use super::hash::mix_bits;

const PAGE_COUNT: usize = 1000;
const MOVIES_PER_PAGE: usize = 10;

const ADJECTIVES: [&str; 8] = ["Silent", "Crimson", "Hidden", "Golden", "Broken", "Distant", "Electric", "Frozen"];
const NOUNS: [&str; 8] = ["Harbour", "Signal", "Garden", "Empire", "Mirror", "Voyage", "Canyon", "Orchard"];

/// The pages of the catalogue, each built at its first request: a million bytes for all of them.
pub(crate) struct Catalog {
    pages: Box<[OnceLock<Bytes>]>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self { pages: std::iter::repeat_with(OnceLock::new).take(PAGE_COUNT).collect() }
    }
}

impl Catalog {
    /// Returns the JSON of page `number`, from 1; `None` if there is no such page.
    pub(crate) fn page(&self, number: usize) -> Option<Bytes> {
        let page = self.pages.get(number.checked_sub(1)?)?;
        Some(page.get_or_init(|| write_page(number).into()).clone())
    }
}

/// One JSON text in every coding, compressed once.
pub(crate) struct EncodedBodies {
    /// The text without a coding.
    pub clear: Bytes,
    /// The text in `gzip`.
    pub gzip: Bytes,
    /// The text in `deflate`.
    pub deflate: Bytes,
}

impl EncodedBodies {
    /// Compresses a text.
    pub(crate) fn new() -> std::io::Result<Self> {
        let text = plain_json();
        let gzip = read_all(GzEncoder::new(text.as_bytes(), Compression::default()))?;
        // HTTP's `deflate` is the zlib format.
        let deflate = read_all(ZlibEncoder::new(text.as_bytes(), Compression::default()))?;
        Ok(Self { clear: text.into(), gzip, deflate })
    }
}

fn write_page(number: usize) -> String {
    let mut text = String::with_capacity(1200);
    let first = (number - 1) * MOVIES_PER_PAGE + 1;
    let movies: Vec<_> = (first..first + MOVIES_PER_PAGE).map(movie).collect();
    // Writing to a string cannot fail.
    let _ = write!(text, r#"{{"page":{number},"pages":{PAGE_COUNT},"movies":[{}]}}"#, movies.join(","));
    text
}

fn movie(number: usize) -> String {
    let dice = mix_bits(number as u64);
    let pick = |words: [&'static str; 8], shift: u32| words[(dice >> shift & 7) as usize];
    let (adjective, noun) = (pick(ADJECTIVES, 0), pick(NOUNS, 3));
    let (year, minutes) = (1950 + dice / 64 % 75, 75 + dice / 8192 % 90);
    format!(
        r#"{{"id":"mv-{number:05}","title":"The {adjective} {noun}","year":{year},"minutes":{minutes},"live":false}}"#
    )
}

fn plain_json() -> String {
    let words = vec!["stampede"; 100];
    serde_json::json!({ "compressed": "maybe", "words": words }).to_string()
}

fn read_all(mut coder: impl Read) -> std::io::Result<Bytes> {
    let mut bytes = Vec::new();
    coder.read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_json_of_about_one_kilobyte() {
        let catalog = Catalog::default();
        for number in 1..=PAGE_COUNT {
            let text = catalog.page(number).unwrap();
            assert!((800..1200).contains(&text.len()), "page {number} has {} bytes", text.len());
            let page: serde_json::Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(page["page"], number);
            assert_eq!(page["movies"].as_array().unwrap().len(), MOVIES_PER_PAGE);
        }
    }

    #[test]
    fn a_page_is_the_same_at_every_site_and_every_time() {
        let catalog = Catalog::default();
        assert_eq!(catalog.page(7), catalog.page(7));
        assert_eq!(catalog.page(7), Catalog::default().page(7));
        assert_ne!(catalog.page(7), catalog.page(8));
    }

    #[test]
    fn there_is_nothing_before_the_first_page_and_after_the_last() {
        let catalog = Catalog::default();
        assert_eq!((catalog.page(0), catalog.page(PAGE_COUNT + 1)), (None, None));
    }
}
