//! The flow of a user: conditions, loops, choices, retries, parallel steps, includes, and signing in again. The
//! target's counts show what was sent.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use stampede_tests::{Finished, RawRequest, RawServer, Report, settled, site};

use crate::shooter;

/// Returns a reply with a status and a body.
fn reply(status: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Counts the requests that the target received, by path.
fn asked(target: &RawServer) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for request in target.take() {
        let path = request.line.split(' ').nth(1).unwrap_or_default().to_owned();
        *asked.entry(path).or_default() += 1;
    }
    asked
}

#[track_caller]
fn ran(script: &str, flags: &str, target: &RawServer, code: u8) -> (Finished, Report) {
    let run = shooter().script(script).args(flags).arg("--base-url").arg(target.base_url()).report();
    let run = run.finish().exits(code.into());
    let report = run.report();
    report.assert_consistent();
    (run, report)
}

fn counts(expected: &[(&str, usize)]) -> BTreeMap<String, usize> {
    expected.iter().map(|(path, times)| ((*path).to_owned(), *times)).collect()
}

#[test]
fn a_condition_decides_about_a_step_and_about_a_block_with_its_else() {
    let target = RawServer::start(|request| match request.line.as_str() {
        "GET /who HTTP/1.1" => reply(200, r#"{"role": "admin", "films": [1, 2]}"#),
        "GET /gone HTTP/1.1" => reply(404, ""),
        _ => reply(200, ""),
    });
    let script = r#"
- {name: Who, url: /who, capture: {role: {json: $.role}}}
- {name: Films, url: /films, when: size(reply.json.films) == 2}
- {name: None, url: /none, when: vars.role != "admin"}
- {name: Gone, url: /gone, expect_status: 404}
- when: reply.status == 404 && passed
  steps: [{name: Known, url: /known}]
  else: [{name: Unknown, url: /unknown}]
- when: user == 0
  steps: [{name: First, url: /first}]
  else: [{name: Others, url: /others}, {name: Later, url: /later, when: iteration > 0}]
"#;
    ran(script, "--users 3 --iterations 2", &target, 0);
    let all = [("/who", 6), ("/films", 6), ("/gone", 6), ("/known", 6), ("/first", 2), ("/others", 4), ("/later", 2)];
    assert_eq!(asked(&target), counts(&all));
}

#[test]
fn loops_go_on_as_often_as_they_say_and_while_their_condition_holds() {
    // Ready from the fourth request of each user on.
    let polls: Mutex<HashMap<String, u32>> = Mutex::default();
    let target = RawServer::start(move |request| {
        if !request.line.starts_with("GET /poll") {
            return reply(200, "");
        }
        let mut polls = polls.lock().unwrap_or_else(PoisonError::into_inner);
        let times = polls.entry(request.line.clone()).or_default();
        *times += 1;
        reply(200, if *times < 4 { r#"{"state": "busy"}"# } else { r#"{"state": "ready"}"# })
    });
    let script = r#"
- {name: Thrice, url: /thrice, repeat: 3}
- repeat: 2
  steps: [{name: Outer, url: /outer}, {repeat: 2, steps: [{name: Inner, url: /inner, when: round == 1}]}]
- while: round == 0 || reply.json.state == "busy"
  repeat: 50
  steps: [{name: Poll, url: "/poll?user={{userId}}"}]
- {name: Never, url: /never, while: "false", repeat: 5}
- {name: Most, url: /most, while: "true", repeat: 2}
"#;
    let (_, report) = ran(script, "--users 2 --workers 2", &target, 0);
    let all = [
        ("/thrice", 6),
        ("/outer", 4),
        // The round is that of the loop around the condition: of the step's own block or, if that has no loop, of the
        // outer one.
        ("/inner", 4),
        ("/poll?user=0", 4),
        ("/poll?user=1", 4),
        ("/most", 4),
    ];
    assert_eq!(asked(&target), counts(&all));
    assert_eq!(report.row("Poll").ok(), 8);
}

#[test]
fn one_of_several_is_chosen_by_weight_and_by_seed() {
    let script = "
- choose:
    - {weight: 3, steps: [{name: Film, url: /bytes/1}]}
    - {steps: [{name: Series, url: /bytes/2}, {name: Episode, url: /bytes/3}]}
";
    let chosen = |seed: &str| {
        let site = site();
        let run = shooter().script(script).args("--users 4 --iterations 500 --seed").arg(seed).arg("--base-url");
        let report = run.arg(site.base_url()).report().finish().exits(0).report();
        report.assert_equals(&settled(&site.stats()));
        let row = |name: &str| report.row(name).ok();
        assert_eq!((row("Film") + row("Series"), row("Series")), (2000, row("Episode")));
        row("Film")
    };
    // Three quarters of 2,000, with a standard deviation of 19; the seeds are fixed, so this holds always or never.
    let [one, again, other] = ["1", "1", "2"].map(chosen);
    assert_eq!(one, again);
    assert!(one != other && [one, other].iter().all(|films| (1420..=1580).contains(films)), "{one} {other}");
}

/// Answers with 503 `times` times for each path, and with 200 from then on.
fn failing(times: u32) -> RawServer {
    let seen: Mutex<HashMap<String, u32>> = Mutex::default();
    RawServer::start(move |request| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(request.line.clone()).or_default();
        *seen += 1;
        reply(if *seen <= times { 503 } else { 200 }, "")
    })
}

const RETRIED: &str = "
setup:
  - group: Order
    retry: {times: 3, wait: 1ms, max_wait: 2ms}
    steps: [{name: Basket, url: /basket}, {name: Pay, url: /pay}]
  - {name: After, url: /after, when: passed, retry: {times: 1, wait: 0s}}
steps: [{name: Page, url: /page, retry: {times: 3, wait: 0s}}]
";

#[test]
fn a_failed_block_is_retried_as_a_whole_and_every_try_is_a_sample() {
    let target = failing(1);
    let (run, report) = ran(RETRIED, "", &target, 0);
    // Basket fails; then it passes and Pay fails; then both pass.
    assert_eq!(asked(&target), counts(&[("/after", 2), ("/basket", 3), ("/page", 2), ("/pay", 2)]));
    let row = |name: &str| (report.row(name).ok(), report.row(name).errors());
    let failed = |times| BTreeMap::from([("status", times)]);
    assert_eq!([row("Basket"), row("Pay"), row("Page")], [(2, failed(1)), (1, failed(1)), (1, failed(1))]);
    assert!(run.stdout.contains("Order.passed"), "{}", run.stdout);
    // A set-up that passes in the end counts as passed, so the load ran.
    assert_eq!(report.at("/run/ended"), "iterations");
}

#[test]
fn a_block_that_always_fails_is_given_up_after_the_last_try() {
    let target = failing(100);
    let (_, report) = ran(RETRIED, "", &target, 8);
    assert_eq!(asked(&target), counts(&[("/basket", 4)]));
    assert_eq!(report.at("/run/ended"), "setup-failed");
    let target = failing(100);
    let script = "[{name: Page, url: /page, retry: 2}, {name: Next, url: /next, when: '!passed'}]";
    let (_, report) = ran(&script.replace("retry: 2", "retry: {times: 2, wait: 0s}"), "--iterations 2", &target, 9);
    assert_eq!(asked(&target), counts(&[("/next", 2), ("/page", 6)]));
    assert_eq!(report.row("Page").tasks("failed"), 6);
}

/// Answers requests only when `wanted` of them are in flight at once, or after a time that no test should take.
fn together(wanted: usize) -> RawServer {
    let (here, all) = (Mutex::new((0, 0)), Condvar::new());
    RawServer::start(move |request: &RawRequest| {
        if request.line.contains("/alone") {
            return reply(200, "");
        }
        let mut state = here.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        if state.0 % wanted == 0 {
            state.1 = state.0;
            all.notify_all();
        }
        let mine = state.0.div_ceil(wanted) * wanted;
        let waited = all.wait_timeout_while(state, Duration::from_secs(60), |state| state.1 < mine);
        let met = waited.is_ok_and(|(_, timed_out)| !timed_out.timed_out());
        reply(if met { 200 } else { 500 }, "")
    })
}

#[test]
fn parallel_steps_run_at_once_and_end_together() {
    let target = together(3);
    let script = "
- {name: Page, url: /alone/page}
- group: Resources
  parallel:
    - {name: Style, url: /style}
    - steps: [{name: Script, url: /script, capture: {seen: {header: content-length}}}, {name: More, url: /alone/more}]
    - {name: Poster, url: /poster, timeout: 50s}
- {name: After, url: '/alone/{{var seen}}'}
";
    let (_, report) = ran(script, "--iterations 4", &target, 0);
    let all = [("/alone/0", 4), ("/alone/more", 4), ("/alone/page", 4), ("/poster", 4), ("/script", 4), ("/style", 4)];
    assert_eq!(asked(&target), counts(&all));
    assert_eq!(report.totals().ok(), 24);
    let groups = report.at("/metrics").as_array().map_or(0, |metrics| {
        let timed = metrics.iter().find(|metric| metric["name"] == "Resources.duration");
        timed.map_or(0, |metric| metric["count"].as_u64().unwrap_or_default())
    });
    assert_eq!(groups, 4);
}

#[test]
fn at_once_one_may_time_out_while_the_others_go_on() {
    let target = RawServer::start(|request| {
        if request.line.contains("/hangs") {
            std::thread::park();
        }
        reply(200, "")
    });
    let script = "
- parallel:
    - {name: Hangs, url: /hangs, timeout: 300ms}
    - {name: Quick, url: /quick, repeat: 5}
- {name: After, url: /after}
";
    let (_, report) = ran(script, "", &target, 0);
    assert_eq!(report.row("Hangs").errors(), BTreeMap::from([("timeout", 1)]));
    assert_eq!((report.row("Quick").ok(), report.row("After").ok()), (5, 1));
}

#[test]
fn as_many_as_there_may_be_at_once_keep_their_deadlines_and_the_end_of_the_run() {
    let target = RawServer::start(|request| {
        if request.line.contains("/hangs") {
            std::thread::park();
        }
        reply(200, "")
    });
    let hangs = |number: u32| format!("    - {{name: H{number}, url: /hangs, timeout: TIMEOUT}}\n");
    let script = format!("- parallel:\n{}- {{name: After, url: /after}}\n", (0..64).map(hangs).collect::<String>());
    let (_, report) = ran(&script.replace("TIMEOUT", "300ms"), "", &target, 0);
    assert_eq!(report.totals().errors(), BTreeMap::from([("timeout", 64)]));
    assert_eq!(report.row("After").ok(), 1);
    // The end of the run cuts them off too; the run does not wait for an hour.
    let flags = "--duration 1s --graceful-stop 100ms";
    let (_, report) = ran(&script.replace("TIMEOUT", "1h"), flags, &target, 9);
    assert_eq!(report.totals().errors(), BTreeMap::from([("unfinished", 64)]));
}

#[test]
fn each_parallel_branch_has_its_own_last_reply() {
    let target = RawServer::start(|request| reply(if request.line.contains("/bad") { 404 } else { 200 }, ""));
    let script = "
- parallel:
    - steps: [{name: A, url: /good}, {name: A2, url: /a2, when: reply.status == 200 && passed}]
    - steps: [{name: B, url: /bad}, {name: B2, url: /b2, when: reply.status == 404 && !passed}]
- {name: Whole, url: /whole, when: '!passed && reply.status == 200'}
";
    ran(script, "--iterations 3", &target, 0);
    let all = [("/a2", 3), ("/b2", 3), ("/bad", 3), ("/good", 3), ("/whole", 3)];
    assert_eq!(asked(&target), counts(&all));
}

/// A reply that is too long to keep fails its step only if the step itself needs it.
#[test]
fn a_condition_reads_the_step_before_it_and_no_other_reply_is_kept() {
    let target = RawServer::start(|request| match request.line.as_str() {
        "GET /big HTTP/1.1" => reply(200, &"x".repeat(17 << 20)),
        "GET /small HTTP/1.1" => reply(200, r#"{"go": true}"#),
        _ => reply(200, ""),
    });
    let script = r#"
- {name: Big, url: /big}
- {name: Small, url: /small}
- {name: Set, action: set, variables: {a: b}}
- {name: Found, url: /found, when: reply.json.go}
- {name: Again, url: /big}
- {name: Long, url: /long, when: reply.body != "" || reply.size != 17825792}
"#;
    let (run, report) = ran(script, "--users 1 --iterations 2", &target, 0);
    assert_eq!(asked(&target), counts(&[("/big", 4), ("/small", 2), ("/found", 2)]), "{}", run.stdout);
    assert_eq!((report.row("Big").ok(), report.row("Again").ok()), (2, 2), "{}", run.stdout);
    // A step whose own check needs the body fails.
    let script = "[{name: Big, url: /big, expect_body: xx}]";
    let (run, report) = ran(script, "--users 1 --iterations 1 --fail-on never", &target, 0);
    assert_eq!(report.row("Big").err(), 1, "{}", run.stdout);
}

/// The first reply says yes. The exchange after it has none, and is the last one.
#[test]
fn after_a_timeout_there_is_no_last_reply() {
    let target = RawServer::start(|request| {
        if request.line.contains("/never") {
            std::thread::park();
        }
        reply(200, "yes")
    });
    let script = "
- {name: Yes, url: /yes}
- {name: Never, url: /never, timeout: 50ms}
- {name: After, url: /after, when: reply.status != 0 || reply.body == 'yes'}
";
    let (run, report) = ran(script, "--users 1 --iterations 1 --fail-on never", &target, 0);
    assert_eq!((report.row("Never").err(), report.row("After").ok()), (1, 0), "{}", run.stdout);
}

#[test]
fn files_are_included_where_they_are_named() {
    let target = RawServer::recording();
    let script = "
- {name: Home, url: /home}
- {group: Shop, repeat: 2, include: shop.yml}
- {when: 'false', steps: [{name: Never, url: /never}], else: [{include: else.yml}]}
";
    let run = shooter().script(script).file("shop.yml", "- {name: Shop page, url: /shop}\n- include: pay.yml\n");
    let run = run.file("pay.yml", "- {name: Pay, url: /pay}\n").file("else.yml", "- {name: Instead, url: /instead}\n");
    let report = run.arg("--base-url").arg(target.base_url()).report().finish().exits(0).report();
    assert_eq!(asked(&target), counts(&[("/home", 1), ("/instead", 1), ("/pay", 2), ("/shop", 2)]));
    let names: Vec<_> = report.rows().map(|row| row.name()).collect();
    assert_eq!(names, ["Home", "Shop page", "Pay", "Never", "Instead"]);
}

#[test]
fn a_file_that_is_included_again_has_rows_of_its_own_and_thresholds_see_them_all() {
    let target = RawServer::recording();
    let script = "
thresholds: {'http_reqs{step:Sign in}': ['count==5'], 'http_reqs{step:Sign in (2)}': ['count==3']}
steps:
- include: sign-in.yml
- {name: Page, url: /page}
- {repeat: 3, include: sign-in.yml}
- {group: Last, include: sign-in.yml}
";
    let run = shooter().script(script).file("sign-in.yml", "- {name: Sign in, url: /sign-in}\n");
    let run = run.args("--users 1 --iterations 1").arg("--base-url").arg(target.base_url());
    let report = run.report().finish().exits(0).report();
    assert_eq!(asked(&target), counts(&[("/page", 1), ("/sign-in", 5)]));
    let rows: Vec<_> = report.rows().map(|row| (row.name(), row.ok())).collect();
    assert_eq!(rows, [("Sign in", 1), ("Page", 1), ("Sign in (2)", 3), ("Sign in (3)", 1)]);
}

#[test]
fn a_loop_that_sends_nothing_ends_with_the_run_and_delays_no_other_user() {
    let target = RawServer::recording();
    let script = "
duration: 2s
scenarios:
  idle: {users: 1, steps: [{while: 'true', repeat: 1000000000, steps: [{name: Set, action: set, variables: {a: b}}]}]}
  busy: {users: 1, iterations: 20, steps: [{name: Page, url: /page}]}
";
    let (_, report) = ran(script, "--workers 1", &target, 0);
    assert_eq!((asked(&target), report.row("Page").ok()), (counts(&[("/page", 20)]), 20));
}

#[test]
fn a_condition_that_cannot_be_evaluated_is_warned_of_once_and_shows_no_value() {
    let target = RawServer::start(|_| reply(200, r#"{"token": "hunter2-hunter2"}"#));
    let script = "
- {name: Page, url: /page, capture: {token: {json: $.token}}}
- {name: Never, url: /never, when: int(vars.token) > 1}
";
    let (run, _) = ran(script, "--users 3 --iterations 3", &target, 0);
    assert_eq!(run.stderr.matches("int(vars.token) > 1").count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("is taken as false") && !run.stderr.contains("hunter2"), "{}", run.stderr);
    assert_eq!(asked(&target), counts(&[("/page", 9)]));
}

/// Issues tokens that are each valid for a number of requests.
fn expiring(uses: u32) -> RawServer {
    let state: Mutex<(u32, HashMap<String, u32>)> = Mutex::default();
    RawServer::start(move |request| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if request.line.starts_with("POST /auth") {
            state.0 += 1;
            let token = format!("token-{}", state.0);
            let body = format!(r#"{{"token": "{token}"}}"#);
            state.1.insert(token, uses);
            return reply(200, &body);
        }
        match state.1.get_mut(request.header("authorization")) {
            Some(left) if *left > 0 => {
                *left -= 1;
                reply(200, "")
            }
            _ => reply(401, ""),
        }
    })
}

const EXPIRING: &str = "
login:
  url: /auth
  capture: {token: {json: $.token}}
  set_headers: {authorization: '{{var token}}'}
  refresh_on: 401
steps: [{name: Page, url: /page}]
";

#[test]
fn a_user_whose_token_has_expired_signs_in_again_once_and_repeats_the_step() {
    let target = expiring(4);
    let (_, report) = ran(EXPIRING, "--users 3 --iterations 10", &target, 0);
    // Each user sends 4 + 4 + 2 good requests with three tokens, and two that are rejected.
    assert_eq!(asked(&target), counts(&[("/auth", 9), ("/page", 36)]));
    assert_eq!((report.row("login").ok(), report.row("Page").ok()), (9, 30));
    assert_eq!(report.row("Page").errors(), BTreeMap::from([("status", 6)]));
    // A user that signs in again is not counted twice.
    assert_eq!(report.at("/run/users_signed_in"), 3);
}

#[test]
fn a_token_that_is_rejected_at_once_is_not_asked_for_again_and_again() {
    let target = expiring(0);
    ran(EXPIRING, "--users 2 --iterations 2", &target, 0);
    // Each step is rejected once, signs in, and is rejected once more.
    assert_eq!(asked(&target), counts(&[("/auth", 2 + 4), ("/page", 8)]));
    let target = expiring(0);
    ran(&EXPIRING.replace("  refresh_on: 401\n", ""), "--users 2 --iterations 2", &target, 0);
    assert_eq!(asked(&target), counts(&[("/auth", 2), ("/page", 4)]));
}

#[test]
fn of_several_parallel_steps_that_are_rejected_one_signs_in() {
    let target = expiring(1);
    let script = EXPIRING.replace(
        "steps: [{name: Page, url: /page}]",
        "steps: [{name: Page, url: /page}, {parallel: [{name: A, url: /a, timeout: 60s}, {name: B, url: /b}]}]",
    );
    let target_of_many = expiring(100);
    ran(&script, "", &target_of_many, 0);
    assert_eq!(asked(&target_of_many), counts(&[("/a", 1), ("/auth", 1), ("/b", 1), ("/page", 1)]));
    ran(&script, "", &target, 0);
    let asked = asked(&target);
    // The new token is valid for one of the two requests; the other is rejected again, and has had its one sign-in.
    assert_eq!((asked["/auth"], asked["/a"] + asked["/b"]), (2, 4), "{asked:?}");
}

#[test]
fn check_shows_the_flow() {
    let script = "
base_url: http://127.0.0.1:9
steps:
  - {name: Home, url: /, repeat: 2, when: iteration == 0}
  - group: Checkout
    when: passed
    retry: 2
    steps: [{name: Pay, url: /pay}]
    else: [{name: Leave, url: /leave}]
  - choose:
      - {weight: 3, steps: [{name: Film, url: /film}]}
      - steps: [{name: Series, url: /series}]
  - while: reply.status != 200
    repeat: 5
    parallel: [{name: Poster, url: /poster}, {name: Trailer, url: /trailer}]
";
    let run = shooter().arg("check").script(script).args("--users 1").finish().exits(0);
    let expected = "\
  if iteration == 0:
    2 times:
      1. Home (action `http`, within 30s): GET http://127.0.0.1:9/
  if passed:
    timed together as Checkout:
      retried up to 2 times if it fails:
        2. Pay (action `http`, within 30s): GET http://127.0.0.1:9/pay
  else:
    3. Leave (action `http`, within 30s): GET http://127.0.0.1:9/leave
  in 75 % of the cases:
    4. Film (action `http`, within 30s): GET http://127.0.0.1:9/film
  in 25 % of the cases:
    5. Series (action `http`, within 30s): GET http://127.0.0.1:9/series
  up to 5 times, while reply.status != 200:
    in parallel:
      6. Poster (action `http`, within 30s): GET http://127.0.0.1:9/poster
      7. Trailer (action `http`, within 30s): GET http://127.0.0.1:9/trailer
";
    assert!(run.stdout.contains(expected), "{}", run.stdout);
}
