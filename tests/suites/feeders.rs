//! Dealing out the rows of data sets, as the target sees it: every request names the rows that it was made from.

use std::collections::{BTreeMap, BTreeSet};

use stampede_tests::{RawServer, Run};

use crate::shooter;

/// Returns the paths that each user requested, in order.
type Asked = BTreeMap<u32, Vec<String>>;

/// Returns a script of one step whose URL is the user's number and the rendered template.
fn script(data: &str, template: &str) -> String {
    format!("data: {{{data}}}\nsteps:\n  - {{name: Get, url: \"/{{{{userId}}}}/{template}\"}}\n")
}

fn asked(target: &RawServer) -> Asked {
    let mut asked = Asked::new();
    for request in target.take() {
        let path = request.line.split(' ').nth(1).expect("a request line has a path");
        let (user, value) = path[1..].split_once('/').expect("the script's path");
        asked.entry(user.parse().expect("a number")).or_default().push(value.to_owned());
    }
    asked
}

fn run(target: &RawServer, script: &str, arguments: &str) -> Run {
    shooter().script(script).report().arg("--base-url").arg(target.base_url()).args(arguments)
}

/// Returns numbers, one a line.
fn numbers(below: u32) -> String {
    (0..below).map(|number| format!("{number}\n")).collect()
}

fn values(asked: &Asked) -> Vec<u32> {
    let mut values: Vec<u32> = asked.values().flatten().map(|value| value.parse().expect("a number")).collect();
    values.sort_unstable();
    values
}

#[test]
fn unique_gives_each_row_once_over_all_workers_and_stops_the_users() {
    let target = RawServer::recording();
    let script = script("ids: {file: ids.txt, order: unique}", "{{next ids}}");
    let run = run(&target, &script, "--users 7 --workers 2 --duration 5m").file("ids.txt", numbers(500));
    let run = run.finish().exits(0);
    assert_eq!(values(&asked(&target)), (0..500).collect::<Vec<_>>());
    let report = run.report();
    assert_eq!(report.totals().at("/requests/total"), 500);
    assert_eq!(report.totals().at("/tasks/cancelled"), 0, "the users ended before their next step began");
    assert_eq!(*report.at("/data"), serde_json::json!([{"name": "ids", "rows": 500, "users": 7}]));
    assert_eq!(report.at("/run/ended"), "data");
    let line = "Data set `ids` ran out: 7 users ended, for whom nothing of its 500 rows was left.";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    assert_eq!(run.stderr.matches("data set `ids` has no row left (500 in all)").count(), 1, "{}", run.stderr);
}

#[test]
fn unique_columns_of_an_iteration_belong_to_one_row() {
    let target = RawServer::recording();
    let rows: String = (0..60).map(|row| format!("a{row},b{row}\n")).collect();
    let script = script("people: {file: people.csv, order: unique}", "{{next people.a}}-{{next people.b}}");
    run(&target, &script, "--users 4 --workers 2 --iterations 100").file("people.csv", format!("a,b\n{rows}")).finish();
    let seen: BTreeSet<String> = asked(&target).into_values().flatten().collect();
    assert_eq!(seen, (0..60).map(|row| format!("a{row}-b{row}")).collect());
}

#[test]
fn stop_ends_a_user_when_its_rows_are_used_up() {
    let target = RawServer::recording();
    let script = script("ids: {rows: [0, 1, 2, 3, 4, 5, 6], at_end: stop}", "{{next ids}}");
    run(&target, &script, "--users 3 --iterations 100").finish().exits(0);
    let asked = asked(&target);
    assert_eq!([&asked[&0][..], &asked[&1], &asked[&2]], [&["0", "3", "6"][..], &["1", "4"], &["2", "5"]]);
}

/// Each of two users has two rows of its own. Most arrivals go to one of them, as long as it has any.
#[test]
fn arrivals_go_on_after_the_data_of_one_user_has_run_out() {
    let target = RawServer::recording();
    for set in ["ids: {rows: [0, 1, 2, 3], at_end: stop}", "ids: {rows: [0, 1, 2, 3], at_end: stop, partition: user}"] {
        let script = script(set, "{{next ids}}");
        let open = "--arrival-rate 100/s --duration 5m --max-users 2 --workers 1";
        let report = run(&target, &script, open).finish().exits(0).report();
        assert_eq!(values(&asked(&target)), [0, 1, 2, 3], "{set}");
        assert_eq!((report.at("/run/ended"), report.at("/data/0/users")), (&"data".into(), &2.into()), "{set}");
    }
}

/// In the second iteration one branch has no row while the request of the other is under way.
#[test]
fn a_shortage_in_one_branch_leaves_the_request_of_another_alone() {
    let target = RawServer::recording();
    let script = "data: {ids: {rows: [0], at_end: stop}}\nsteps:\n  - parallel:\n      \
                  - {name: Other, url: /0/other}\n      - {name: Get, url: \"/{{userId}}/{{next ids}}\"}\n";
    let run = run(&target, script, "--users 1 --iterations 5").finish().exits(0);
    let report = run.report();
    assert_eq!(asked(&target)[&0].len(), 3);
    assert_eq!(report.row("Other").tasks("passed"), 2, "{}", run.stdout);
    assert_eq!((report.row("Get").tasks("passed"), report.row("Get").tasks("failed")), (1, 0), "{}", run.stdout);
}

#[test]
fn error_fails_the_step_and_gives_the_reason() {
    let target = RawServer::recording();
    let script = script("ids: {rows: [0, 1, 2], at_end: error}", "{{next ids}}");
    let run = run(&target, &script, "--users 2 --iterations 100").finish().exits(0);
    assert_eq!(values(&asked(&target)), [0, 1, 2]);
    let report = run.report();
    let totals = report.totals();
    assert_eq!((totals.at("/tasks/passed"), totals.at("/tasks/failed")), (&3.into(), &2.into()));
    assert_eq!(totals.at("/errors/0/category"), "check");
    assert_eq!(totals.at("/errors/0/example/text"), "data set `ids` has no row left (3 in all)");
    assert_eq!(run.stderr.matches("ERROR").count(), 1, "{}", run.stderr);
}

#[test]
fn a_login_takes_one_row_and_a_user_without_one_sends_nothing() {
    let target = RawServer::recording();
    let script = "data: {people: {rows: [{name: ann}, {name: bob}], order: unique}}\n\
                  login: {url: \"/{{userId}}/{{next people.name}}\"}\n\
                  steps:\n  - {name: Get, url: \"/{{userId}}/{{next people.name}}\"}\n";
    let run = run(&target, script, "--users 3 --workers 2 --iterations 1").finish().exits(0);
    let asked = asked(&target);
    assert_eq!(asked.len(), 2, "the third user has no name to sign in with");
    assert!(asked.values().all(|asked| asked.len() == 2 && asked[0] == asked[1]), "{asked:?}");
    assert_eq!(run.report().at("/data/0/users"), 1);
    assert_eq!(run.report().at("/run/users_given_up"), 0);
}

#[test]
fn a_shuffle_depends_on_the_seed_and_not_on_the_workers() {
    let target = RawServer::recording();
    let script = script("ids: {file: ids.txt, order: shuffle, at_end: stop}", "{{next ids}}");
    let shuffled = |arguments: &str| {
        let run = run(&target, &script, "--users 5 --iterations 100").args(arguments).file("ids.txt", numbers(90));
        run.finish().exits(0);
        let asked = asked(&target);
        assert_eq!(values(&asked), (0..90).collect::<Vec<_>>(), "every row once");
        asked
    };
    let first = shuffled("--seed 1 --workers 1");
    assert_eq!(shuffled("--seed 1 --workers 3"), first);
    assert_ne!(shuffled("--seed 2 --workers 1"), first);
}

#[test]
fn a_partition_starts_over_within_the_user_s_own_share() {
    let target = RawServer::recording();
    let script = script("ids: {file: ids.txt, partition: user}", "{{next ids}}");
    run(&target, &script, "--users 3 --iterations 20").file("ids.txt", numbers(10)).finish().exits(0);
    let asked = asked(&target);
    let shares: Vec<BTreeSet<u32>> =
        asked.values().map(|asked| asked.iter().map(|value| value.parse().expect("a number")).collect()).collect();
    assert_eq!(shares, [BTreeSet::from([0, 3, 6, 9]), BTreeSet::from([1, 4, 7]), BTreeSet::from([2, 5, 8])]);
}

#[test]
fn a_large_file_is_read_where_it_is() {
    let target = RawServer::recording();
    let filler = "x".repeat(2_000);
    let rows: String = (0..20_000).map(|row| format!("{row},\"{filler}\"\n")).collect();
    let script = script("ids: {file: ids.csv, order: shuffle}", "{{next ids.id}}");
    let run = run(&target, &script, "--users 10 --iterations 30 --workers 2 --seed 3");
    run.file("ids.csv", format!("id,filler\n{rows}")).finish().exits(0);
    let values = values(&asked(&target));
    assert_eq!(values.len(), 300);
    assert!(values.is_sorted_by(|a, b| a < b) && values[299] < 20_000, "no row twice");
}
