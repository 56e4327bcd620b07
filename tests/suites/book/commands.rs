//! The command lines of a document, read as a shell reads them and given to the program's own parser.

use clap::Parser;
use clap::error::ErrorKind;
use stampede_shooter::cli::{Cli, NAME};

use super::page::Page;

/// Returns the command lines in `sh` blocks that the program rejects, each with its place and the reason.
pub(super) fn offences(page: &Page) -> Vec<String> {
    let blocks = page.blocks.iter().filter(|block| block.language == "sh");
    let lines = blocks.flat_map(|block| {
        let text = block.text.replace("\\\n", " ");
        text.lines().map(|line| (block.line, line.to_owned())).collect::<Vec<_>>()
    });
    lines
        .flat_map(|(line, text)| commands(&text).into_iter().map(move |command| (line, command)))
        .filter_map(|(line, command)| {
            let why = rejection(&command)?;
            Some(format!("{}:{line}: {}: {why}", page.path, command.join(" ")))
        })
        .collect()
}

/// Returns the program's reason for rejecting a command; `None` if it accepts it, or if another program is called.
fn rejection(words: &[String]) -> Option<String> {
    if words.first().is_none_or(|word| word != NAME) {
        return None;
    }
    let error = Cli::try_parse_from(words).err()?;
    let shown = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    (!shown).then(|| error.to_string().lines().next().unwrap_or_default().to_owned())
}

/// Splits a line into commands and their words, without comments, redirections, variables that are set, and operators.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut skip = false;
    for word in words(line) {
        match word.as_str() {
            "&&" | "||" | "|" | ";" | "&" => commands.push(Vec::new()),
            ">" | ">>" | "<" | "2>" => skip = true,
            _ if std::mem::take(&mut skip) => {}
            word => {
                let command = commands.last_mut().expect("there is always one");
                let sets = command.is_empty() && word.split_once('=').is_some_and(|(name, _)| is_variable(name));
                if !sets {
                    command.push(word.to_owned());
                }
            }
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|sign| sign.is_ascii_uppercase() || sign == '_')
}

/// Splits a line into words, without their quotes, up to a comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for sign in line.chars() {
        match (quote, sign) {
            (Some(open), sign) if open == sign => quote = None,
            (None, '\'' | '"') => {
                quote = Some(sign);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, sign) if sign.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(sign),
        }
    }
    words.extend(word);
    words
}

#[test]
fn lines_are_read_as_a_shell_reads_them() {
    let line = "A=1 stampede-shooter --header 'a: \"b\"' > x.txt && ls -l  # and so on";
    let expected = [vec!["stampede-shooter", "--header", "a: \"b\""], vec!["ls", "-l"]];
    assert_eq!(commands(line), expected);
}

#[test]
fn a_planted_wrong_command_line_is_found() {
    let text = "```sh\nstampede-shooter --userss 5\nstampede-shooter check \\\n    --script a.yml\nls --userss\n\
                stampede-shooter --version\n```\n";
    let found = offences(&Page::parse("a.md", text));
    assert!(found.len() == 1 && found[0].starts_with("a.md:1: stampede-shooter --userss 5: error"), "{found:?}");
}
