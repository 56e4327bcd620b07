//! One run in segments: several processes, each with its own, are together the run that one process would be.

use std::collections::{BTreeMap, BTreeSet};

use stampede_tests::{RawServer, Report, Run, settled, site};

use crate::shooter;

/// A script with everything that depends on the user's number: templates, random numbers, rows of every kind, weights.
const SCRIPT: &str = r#"
data:
  words: [alien, brazil, casablanca, delicatessen]
  codes: {file: codes.txt, order: unique}
  keys: {file: codes.txt, order: shuffle}
  names: {file: codes.txt, partition: user}
scenarios:
  often:
    weight: 5
    steps:
      - name: Get
        url: /{{userId}}/{{iteration}}/{{next codes}}/{{next words}}/{{next keys}}/{{next names}}/{{pick names}}
        headers: {x-id: "{{uuid}}"}
  seldom:
    weight: 2
    steps:
      - {name: Get, url: "/{{userId}}/{{iteration}}/{{next codes}}/{{randInt 1 1000}}", headers: {x-id: "{{uuid}}"}}
"#;

/// Returns numbers, one a line.
fn codes() -> String {
    (0..200).map(|number| format!("{number}\n")).collect()
}

fn with_data(script: &str) -> Run {
    shooter().script(script).file("codes.txt", codes()).report()
}

/// The requests of a run: of each user, all but the rows that are given once, in order; and those rows.
#[derive(Debug, Default, PartialEq)]
struct Sent {
    of_users: BTreeMap<u32, Vec<Vec<String>>>,
    codes: BTreeSet<u32>,
}

/// Runs the script against a recording target and returns what was sent.
fn sent(target: &RawServer, arguments: &str) -> Sent {
    let run = with_data(SCRIPT).args("--seed 42 --base-url").arg(target.base_url()).args(arguments);
    run.finish().exits(0);
    let mut sent = Sent::default();
    for request in target.take() {
        let path = request.line.split(' ').nth(1).expect("a request line has a path").to_owned();
        let mut parts: Vec<String> = path[1..].split('/').map(str::to_owned).collect();
        let user = parts.remove(0).parse().expect("a number");
        assert!(sent.codes.insert(parts.remove(1).parse().expect("a number")), "a row is given once");
        parts.push(request.header("x-id").to_owned());
        sent.of_users.entry(user).or_default().push(parts);
    }
    sent
}

/// Returns the segments of a number, as they are typed.
fn segments(count: u32) -> Vec<String> {
    (1..=count).map(|number| format!("{number}/{count}")).collect()
}

#[test]
fn users_seeds_and_rows_of_three_processes_are_those_of_one() {
    let target = RawServer::recording();
    let load = "--users 7 --iterations 5";
    let alone = sent(&target, load);
    assert_eq!((alone.of_users.len(), alone.codes.len()), (7, 35));
    for workers in [1, 2] {
        let mut together = Sent::default();
        for segment in segments(3) {
            let mut part = sent(&target, &format!("{load} --segment {segment} --workers {workers}"));
            assert!(
                part.of_users.keys().all(|user| !together.of_users.contains_key(user)),
                "{segment}: another's users"
            );
            assert!(part.codes.is_disjoint(&together.codes), "{segment}: another's rows");
            together.of_users.append(&mut part.of_users);
            together.codes.append(&mut part.codes);
        }
        assert_eq!(together, alone, "{workers} workers each");
    }
}

/// Returns the reports of all segments of a run, with the codes that they may end with.
fn reports(script: &str, arguments: &str, base_url: &str, code: i32) -> Vec<String> {
    let of_segment = |segment: String| {
        let run = with_data(script).args("--seed 1 --base-url").arg(base_url).args(arguments);
        run.args("--segment").arg(segment).finish().exits(code).read("report.json")
    };
    segments(3).into_iter().map(of_segment).collect()
}

/// Returns a call with these reports, `1.json` first, and their names.
fn with_reports(reports: &[String]) -> (Run, String) {
    let named = reports.iter().enumerate().map(|(index, text)| (format!("{}.json", index + 1), text));
    named.fold((shooter(), String::new()), |(run, names), (name, text)| {
        (run.file(&name, text), format!("{names} {name}"))
    })
}

/// Joins the reports, with the code that `merge` ends with, and returns the call and the sum.
fn joined(reports: &[String], arguments: &str, code: i32) -> (stampede_tests::Finished, Report) {
    let (run, names) = with_reports(reports);
    let run = run.args("merge").args(&names).args("--out sum.json").args(arguments).finish().exits(code);
    let sum = Report::parse(&run.read("sum.json"));
    (run, sum)
}

#[test]
fn joined_segments_are_the_report_of_one_process() {
    let site = site();
    let script = "
thresholds: {http_reqs: count>=35, 'http_reqs{step:Get}': count<36, http_failed: rate<1%, iterations: count>=35}
steps:
  - {name: Get, url: /bytes/100, checks: {is found: {status: 200}}}
";
    let load = "--users 7 --iterations 5 --rps-total 500";
    let alone = with_data(script).args("--seed 1 --base-url").arg(site.base_url()).args(load).finish().exits(0);
    let alone = Report::parse(&alone.read("report.json"));
    let before = settled(&site.stats()).requests;
    // A segment judges its own part, which is not 35 requests.
    let parts = reports(script, load, &site.base_url(), 99);
    assert_eq!(settled(&site.stats()).requests - before, 35, "the load is not multiplied");
    let (run, sum) = joined(&parts, "", 0);
    sum.assert_consistent();
    assert!(run.stdout.contains("Segments: all 3."), "{}", run.stdout);
    for what in
        ["requests/total", "requests/ok", "tasks/started", "tasks/passed", "bytes/in", "bytes/out", "statuses/200"]
    {
        let of = |report: &Report| report.row("Get").number(&format!("/{what}"));
        assert_eq!(of(&sum), of(&alone), "{what}");
    }
    for pointer in [
        "/settings/users",
        "/settings/rps_total",
        "/settings/seed",
        "/scenarios/0/users",
        "/scenarios/0/load",
        "/checks",
        "/scenarios/0/iterations",
        "/run/users_given_up",
        "/run/verdict",
    ] {
        assert_eq!(sum.at(pointer), alone.at(pointer), "{pointer}");
    }
    assert_eq!(sum.row("Get").number("/response_time_us/count"), 35);
    assert_eq!(*sum.at("/settings/segments"), serde_json::json!({"of": 3, "included": [1, 2, 3]}));
    assert_eq!(sum.at("/thresholds/0/value"), alone.at("/thresholds/0/value"));
    let part = Report::parse(&parts[1]);
    assert_eq!(*part.at("/settings/segments"), serde_json::json!({"of": 3, "included": [2]}));
    assert_eq!((part.at("/settings/users").as_u64(), part.row("Get").total()), (Some(2), 10));
}

#[test]
fn arrivals_and_shared_iterations_are_divided_and_not_multiplied() {
    let site = site();
    let script = "
scenarios:
  even: {arrival_rate: 60/s, duration: 1s, max_users: 2, max_wait: 30s, steps: [{name: A, url: /bytes/1}]}
  random: {arrival_rate: 50/s, arrivals: poisson, duration: 1s, max_users: 40, max_wait: 30s,
     steps: [{name: B, url: /bytes/2}]}
  shared: {users: 4, shared_iterations: 10, steps: [{name: C, url: /bytes/3}]}
";
    let due = |report: &Report| {
        let of = |scenario: usize| report.at(&format!("/scenarios/{scenario}/iterations/due")).as_u64();
        [0, 1, 2].map(|scenario| of(scenario).expect("a number"))
    };
    let alone = with_data(script).args("--seed 1 --base-url").arg(site.base_url()).finish().exits(0);
    let alone = Report::parse(&alone.read("report.json"));
    let parts = reports(script, "", &site.base_url(), 0);
    let (_, sum) = joined(&parts, "", 0);
    assert_eq!(due(&sum), due(&alone));
    assert_eq!((due(&sum)[0], due(&sum)[2]), (60, 10));
}

#[test]
fn a_run_does_not_pass_by_segments_that_are_missing() {
    let site = site();
    let script = "steps:\n  - {name: Get, url: /bytes/1}\n";
    let parts = reports(script, "--users 3 --iterations 2 --threshold http_failed:rate<1%", &site.base_url(), 0);
    let (run, sum) = joined(&[parts[0].clone(), parts[2].clone()], "", 10);
    assert!(run.stderr.contains("note: segment 2 of 3 is missing"), "{}", run.stderr);
    assert!(run.stdout.contains("Segments: 2 of 3; missing: 2."), "{}", run.stdout);
    assert_eq!((sum.at("/run/verdict").as_str(), sum.totals().total()), (Some("inconclusive"), 4));
    let (_, partly) = joined(&parts[1..2], "--allow-missing", 0);
    assert_eq!(partly.at("/run/verdict"), "passed");
    // What is missing can be added to the sum.
    let (_, whole) = joined(&[run.read("sum.json"), parts[1].clone()], "", 0);
    assert_eq!((whole.at("/run/verdict").as_str(), whole.totals().total()), (Some("passed"), 6));
}

#[test]
fn reports_that_are_not_segments_of_one_run_are_refused() {
    let site = site();
    let script = "steps:\n  - {name: Get, url: /bytes/1}\n";
    let part = |arguments: &str| {
        let run = with_data(script).args("--iterations 1 --base-url").arg(site.base_url()).args(arguments);
        run.finish().exits(0).read("report.json")
    };
    let first = part("--users 4 --seed 1 --segment 1/2");
    for (other, message) in [
        ("--users 4 --seed 1 --segment 1/2", "`1.json` and `2.json` both hold segment 1 of 2"),
        ("--users 4 --seed 2 --segment 2/2", "have different seeds"),
        ("--users 6 --seed 1 --segment 2/2", "have different loads"),
        ("--users 4 --seed 1 --segment 2/4", "is of a run in 2 segments, and `2.json` of one in 4"),
        ("--users 4 --seed 1", "`1.json` is a segment of a run, and `2.json` is a whole run"),
    ] {
        let (run, names) = with_reports(&[first.clone(), part(other)]);
        let run = run.args("merge").args(&names).finish().exits(2);
        assert!(run.stderr.contains(message), "{other}: {}", run.stderr);
    }
}

#[test]
fn check_says_what_a_segment_is_and_how_set_up_is_walked() {
    let script = "
setup: [{name: Prepare, url: /bytes/1}]
users: 7
steps: [{name: Get, url: /bytes/1}]
";
    let check = |segment: &str| {
        let run = shooter().arg("check").script(script).args("--base-url http://127.0.0.1:9 --seed 1 --segment");
        run.arg(segment).finish().exits(0).stdout
    };
    let text = check("2/3");
    assert!(text.starts_with("Before all load, one user of each segment takes 1 step:\n"), "{text}");
    assert!(text.contains("This is segment 2 of 3: 2 of 7 users, their iterations and their rows of data."), "{text}");
    assert!(text.contains("Set-up and teardown are walked in every segment"), "{text}");
    assert!(text.contains("Needs: 2 users on "), "{text}");
    assert!(!check("1/1").contains("segment"));
}

#[test]
fn users_of_set_up_differ_between_segments() {
    let target = RawServer::recording();
    let script = "
setup: [{name: Prepare, url: '/setup/{{userId}}'}]
users: 3
steps: [{name: Get, url: '/get/{{userId}}'}]
";
    let mut lines = BTreeSet::new();
    for segment in segments(3) {
        let run = shooter().script(script).args("--seed 1 --base-url").arg(target.base_url()).args("--segment");
        run.arg(segment).finish().exits(0);
        lines.extend(target.take().into_iter().map(|request| request.line));
    }
    let expected = (0..3).flat_map(|user| ["setup", "get"].map(|path| format!("GET /{path}/{user} HTTP/1.1")));
    assert_eq!(lines, expected.collect());
}

#[test]
fn try_walks_a_script_whole() {
    let run = shooter().arg("try").script("- {name: Get, url: /}\n").args("--segment 1/2 --seed 1").finish().exits(2);
    assert!(run.stderr.contains("`--segment` has no effect: `try` walks the script once"), "{}", run.stderr);
}
