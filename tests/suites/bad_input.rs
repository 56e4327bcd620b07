//! Errors in the input are found before the first request, reported in full, and end the program with the documented
//! code. The exact texts are golden files: `tests/scripts/invalid/` and `tests/suites/golden/`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use stampede_shooter::plugin::load::loader::BUILTIN;
use stampede_tests::{Run, Silent};

use crate::script_golden::{PLAN, scripts};
use crate::{assert_golden, shooter, tests_folder};

/// Placeholder for the target's address in the scripts of `plan/`.
const TARGET: &str = "TARGET";

/// The smallest files with the header of a WebAssembly module and of a component.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn name(path: &Path) -> String {
    path.file_name().expect("a file").to_string_lossy().into_owned()
}

/// Returns the component of a built-in plugin.
fn builtin(name: &str) -> Vec<u8> {
    let plugin = BUILTIN.iter().find(|plugin| plugin.name == name).expect("there is one of that name");
    plugin.component().expect("it inflates")
}

/// Returns a call whose folder has the files that the scripts of `plan/` name.
fn with_files() -> Run {
    shooter()
        .file("login.wasm", builtin("login"))
        .file("picture.png", "")
        .file("nothing.txt", "")
        .file("broken.json", "[1, 2")
        .file("module.wasm", MODULE)
        .file("component.wasm", COMPONENT)
        .file("library.so", "\x7fELF")
        .file("once.yml", "- {name: A, url: http://127.0.0.1:9/other}\n")
        .file("round.yml", "- {name: R, url: http://127.0.0.1:9/r}\n- include: round.yml\n")
        .file("wrong.yml", "- {name: W, url: http://127.0.0.1:9/w, timeout: 5}\n- {nmae: X}\n")
        .file("broken.csv", "# by the train\n0s,4Mbit/s\n10,2Mbit/s\n20s;1Mbit/s\n15s,fast\n30s,2MB/s\n")
        .file("silent.csv", "s,kbit/s\n0,0\n10,0\n")
        .file("short.csv", "0s,4Mbit/s\n")
        .file("mapping.yml", "steps:\n  - {name: M, url: http://127.0.0.1:9/m}\n")
}

#[test]
fn errors_in_a_plan_get_their_messages_and_no_traffic() {
    let target = Silent::bind();
    for path in scripts(PLAN) {
        let (name, text) = (name(&path), fs::read_to_string(&path).expect("a readable script"));
        let code = if path.parent().is_some_and(|area| area.ends_with("plugins")) { 4 } else { 3 };
        let text = text.replace(TARGET, &target.base_url());
        for command in ["check", ""] {
            let run = with_files().file(&name, &text).args(command).args("--script").arg(&name);
            let run = run.finish().exits(code);
            assert_golden(&path.with_extension("err"), &run.stderr.replace(&target.base_url(), TARGET));
            assert_eq!(run.stdout, "", "{name}");
        }
    }
    target.assert_untouched();
}

#[test]
fn errors_in_a_script_get_their_messages_from_the_program_too() {
    for path in scripts("invalid") {
        let name = name(&path);
        let script = fs::read(&path).expect("a readable script");
        let run = shooter().file(&name, script).args("check --script").arg(&name).finish();
        // Blessed by `script_golden.rs`; a script that is not UTF-8 is wrong usage.
        let golden = fs::read_to_string(path.with_extension("err")).expect("a golden file");
        assert_eq!((run.code, run.stderr.as_str(), run.stdout.as_str()), (Some(3), golden.as_str(), ""), "{name}");
    }
}

/// Arguments that are wrong on their own, or that name something that does not exist.
const WRONG: [&str; 48] = [
    "--users 0",
    "--users -1",
    "--users 1.5",
    "--users 99999999999",
    "--userss 5",
    "--rps 0",
    "--rps -2",
    "--rps inf",
    "--duration 10",
    "--duration 0s",
    "--duration -1s",
    "--duration 10parsecs",
    "--iterations 0",
    "--ramp-up 5",
    "--graceful-stop 5",
    "--timeout 0ms",
    "--apdex 0s",
    "--workers 0",
    "--seed -1",
    "--segment 4/3",
    "--segment two",
    "--segment 2/3",
    "--segment 2/3 --seed 1",
    "--trace-sample -1",
    "--log loud",
    "--latency-of some",
    "--out report.txt",
    "--samples samples.json",
    "--samples nonesuch/samples.csv",
    "--samples samples.csv --sample-share 0%",
    "--threshold nonsense",
    "--threshold http_duration:p95<1s",
    "--threshold http_duratoin:p(95)<1s --threshold http_duration{step:Pag}:p(95)<1s",
    "--threshold http_duration:p(95)<1",
    "--fail-on sometimes",
    "--out nonesuch/report.json",
    "--out .json/ --out nonesuch/report.csv",
    "--data movies",
    "--data movies=nonesuch.txt",
    "--data movies=nothing.txt",
    "--header nonsense",
    "--header x:{{nonesuch}}",
    "--env-file nonesuch.env",
    "--env-file broken.env",
    "--base-url site",
    "--login-url ftp://site",
    "--script nonesuch.yml",
    "chekc",
];

#[test]
fn wrong_arguments_get_their_messages_and_no_traffic() {
    let target = Silent::bind();
    let mut transcript = String::new();
    for wrong in WRONG {
        let run =
            with_files().file("broken.env", "A=1\nnonsense s3cret\n").file("script.yml", "- {name: Page, url: /}\n");
        let flags = wrong.starts_with("--");
        let script = if wrong.starts_with("--script") || !flags { "" } else { "--script script.yml" };
        let base = if wrong.starts_with("--base-url") || !flags {
            String::new()
        } else {
            format!("--base-url {}", target.base_url())
        };
        let run = run.args(script).args(&base).args(wrong).finish().exits(2);
        assert_eq!(run.stdout, "", "{wrong}");
        // Writing to a `String` cannot fail.
        let _ = writeln!(transcript, "$ stampede-shooter {wrong}\n{}", run.stderr);
    }
    assert!(!transcript.contains("s3cret"));
    target.assert_untouched();
    assert_golden(&tests_folder().join("suites/golden/arguments.txt"), &transcript);
}

#[test]
fn a_run_without_a_script_is_rejected() {
    let run = shooter().finish().exits(2);
    assert_eq!(
        run.stderr,
        "error[usage::script]: no script was given\n  = help: name one, or a URL, before the flags: `stampede-shooter script.yml`; \
         or try `stampede-shooter demo`\n"
    );
}

#[test]
fn the_site_cannot_listen_on_an_address_in_use() {
    let holder = Silent::bind();
    let taken = holder.base_url().replace("http://", "");
    let run = shooter().args("demo --serve --addr").arg(&taken).finish().exits(2);
    let help = "  = help: name another address with `--addr`, for example `--addr 127.0.0.1:0` for a free port\n";
    let expected = format!("error[usage::addr]: cannot listen on {taken}: address already in use\n{help}");
    assert_eq!(run.stderr, expected);
}

#[test]
fn a_wrong_variable_is_wrong_usage_like_a_wrong_flag() {
    let run = shooter().script("- {name: Page, url: /}\n").env("STAMPEDE_DURATION", "10").finish().exits(2);
    assert!(run.stderr.contains("--duration <D>"), "{}", run.stderr);
}

#[test]
#[cfg(unix)]
fn more_users_than_files_can_be_open_are_rejected_with_the_limit() {
    let target = Silent::bind();
    for command in ["check", ""] {
        let run = crate::shooter_after("ulimit -n 256")
            .file("script.yml", "- {name: Page, url: /}\n")
            .args(command)
            .args("--script script.yml --users 4000000 --base-url")
            .arg(target.base_url())
            .finish()
            .exits(2);
        assert_eq!(
            run.stderr,
            "error[usage::open-files]: 4000000 connections need 4000064 open files, but the limit is 256\n  \
             = help: use at most 192 users for each origin, or raise the hard limit: `ulimit -Hn 4000064` as root, \
             `LimitNOFILE=4000064` in a systemd unit\n"
        );
    }
    target.assert_untouched();
}

#[test]
#[cfg(unix)]
fn the_soft_limit_of_open_files_is_raised_automatically() {
    let site = stampede_tests::site();
    let run = crate::shooter_after("ulimit -Sn 64")
        .script("- {name: Page, url: /delay/100}\n")
        .args("--users 200 --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(0);
    assert_eq!((run.report().totals().ok(), run.report().totals().err()), (200, 0));
}
