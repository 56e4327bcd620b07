//! The catalogue of movies, and starting to stream one.

use std::fmt::Write;
use std::sync::OnceLock;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{HeaderValue, LOCATION};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::ask::Ask;
use super::auth;
use super::outcome::{Outcome, bad, json, refuse};

const PAGES: usize = 1000;
const MOVIES_PER_PAGE: usize = 10;

/// All but what RFC 3986 calls unreserved.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const ADJECTIVES: [&str; 8] = ["Silent", "Crimson", "Hidden", "Golden", "Broken", "Distant", "Electric", "Frozen"];
const NOUNS: [&str; 8] = ["Harbour", "Signal", "Garden", "Empire", "Mirror", "Voyage", "Canyon", "Orchard"];

/// The pages, each written when it is first asked for: a million bytes if all are.
pub struct Catalog {
    pages: Box<[OnceLock<Bytes>]>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self { pages: std::iter::repeat_with(OnceLock::new).take(PAGES).collect() }
    }
}

impl Catalog {
    /// The JSON of page `number`, from 1; `None` if there is no such page.
    fn page(&self, number: usize) -> Option<Bytes> {
        let page = self.pages.get(number.checked_sub(1)?)?;
        Some(page.get_or_init(|| write_page(number).into()).clone())
    }
}

/// What `/api/v1/stream/start` wants.
#[derive(Deserialize)]
struct Start {
    movie_id: String,
}

/// `/api/v1/catalog?page=N`; the first page if N is absent.
pub fn page(ask: &Ask<'_>) -> Outcome {
    let page = ask.number("page", 1).ok().and_then(|number| ask.shared.catalog.page(number));
    page.map_or_else(|| bad("`page` is not a number from 1 to 1000"), |text| json(StatusCode::OK, text).into())
}

/// `/api/v1/stream/start`. Any movie id will do that is not empty.
pub fn start_stream(ask: &Ask<'_>) -> Outcome {
    if !auth::signed_in(ask) {
        return auth::unauthorized().into();
    }
    match serde_json::from_slice(&ask.body) {
        Ok(Start { movie_id }) if !movie_id.is_empty() => started(&movie_id),
        _ => refuse(StatusCode::UNPROCESSABLE_ENTITY, "the body is not JSON with a `movie_id`").into(),
    }
}

fn started(movie: &str) -> Outcome {
    let session = auth::digest(movie.as_bytes());
    let playlist = format!("/hls/{}/master.m3u8", utf8_percent_encode(movie, SEGMENT));
    // An escaped path needs no escapes in JSON.
    let mut reply = json(StatusCode::CREATED, format!(r#"{{"session":"{session:016x}","playlist":"{playlist}"}}"#));
    if let Ok(location) = HeaderValue::try_from(playlist) {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply.into()
}

fn write_page(number: usize) -> String {
    let mut text = String::with_capacity(1200);
    let first = (number - 1) * MOVIES_PER_PAGE + 1;
    let movies: Vec<_> = (first..first + MOVIES_PER_PAGE).map(movie).collect();
    // Writing to a string cannot fail.
    let _ = write!(text, r#"{{"page":{number},"pages":{PAGES},"movies":[{}]}}"#, movies.join(","));
    text
}

fn movie(number: usize) -> String {
    let dice = auth::scramble(number as u64);
    let pick = |words: [&'static str; 8], shift: u32| words[(dice >> shift & 7) as usize];
    let (adjective, noun) = (pick(ADJECTIVES, 0), pick(NOUNS, 3));
    let (year, minutes) = (1950 + dice / 64 % 75, 75 + dice / 8192 % 90);
    format!(
        r#"{{"id":"mv-{number:05}","title":"The {adjective} {noun}","year":{year},"minutes":{minutes},"live":false}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_json_of_about_one_kilobyte() {
        let catalog = Catalog::default();
        for number in 1..=PAGES {
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
        assert_eq!((catalog.page(0), catalog.page(PAGES + 1)), (None, None));
    }
}
