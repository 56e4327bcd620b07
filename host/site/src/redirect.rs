//! Redirects: chains of a given length, and to any URL.

use super::page_outcome::{PageOutcome, bad_request, redirect_found};
use super::page_request::PageRequest;

/// Serves `/redirect/{n}`.
pub(crate) fn chain(ask: &PageRequest<'_>) -> PageOutcome {
    match ask.path_rest().parse::<u64>() {
        Ok(0) | Err(_) => bad_request("the number of redirects is not a number from 1"),
        Ok(1) => redirect_found("/status/200"),
        Ok(hops) => redirect_found(&format!("/redirect/{}", hops - 1)),
    }
}

/// Serves `/redirect-to?url=U`.
pub(crate) fn to(ask: &PageRequest<'_>) -> PageOutcome {
    ask.query_value("url").map_or_else(|| bad_request("`url` is missing"), |url| redirect_found(&url))
}
