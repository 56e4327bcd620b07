//! The command line: arguments in, values or errors out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{CommandFactory, Parser};

use super::*;

/// Parses as if typed. The tests that call it need an environment without `STAMPEDE_*`; those that need one with such
/// variables run the program, in `tests/`.
fn parse(args: &[&str]) -> Result<Cli, String> {
    Cli::try_parse_from([NAME].iter().chain(args)).map_err(|error| {
        assert_eq!(error.exit_code(), i32::from(Exit::Usage.code()), "{error}");
        error.to_string()
    })
}

fn run(args: &[&str]) -> RunArgs {
    parse(args).expect("valid arguments").run
}

#[test]
fn the_definition_of_the_command_line_is_valid() {
    Cli::command().debug_assert();
}

#[test]
fn arguments_that_are_not_given_have_no_value() {
    let cli = parse(&[]).expect("valid arguments");
    assert!(cli.command.is_none());
    assert_eq!(cli.run, RunArgs::default());
}

#[test]
fn every_flag_has_its_variable() {
    let mut command = Cli::command();
    command.build();
    let parts = command.get_subcommands().filter(|part| part.get_name() != "help").chain([&command]);
    let flags = parts.flat_map(|part| part.get_arguments()).filter(|arg| arg.get_long().is_some());
    for flag in flags.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str())) {
        let variable = format!("STAMPEDE_{}", flag.get_id().as_str().to_uppercase());
        assert_eq!(flag.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
        assert!(flag.is_hide_env_values_set(), "{flag} would show the variable's value in the help");
        assert!(flag.get_help_heading().is_some() || flag.get_id() == "script", "{flag} has no heading");
    }
}

#[test]
fn numbers_and_durations_are_read() {
    let args = run(&[
        "--users=500",
        "--rps=0.5",
        "--duration=2m",
        "--iterations=3",
        "--ramp-up=0s",
        "--graceful-stop=500ms",
        "--timeout=1.5s",
        "--workers=2",
        "--seed=18446744073709551615",
    ]);
    let expected = RunArgs {
        users: Some(500),
        rps: Some(0.5),
        duration: Some(Duration::from_secs(120)),
        iterations: Some(3),
        ramp_up: Some(Duration::ZERO),
        graceful_stop: Some(Duration::from_millis(500)),
        timeout: Some(Duration::from_millis(1500)),
        workers: Some(2),
        seed: Some(u64::MAX),
        ..RunArgs::default()
    };
    assert_eq!(args, expected);
}

#[test]
fn texts_and_lists_are_read() {
    let args = run(&[
        "--script=-",
        "--base-url=http://a",
        "--login-url=/auth",
        "--env-file=.env",
        "--insecure-tls",
        "--verbose",
        "--login-hdr",
        "x-api-token: {{env T}}:1",
        "--header",
        "a:1",
        "--header",
        "b:",
        "--threshold",
        "http_failed: rate<1%",
        "--fail-on=any-error",
        "--out=r.json",
        "--out=R.CSV",
        "--data",
        "movies=a=b.csv",
        "--no-color",
        "--log=debug",
    ]);
    let header = |name: &str, value: &str| HeaderArg { name: name.into(), value: value.into() };
    let expected = RunArgs {
        script: Some("-".into()),
        base_url: Some("http://a".into()),
        login_url: Some("/auth".into()),
        env_file: Some(".env".into()),
        insecure_tls: true,
        verbose: true,
        login_hdr: vec![header("x-api-token", "{{env T}}:1")],
        header: vec![header("a", "1"), header("b", "")],
        threshold: vec!["http_failed: rate<1%".into()],
        fail_on: Some(crate::script::model::FailOn::AnyError),
        out: vec!["r.json".into(), "R.CSV".into()],
        data: vec![DataArg { name: "movies".into(), file: "a=b.csv".into() }],
        console: ConsoleArgs { no_color: true, log: Some(LogLevel::Debug) },
        ..RunArgs::default()
    };
    assert_eq!(args, expected);
}

#[test]
fn wrong_values_are_rejected_with_the_reason() {
    for (arg, reason) in [
        ("--users=0", "at least 1"),
        ("--users=-1", "at least 1"),
        ("--users=4294967296", "too large"),
        ("--users=1.5", "a whole number"),
        ("--workers=0", "at least 1"),
        ("--iterations=0", "at least 1"),
        ("--seed=-1", "from 0 to"),
        ("--body-memory=1048576", "a size with a unit"),
        ("--body-memory=lots", "a size with a unit"),
        ("--body-memory=1KiB", "from 1.0 MiB to 1.0 TiB"),
        ("--body-memory=2TiB", "from 1.0 MiB to 1.0 TiB"),
        ("--rps=0", "more than 0"),
        ("--rps=-2", "more than 0"),
        ("--rps=inf", "finite"),
        ("--rps=NaN", "finite"),
        ("--rps=fast", "a number"),
        ("--duration=30", "needs a unit: write `30s`"),
        ("--duration=0s", "more than 0"),
        ("--duration=-1s", "is negative"),
        ("--timeout=0ms", "more than 0"),
        ("--graceful-stop=1x", "unknown unit `x`"),
        ("--data=movies", "NAME=FILE"),
        ("--data=my movies=a.csv", "begins with a letter"),
        ("--data=movies=", "the file is missing"),
        ("--log=loud", "possible values: off, error"),
        ("--grace-stop=1s", "--graceful-stop"),
    ] {
        let error = parse(&[arg]).expect_err(arg);
        assert!(error.contains(reason), "{arg}: {error}");
    }
}

#[test]
fn a_rejected_header_is_not_repeated() {
    for (value, reason) in [
        ("s3cret", "it must be `name:value`"),
        ("s3cret s3cret: x", "before the `:`"),
        (": s3cret", "before the `:`"),
        ("x-token: s3cret\u{7}", "header `x-token` contains a control character"),
    ] {
        for flag in ["--login-hdr", "--header"] {
            let error = parse(&[flag, value]).expect_err(value);
            assert!(error.contains(reason) && error.contains(flag), "{value:?}: {error}");
            assert!(!error.contains("s3cret"), "{value:?}: {error}");
        }
    }
}

#[test]
fn a_header_hides_its_value_in_debug_text() {
    let args = run(&["--login-hdr", "x-token: s3cret"]);
    let text = format!("{args:?}");
    assert!(text.contains("x-token") && !text.contains("s3cret"), "{text}");
}

#[test]
fn commands_take_their_own_flags() {
    let command = |args: &[&str]| parse(args).expect("valid arguments").command.expect("a command");
    let Command::Check(check) = command(&["check", "--script", "a.yml", "--users", "7"]) else { panic!("check") };
    assert_eq!((check.script, check.users), (Some(PathBuf::from("a.yml")), Some(7)));
    let Command::Plugins(plugins) = command(&["plugins", "--script", "a.yml"]) else { panic!("plugins") };
    assert_eq!(plugins.script, Some(PathBuf::from("a.yml")));
    let Command::Merge(merge) = command(&["merge", "a.json", "b.json", "--out", "c.json"]) else { panic!("merge") };
    assert_eq!((merge.reports.len(), merge.out), (2, vec![PathBuf::from("c.json")]));
    let Command::Compare(compare) = command(&["compare", "a.json", "b.json", "--tolerance", "7.5%"]) else {
        panic!("compare")
    };
    assert_eq!((compare.new, compare.tolerance), (PathBuf::from("b.json"), Some(0.075)));
    assert!(parse(&["compare", "a.json", "b.json", "--tolerance", "7"]).is_err());
    let Command::Demo(demo) = command(&["demo", "--users", "7"]) else { panic!("demo") };
    assert_eq!((demo.run.users, demo.address().to_string().as_str()), (Some(7), "127.0.0.1:0"));
    let Command::Demo(demo) = command(&["demo", "--serve"]) else { panic!("demo") };
    assert_eq!(demo.address().to_string(), "127.0.0.1:8080");
    let Command::Demo(demo) = command(&["demo", "--serve", "--addr", "[::1]:99"]) else { panic!("demo") };
    assert_eq!(demo.address().to_string(), "[::1]:99");
    assert!(matches!(command(&["completions", "zsh"]), Command::Completions(_)));
    assert!(matches!(command(&["man"]), Command::Man));
}

#[test]
fn a_script_or_a_url_is_the_first_argument() {
    let args = run(&["load.yml", "-u", "7", "-r", "0.5", "-d", "10s", "-H", "a:1"]);
    assert_eq!((args.script_or_url(), args.url()), (Some(Path::new("load.yml")), None));
    assert_eq!((args.users, args.rps, args.duration), (Some(7), Some(0.5), Some(Duration::from_secs(10))));
    assert_eq!(args.header.len(), 1);
    for url in ["http://site", "https://site/a?b", "HTTP://site"] {
        assert_eq!(run(&["--users=7", url]).url(), Some(url));
    }
    for path in ["ftp://site", "http:/site", "site", "-"] {
        assert_eq!(run(&[path]).url(), None, "{path}");
    }
    assert!(parse(&["completions", "tcsh"]).is_err());
}

#[test]
fn the_help_ends_with_the_exit_codes() {
    let help = Cli::command().render_long_help().to_string();
    assert!(help.trim_end().ends_with(&Exit::table()), "{help}");
    for heading in ["Load:", "Script:", "Target:", "Report:", "Console:", "Commands:"] {
        assert!(help.contains(&format!("\n{heading}\n")), "{heading}");
    }
}

/// The variable that holds the arguments of the child, one a line.
const CHILD_ARGS: &str = "TEST_CHILD_ARGS";

/// Parses in a process of its own, with these variables and no other `STAMPEDE_*`.
fn run_with(variables: &[(&str, &str)], args: &[&str]) -> String {
    let mut child = std::process::Command::new(std::env::current_exe().expect("this test"));
    let inherited = std::env::vars_os().map(|(name, _)| name);
    inherited.filter(|name| name.to_string_lossy().starts_with("STAMPEDE_")).for_each(|name| {
        child.env_remove(name);
    });
    child.args(["--exact", "cli::tests::child", "--ignored", "--nocapture"]);
    child.envs(variables.iter().copied()).env(CHILD_ARGS, args.join("\n"));
    String::from_utf8(child.output().expect("it runs").stdout).expect("text")
}

#[test]
#[ignore = "the child of the tests that need an environment"]
fn child() {
    let Ok(args) = std::env::var(CHILD_ARGS) else { return };
    let args = Cli::try_parse_from([NAME].into_iter().chain(args.split('\n').filter(|arg| !arg.is_empty())));
    println!("{}", args.map_or_else(|error| error.to_string(), |cli| format!("{:?}", cli.run)));
}

#[test]
fn variables_stand_in_for_flags_and_flags_win() {
    let variables = [
        ("STAMPEDE_USERS", "7"),
        ("STAMPEDE_RPS", "0.5"),
        ("STAMPEDE_INSECURE_TLS", "1"),
        ("STAMPEDE_VERBOSE", "false"),
        ("STAMPEDE_HEADER", "a: 1\nb: 2"),
        ("STAMPEDE_OUT", "a.json\nb.csv"),
    ];
    let shown = run_with(&variables, &["--rps=2", "--out=c.json"]);
    let expected = RunArgs {
        users: Some(7),
        rps: Some(2.0),
        insecure_tls: true,
        header: ["a", "b"].map(|name| HeaderArg { name: name.into(), value: String::new() }).into(),
        out: vec!["c.json".into()],
        ..RunArgs::default()
    };
    assert!(shown.contains(&format!("{expected:?}")), "{shown}");
}

#[test]
fn wrong_variables_are_rejected_like_flags() {
    for (variable, value, reason) in [
        ("STAMPEDE_USERS", "0", "invalid value '0' for '--users <N>'"),
        ("STAMPEDE_DURATION", "30", "needs a unit"),
        ("STAMPEDE_VERBOSE", "maybe", "--verbose"),
        ("STAMPEDE_LOGIN_HDR", "s3cret", "'--login-hdr <NAME:VALUE>': it must be `name:value`"),
    ] {
        let shown = run_with(&[(variable, value)], &[]);
        assert!(shown.contains(reason) && !shown.contains("s3cret"), "{variable}: {shown}");
    }
}
