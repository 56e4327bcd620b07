//! Text from targets and plugins, made safe for tables and log lines: names, replies, errors.

/// Replaces each run of white space and control characters, which could drive a terminal or break a table, by one
/// space.
pub fn one_line(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words: Vec<&str> = text.split(blank).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Returns the pages for users: README.md and the book without its decisions and internals.
#[cfg(test)]
pub(crate) fn documentation() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_for_users = !["decisions", "internals"].iter().any(|name| path.ends_with(name));
            if path.is_dir() && is_for_users {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.iter().map(|page| std::fs::read_to_string(page).unwrap_or_default()).collect()
}
