//! The parts of a secret that a text is searched for.

/// The length of the shortest secret that is searched for, in bytes: a shorter one would match half the text.
pub(super) const MIN_SECRET_BYTES: usize = 4;
/// The length of the shortest part of a longer secret that counts as the secret, wherever it was cut.
pub(super) const MIN_PART_BYTES: usize = 8;

/// The names that precede credentials in an `authorization` field: those registered for HTTP (IANA, "HTTP
/// Authentication Schemes"), and some that are in wide use.
const SCHEMES: [&str; 17] = [
    "ApiKey",
    "AWS4-HMAC-SHA256",
    "Basic",
    "Bearer",
    "Concealed",
    "Digest",
    "DPoP",
    "GNAP",
    "HOBA",
    "Key",
    "Mutual",
    "Negotiate",
    "OAuth",
    "PrivateToken",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "Token",
];

/// Returns a value without the name of an authentication scheme, which is no secret, before it.
pub(crate) fn without_scheme(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, rest)) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => rest.trim_start(),
        _ => value,
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_scheme_is_no_secret() {
        for (value, secret) in [
            ("Bearer abc def", "abc def"),
            ("basic  YWJj", "YWJj"),
            ("Bearer", "Bearer"),
            ("abc def", "abc def"),
            ("BearerX abc", "BearerX abc"),
        ] {
            assert_eq!(without_scheme(value), secret);
        }
    }
}
