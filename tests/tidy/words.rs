//! The words of comments and messages: plain English, in which a doc comment opens with its subject or a verb.

use crate::offences::none;
use crate::prose::{Kind, Prose, prose};
use crate::source::{File, files, rust};

/// Columns of a line.
const WIDTH: usize = 120;

/// Files of other kinds whose whole text is prose.
const DOCUMENTS: [&str; 8] = [".wit", ".md", ".toml", ".py", ".js", ".c", ".h", ".yml"];

/// Openings that hide the subject of a doc comment.
const OPENINGS: [&str; 8] = ["What", "Whether", "Who", "Whose", "Which", "How", "Why", "The same"];

/// Words that are not used, with a `|` each, so that this file does not break its own rule.
const BANNED: [&str; 13] = [
    "no|body",
    "who|ever",
    "some|body",
    "every|body",
    "any|body",
    "to be |had",
    "to be |got",
    "held |against",
    "so-|many",
    "so-man|ieth",
    "so |many",
    "trou|pe",
    "cr|ew",
];

/// Returns `path:line: text` for what is wrong with the prose of a file.
fn offences(file: &File, wrong: impl Fn(&Prose) -> Vec<(usize, String)>) -> Vec<String> {
    let found = prose(file).into_iter().flat_map(|prose| wrong(&prose));
    found.map(|(line, text)| format!("{}:{line}: {text}", file.path)).collect()
}

/// Returns a doc comment's opening if it is one of [`OPENINGS`].
fn opening(prose: &Prose) -> Vec<(usize, String)> {
    let text = prose.joined();
    let opens = |with: &&str| text.strip_prefix(*with).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    let wrong = prose.kind == Kind::Doc && OPENINGS.iter().any(opens) && !text.ends_with('?');
    prose.lines.first().filter(|_| wrong).cloned().into_iter().collect()
}

/// Returns each banned word with what stands around it.
fn banned(prose: &Prose) -> Vec<(usize, String)> {
    let words = BANNED.map(|word| word.replace('|', ""));
    let mut found: Vec<_> = words.iter().flat_map(|word| places(&prose.joined(), word)).collect();
    if prose.kind == Kind::Text {
        found.extend(places(&prose.joined(), "is no").into_iter().filter(|at| is_denial(&prose.joined(), *at)));
    }
    found.into_iter().map(|at| (prose.line(at), around(&prose.joined(), at))).collect()
}

/// Returns `true` for the `is no` of "is no URL", which says "is not a URL"; "there is no" and "is no longer" are fine.
fn is_denial(text: &str, at: usize) -> bool {
    let (before, after) = (text[..at].trim_end().to_lowercase(), text[at..].trim_start_matches("is no").trim_start());
    !before.ends_with("there") && !after.is_empty() && !["longer", "more"].iter().any(|word| after.starts_with(word))
}

/// Returns the places of whole words, whatever their case.
fn places(text: &str, words: &str) -> Vec<usize> {
    let lower = text.to_ascii_lowercase();
    let inside = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
    let whole =
        |at: usize| !inside(lower[..at].chars().next_back()) && !inside(lower[at + words.len()..].chars().next());
    lower.match_indices(words).map(|(at, _)| at).filter(|at| whole(*at)).collect()
}

fn around(text: &str, at: usize) -> String {
    let begin = text[..at].char_indices().rev().nth(30).map_or(0, |(at, _)| at);
    let end = text[at..].char_indices().nth(40).map_or(text.len(), |(length, _)| at + length);
    format!("…{}…", &text[begin..end])
}

/// Returns the lines of comments that are too wide, except tables, which cannot be broken, and addresses.
fn wide(file: &File) -> Vec<String> {
    let is_wide = |number: usize| {
        let line = file.text.lines().nth(number - 1).unwrap_or_default();
        let words = line.trim_start().trim_start_matches(['/', '!']).trim_start();
        line.chars().count() > WIDTH && !words.starts_with('|') && words.contains(' ')
    };
    let comments = prose(file).into_iter().filter(|prose| matches!(prose.kind, Kind::Doc | Kind::Comment));
    let lines = comments.flat_map(|prose| prose.lines).filter(|(number, _)| is_wide(*number));
    lines.map(|(number, text)| format!("{}:{number}: {text}", file.path)).collect()
}

#[test]
fn doc_comments_open_with_their_subject_or_a_verb() {
    let files = files();
    let documented = files.iter().filter(|file| [".rs", ".wit"].iter().any(|kind| file.path.ends_with(kind)));
    none("a doc comment opens with a noun or a verb", documented.flat_map(|file| offences(file, opening)));
}

#[test]
fn banned_words_are_not_used() {
    let files = files();
    let others = files.iter().filter(|file| DOCUMENTS.iter().any(|kind| file.path.ends_with(kind)));
    let all = rust(&files, &[""]).chain(others);
    none("plain words are used", all.flat_map(|file| offences(file, banned)));
}

#[test]
fn comments_are_120_columns_wide_at_most() {
    let files = files();
    let documented = files.iter().filter(|file| [".rs", ".wit"].iter().any(|kind| file.path.ends_with(kind)));
    none("a comment is 120 columns wide at most", documented.flat_map(wide));
}

#[test]
fn planted_words_are_found() {
    let file = |path: &str, text: String| File { path: path.into(), size: text.len(), text };
    let some = BANNED[2].replace('|', "");
    let text = format!(
        "//! Which it is.\n\n/// Whichever it is.\nfn {some}_comes() {{\n    // Held\n    // {}.\n    a(\"it is {no}\\n \
         URL, it is no longer {some}, there is no URL\");\n}}\n",
        "against",
        no = "no"
    );
    let file = file("a.rs", text);
    assert_eq!(offences(&file, opening), ["a.rs:1: Which it is."]);
    let found: Vec<_> = offences(&file, banned).iter().map(|it| it.split(": ").next().unwrap().to_owned()).collect();
    assert_eq!(found, ["a.rs:5", "a.rs:7", "a.rs:7", "a.rs:4"]);
    assert_eq!(wide(&File { text: format!("// {}\n//! a {}\n", "a".repeat(140), "b ".repeat(60)), ..file }).len(), 1);
}
