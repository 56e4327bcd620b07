//! `plugin test`: cases in virtual time, through the real binary with real components. The output is the same each
//! time, so it is compared as a whole.

use stampede_tests::{Finished, guest};

use crate::{assert_golden, shooter, tests_folder};

/// Runs these cases with the component of a guest.
fn rehearsed(plugin: &str, cases: &str) -> Finished {
    rehearsed_with(plugin, cases, "")
}

fn rehearsed_with(plugin: &str, cases: &str, arguments: &str) -> Finished {
    shooter().file("cases.yml", cases).args("plugin test").args(arguments).arg(guest(plugin)).finish()
}

const EVERY_CAPABILITY: &str = r#"
- name: two requests and a socket
  base_url: http://site
  steps: [{name: All, action: misbehave, url: /a, port: 99}]
  times: 2
  target:
    - request: {method: GET, path: /a, headers: {accept: "*/*", x-user: "0"}}
      reply: {headers: {content-type: text/plain}, body: one, after: 1h}
    - request: {path: /a, body: ""}
      reply: {headers: {content-type: text/plain}, body: two, after: 1ms}
    - receives: "GET /api/v1/catalog HTTP/1.1\r\nhost: site\r\n\r\n"
      sends: "HTTP/1.1 200 OK\r\n"
      after: 20ms
    - closes: true
    - request: {method: GET, path: /a}
      reply: {headers: {content-type: text/plain}, body: three, after: 1ms}
    - request: {path: /a}
      reply: {headers: {content-type: text/plain}, body: four, after: 1ms}
    - receives: "GET /api"
    - receives: "/v1/catalog HTTP/1.1\r\nhost: site\r\n\r\n"
      sends: "HTTP/1.1 200 OK\r\n"
  expect: {outcome: failed, failure: timeout}

- name: one walk
  base_url: http://site
  steps: [{name: All, action: misbehave, url: /a, port: 99}]
  target:
    - reply: {headers: {content-type: text/plain}, body: one, after: 5s}
    - reply: {headers: {content-type: text/plain}, body: two, after: 1ms}
    - receives: "GET /api"
    - receives: "/v1/catalog HTTP/1.1\r\nhost: site\r\n\r\n"
      sends: "HTTP/1.1 200 OK\r\n"
      after: 20ms
  expect: {outcome: passed, takes: 5022ms, metrics: {read: 17, trip: 5022000000}}
"#;

#[test]
fn cases_in_virtual_time() {
    let run = rehearsed("every_capability", EVERY_CAPABILITY);
    assert_golden(&tests_folder().join("suites/golden/rehearsal.txt"), &run.stdout);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
}

/// The cases a hundred times over: nothing in them depends on the machine.
#[test]
fn a_case_takes_the_same_time_each_time() {
    let case = "- name: x\n  steps: [{name: S, action: misbehave}]\n  times: 1000\n  expect: {takes: 1s}\n";
    let runs: Vec<_> =
        (0..3).map(|_| rehearsed("trap_storm", &case.replace("takes: 1s", "failure: plugin")).stdout).collect();
    assert!(runs.iter().all(|run| *run == runs[0]), "{runs:?}");
    assert!(runs[0].ends_with("\n1 passed, 0 failed\n"), "{}", runs[0]);
}

#[test]
fn unmet_expectations_are_reported() {
    let cases = r#"
- name: another request, a faulty answer, another time
  base_url: http://site
  steps: [{name: All, action: misbehave, url: /a, port: 99}]
  target:
    - request: {method: POST, path: /b, headers: {x-none: some}, body: text}
      reply: {body: one}
    - reply: {status: 500}
    - closes: true
  expect: {takes: 1h, metrics: {none: 1, read: 7}}
- name: bytes that are others
  base_url: http://site
  steps: [{name: All, action: misbehave, url: /a, port: 99}]
  target:
    - receives: "PING\r\n"
  expect: {failure: protocol, detail: no such text}
- name: it passes
  base_url: http://site
  steps: [{name: All, action: misbehave, url: /a, port: 99}]
  target:
    - reply: {headers: {content-type: text/plain}, body: one, after: 1ms}
    - reply: {headers: {content-type: text/plain}, body: two, after: 1ms}
    - {receives: "GET /api/v1/catalog HTTP/1.1\r\nhost: site\r\n\r\n", sends: "HTTP/1.1 200 OK\r\n"}
  expect: {outcome: failed}
"#;
    let run = rehearsed("every_capability", cases);
    assert_golden(&tests_folder().join("suites/golden/rehearsal_faults.txt"), &(run.stdout + &run.stderr));
}

/// Returns the output of a case in which the built-in `tcp` sends and expects bytes.
#[track_caller]
fn talked(step: &str, target: &str, code: i32) -> String {
    let case = format!(
        "- name: talks\n  steps: [{{name: S, action: tcp, address: 'site:9', {step}}}]\n  target: [{target}]\n"
    );
    rehearsed("prints", &case).exits(code).stdout
}

#[test]
fn bytes_that_are_no_text_are_received_and_sent() {
    let step = "send: {hex: 'ff000a'}, expect: {bytes: 2}";
    for receives in [
        "{hex: FF 00 0A}",
        "{base64: /wAK}",
        "any",
        "{bytes: 3}",
        "[{hex: ff}, {bytes: 1}, \"\\n\"]",
        "[{hex: ff}, any]",
    ] {
        talked(step, &format!("{{receives: {receives}, sends: {{hex: 00 ff}}}}"), 0);
        talked(step, &format!("{{receives: {receives}, sends: [{{bytes: 1}}, {{base64: /w==}}]}}"), 0);
    }
    let failed = talked(step, "{receives: [{hex: ff}, {bytes: 1}, x], sends: {hex: 00ff}}", 7);
    assert!(failed.contains("the target expected {hex: ff} and 1 bytes and \"x\", received {hex: ff000a}"), "{failed}");
    let failed = talked(step, "{receives: {bytes: 4}, sends: {hex: 00ff}}", 7);
    assert!(failed.contains("the target expected 4 bytes, received {hex: ff000a}"), "{failed}");
    let text = talked("send: any, expect: {contains: ok}", "{receives: {text: any}, sends: ok}", 0);
    assert!(text.ends_with("\n1 passed, 0 failed\n"), "{text}");
}

/// A case of the SDK's example, whose target goes on so after the command that asks for TLS.
fn mail(parts: &str, expect: &str) -> String {
    format!(
        r#"
- name: mail
  steps: [{{name: Mail, action: smtp, server: site}}]
  target:
    - sends: "220 mail\r\n"
    - {{receives: "EHLO client\r\n", sends: "250 STARTTLS\r\n"}}
    - {{receives: "STARTTLS\r\n", sends: "220 go\r\n"}}
{parts}
  expect: {{{expect}}}
"#
    )
}

#[test]
fn tls_begins_where_a_case_says_so_and_only_on_a_quiet_connection() {
    const REST: &str = r#"
    - {receives: "EHLO client\r\n", sends: "250 mail\r\n"}
    - {receives: "QUIT\r\n", sends: "221 bye\r\n"}
    - closes: true"#;
    let passes = mail(&format!("    - {{secures: true, after: 30ms}}{REST}"), "takes: 30ms");
    rehearsed("starttls", &passes).exits(0);
    rehearsed_with("starttls", &passes.replace(", after: 30ms", "").replace("takes: 30ms", ""), "--conformance")
        .exits(0);
    let injected = r#"    - {sends: "250 injected\r\n"}"#;
    for (parts, expect) in [
        ("    - secures: false", "failure: network, detail: 'tls: refused by the server'"),
        ("    - closes: true", "failure: network, detail: 'tls: connection closed'"),
        (injected, "failure: protocol, detail: sent bytes in clear before TLS began"),
    ] {
        rehearsed("starttls", &mail(parts, expect)).exits(0);
    }
    let early = rehearsed("starttls", &mail(REST, "failure: network")).exits(7).stdout;
    assert!(early.contains(r#"the target expected "EHLO client\r\n", and TLS was begun"#), "{early}");
    let late = mail("    - secures: true\n    - secures: true", "failure: network");
    let late = rehearsed("starttls", &late).exits(7).stdout;
    assert!(late.contains(r#"the target expected TLS to begin, received "EHLO client\r\n""#), "{late}");
}

#[test]
fn bodies_of_requests_and_replies_may_be_bytes() {
    let case = |body: &str| {
        format!(
            "- name: posts\n  steps: [{{name: S, url: 'http://site/', method: POST, body: hello}}]\n  \
             target: [{{request: {{body: {body}}}, reply: {{body: {{hex: 00ff}}}}}}]\n"
        )
    };
    for body in ["hello", "{hex: 68656c6c6f}", "{bytes: 5}", "any", "[he, any]"] {
        rehearsed("prints", &case(body)).exits(0);
    }
    let failed = rehearsed("prints", &case("{bytes: 4}")).exits(7).stdout;
    assert!(failed.contains("expected the content of a request to be 4 bytes, it was \"hello\""), "{failed}");
}

#[test]
fn metrics_are_expected_as_times_and_sizes() {
    let case = |metrics: &str| {
        let (_, one) = EVERY_CAPABILITY.split_once("\n\n").expect("two cases");
        one.replace("metrics: {read: 17, trip: 5022000000}", &format!("metrics: {{{metrics}}}"))
    };
    for metrics in ["read: 17B, trip: 5022ms", "read: 17, trip: 5.0221s", "trip: 5s 22ms"] {
        rehearsed("every_capability", &case(metrics)).exits(0);
    }
    for (metrics, said) in [
        ("trip: 5s", "expected the metric `trip` to be 5s, it is 5s 22ms"),
        ("read: 18B", "expected the metric `read` to be 18 bytes, it is 17 bytes"),
        ("read: 5s", "the metric `read` is in bytes, not a time"),
        ("trip: 5KiB", "the metric `trip` is in nanoseconds, not a size"),
    ] {
        let failed = rehearsed("every_capability", &case(metrics)).exits(7).stdout;
        assert!(failed.contains(said), "{metrics}: {failed}");
    }
}

/// A rule that the cases give nothing to try with does not say that it holds.
#[test]
fn rules_that_were_not_tried_say_so() {
    let case = "- name: once\n  steps: [{name: S, action: misbehave}]\n";
    let run = rehearsed_with("prints", case, "--conformance").exits(0);
    let lines: Vec<_> = run.stdout.lines().filter(|line| line.starts_with("not tried")).collect();
    let expected = [
        "not tried  survives a target that never answers",
        "not tried  survives a target that hangs up",
        "not tried  closes the sockets of cancelled tasks",
    ];
    assert_eq!(lines, expected, "{}", run.stdout);
    assert!(run.stdout.contains("\n5 passed, 0 failed, 3 not tried"), "{}", run.stdout);
    let failing = "- name: once\n  steps: [{name: S, action: misbehave}]\n  expect: {failure: check}\n";
    let run = rehearsed_with("prints", failing, "--conformance").exits(7);
    assert_eq!(run.stdout.matches("not tried  ").count(), 7, "{}", run.stdout);
}

/// Guests that each break a different rule, and some more than one.
#[test]
fn breaches_of_the_contract_are_reported_by_rule() {
    let cases = |more: &str| {
        let step = "{name: S, action: misbehave, url: /a, who: Ann}";
        format!("- name: once\n  base_url: http://site\n  steps: [{step}]\n{more}")
    };
    let asks = "  target:\n    - reply: {body: one}\n";
    for (guest, target, rule, why) in [
        ("trap_on_resume", asks, "passes its valid cases", "expected to pass, 1 of 1 tasks did not"),
        ("trap_on_cancel", asks, "survives a target that never answers", "it traps when a task is cancelled"),
        ("pending_with_nothing", "", "serves concurrent users", "is pending with nothing in flight"),
        ("trusts_its_parameters", "", "refuses nonsense without a trap", "`configure` with `{}` traps"),
        ("leaks_memory", "", "leaks no memory over 10,000 tasks", "KiB after 40000 tasks, "),
    ] {
        let run = rehearsed_with(guest, &cases(target), "--conformance");
        let (_, after) = run.stdout.split_once(&format!("FAILED  {rule}\n")).unwrap_or_else(|| {
            panic!("{guest} does not break `{rule}`:\n{}{}", run.stdout, run.stderr);
        });
        let faults: Vec<_> = after.lines().take_while(|line| line.starts_with("  ")).collect();
        assert!(faults.iter().any(|fault| fault.contains(why)), "{guest}: {faults:?}");
        assert_eq!(run.code, Some(7), "{guest}: {}", run.stderr);
    }
}

#[test]
fn errors_in_a_file_of_cases() {
    let mut said = String::new();
    for cases in [
        "name: x",
        "- {name: x}",
        "- {steps: [{name: S, action: misbehave}], expectt: {}}",
        "- {name: x, steps: [{name: S, action: nonesuch}]}",
        "- {name: x, steps: [{name: S, action: misbehave}], target: [{reply: {status: 9}, closes: true}, {}]}",
        "- {name: x, steps: [{name: S, action: misbehave}], expect: {outcome: maybe, takes: 5, metrics: {m: many}}}",
        "- {name: x, steps: [{name: S, action: misbehave}], target: [{reply: {status: 200}, after: 5ms}]}",
        "- {name: x, steps: [{name: S, action: misbehave}], expect: {outcome: passed, failure: status}}",
        "- {name: x, steps: [{name: S, action: misbehave}], alpn: h2}",
        "- {name: x, steps: [{name: S, action: misbehave}], target: [{receives: [any, {hex: 00}], sends: any}, {receives: {hex: 0}}]}",
    ] {
        said.push_str(&rehearsed("prints", cases).exits(3).stderr);
    }
    assert_golden(&tests_folder().join("suites/golden/cases.txt"), &said);
}

/// The built-in `http` over HTTP/2, by ALPN and in clear; the target's own list decides.
#[test]
fn a_target_with_h2_in_alpn_speaks_http2() {
    let case = |alpn: &str, scheme: &str, version: &str, expect: &str| {
        format!(
            r#"
- name: over HTTP/2
  alpn: {alpn}
  steps:
    - {{name: A, url: "{scheme}://site/a?b=1", http_version: {version}, method: POST, body: hello, expect_status: 201}}
    - {{name: B, url: "{scheme}://site/b", http_version: {version}, expect_body: "later"}}
  target:
    - request: {{method: POST, path: /a?b=1, headers: {{host: site, content-length: "5"}}, body: hello}}
      reply: {{status: 201, body: one, after: 20ms, trailers: {{x-sum: "3"}}}}
    - request: {{method: GET, path: /b}}
      reply: {{body: is it later, over: 1s}}
  expect: {{{expect}}}
"#
        )
    };
    for (alpn, scheme, version) in
        [("[h2, http/1.1]", "https", "auto"), ("[http/1.1, h2]", "https", "2"), ("[h2]", "http", "2")]
    {
        rehearsed("prints", &case(alpn, scheme, version, "takes: 1020ms")).exits(0);
    }
    let none = "failure: network, detail: does not offer http/2";
    let refused = format!(
        "- name: refused\n  steps: [{{name: A, url: 'https://site/', http_version: 2}}]\n  expect: {{{none}}}\n"
    );
    rehearsed("prints", &refused).exits(0);
    let older = case("[http/1.1, h2]", "https", "auto", "takes: 1020ms");
    let failed = rehearsed("prints", &older).exits(7).stdout;
    assert!(failed.contains("trailers are sent over HTTP/2 only"), "{failed}");
}

/// Requests share the connection, and a slow reply keeps none waiting; where the script closes it, all fail.
#[test]
fn streams_of_a_connection_are_answered_side_by_side() {
    let case = |target: &str, expect: &str| {
        format!(
            r#"
- name: side by side
  alpn: [h2]
  steps:
    - parallel:
        - steps: [{{name: A, url: "https://site/a"}}]
        - steps: [{{name: B, url: "https://site/b"}}]
  target: {target}
  expect: {{{expect}}}
"#
        )
    };
    let both = "[{reply: {after: 2s, body: a}}, {reply: {after: 1s, body: b}}]";
    rehearsed("prints", &case(both, "takes: 2s")).exits(0);
    rehearsed("prints", &case("[{reply: {after: 2s, body: a}}, {closes: true}]", "failure: network, takes: 0s"))
        .exits(0);
    let one = rehearsed("prints", &case("[{reply: {body: a}}]", "failure: network")).exits(7).stdout;
    assert!(one.contains("the target was asked for more than its script has: GET /"), "{one}");
}

/// A call of gRPC, which is over HTTP/2 and ends with trailers.
#[test]
fn a_call_of_grpc_is_rehearsed() {
    let case = |trailers: &str, expect: &str| {
        format!(
            r#"
- name: says
  alpn: [h2]
  steps:
    - name: Say
      action: grpc
      url: http://site
      method: stampede.test.Echo/Say
      proto: [echo.proto, kind.proto]
      message: {{text: hi}}
      expect: {{json: $.text, equals: ho}}
  target:
    - request:
        method: POST
        path: /stampede.test.Echo/Say
        headers: {{content-type: application/grpc, te: trailers}}
        body: {{hex: 00 00000004 0a02 6869}}
      reply:
        headers: {{content-type: application/grpc}}
        body: {{hex: 00 00000004 0a02 686f}}
        after: 5ms
        trailers: {{{trailers}}}
  expect: {{{expect}}}
"#
        )
    };
    let rehearsed = |cases: String| {
        let run = shooter().file("cases.yml", cases).args("plugin test").arg(guest("prints"));
        let run = run.file("echo.proto", include_str!("../harness/protos/echo.proto"));
        run.file("kind.proto", include_str!("../harness/protos/kind.proto")).finish()
    };
    rehearsed(case("grpc-status: \"0\"", "takes: 5ms")).exits(0);
    rehearsed(case("grpc-status: \"5\"", "failure: status, detail: NOT_FOUND")).exits(0);
}
