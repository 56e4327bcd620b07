//! Redirects: chains of a given length, and to anywhere.

use super::ask::Ask;
use super::outcome::{Outcome, bad, found};

/// `/redirect/{n}`
pub fn chain(ask: &Ask<'_>) -> Outcome {
    match ask.rest().parse::<u64>() {
        Ok(0) | Err(_) => bad("the number of redirects is not a number from 1"),
        Ok(1) => found("/status/200"),
        Ok(hops) => found(&format!("/redirect/{}", hops - 1)),
    }
}

/// `/redirect-to?url=U`
pub fn to(ask: &Ask<'_>) -> Outcome {
    ask.argument("url").map_or_else(|| bad("`url` is missing"), |url| found(&url))
}
