//! The parts of a secret that a text is searched for.

/// The length of the shortest secret that is searched for, in bytes: a shorter one would match half the text.
pub(super) const MIN_SECRET_BYTES: usize = 4;

/// Returns a secret and, since lines may be shown one by one, its lines.
pub(super) fn whole_and_lines(secret: &str) -> impl Iterator<Item = &str> {
    let lines = secret.lines().filter(|line| line.len() < secret.len());
    std::iter::once(secret).chain(lines).filter(|part| part.len() >= MIN_SECRET_BYTES)
}
