//! Header fields, cookies and URLs reach the target as the script says, or the run does not begin.

use stampede_tests::{RawRequest, RawServer, Run};

use crate::shooter;

fn run(target: &RawServer, script: &str) -> Run {
    shooter().script(script).arg("--base-url").arg(target.base_url())
}

/// Returns the values of a field, in the order received.
fn values<'r>(request: &'r RawRequest, name: &str) -> Vec<&'r str> {
    request.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn a_header_may_have_several_values() {
    let target = RawServer::recording();
    let script = "
headers: {x-all: [a, 1.10], x-flag: script}
steps:
  - {name: Own, method: POST, url: /, headers: {x-own: [b, '{{userId}}', b]}, query: {q: [1, 2]}, form_body: {f: [x, y]}}
";
    let flags = ["--header", "x-flag: 1", "--header", "x-flag: 2", "--header", "X-Flag: 3"];
    flags.into_iter().fold(run(&target, script), Run::arg).finish().exits(0);
    let seen = &target.take()[0];
    assert_eq!(values(seen, "x-all"), ["a", "1.10"]);
    assert_eq!(values(seen, "x-flag"), ["1", "2", "3"]);
    assert_eq!(values(seen, "x-own"), ["b", "0", "b"]);
    assert_eq!((seen.line.as_str(), seen.body.as_slice()), ("POST /?q=1&q=2 HTTP/1.1", &b"f=x&f=y"[..]));
}

#[test]
fn a_flag_cannot_set_the_length_of_a_body() {
    let run = shooter().script("- {name: Page, url: /}\n").args("--base-url http://127.0.0.1:9 --header");
    let run = run.arg("Content-Length: 5").finish().exits(2);
    assert!(
        run.stderr.contains("`Content-Length` cannot be set: each request is sent with the length of its body"),
        "{}",
        run.stderr
    );
}

#[test]
fn harmless_headers_follow_a_redirect_to_another_origin() {
    let other = RawServer::recording();
    let to = other.base_url();
    let target = RawServer::start(move |_| {
        format!("HTTP/1.1 302 Found\r\nlocation: {to}/there\r\ncontent-length: 0\r\n\r\n").into_bytes()
    });
    let script = "
headers: {user-agent: everywhere, accept-language: de, x-tenant: t1, cache-control: 'key={{env TOKEN}}'}
steps:
  - {name: All, url: /all}
  - {name: Own, url: /own, headers: {user-agent: own, accept-language: fr, authorization: 'Bearer {{env TOKEN}}'}}
  - {name: Secret, url: /secret, headers: {user-agent: 'agent {{env TOKEN}}'}}
";
    let run = run(&target, script).env("TOKEN", "s3cret-token").arg("--allow-host");
    run.arg(other.base_url().trim_start_matches("http://")).finish().exits(0);
    let seen = other.take();
    let fields = |request: &RawRequest| {
        ["user-agent", "accept-language", "x-tenant", "cache-control", "authorization"]
            .map(|name| request.header(name).to_owned())
    };
    assert_eq!(fields(&seen[0]), ["everywhere", "de", "", "", ""]);
    assert_eq!(fields(&seen[1]), ["own", "fr", "", "", ""]);
    // Without the one that holds a secret, the request names the program.
    assert_eq!(fields(&seen[2]), [concat!("stampede-shooter/", env!("CARGO_PKG_VERSION")), "de", "", "", ""]);
}

#[test]
fn a_cookie_is_taken_back_by_a_date_in_any_format() {
    for date in [
        "Thu, 1 Jan 1970 00:00:01 GMT",
        "Thu, 01 Jan 1970 00:00:01 +0000",
        "Thu Jan  1 00:00:01 1970",
        "\"Thu, 01 Jan 1970 00:00:01 UTC\"",
    ] {
        let target = RawServer::start(move |request| {
            let set = match request.line.split(' ').nth(1) {
                Some("/in") => "a=1".to_owned(),
                Some("/out") => format!("a=; Expires={date}"),
                _ => "b=ü".to_owned(),
            };
            format!("HTTP/1.1 200 OK\r\nset-cookie: {set}\r\ncontent-length: 0\r\n\r\n").into_bytes()
        });
        let script = "
- {name: In, url: /in}
- {name: Out, url: /out}
- {name: Then, url: /then}
- {name: Last, url: /last}
";
        run(&target, script).finish().exits(0);
        let cookies: Vec<_> = target.take().iter().map(|request| request.header("cookie").to_owned()).collect();
        assert_eq!(cookies, ["", "a=1", "", "b=ü"], "{date}");
    }
}

#[test]
fn line_breaks_and_tabs_in_a_rendered_url_are_encoded() {
    let target = RawServer::recording();
    let script = r#"
data: {d: ["a\nb\tc\r", " padded "]}
iterations: 2
steps:
  - {name: Url, url: "  /path?q={{next d}}\n"}
"#;
    run(&target, script).finish().exits(0);
    let lines: Vec<_> = target.take().into_iter().map(|request| request.line).collect();
    assert_eq!(lines, ["GET /path?q=a%0Ab%09c%0D HTTP/1.1", "GET /path?q=%20padded%20 HTTP/1.1"]);
}

#[test]
fn check_shows_the_url_of_each_step() {
    let script = "
steps:
  - {name: Fixed, url: users, query: {page: '{{userId}}', all: true}}
  - {name: Rendered, method: POST, url: 'users/{{userId}}?key={{env KEY}}'}
  - {name: Elsewhere, url: 'https://other.test/x'}
  - {name: Captured, url: /, capture: {next: {header: location}}}
  - {name: Unknown, url: '{{var next}}'}
";
    let run = shooter().args("check --base-url http://site.test/api/v1/").script(script).env("KEY", "s3cret-key");
    let run = run.finish().exits(0);
    for line in [
        "1. Fixed (action `http`, within 30s): GET http://site.test/api/v1/users?page=…&all=true\n",
        "2. Rendered (action `http`, within 30s): POST http://site.test/api/v1/users/…?key=***\n",
        "3. Elsewhere (action `http`, within 30s): GET https://other.test/x\n",
        "4. Captured (action `http`, within 30s): GET http://site.test/\n",
        "5. Unknown (action `http`, within 30s)\n",
    ] {
        assert!(run.stdout.contains(line), "{line}{}", run.stdout);
    }
    let warning = "warning: the URL of `Captured` is not below the path `/api/v1/` of the base URL: end the base URL with `/`, \
                   and begin URLs below it without one\n";
    assert_eq!(run.stderr, warning);
}

#[test]
fn a_path_of_the_base_url_that_is_lost_is_a_warning_of_the_run_too() {
    let target = RawServer::recording();
    let script = "
- {name: Slash, url: /users}
- {name: Segment, url: users}
- {name: Query, url: '?q=1'}
- {name: Same, url: ''}
";
    let base = format!("{}/api/v1", target.base_url());
    let run = shooter().script(script).arg("--base-url").arg(base).finish().exits(0);
    let lines: Vec<_> = target.take().into_iter().map(|request| request.line).collect();
    let expected = ["/users", "/api/users", "/api/v1?q=1", "/api/v1"].map(|path| format!("GET {path} HTTP/1.1"));
    assert_eq!(lines, expected);
    let warning = "the URL of `Slash` is not below the path `/api/v1` of the base URL, nor are those of 1 more";
    assert!(run.stderr.contains(warning), "{}", run.stderr);
}

#[test]
fn rendered_values_reach_the_target_as_the_standards_have_them() {
    let target = RawServer::recording();
    let script = r##"
data:
  d:
    - {v: "7"}
    - {v: "a b"}
    - {v: ".."}
    - {v: "%2e%2E"}
    - {v: "a/b"}
    - {v: "ü"}
    - {v: "#x"}
    - {v: "?z"}
    - {v: ""}
    - {v: "\"q'\\"}
iterations: 10
steps:
  - name: Json
    method: POST
    url: /p/{{next d.v}}/x?q={{next d.v}}
    query: {k&: "{{next d.v}}!"}
    headers: {x-own: "<{{next d.v}}>"}
    auth: {basic: {user: "{{next d.v}}", password: p}}
    json_body: {v: "{{next d.v}}", at: [1]}
  - {name: Form, method: POST, url: /form, form_body: {a: "{{next d.v}}", "b c": "1"}}
"##;
    run(&target, script).finish().exits(0);
    let expected = [
        ("/p/7/x?q=7&k%26=7%21", "<7>", "Nzpw", r#"{"v":"7","at":[1]}"#, "a=7&b+c=1"),
        ("/p/a%20b/x?q=a%20b&k%26=a+b%21", "<a b>", "YSBiOnA=", r#"{"v":"a b","at":[1]}"#, "a=a+b&b+c=1"),
        ("/x?q=..&k%26=..%21", "<..>", "Li46cA==", r#"{"v":"..","at":[1]}"#, "a=..&b+c=1"),
        (
            "/x?q=%2e%2E&k%26=%252e%252E%21",
            "<%2e%2E>",
            "JTJlJTJFOnA=",
            r#"{"v":"%2e%2E","at":[1]}"#,
            "a=%252e%252E&b+c=1",
        ),
        ("/p/a/b/x?q=a/b&k%26=a%2Fb%21", "<a/b>", "YS9iOnA=", r#"{"v":"a/b","at":[1]}"#, "a=a%2Fb&b+c=1"),
        ("/p/%C3%BC/x?q=%C3%BC&k%26=%C3%BC%21", "<ü>", "w7w6cA==", r#"{"v":"ü","at":[1]}"#, "a=%C3%BC&b+c=1"),
        ("/p/?k%26=%23x%21", "<#x>", "I3g6cA==", r##"{"v":"#x","at":[1]}"##, "a=%23x&b+c=1"),
        ("/p/?z/x?q=?z&k%26=%3Fz%21", "<?z>", "P3o6cA==", r#"{"v":"?z","at":[1]}"#, "a=%3Fz&b+c=1"),
        ("/p//x?q=&k%26=%21", "<>", "OnA=", r#"{"v":"","at":[1]}"#, "a=&b+c=1"),
        (
            "/p/%22q'//x?q=%22q%27\\&k%26=%22q%27%5C%21",
            "<\"q'\\>",
            "InEnXDpw",
            r#"{"v":"\"q'\\","at":[1]}"#,
            "a=%22q%27%5C&b+c=1",
        ),
    ];
    let seen = target.take();
    assert_eq!(seen.len(), 2 * expected.len());
    for (requests, (path, own, credentials, json, form)) in seen.chunks(2).zip(expected) {
        let [request, form_request] = requests else { unreachable!() };
        assert_eq!(request.line, format!("POST {path} HTTP/1.1"));
        assert_eq!(request.header("x-own"), own, "{path}");
        assert_eq!(request.header("authorization"), format!("Basic {credentials}"), "{path}");
        assert_eq!(String::from_utf8_lossy(&request.body), json, "{path}");
        assert_eq!(String::from_utf8_lossy(&form_request.body), form, "{path}");
    }
}
