//! One line is a run: a URL or a script as the first argument, and a script to begin with.

use stampede_tests::{RawServer, Silent};

use crate::shooter;

#[test]
fn a_url_is_a_run() {
    let target = RawServer::recording();
    let url = format!("{}/item/{{{{userId}}}}?token=s3cret", target.base_url());
    let run = shooter().report().arg(&url).args("-u 3 -r 100 -d 30s -H").arg("x-a: 1").args("--iterations 2");
    let run = run.finish().exits(0);
    let seen = target.take();
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|request| request.header("x-a") == "1"));
    for user in 0..3 {
        let line = format!("GET /item/{user}?token=s3cret HTTP/1.1");
        assert_eq!(seen.iter().filter(|request| request.line == line).count(), 2, "{line}");
    }
    let report = run.report();
    assert_eq!(report.row("GET /item/{{userId}}").ok(), 6);
    assert_eq!(report.at("/settings/script"), &format!("{}/item/{{{{userId}}}}", target.base_url()));
    assert_eq!(report.at("/scenarios/0/rps"), 100.0);
    let shown = [&run.stdout, &run.stderr, &run.read("report.json")];
    assert!(shown.iter().all(|text| !text.contains("s3cret")), "{shown:?}");
}

#[test]
fn a_url_can_be_checked_and_tried() {
    let target = RawServer::recording();
    let run = shooter().arg("check").arg(target.base_url()).args("-u 5").finish().exits(0);
    assert!(run.stdout.contains("GET /"), "{}", run.stdout);
    assert_eq!(target.take().len(), 0);
    let run = shooter().arg("try").arg(format!("{}/page", target.base_url())).finish().exits(0);
    assert!(run.stdout.contains("GET /page HTTP/1.1"), "{}", run.stdout);
    assert_eq!(target.take().len(), 1);
}

#[test]
fn an_error_in_a_url_is_shown_at_its_place_before_anything_is_sent() {
    let target = Silent::bind();
    let url = format!("{}/{{{{nonesuch}}}}", target.base_url());
    let run = shooter().arg(&url).finish().exits(3);
    assert!(run.stderr.contains("`nonesuch` is not a helper"), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("--> {url}:2:")), "{}", run.stderr);
    target.assert_untouched();
}

#[test]
fn the_first_argument_is_a_script_before_its_variable() {
    let target = RawServer::recording();
    let script = |path: &str| format!("- {{name: Page, url: '{}{path}'}}\n", target.base_url());
    let files = || shooter().file("one.yml", script("/one")).file("two.yml", script("/two"));
    files().arg("one.yml").env("STAMPEDE_SCRIPT", "two.yml").finish().exits(0);
    files().args("--users 1 one.yml").finish().exits(0);
    files().arg("-").stdin(&script("/one")).finish().exits(0);
    assert_eq!(target.take().iter().filter(|request| request.line.starts_with("GET /one ")).count(), 3);
    let run = files().args("one.yml --script two.yml").finish().exits(2);
    assert!(run.stderr.contains("the script is named twice"), "{}", run.stderr);
    let run = files().args("check one.yml --script two.yml").finish().exits(2);
    assert!(run.stderr.contains("the script is named twice"), "{}", run.stderr);
    assert_eq!(target.take().len(), 0);
}

#[test]
fn what_is_neither_a_command_nor_a_script_nor_a_url_gets_the_fix() {
    for (arguments, help) in [
        ("chekc", "did you mean the command `check`?"),
        ("chekc script.yml", "did you mean the command `check`?"),
        ("run script.yml", "a run needs no command"),
        ("localhost:8080/a", "`http://localhost:8080/a`"),
        ("example.com --users 5", "`https://example.com`"),
        ("ftp://site/", "a URL begins with `http://` or `https://`"),
    ] {
        let run = shooter().file("script.yml", "- {name: Page, url: /}\n").args(arguments).finish().exits(2);
        let first = arguments.split(' ').next().unwrap_or_default();
        let expected = format!("error[usage::script]: `{first}` is neither a command, nor a script that exists");
        assert!(run.stderr.starts_with(&expected) && run.stderr.contains(help), "{}", run.stderr);
    }
    for arguments in ["--users 7 check", "-u 7 demo", "check demo"] {
        let run = shooter().args(arguments).finish().exits(2);
        assert!(run.stderr.contains("is a command: it comes first, and its flags follow it"), "{}", run.stderr);
    }
    let run = shooter().args("demo http://127.0.0.1:9/?token=s3cret").finish().exits(2);
    assert!(run.stderr.contains("leave `demo` out") && !run.stderr.contains("s3cret"), "{}", run.stderr);
}

#[test]
fn a_new_script_passes_its_check_and_runs() {
    let target = RawServer::recording();
    let base = target.base_url();
    let new = shooter().arg("new").arg("load/home").arg("--base-url").arg(&base);
    let run = new.file("load/other.txt", "").finish().exits(0);
    assert!(run.stdout.contains("Run it: `stampede-shooter load/home.yml`"), "{}", run.stdout);
    let (script, schema) = (run.read("load/home.yml"), run.read("load/stampede-shooter.schema.json"));
    assert!(script.starts_with("# yaml-language-server: $schema=stampede-shooter.schema.json\n"), "{script}");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let of_command = shooter().arg("schema").finish().exits(0).stdout;
    assert_eq!(schema, serde_json::from_str::<serde_json::Value>(&of_command).expect("JSON"));
    let run = || shooter().file("home.yml", &script);
    run().args("check home.yml").finish().exits(0);
    run().args("home.yml --iterations 1").finish().exits(0);
    assert_eq!(target.take().len(), 10, "a request of each user");
}

#[test]
fn a_new_script_overwrites_nothing() {
    let run = shooter().file("script.yml", "mine").args("new").finish().exits(2);
    assert!(run.stderr.starts_with("error[usage::output-path]: `script.yml` exists\n"), "{}", run.stderr);
    assert_eq!(run.read("script.yml"), "mine");
    let run = shooter().file("stampede-shooter.schema.json", "mine").args("new script").finish().exits(0);
    assert_eq!(run.read("stampede-shooter.schema.json"), "mine");
    assert!(run.stdout.contains("while `stampede-shooter demo --serve` serves its site"), "{}", run.stdout);
    let run = shooter().args("new a.yml --base-url site").finish().exits(2);
    assert!(run.stderr.contains("usage::base-url") && !run.path("a.yml").exists(), "{}", run.stderr);
}
