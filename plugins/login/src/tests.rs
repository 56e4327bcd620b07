//! The requests of a login, and the header fields of the user afterwards, on a fake host.

use stampede_plugin::testing::{Host, Reply, Run, SentBody, json, written_schema};
use stampede_plugin::{Failure, FailureKind};

use super::Login;

/// Creates a host whose `uuid` renders differently each time.
fn host(reply: Reply) -> Host {
    Host::new().renders("uuid", &["one", "two", "three"]).reply(reply)
}

fn run(params: impl ToString, reply: Reply) -> Run {
    host(reply).run::<Login>(params).expect("the parameters are right")
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn credential_headers_go_with_the_login_and_stay_the_same() {
    let run = run(json!({"url": "/auth", "headers": {"x-api-token": "{{uuid}}"}}), Reply::new(204));
    assert!(run.passed());
    assert_eq!((run.requests[0].method.as_str(), run.requests[0].url.as_str()), ("POST", "/auth"));
    assert_eq!(run.requests[0].headers, []);
    assert_eq!(run.requests[0].user_headers, pairs(&[("x-api-token", "one")]));
    assert_eq!(run.user_headers, pairs(&[("x-api-token", "one")]));
}

#[test]
fn set_headers_replace_them_and_read_what_was_captured() {
    let params = json!({
        "url": "/auth",
        "headers": {"x-api-token": "secret"},
        "set_headers": {"authorization": "Bearer {{var token}}"},
    });
    let run = run(params, Reply::new(200).captures("token", "t-1"));
    assert_eq!(run.requests[0].headers, pairs(&[("x-api-token", "secret")]));
    assert_eq!(run.requests[0].user_headers, []);
    assert_eq!(run.user_headers, pairs(&[("authorization", "Bearer t-1")]));
}

#[test]
fn only_2xx_is_success() {
    for (status, passes) in
        [(200, true), (204, true), (299, true), (199, false), (302, false), (401, false), (500, false)]
    {
        let run = run(json!({"url": "/", "set_headers": {"a": "b"}}), Reply::new(status));
        assert_eq!(run.passed(), passes, "{status}");
        assert_eq!(run.user_headers.len(), usize::from(passes), "{status}");
    }
}

#[test]
fn expected_statuses_are_success_and_no_others() {
    for (expected, status, passes) in [
        (json!(302), 302, true),
        (json!([302, 303]), 303, true),
        (json!("3xx"), 301, true),
        (json!(["2xx", 302]), 204, true),
        (json!(302), 200, false),
    ] {
        let params = json!({"url": "/", "expect_status": expected, "set_headers": {"a": "b"}});
        let run = run(params, Reply::new(status));
        assert_eq!((run.passed(), run.user_headers.len()), (passes, usize::from(passes)), "{expected}, {status}");
    }
    let run = run(json!({"url": "/", "expect_status": 302}), Reply::new(200));
    assert_eq!(run.failure, Some(Failure::status("expected status 302, got 200")));
}

#[test]
fn a_redirect_is_rejected_with_the_way_to_accept_it() {
    let run = run(json!({"url": "/"}), Reply::new(302));
    let text = "expected status 2xx, got 302; `expect_status: 302` accepts it";
    assert_eq!(run.failure, Some(Failure::status(text)));
}

#[test]
fn a_rejection_is_reported() {
    let run = run(json!({"url": "/"}), Reply::new(401));
    assert_eq!(run.failure, Some(Failure::status("expected status 2xx, got 401")));
}

#[test]
fn a_failure_of_the_host_is_passed_on() {
    let run = run(json!({"url": "/"}), Reply::failed(FailureKind::Timeout));
    assert_eq!(run.failure.expect("no reply").kind(), FailureKind::Timeout);
}

#[test]
fn a_captured_value_that_http_does_not_allow_fails_the_login() {
    let run = run(json!({"url": "/", "set_headers": {"a": "{{var t}}"}}), Reply::new(200).captures("t", "x\r\ny: z"));
    assert_eq!(run.failure.expect("a line break").kind(), FailureKind::Check);
}

#[test]
fn a_header_of_every_later_request_has_one_value() {
    for (params, pointer) in [
        (json!({"url": "/", "headers": {"a": ["1", "2"]}}), "/headers"),
        (json!({"url": "/", "set_headers": {"a": ["1", "2"]}}), "/set_headers"),
    ] {
        let error = Host::new().run::<Login>(params).expect_err("two values");
        assert_eq!(
            (error.pointer.as_str(), error.message.as_str()),
            (pointer, "`a` is sent with every later request, and takes one value")
        );
    }
}

#[test]
fn bodies_are_json_or_a_form() {
    let json_body = run(json!({"url": "/", "json_body": {"user": "{{uuid}}"}}), Reply::new(200));
    assert_eq!(json_body.requests[0].body, SentBody::Json(r#"{"user":"one"}"#.to_owned()));
    let form = run(json!({"url": "/", "method": "put", "form_body": {"user": "{{uuid}}"}}), Reply::new(200));
    assert_eq!(form.requests[0].body, SentBody::Form(pairs(&[("user", "one")])));
    assert_eq!(form.requests[0].method, "PUT");
}

#[test]
fn two_bodies_are_rejected_by_name() {
    let both = json!({"url": "/", "form_body": {"a": "b"}, "json_body": "{}"});
    let error = Host::new().run::<Login>(both).expect_err("two bodies");
    assert_eq!(
        (error.pointer.as_str(), error.message.as_str()),
        ("/form_body", "`json_body` and `form_body` exclude each other")
    );
}

#[test]
fn the_written_schema_is_that_of_the_parameters() {
    written_schema::<Login>("schema/login.json");
}
