//! The parameters of a step, on a fake host.

use stampede_plugin::http::Version;
use stampede_plugin::testing::{
    Host, Reply, Run, SentBody, SentCredentials, SentRequest, json, schema, written_schema,
};
use stampede_plugin::{Failure, FailureKind};

use super::Http;

/// Runs a step against one reply.
fn run(params: impl ToString, reply: Reply) -> Run {
    let host = Host::new().variable("who", "Ann").renders("pick movies", &["m1", "m2"]).reply(reply);
    host.run::<Http>(params).expect("the parameters are right")
}

fn sent(params: impl ToString) -> SentRequest {
    run(params, Reply::new(200)).requests.remove(0)
}

/// Returns the failure of a step with these parameters, and `url`, on a reply.
fn failure(params: &str, reply: Reply) -> Option<Failure> {
    run(format!(r#"{{"url": "/", {params}}}"#), reply).failure
}

/// Returns pointer, message and help for wrong parameters, `url` beside them.
fn error(params: &str) -> (String, String, String) {
    let error = Host::new().run::<Http>(format!(r#"{{"url": "/", {params}}}"#)).expect_err(params);
    (error.pointer, error.message, error.help.unwrap_or_default())
}

#[test]
fn a_url_is_enough() {
    let sent = sent(json!({"url": "https://site/{{var who}}"}));
    assert_eq!((sent.method.as_str(), sent.url.as_str()), ("GET", "https://site/Ann"));
    assert_eq!((sent.body, sent.credentials), (SentBody::None, None));
    assert_eq!((sent.options.max_redirects, sent.options.version), (10, Version::Negotiate));
    assert!(!sent.options.keep_body && !sent.options.compression);
}

#[test]
fn headers_and_query_keep_their_order_and_take_numbers() {
    let sent = sent(r#"{"url": "/", "headers": {"z": "{{var who}}", "a": 1}, "query": {"page": 2, "all": true}}"#);
    assert_eq!(sent.headers, [("z".to_owned(), "Ann".to_owned()), ("a".to_owned(), "1".to_owned())]);
    assert_eq!(sent.query, [("page".to_owned(), "2".to_owned()), ("all".to_owned(), "true".to_owned())]);
}

#[test]
fn each_body_is_sent_in_its_format() {
    let form = vec![("a".to_owned(), "Ann".to_owned())];
    let cases = [
        (r#""json_body": "{\"movie_id\": \"{{pick movies}}\"}""#, SentBody::Json(r#"{"movie_id": "m1"}"#.to_owned())),
        (r#""json_body": {"id": "{{pick movies}}", "n": 1}"#, SentBody::Json(r#"{"id":"m1","n":1}"#.to_owned())),
        (r#""form_body": {"a": "{{var who}}"}"#, SentBody::Form(form)),
        (r#""body": "hello {{var who}}""#, SentBody::Text("hello Ann".to_owned())),
        (r#""body_file": "big.bin""#, SentBody::File("big.bin".to_owned())),
    ];
    for (params, body) in cases {
        assert_eq!(sent(format!(r#"{{"url": "/", "method": "post", {params}}}"#)).body, body, "{params}");
    }
}

#[test]
fn two_bodies_are_rejected_by_name() {
    let expected =
        ("/body", "`json_body` and `body` exclude each other", "a request has one body: remove one of the two");
    let (pointer, message, help) = error(r#""body": "a", "json_body": "{}""#);
    assert_eq!((pointer.as_str(), message.as_str(), help.as_str()), expected);
}

#[test]
fn options_reach_the_host() {
    let sent = sent(json!({"url": "/", "follow_redirects": 3, "http_version": 1.1, "compression": true}));
    assert_eq!((sent.options.max_redirects, sent.options.version), (3, Version::Http1));
    assert!(sent.options.compression);
}

#[test]
fn versions_and_redirects_have_several_spellings() {
    for (value, version) in [("2", Version::Http2), ("\"2\"", Version::Http2), ("\"auto\"", Version::Negotiate)] {
        assert_eq!(sent(format!(r#"{{"url": "/", "http_version": {value}}}"#)).options.version, version, "{value}");
    }
    for (value, count) in [("true", 10), ("false", 0), ("0", 0), ("20", 20)] {
        assert_eq!(sent(format!(r#"{{"url": "/", "follow_redirects": {value}}}"#)).options.max_redirects, count);
    }
}

#[test]
fn credentials_are_templates() {
    let basic = sent(json!({"url": "/", "auth": {"basic": {"user": "{{var who}}", "password": 7}}}));
    assert_eq!(basic.credentials, Some(SentCredentials::Basic("Ann".to_owned(), "7".to_owned())));
    let bearer = sent(json!({"url": "/", "auth": {"bearer": "{{var who}}"}}));
    assert_eq!(bearer.credentials, Some(SentCredentials::Bearer("Ann".to_owned())));
}

/// Each row has a parameter, statuses that pass, and statuses that fail.
#[test]
fn statuses_are_codes_classes_and_lists() {
    let cases: [(&str, &[u16], &[u16]); 6] = [
        (r#""method": "GET""#, &[200, 204, 301, 399], &[100, 199, 400, 503]),
        (r#""expect_status": 201"#, &[201], &[200, 202]),
        (r#""expect_status": "201""#, &[201], &[200]),
        (r#""expect_status": "2xx""#, &[200, 299], &[199, 300]),
        (r#""expect_status": [200, "4xx"]"#, &[200, 404], &[201, 500]),
        (r#""expect_status": 404"#, &[404], &[200]),
    ];
    for (params, right, wrong) in cases {
        right.iter().for_each(|status| assert_eq!(failure(params, Reply::new(*status)), None, "{params} {status}"));
        for status in wrong {
            let kind = failure(params, Reply::new(*status)).map(|failure| failure.kind());
            assert_eq!(kind, Some(FailureKind::Status), "{params} {status}");
        }
    }
}

#[test]
fn a_wrong_status_is_reported_as_the_script_writes_it() {
    let cases = [
        (r#""expect_status": 201"#, "expected status 201, got 503"),
        (r#""expect_status": ["2xx", 404]"#, "expected status 2xx or 404, got 503"),
        (r#""method": "GET""#, "expected status 200 to 399, got 503"),
    ];
    for (params, detail) in cases {
        assert_eq!(failure(params, Reply::new(503)), Some(Failure::status(detail)));
    }
}

#[test]
fn a_body_is_kept_only_if_it_is_searched() {
    let cases = [
        (r#""expect_body": "\"ok\"""#, None),
        (r#""expect_body": {"contains": "ok"}"#, None),
        (r#""expect_body": {"regex": "o[jk]"}"#, None),
        (r#""expect_body": "no""#, Some("expected the body to contain `no`")),
        (r#""expect_body": {"regex": "^ok"}"#, Some("expected the body to match `^ok`")),
    ];
    for (params, detail) in cases {
        let run = run(format!(r#"{{"url": "/", {params}}}"#), Reply::new(200).body(r#"{"state": "ok"}"#));
        assert!(run.requests[0].options.keep_body, "{params}");
        assert_eq!(run.failure, detail.map(Failure::check), "{params}");
    }
}

#[test]
fn a_failure_of_the_host_is_passed_on() {
    let failure = failure(r#""expect_status": 200"#, Reply::failed(FailureKind::Network)).expect("no reply");
    assert_eq!((failure.kind(), failure.detail()), (FailureKind::Network, ""));
}

#[test]
fn errors_are_explained_where_they_are() {
    let status = "`expect_status` must be a code such as 201, a class such as 2xx, or a list of these";
    let version = "`http_version` must be `1.1`, `2` or `auto`";
    let redirects = "`follow_redirects` must be `true`, `false` or a number from 0 to 20";
    let cases = [
        (r#""expect_status": "ok""#, "/expect_status", status, ""),
        (r#""expect_status": "20x""#, "/expect_status", status, ""),
        (r#""expect_status": 99"#, "/expect_status", status, ""),
        (r#""expect_status": -1"#, "/expect_status", status, ""),
        (r#""expect_status": []"#, "/expect_status", status, ""),
        (r#""expect_status": [200, 1.5]"#, "/expect_status/1", status, ""),
        (r#""http_version": 3"#, "/http_version", version, ""),
        (r#""http_version": "new""#, "/http_version", version, ""),
        (r#""follow_redirects": 21"#, "/follow_redirects", redirects, ""),
        (r#""follow_redirects": -1"#, "/follow_redirects", redirects, ""),
        (
            r#""expect_body": {"like": "a"}"#,
            "/expect_body/like",
            "unknown key `like`",
            "expected `contains` or `regex`",
        ),
        (r#""auth": {"digest": "a"}"#, "/auth", "unknown kind of credentials `digest`", "expected `basic` or `bearer`"),
        (r#""auth": {"basic": {"user": "a"}}"#, "/auth/basic", "`password` is missing", ""),
        (
            r#""auth": {"basic": {"user": "a", "password": "b"}, "bearer": "c"}"#,
            "/auth",
            "`basic` and `bearer` exclude each other",
            "",
        ),
        (r#""query": {"a": {}}"#, "/query/a", "expected a text or a list of texts, got a mapping", ""),
        (r#""compression": "yes""#, "/compression", "expected `true` or `false`, got `yes`", ""),
        (
            r#""json_body": {"a": "{{oops}}"}"#,
            "/json_body",
            "unknown helper `oops`",
            "it takes a `renders` of the test",
        ),
    ];
    for (params, pointer, message, help) in cases {
        assert_eq!(error(params), (pointer.to_owned(), message.to_owned(), help.to_owned()), "{params}");
    }
}

#[test]
fn a_bad_regex_is_found_before_the_run() {
    let (pointer, message, _) = error(r#""expect_body": {"regex": "("}"#);
    assert_eq!(pointer, "/expect_body");
    assert!(message.starts_with("`(` is not a regular expression: "), "{message}");
}

#[test]
fn the_schema_lists_and_describes_every_parameter() {
    let schema = schema::<Http>();
    let properties = schema["properties"].as_object().expect("properties");
    assert_eq!(properties.len(), 14);
    for (name, property) in properties {
        assert!(property["description"].is_string(), "{name} has no description");
    }
    assert_eq!((&schema["required"], &schema["additionalProperties"]), (&json!(["url"]), &json!(false)));
}

#[test]
fn the_written_schema_is_that_of_the_parameters() {
    written_schema::<Http>("schema/http.json");
}
