//! The command line, from clap's definition of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::{Arg, Command};
use stampede_shooter::cli::NAME;
use stampede_shooter::command::definition;

use super::{cell, sentence};

/// The heading of the flags that all commands have.
const CONSOLE: &str = "Console";

/// Renders the page.
pub(super) fn page() -> String {
    let mut command = definition();
    command.build();
    let run: BTreeSet<String> = shown(&command).map(|arg| arg.get_id().to_string()).collect();
    let mut page = "# Command line\n\n".to_owned();
    let about = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(
        page,
        "{}\n\nAll commands but `completions` and `man` take the flags under **{CONSOLE}** too.\n\n## {NAME}\n\n\
         Runs a script.",
        about.trim()
    );
    arguments(&mut page, &shown(&command).collect::<Vec<_>>());
    commands(&mut page, &command, NAME, &run);
    page
}

/// Adds the sections of a command's own commands.
fn commands(page: &mut String, parent: &Command, path: &str, run: &BTreeSet<String>) {
    for command in parent.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help") {
        let path = format!("{path} {}", command.get_name());
        let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "\n## {path}\n\n{}", sentence(&about));
        let all: Vec<_> = shown(command).collect();
        let takes_run = all.iter().any(|arg| arg.get_id() == "users");
        let own = all.into_iter().filter(|arg| arg.get_help_heading() != Some(CONSOLE));
        let own = own.filter(|arg| !takes_run || !run.contains(arg.get_id().as_str()));
        arguments(page, &own.collect::<Vec<_>>());
        if takes_run {
            let _ = writeln!(page, "\nSee [the flags of a run](#{NAME}).");
        }
        commands(page, command, &path, run);
    }
}

/// Returns the arguments that are documented.
fn shown(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str()))
}

/// Adds a table for each heading, in the order of the headings' first arguments.
fn arguments(page: &mut String, arguments: &[&Arg]) {
    let mut headings: Vec<_> = arguments.iter().map(|arg| arg.get_help_heading()).collect();
    let mut seen = BTreeSet::new();
    headings.retain(|heading| seen.insert(*heading));
    for heading in headings {
        if let Some(heading) = heading {
            let _ = write!(page, "\n**{heading}**\n");
        }
        page.push_str("\n| argument | variable | meaning |\n|---|---|---|\n");
        for arg in arguments.iter().filter(|arg| arg.get_help_heading() == heading) {
            let variable = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
            let _ = writeln!(page, "| `{}` | {variable} | {} |", cell(&name(arg)), meaning(arg));
        }
    }
}

/// Renders an argument as it is typed.
fn name(arg: &Arg) -> String {
    let values = arg.get_value_names().filter(|_| arg.get_action().takes_values());
    let values: Vec<_> = values.into_iter().flatten().map(|value| value.to_string()).collect();
    let short = arg.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let flag = arg.get_long().map(|long| format!("{short}--{long}"));
    flag.into_iter().chain(values).collect::<Vec<_>>().join(" ")
}

/// Renders an argument's help, with its possible values and its default.
fn meaning(arg: &Arg) -> String {
    let short = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let long = arg.get_long_help().map(ToString::to_string).unwrap_or_default();
    let rest = long.strip_prefix(&short).unwrap_or(&long).trim();
    let mut meaning = [sentence(&short), cell(rest)].join(" ").trim_end().to_owned();
    if arg.get_action().takes_values() {
        let values = arg.get_possible_values();
        let values: Vec<_> = values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        if !values.is_empty() {
            let _ = write!(meaning, " One of {}.", values.join(", "));
        }
        if let Some(default) = arg.get_default_values().first() {
            let _ = write!(meaning, " `{}` if not given.", default.to_string_lossy());
        }
    }
    meaning
}
