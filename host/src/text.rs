//! Text from targets and plugins, made safe for tables and log lines: names, replies, errors, credentials.

/// Replaces each run of white space and control characters, which could drive a terminal or break a table, by one
/// space.
pub(crate) fn one_line(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Replaces control characters, which could drive a terminal, by the replacement character, and tabs by spaces.
pub(crate) fn visible(line: &str) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    line.chars().map(shown).collect()
}

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

/// Returns `true` if a page that was written for users names a flag or an extension as a whole word: README.md and the
/// book without its decisions and internals, and without the reference, which is generated from the code.
#[cfg(test)]
pub(crate) fn is_documented(word: &str) -> bool {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_for_users = !["decisions", "internals", "reference"].iter().any(|name| path.ends_with(name));
            if path.is_dir() && is_for_users {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.iter().any(|page| names_whole_word(&std::fs::read_to_string(page).unwrap_or_default(), word))
}

/// Returns `true` if the text has the word, and neither a part of a longer one nor of a file's name.
#[cfg(test)]
fn names_whole_word(text: &str, word: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || "-_".contains(c);
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        !before.is_some_and(continues) && !after.is_some_and(continues)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_word_does_not_name_it() {
        for (text, word, expected) in [
            ("write `--out report.json`", "--out", true),
            ("--out=a", "--out", true),
            ("--output and --time-out", "--out", false),
            ("`.json`, that is", ".json", true),
            ("report.json, .jsonl", ".json", false),
        ] {
            assert_eq!(names_whole_word(text, word), expected, "{word} in {text}");
        }
    }

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
