//! The parts of a secret that are looked for in a text.

/// Secrets shorter than this, in bytes, are not looked for: they would take half the text with them.
pub const MIN_SECRET_BYTES: usize = 4;

/// A secret and, since lines may be shown one by one, its lines.
pub fn whole_and_lines(secret: &str) -> impl Iterator<Item = &str> {
    let lines = secret.lines().filter(|line| line.len() < secret.len());
    std::iter::once(secret).chain(lines).filter(|part| part.len() >= MIN_SECRET_BYTES)
}
