//! The examples of load models run as their comments say, against the embedded site. Their times are shortened, all
//! times of an example by one factor, and the expected counts with them.

use std::fs;

use stampede_tests::{Report, settled, site};

use crate::{shooter, tests_folder};

/// Returns the text of an example with its durations divided, except for those of thresholds.
fn shortened(example: &str, by: u64) -> String {
    let path = tests_folder().join("../examples/load-models").join(example);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| if line.starts_with('#') { String::new() } else { divided(line, by) + "\n" }).collect()
}

/// Returns a line with its durations divided: whole numbers with a unit that are part of no word and no threshold.
fn divided(line: &str, by: u64) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = &rest[digits..];
        let word = after.len() - after.trim_start_matches(char::is_alphanumeric).len();
        let unit = [("ms", 1), ("s", 1_000), ("m", 60_000)].into_iter().find(|(unit, _)| *unit == &after[..word]);
        match unit {
            Some((unit, milliseconds)) if digits > 0 && !out.ends_with('<') => {
                let all = rest[..digits].parse::<u64>().expect("digits") * milliseconds;
                assert_eq!(all % by, 0, "`{line}` divided by {by}");
                out += &format!("{}ms", all / by);
                rest = &after[unit.len()..];
            }
            _ => {
                // The whole word, so that the digits in it are not taken for a number of their own.
                let length = if first.is_alphanumeric() { digits + word } else { first.len_utf8() };
                out += &rest[..length];
                rest = &rest[length..];
            }
        }
    }
    out
}

/// Runs an example to its end, and checks that the report equals the target's counts.
fn ran(example: &str, by: u64, codes: &[i32]) -> Report {
    let site = site();
    let run = shooter().script(&shortened(example, by)).arg("--base-url").arg(site.base_url()).report().finish();
    assert!(run.code.is_some_and(|code| codes.contains(&code)), "{example}: {:?}\n{}", run.code, run.stderr);
    let report = run.report();
    report.assert_consistent();
    report.assert_equals(&settled(&site.stats()));
    assert_eq!(report.totals().err(), 0, "{example}\n{}", run.stdout);
    report
}

/// Returns the model of a scenario, and its iterations: due, completed, dropped.
fn scenario(report: &Report, number: usize) -> (String, [u64; 3]) {
    let at = |what: &str| report.at(&format!("/scenarios/{number}/{what}"));
    let iterations = ["due", "completed", "dropped"].map(|what| at(&format!("iterations/{what}")).as_u64());
    (at("model").as_str().expect("a model").to_owned(), iterations.map(|number| number.expect("a number")))
}

/// Checks that each completed iteration sent its one request; an iteration that was cut short may have.
#[track_caller]
fn assert_sent(report: &Report, number: usize, row: &str) {
    let (_, [due, completed, dropped]) = scenario(report, number);
    let sent = report.row(row).total();
    assert!((completed..=due - dropped).contains(&sent), "{sent} requests in {completed} to {due} iterations");
}

#[test]
fn durations_are_divided_and_nothing_else_is() {
    for (line, expected) in [
        ("stages: [1m:300/m, 20s:10]", "stages: [6000ms:300/m, 2000ms:10]"),
        ("think: 500ms", "think: 50ms"),
        ("a: [p(95)<250ms, max<1s]", "a: [p(95)<250ms, max<1s]"),
        ("url: \"/api/v1/catalog?page=1\"", "url: \"/api/v1/catalog?page=1\""),
    ] {
        assert_eq!(divided(line, 10), expected);
    }
}

#[test]
fn iterations_are_as_many_as_are_shared_or_as_each_user_has() {
    for (example, model) in [("shared-iterations.yml", "shared"), ("per-vu-iterations.yml", "constant")] {
        let report = ran(example, 5, &[0]);
        assert_eq!(scenario(&report, 0), (model.into(), [200, 200, 0]), "{example}");
        assert_eq!(report.row("Contacts").total(), 200, "{example}");
    }
}

#[test]
fn constant_users_walk_no_more_often_than_their_thinking_lets_them() {
    let report = ran("constant-vus.yml", 10, &[0]);
    let (model, [due, ..]) = scenario(&report, 0);
    assert_eq!(model, "constant");
    // In 3 s, iterations of 50 ms or more begin 60 times at most for each user; every user begins one.
    assert!((10..=600).contains(&due), "{due}");
    assert_sent(&report, 0, "Contacts");
}

#[test]
fn users_of_a_ramp_are_never_more_than_its_stages_say() {
    let report = ran("ramping-vus.yml", 10, &[0]);
    let (model, [due, ..]) = scenario(&report, 0);
    assert_eq!(model, "ramping");
    // User `k` is active from `k` · 0.2 s to 3 s − `k` · 0.1 s, and walks once in 50 ms at most.
    let most: u64 = (0..10).map(|user| (3_000 - 300 * user) / 50).sum();
    assert!((10..=most).contains(&due), "{due} of {most}");
    let active = report.at("/series/users_active").as_array().expect("a list");
    assert!(active.iter().all(|users| users.as_u64().is_some_and(|users| users <= 10)), "{active:?}");
}

#[test]
fn arrivals_are_as_many_as_the_area_under_their_rate() {
    // 30 a second for 3 s; 300, 900, 2 400 and 660 in minutes, of which this takes a hundredth.
    for (example, by, expected) in [("constant-arrival-rate.yml", 10, 90), ("ramping-arrival-rate.yml", 100, 43)] {
        let report = ran(example, by, &[0]);
        // The last one is due so near to the end that it may be cut off.
        let (model, [due, completed, dropped]) = scenario(&report, 0);
        assert_eq!((model.as_str(), due, dropped), ("arrivals", expected, 0), "{example}");
        assert!(completed <= due, "{example}: {completed} of {due}");
        assert_sent(&report, 0, "Contacts");
    }
}

#[test]
fn scenarios_have_their_own_starts_environments_tags_and_thresholds() {
    // The thresholds may fail on a slow machine, but each must be judged.
    let report = ran("scenarios.yml", 10, &[0, 99]);
    let (model, [due, ..]) = scenario(&report, 0);
    assert!(model == "constant" && due >= 5, "{model}, {due}: every user begins one");
    assert_sent(&report, 0, "Contacts");
    assert_eq!(scenario(&report, 1), ("constant".into(), [50, 50, 0]));
    for (row, section) in [("Contacts", "contacts"), ("News", "news")] {
        let row = report.row(row);
        assert_eq!((row.at("/scenario"), row.at("/tags/section")), (&section.into(), &section.into()));
        assert_eq!(row.ok(), row.total());
    }
    let checks = report.at("/checks").as_array().expect("a list");
    assert!(checks.len() == 2 && checks.iter().all(|check| check["share"] == 1.0), "{checks:?}");
    let judged = report.at("/thresholds").as_array().expect("a list");
    assert!(judged.len() == 4 && judged.iter().all(|threshold| threshold["passed"].is_boolean()), "{judged:?}");
    // The news begin after a second, the contacts within the first half second.
    let elapsed = report.at("/run/elapsed_us").as_u64().expect("a number");
    assert!(elapsed >= 1_000_000, "{elapsed}");
}

#[test]
fn every_example_is_in_the_table_and_runs_here() {
    let folder = tests_folder().join("../examples/load-models");
    let readme = fs::read_to_string(folder.join("README.md")).expect("there is a README");
    let here = include_str!("load_models.rs");
    for file in fs::read_dir(&folder).expect("the folder is there") {
        let name = file.expect("a file").file_name().into_string().expect("UTF-8");
        if name.ends_with(".yml") {
            assert!(readme.contains(&format!("({name})")), "{name} is not in the README");
            assert!(here.contains(&format!("\"{name}\"")), "{name} has no test");
        }
    }
}
