//! httpbin, which says what it received: every kind of request of the `http` action, judged by the script's own
//! expectations.

use std::path::Path;

use stampede_tests::{HttpBin, wait_for};

use crate::{TARGET_TMP, shooter};

/// Steps, each with the requests that it makes if all redirects are followed.
const STEPS: [(u64, &str); 62] = [
    (1, "url: '/get?a=1&b=two%20words', expect_body: {regex: '(?s)\"a\": \"1\",\\s+\"b\": \"two words\"'}"),
    (
        1,
        "url: /get, query: {a: 'x&y=z', b: 'ü'}, expect_body: {regex: '(?s)\"a\": \"x&y=z\",\\s+\"b\": \"\\\\u00fc\"'}",
    ),
    (
        1,
        "url: /post, method: POST, json_body: {name: 'O\"Brien', n: [1, 2]}, \
         expect_body: '\"data\": \"{\\\"name\\\":\\\"O\\\\\\\"Brien\\\"'",
    ),
    (1, "url: /post, method: POST, json_body: '{\"a\": 1.10}', expect_body: {regex: '\"json\": \\{\\s+\"a\": 1.1'}"),
    (
        1,
        "url: /post, method: POST, form_body: {a: 1, b: 'x&y'}, expect_body: {regex: '(?s)\"form\": \\{\\s+\"a\": \"1\",\\s+\"b\": \"x&y\"'}",
    ),
    (1, "url: /post, method: POST, body: 'plain text', expect_body: '\"data\": \"plain text\"'"),
    (
        1,
        "url: /post, method: POST, body_file: part.txt, headers: {content-type: multipart/form-data; boundary=B}, \
         expect_body: {regex: '(?s)\"files\": \\{\\s+\"f\": \"content\".*\"form\": \\{\\s+\"a\": \"1\"'}",
    ),
    (1, "url: /put, method: PUT, body: changed, expect_body: '\"data\": \"changed\"'"),
    (1, "url: /patch, method: PATCH, body: changed, expect_body: '\"data\": \"changed\"'"),
    (1, "url: /delete, method: DELETE, expect_body: /delete"),
    (1, "url: /get, method: HEAD, expect_status: 200"),
    (1, "url: /get, method: OPTIONS, expect_status: 200"),
    (1, "url: /get, method: POST, expect_status: 405"),
    (
        1,
        "url: '/anything/one/{{userId}}', method: PUT, expect_body: {regex: '\"url\": \"http://.*/anything/one/[01]\"'}",
    ),
    (1, "url: /status/200, expect_status: 200"),
    (1, "url: /status/201, method: POST, expect_status: 201"),
    (1, "url: /status/204, expect_status: 204"),
    (1, "url: /status/404, expect_status: 404"),
    (1, "url: /status/418, expect_status: 4xx, expect_body: teapot"),
    (1, "url: /status/503, expect_status: [500, 503]"),
    (1, "url: /headers, headers: {X-Token: abc}, expect_body: '\"X-Token\": \"abc\"'"),
    (1, "url: /headers, headers: {Accept: text/html, X-Empty: ''}, expect_body: '\"Accept\": \"text/html\"'"),
    (1, "url: /user-agent, expect_body: '\"user-agent\": \"stampede-shooter/VERSION\"'"),
    (1, "url: /user-agent, headers: {user-agent: mine/1}, expect_body: '\"user-agent\": \"mine/1\"'"),
    (1, "url: /ip, expect_body: '\"origin\": \"127.0.0.1\"'"),
    (4, "url: /redirect/3, expect_status: 200, expect_body: '\"url\"'"),
    (4, "url: /relative-redirect/3, expect_status: 200"),
    (4, "url: /absolute-redirect/3, expect_status: 200"),
    (1, "url: /redirect/1, follow_redirects: false, expect_status: 302"),
    (2, "url: '/redirect-to?url=/get%3Fa%3D7', expect_body: '\"a\": \"7\"'"),
    (2, "url: '/redirect-to?url=/post&status_code=307', method: POST, body: kept, expect_body: '\"data\": \"kept\"'"),
    (2, "url: '/redirect-to?url=/get&status_code=303', method: POST, body: dropped, expect_status: 200"),
    (2, "url: '/cookies/set?user={{userId}}', expect_body: {regex: '\"user\": \"[01]\"'}"),
    (1, "url: /cookies, expect_body: {regex: '\"user\": \"[01]\"'}"),
    (2, "url: /cookies/set/other/two, expect_body: {regex: '(?s)\"other\": \"two\",\\s+\"user\"'}"),
    (2, "url: '/cookies/delete?user', expect_body: {regex: '\"cookies\": \\{\\s+\"other\": \"two\"\\s+\\}'}"),
    (1, "url: /basic-auth/ann/s3cret, auth: {basic: {user: ann, password: s3cret}}, expect_body: '\"user\": \"ann\"'"),
    (1, "url: /basic-auth/ann/s3cret, expect_status: 401"),
    (1, "url: /hidden-basic-auth/ann/s3cret, expect_status: 404"),
    (1, "url: /bearer, auth: {bearer: t0ken}, expect_body: '\"token\": \"t0ken\"'"),
    (1, "url: /bearer, expect_status: 401"),
    (1, "url: /gzip, compression: true, expect_body: '\"gzipped\": true'"),
    (1, "url: /deflate, compression: true, expect_body: '\"deflated\": true'"),
    (1, "url: /brotli, compression: true, expect_body: '\"brotli\": true'"),
    (1, "url: /stream/5, expect_body: '\"id\": 4'"),
    (1, "url: '/stream-bytes/2000?chunk_size=100', checks: {least: {size: '>= 2000'}, most: {size: '<= 2000'}}"),
    (1, "url: '/bytes/1000?seed=1', checks: {least: {size: '>= 1000'}, most: {size: '<= 1000'}}"),
    (1, "url: '/drip?numbytes=5&duration=0.2&delay=0', expect_body: '*****'"),
    (1, "url: /delay/0.2, expect_status: 200, checks: {slow: {latency: '>= 200ms'}}"),
    (1, "url: /range/26, headers: {range: bytes=2-5}, expect_status: 206, expect_body: {regex: '^cdef$'}"),
    (1, "url: /encoding/utf8, expect_body: 'STARGΛ̊TE'"),
    (1, "url: /json, expect_body: {regex: '\"title\": \"Sample Slide Show\"'}"),
    (1, "url: /xml, expect_body: '<?xml version='"),
    (1, "url: /html, expect_body: Moby"),
    (1, "url: /robots.txt, expect_body: 'Disallow: /deny'"),
    (1, "url: /image/png, checks: {type: {header: {name: content-type, equals: image/png}}}"),
    (1, "url: /base64/aGVsbG8=, expect_body: {regex: '^hello$'}"),
    (1, "url: /uuid, capture: {id: {json: $.uuid}}, expect_body: {regex: '[0-9a-f]{8}-[0-9a-f]{4}-4'}"),
    (1, "url: '/anything?id={{var id}}', expect_body: {regex: '\"id\": \"[0-9a-f]{8}-[0-9a-f]{4}-4'}"),
    (1, "url: '/response-headers?x-a=b', capture: {a: {header: x-a}}, checks: {has: {header: {name: x-a, equals: b}}}"),
    (1, "url: /etag/abc, headers: {if-none-match: '\"abc\"'}, expect_status: 304"),
    (1, "url: /etag/abc, headers: {if-match: '\"other\"'}, expect_status: 412"),
];

#[test]
fn httpbin_answers_every_kind_of_request_as_the_script_expects() {
    let httpbin = HttpBin::start(&Path::new(TARGET_TMP).join("../tools"));
    let mut script = "steps:\n".to_owned();
    for (at, (_, keys)) in STEPS.iter().enumerate() {
        let keys = keys.replace("VERSION", env!("CARGO_PKG_VERSION"));
        script += &format!("  - {{name: '{at} {}', {keys}}}\n", path(&keys));
    }
    let part = "--B\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n--B\r\n\
                content-disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\ncontent\r\n--B--\r\n";
    let run = shooter().file("part.txt", part).script(&script).args("--users 2 --timeout 60s --fail-on any-error");
    let run = run.arg("--base-url").arg(httpbin.base_url()).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    for (row, (requests, keys)) in report.rows().zip(STEPS) {
        assert_eq!((row.ok(), row.err()), (2 * requests, 0), "{keys}\n{}", run.stdout);
        assert_eq!(row.tasks("passed"), 2, "{keys}");
    }
    for check in report.at("/checks").as_array().expect("a list") {
        assert_eq!((&check["passed"], &check["failed"]), (&2.into(), &0.into()), "{check}");
    }
    let requests = 2 * STEPS.iter().map(|(requests, _)| requests).sum::<u64>();
    assert_eq!(report.totals().total(), requests);
    wait_for("httpbin to have logged every request", || httpbin.answered() == requests);
}

/// Returns the path of a step's URL, for its name.
fn path(keys: &str) -> &str {
    let (_, url) = keys.split_once("url: ").expect("a URL");
    url.trim_start_matches('\'').split(['?', '\'', ',', '{']).next().unwrap_or_default()
}
