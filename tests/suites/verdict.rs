//! The verdict on a run: checks, thresholds, and the exit code that follows from them.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use serde_json::{Value, json};
use stampede_tests::{Refusing, Report, settled, site};

use crate::shooter;

const SHOP: &str = r#"
thresholds:
  http_duration{step:Catalog}: [p(95)<1m, max<1h]
  http_failed: rate==0
  http_reqs{area:shop}: count==20
  group.Buy.duration: avg<1m
  users: max<=10
steps:
  - {name: Catalog, url: "/api/v1/catalog?page=1", tags: {area: shop}}
  - {group: Buy, steps: [{name: Pay, url: /bytes/100, tags: {area: shop}}, {name: Other, url: /bytes/1}]}
"#;

/// Replies of both kinds, in equal numbers; none fails its step.
const CHECKED: &str = r#"
data: {codes: [200, 404]}
steps:
  - name: Page
    url: /status/{{next codes}}
    expect_status: [200, 404]
    checks: {is found: {status: 200}, is known: {status: [2xx, 404]}, is quick: {latency: < 1h}}
  - name: Echo
    method: POST
    url: /echo
    body: alien
    checks:
      - {json: {path: $.method, equals: POST}}
      - {name: has it, body: alien}
      - {name: no tag, header: {name: etag, present: false}}
      - {name: is large, size: "> 1MB"}
  - {name: Gone, url: /close, checks: [{status: 200}]}
"#;

/// Returns, for each threshold of a report in order, `true` if it held.
fn passed(report: &Report) -> Vec<bool> {
    let thresholds = report.at("/thresholds").as_array().expect("a list").iter();
    thresholds.map(|threshold| threshold["passed"].as_bool().expect("a truth value")).collect()
}

/// Returns, for each check of a report, its name and how many times it passed and failed.
fn checks(report: &Report) -> Vec<(String, u64, u64)> {
    let checks = report.at("/checks").as_array().expect("a list").iter();
    let number = |check: &Value, key: &str| check[key].as_u64().expect("a number");
    let name = |check: &Value| check["name"].as_str().expect("a name").to_owned();
    checks.map(|check| (name(check), number(check, "passed"), number(check, "failed"))).collect()
}

#[test]
fn thresholds_that_hold_are_shown_and_the_run_passes() {
    let site = site();
    let run = shooter().script(SHOP).args("--users 10 --base-url").arg(site.base_url()).report().finish().exits(0);
    let report = run.report();
    assert_eq!(passed(&report), [true; 6], "{}", run.stdout);
    assert!(run.stdout.contains("  passed  http_reqs{area:shop}         count==20  20\n"), "{}", run.stdout);
    assert_eq!(report.at("/actions/0/tags"), &json!({"area": "shop"}));
    assert_eq!(run.stderr, "");
}

#[test]
fn a_failed_threshold_is_exit_code_99_and_is_reported_even_if_quiet() {
    let site = site();
    let run = shooter()
        .script(SHOP)
        .args("--users 10 --quiet --threshold http_reqs{step:Pay}:count>10 --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(99);
    assert_eq!(passed(&run.report()), [true, true, true, true, true, true, false]);
    assert_eq!(run.report().at("/thresholds/6/value"), &json!(10.0));
    let said = "error: a threshold failed, or the run was worse than its baseline (exit code 99)\n";
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", said));
}

#[test]
fn a_threshold_without_measurements_fails() {
    let site = site();
    let run = shooter().script(SHOP).args("--threshold http_tls:p(95)<1h --base-url").arg(site.base_url());
    let run = run.args("--threshold http_reqs:count>=0").report().finish().exits(99);
    assert!(run.stdout.contains("FAILED  http_tls                     p(95)<1h   no values\n"), "{}", run.stdout);
}

#[test]
fn a_threshold_that_aborts_ends_the_run_and_is_named() {
    let site = site();
    let script = "
thresholds:
  http_duration: p(95)<1h
  http_failed: [{expr: rate<50%, abort: true}, {expr: rate<60%, abort: true, delay: 1h}]
steps: [{name: Page, url: /status/503}]
";
    let run = shooter().script(script).args("--users 3 --rps 50 --duration 1h --base-url").arg(site.base_url());
    let run = run.report().finish().exits(99);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    report.assert_consistent();
    assert_eq!(report.at("/run/ended"), "threshold");
    assert_eq!(passed(&report), [true, false, false]);
    assert_eq!([1, 2].map(|index| report.at(&format!("/thresholds/{index}/aborted")) == &json!(true)), [true, false]);
    let second = report.at("/thresholds/1/at_s").as_u64().expect("a second");
    let shown = format!("  FAILED  http_failed    rate<50%  100 %, aborted the run after {second} s\n");
    assert!(run.stdout.contains(&shown), "{}", run.stdout);
    assert!(run.stderr.contains("stopping: the threshold `http_failed: rate<50%` does not hold"), "{}", run.stderr);
}

/// Two seconds of slow replies among six of fast ones; wherever whole seconds begin, one of them has slow replies
/// alone.
#[test]
fn one_bad_stretch_fails_a_window_that_the_whole_run_satisfies() {
    let site = site();
    let delays: Vec<_> = [vec!["50"; 60], vec!["500"; 5], vec!["50"; 60]].concat();
    let script = format!(
        "
data: {{delays: [{}]}}
thresholds:
  http_duration{{step:Page}}: [med<450ms, med<450ms for 1s, med<450ms for 5s]
  http_failed: rate<1% for 1s
  http_duration{{step:Other}}: count<1000 for 1h
steps:
  - {{name: Page, url: '/delay/{{{{next delays}}}}'}}
  - {{name: Other, url: /bytes/1}}
",
        delays.join(", ")
    );
    let run = shooter().script(&script).args("--iterations 125 --base-url").arg(site.base_url()).report();
    let run = run.finish().exits(99);
    let report = run.report();
    assert_eq!(passed(&report), [true, false, true, true, true], "{}", run.stdout);
    assert!(report.at("/thresholds/1/value").as_f64().is_some_and(|found| found >= 450_000.0));
    assert!(report.at("/thresholds/1/at_s").as_u64().is_some_and(|second| second >= 3));
}

#[test]
fn every_request_is_asked_every_check_of_its_step_and_none_fails_by_it() {
    let site = site();
    let run = shooter()
        .script(CHECKED)
        .args("--users 20 --iterations 5 --base-url")
        .arg(site.base_url())
        .args("--threshold")
        .arg("checks{step:Page, check:is found}: rate==50%")
        .report();
    let run = run.finish().exits(0);
    let report = run.report();
    assert_eq!(report.totals().total(), settled(&site.stats()).requests);
    let expected = [
        ("is found", 50, 50),
        ("is known", 100, 0),
        ("is quick", 100, 0),
        ("json path: $.method, equals: POST", 100, 0),
        ("has it", 100, 0),
        ("no tag", 100, 0),
        ("is large", 0, 100),
        ("status 200", 0, 100),
    ];
    let expected = expected.map(|(name, passed, failed)| (name.to_owned(), passed, failed));
    assert_eq!(checks(&report), expected);
    assert_eq!([report.row("Page").ok(), report.row("Echo").ok(), report.row("Gone").err()], [100; 3]);
    assert_eq!(report.at("/metrics"), &json!([]), "checks are no metrics of plugins");
    assert!(run.stdout.contains("  Page  is found                           50 % (50 of 100)\n"), "{}", run.stdout);
}

#[test]
fn a_request_that_times_out_passes_no_check() {
    let site = site();
    let script = "- {name: Page, url: /endless, timeout: 200ms, checks: [{name: came, status: 200}]}\n";
    let run = shooter().script(script).args("--iterations 3 --fail-on never --base-url").arg(site.base_url()).report();
    assert_eq!(checks(&run.finish().exits(0).report()), [("came".to_owned(), 0, 3)]);
}

/// Returns the attributes of all elements of that name.
fn elements(xml: &str, name: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    loop {
        match reader.read_event().expect("XML") {
            Event::Eof => return found,
            Event::Start(element) | Event::Empty(element) if element.name().as_ref() == name => {
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.expect("an attribute");
                    let key = attribute.key.as_ref().to_owned();
                    (key, unescape(&attribute.value).expect("text").into_owned())
                });
                found.push(attributes.collect());
            }
            _ => {}
        }
    }
}

#[test]
fn junit_has_a_case_for_every_threshold_and_every_check() {
    let site = site();
    let run = shooter()
        .script(CHECKED)
        .args("--users 2 --iterations 5 --threshold http_failed:rate<1% --threshold http_reqs:count==30 --base-url")
        .arg(site.base_url())
        .args("--out junit.xml")
        .report()
        .finish()
        .exits(99);
    let (xml, report) = (run.read("junit.xml"), run.report());
    let failing = checks(&report).iter().filter(|(_, _, failed)| *failed > 0).count();
    let attribute = |element: &[(String, String)], name: &str| {
        element.iter().find(|(key, _)| key == name).expect("an attribute of that name").1.clone()
    };
    let counted = |element: &[(String, String)]| ["tests", "failures"].map(|name| attribute(element, name));
    let number = |number: usize| number.to_string();
    let suites = elements(&xml, "testsuite");
    assert_eq!(counted(&suites[0]), [number(2), number(1)], "{xml}");
    assert_eq!(counted(&suites[1]), [number(8), number(failing)], "{xml}");
    assert_eq!(counted(&elements(&xml, "testsuites")[0]), [number(10), number(failing + 1)], "{xml}");
    let cases = elements(&xml, "testcase");
    let names: Vec<_> = cases.iter().map(|case| attribute(case, "name")).collect();
    let known = checks(&report).into_iter().map(|(name, ..)| name);
    let thresholds = ["http_failed: rate<1%", "http_reqs: count==30"].map(str::to_owned);
    assert_eq!(names, thresholds.into_iter().chain(known).collect::<Vec<_>>());
    assert_eq!(elements(&xml, "failure").len(), failing + 1);
    let length = format!("{:.3}", report.at("/run/elapsed_us").as_f64().expect("a number") / 1e6);
    for element in ["testsuites", "testsuite", "testcase"] {
        let times: Vec<_> = elements(&xml, element).iter().map(|one| attribute(one, "time")).collect();
        assert!(times.iter().all(|time| *time == length), "{element}: {times:?} in {length}");
    }
}

#[test]
fn failed_requests_end_the_program_as_fail_on_says() {
    let (site, refusing) = (site(), Refusing::bind());
    let base = site.base_url();
    let (all, some) =
        ("- {name: Bad, url: /reset}\n", "- {name: Bad, url: /reset}\n- {name: Good, url: /status/200}\n");
    let in_script = "{fail_on: any-error, steps: [{name: Bad, url: /reset}, {name: Good, url: /status/200}]}\n";
    for (case, script, flags, code) in [
        ("all failed", all, "", 9),
        ("all failed, which is fine", all, "--fail-on never", 0),
        ("some failed", some, "", 0),
        ("some failed, which is not fine", some, "--fail-on any-error", 9),
        ("the script says so", in_script, "", 9),
        ("a flag wins", in_script, "--fail-on all-failed", 0),
        ("a threshold comes first", all, "--threshold http_failed:rate<1%", 99),
    ] {
        let run = shooter().script(script).args(flags).arg("--base-url").arg(&base).finish();
        assert_eq!(run.code, Some(code), "{case}: {}", run.stderr);
    }
    let run = shooter().script("- {name: Page, url: /}\n").args("--fail-on never --base-url").arg(refusing.base_url());
    run.finish().exits(5);
}

#[test]
fn check_shows_the_thresholds() {
    let run = shooter().args("check --base-url http://127.0.0.1:1").script(SHOP).finish().exits(0);
    assert!(run.stdout.contains("The run passes if http_duration{step:Catalog}: p(95)<1m.\n"), "{}", run.stdout);
}
