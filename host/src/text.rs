//! Text from targets and plugins, made safe for tables and log lines: names, replies, errors.

/// Replaces each run of white space and control characters, which could drive a terminal or break a table, by one
/// space.
pub fn error_chain(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
