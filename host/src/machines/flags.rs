//! The flags of a run that shape its load: they travel as they were typed, and are read again on each machine, whose
//! own variables have no part in it.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches};

use crate::cli::{self, Cli, NAME, RunArgs};
use crate::diagnostic::{Diagnostic, is_secret_name};

/// The headings of such flags.
const HEADINGS: [&str; 3] = ["Load", "Script", "Target"];

/// Flags below these headings that do not travel: each machine has its own, or the file that they name travels.
const OWN: [&str; 8] = ["control", "segment", "script", "env_file", "allow_native", "data", "cacert", "seed"];

/// Returns the flags that were typed, or given by variables, as `--name=value`.
///
/// # Errors
/// One of them has a secret in it.
pub(crate) fn travelling(command: &Command, matches: &ArgMatches) -> Result<Vec<String>, Diagnostic> {
    let mut flags = Vec::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let travels = arg.get_help_heading().is_some_and(|heading| HEADINGS.contains(&heading)) && !OWN.contains(&id);
        let is_given = matches!(matches.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable));
        let Some(long) = arg.get_long().filter(|_| travels && is_given) else { continue };
        if !arg.get_action().takes_values() {
            flags.extend(matches.get_flag(id).then(|| format!("--{long}")));
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            let value = value.to_string_lossy();
            check_header(id, long, &value)?;
            flags.push(format!("--{long}={value}"));
        }
    }
    Ok(flags)
}

/// Refuses a header with a secret in it.
fn check_header(id: &str, long: &str, value: &str) -> Result<(), Diagnostic> {
    let name = value.split(':').next().unwrap_or_default().trim();
    if !["header", "login_hdr"].contains(&id) || !is_secret_name(name) || value.contains("{{") {
        return Ok(());
    }
    let message = format!("the value of `--{long} {name}` would travel to all machines");
    let help = format!("write `--{long} '{name}: {{{{env NAME}}}}'`, and set NAME on each machine");
    Err(Diagnostic::new("usage::fleet", message).help(help))
}

/// Reads flags that have travelled.
///
/// # Errors
/// They are not those of this version; the text says why.
pub(super) fn read(flags: &[String]) -> Result<RunArgs, String> {
    let command = cli::definition("").mut_args(|arg| arg.env(None::<&str>));
    let matches = command.try_get_matches_from([NAME].into_iter().chain(flags.iter().map(String::as_str)));
    let matches = matches.map_err(|error| error.to_string())?;
    Cli::from_arg_matches(&matches).map(|cli| cli.run).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn travel(typed: &[&str]) -> Result<Vec<String>, Diagnostic> {
        let command = cli::definition("").mut_args(|arg| arg.env(None::<&str>));
        let matches = command.clone().get_matches_from([NAME].iter().chain(typed));
        travelling(&command, &matches)
    }

    #[test]
    fn flags_that_shape_the_load_travel_and_no_others() {
        let typed = [
            "a.yml",
            "--users=5",
            "--rps=0.5",
            "--out=r.json",
            "--header=a: {{env B}}",
            "--header=c:d",
            "--insecure-tls",
            "--verbose",
            "--seed=3",
            "--duration",
            "2m",
        ];
        let flags = travel(&typed).expect("they have no secret");
        let expected =
            ["--users=5", "--rps=0.5", "--duration=2m", "--header=a: {{env B}}", "--header=c:d", "--insecure-tls"];
        assert_eq!(flags, expected);
        let args = read(&flags).expect("they are read");
        assert_eq!((args.users, args.header.len(), args.insecure_tls, args.verbose), (Some(5), 2, true, false));
    }

    #[test]
    fn a_header_with_a_secret_does_not_travel() {
        let error = travel(&["a.yml", "--header=authorization: Bearer abc"]).unwrap_err();
        assert!(!format!("{error:?}").contains("abc"), "{error:?}");
        assert!(travel(&["a.yml", "--header=authorization: Bearer {{env T}}"]).is_ok());
    }
}
