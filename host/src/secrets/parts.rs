//! The parts of a secret that a text is searched for.

use crate::text::without_scheme;

/// The length of the shortest secret that is searched for, in bytes: a shorter one would match half the text.
pub(super) const MIN_SECRET_BYTES: usize = 4;
/// The length of the shortest part of a longer secret that counts as the secret, wherever it was cut.
pub(super) const MIN_PART_BYTES: usize = 8;

/// Returns a secret and, since lines may be shown one by one, its lines.
pub(super) fn whole_and_lines(secret: &str) -> impl Iterator<Item = &str> {
    let secret = without_scheme(secret);
    let lines = secret.lines().filter(|line| line.len() < secret.len());
    std::iter::once(secret).chain(lines).filter(|part| part.len() >= MIN_SECRET_BYTES)
}

/// Returns the text of a secret whose parts are secret too: all of it but the scheme of a URL.
pub(super) fn secret_in_parts(secret: &str) -> &str {
    ["https://", "http://", "wss://", "ws://"].iter().find_map(|scheme| secret.strip_prefix(scheme)).unwrap_or(secret)
}
