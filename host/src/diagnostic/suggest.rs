//! "Did you mean": most unknown names are known names with a typing error.

/// The smallest Jaro-Winkler similarity that counts as a typing error. Below it suggestions confuse more than they
/// help: `usrs` is 0.93 from `users`, `method` 0.47 from `name`.
const MIN_SIMILARITY: f64 = 0.8;

/// Returns the candidate nearest to what was typed, if any is near enough. Case does not matter; of two equally near
/// candidates the first wins.
pub fn suggest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let mut best = None;
    let mut best_score = MIN_SIMILARITY;
    for candidate in candidates {
        let score = strsim::jaro_winkler(&typed, &candidate.to_lowercase());
        if score > best_score {
            (best, best_score) = (Some(candidate), score);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] = ["users", "rps", "duration", "steps", "expect_status", "data"];

    #[test]
    fn typing_errors_are_recognised_and_other_names_are_not() {
        for (typed, expected) in [
            ("usrs", Some("users")),
            ("user", Some("users")),
            ("expect_statuss", Some("expect_status")),
            ("Duration", Some("duration")),
            ("step", Some("steps")),
            ("date", Some("data")),
            ("verbose", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(suggest(typed, KEYS), expected, "{typed}");
        }
    }

    #[test]
    fn nothing_is_suggested_from_nothing() {
        assert_eq!(suggest("users", []), None);
    }
}
