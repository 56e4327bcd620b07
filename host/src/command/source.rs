//! Reads what the arguments name: a script from a file or from standard input, or a URL, which becomes a script of one
//! step.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use clap::ArgMatches;
use clap::error::ErrorKind;
use clap::parser::ValueSource;

use super::definition::definition;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, SourceText, io_reason, suggest};

/// The size of the largest script, in bytes.
const MAX_SCRIPT_BYTES: u64 = 16 << 20;

/// Returns the script of a run.
///
/// # Errors
/// No script was named, or it cannot be read.
pub(super) fn of_run(args: &RunArgs) -> Result<Arc<SourceText>, Diagnostic> {
    if let Some(url) = args.url() {
        return Ok(Arc::new(script_of_url(url)));
    }
    match args.source.as_deref() {
        Some(path) if path.as_os_str() != "-" && !path.exists() => Err(no_such_source(&path.to_string_lossy())),
        _ => of_file(args.script_or_url()),
    }
}

/// Reads a script from a file, or from standard input if it is `-`.
///
/// # Errors
/// No script was named, or it cannot be read.
pub(super) fn of_file(path: Option<&Path>) -> Result<Arc<SourceText>, Diagnostic> {
    let path = path.ok_or_else(|| {
        Diagnostic::new("usage::script", "no script was given")
            .help("name one, or a URL, before the flags: `stampede-shooter script.yml`; or try `stampede-shooter demo`")
    })?;
    let name = path.display().to_string();
    let unreadable = |why: String| Diagnostic::new("usage::script", format!("cannot read `{name}`: {why}"));
    let reader: Box<dyn Read> = if name == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(|error| unreadable(io_reason(&error)))?)
    };
    let mut bytes = Vec::new();
    reader.take(MAX_SCRIPT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(io_reason(&error)))?;
    if bytes.len() as u64 > MAX_SCRIPT_BYTES {
        return Err(unreadable(format!("it is larger than {} MiB", MAX_SCRIPT_BYTES >> 20)));
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable(format!("it is not UTF-8 (at its byte {})", error.utf8_error().valid_up_to())))?;
    Ok(Arc::new(SourceText { name, text }))
}

/// Rejects a script that is named twice, and the name of a command in place of a script. A variable of the environment
/// yields to the argument instead.
///
/// # Errors
/// Both the argument and the flag were typed, or the argument is the name of a command.
pub(super) fn check_named_once(matches: &ArgMatches) -> Result<(), clap::Error> {
    let matches = matches.subcommand().map_or(matches, |(_, inner)| inner);
    let typed = |name| {
        let value = matches.try_get_raw(name).ok().flatten()?.next()?;
        (matches.value_source(name) == Some(ValueSource::CommandLine)).then_some(value)
    };
    let rejected = |message: String| Err(definition().error(ErrorKind::ArgumentConflict, message));
    let Some(source) = typed("source") else { return Ok(()) };
    if typed("script").is_some() {
        return rejected("the script is named twice: by the first argument and by `--script`".into());
    }
    match source.to_str().filter(|source| is_command(source)) {
        Some(command) => rejected(format!("`{command}` is a command: it comes first, and its flags follow it")),
        None => Ok(()),
    }
}

fn is_command(typed: &str) -> bool {
    typed == "help" || definition().get_subcommands().any(|command| command.get_name() == typed)
}

/// Returns `true` if an argument is no command, no file and no URL.
pub(super) fn is_nothing(typed: &str) -> bool {
    !is_command(typed) && typed != "-" && !Path::new(typed).exists() && !typed.contains("://")
}

/// Returns the error of an argument that names nothing that can be run.
pub(super) fn no_such_source(typed: &str) -> Diagnostic {
    let definition = definition();
    let commands = definition.get_subcommands().filter(|command| !command.is_hide_set()).map(clap::Command::get_name);
    let help = if typed == "run" {
        Some("a run needs no command: `stampede-shooter script.yml`, or a URL instead of the script".to_owned())
    } else if let Some(command) = suggest(typed, commands) {
        Some(format!("did you mean the command `{command}`?"))
    } else if is_host(typed) {
        Some(format!("a URL begins with its scheme: `http://{typed}` or `https://{typed}`"))
    } else {
        let is_url = typed.contains("://");
        is_url.then(|| "a URL begins with `http://` or `https://`; actions of a script speak other protocols".into())
    };
    let message = format!("`{typed}` is neither a command, nor a script that exists, nor a URL");
    Diagnostic { help, ..Diagnostic::new("usage::script", message) }
}

/// Returns `true` if a text looks like the host of a URL, with or without a port and a path.
fn is_host(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let is_file = text == host && [".yml", ".yaml"].iter().any(|end| host.ends_with(end));
    let is_name = name == "localhost" || name.trim_matches('.').contains('.');
    is_name && !is_file && port.bytes().all(|digit| digit.is_ascii_digit())
}

/// Returns a script that gets a URL. The row in the report has the path alone.
fn script_of_url(url: &str) -> SourceText {
    let name = shown_url(url);
    let rest = name.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |start| &rest[start..]);
    // A string of JSON is one of YAML.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let text = format!("- name: {}\n  url: {}\n", quoted(&format!("GET {path}")), quoted(url));
    SourceText { name, text }
}

/// Returns a URL without what may be a secret: the user's name and password, the query and the fragment.
pub(super) fn shown_url(url: &str) -> String {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = shown.split_once("://").unwrap_or(("http", shown));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script;
    use crate::script::model::steps;

    #[test]
    fn a_url_is_a_script_of_one_step_and_shows_no_secret() {
        let source = script_of_url("https://me:word@site:81/a/{{randInt 1 9}}?token=abc#\"x\"");
        assert_eq!(source.name, "https://site:81/a/{{randInt 1 9}}");
        let script = script::parse(&Arc::new(source)).expect("a script");
        let [step] = steps(&script.steps)[..] else { panic!("one step") };
        assert_eq!(step.name.value, "GET /a/{{randInt 1 9}}");
        let params = serde_json::json!({"url": "https://me:word@site:81/a/{{randInt 1 9}}?token=abc#\"x\""});
        assert_eq!(step.params.to_json(), params);
        assert_eq!(script_of_url("http://site").name, "http://site");
        assert!(script_of_url("http://site?q").text.starts_with("- name: \"GET /\"\n"));
    }

    #[test]
    fn an_argument_that_names_nothing_gets_the_fix_that_fits_it() {
        let help = |typed| no_such_source(typed).help.unwrap_or_default();
        assert_eq!(help("chekc"), "did you mean the command `check`?");
        assert!(help("run").starts_with("a run needs no command"));
        for host in ["localhost:8080", "localhost/a", "example.com", "127.0.0.1:80/x.yml"] {
            assert!(help(host).contains(&format!("`http://{host}`")), "{host}");
        }
        for file in ["missing.yml", "load/missing.yaml", "missing"] {
            assert_eq!(help(file), "", "{file}");
        }
    }
}
