//! The failure of a rule: every place that breaks it. With `TIDY=print` in the environment a rule prints them, counted
//! by folder, and passes, which shows how far a change to the whole repository has come.

use std::collections::BTreeMap;

/// Fails with all offences of a rule, each of which begins with a path.
#[track_caller]
pub(crate) fn none(rule: &str, offences: impl IntoIterator<Item = String>) {
    let offences: Vec<_> = offences.into_iter().collect();
    if std::env::var_os("TIDY").is_some_and(|mode| mode == "print") {
        return print(rule, &offences);
    }
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

fn print(rule: &str, offences: &[String]) {
    let mut folders = BTreeMap::<String, usize>::new();
    for offence in offences {
        let path = offence.split([':', ' ']).next().unwrap_or_default();
        let folder: Vec<_> = path.split('/').take(3).collect();
        *folders.entry(folder.join("/")).or_default() += 1;
    }
    println!("\n{rule}: {}", offences.len());
    folders.iter().for_each(|(folder, count)| println!("  {count:5} {folder}"));
    offences.iter().for_each(|offence| println!("  {offence}"));
}

/// Returns `path:line: text` for each line that `wrong` is true of.
pub(crate) fn lines<'a>(
    path: &'a str,
    text: &'a str,
    wrong: impl Fn(&str) -> bool + 'a,
) -> impl Iterator<Item = String> + 'a {
    let wrong = text.lines().enumerate().filter(move |(_, line)| wrong(line));
    wrong.map(move |(at, line)| format!("{path}:{}: {}", at + 1, line.trim()))
}
