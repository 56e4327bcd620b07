//! "Did you mean".
/// The candidate nearest to what was typed, if near enough.
pub fn suggest<'a>(_typed: &str, _candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    None
}
