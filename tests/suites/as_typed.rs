//! Values arrive as they were typed, and as the target wrote them: digits, letters and escapes.

use stampede_tests::{RawRequest, RawServer, Run, WebSockets};

use crate::shooter;

/// Returns the target of a request: `/path?query`.
fn target_of(request: &RawRequest) -> &str {
    request.line.split(' ').nth(1).expect("a request line has a target")
}

fn body(request: &RawRequest) -> String {
    String::from_utf8_lossy(&request.body).into_owned()
}

fn run(target: &RawServer, script: &str) -> Run {
    shooter().script(script).arg("--base-url").arg(target.base_url())
}

const VALUES: &str = "dec: 1.10, amount: 100.00, hex: 0x1F, oct: 0o17, exp: 1e3, sign: +5, point: .5, yes: True, \
                      big: 1234567890123456789, off: false";

#[test]
fn scalars_that_stand_for_texts_are_sent_as_typed() {
    let target = RawServer::recording();
    let script = format!(
        "
login: {{url: /login, headers: {{x-v: 1.10}}, form_body: {{version: 1.10, pin: 0042}}}}
steps:
  - {{name: Query, url: /query, query: {{{VALUES}}}}}
  - {{name: Form, method: POST, url: /form, form_body: {{{VALUES}}}}}
  - {{name: Body, method: POST, url: /body, body: 1.10}}
  - {{name: Headers, url: /headers, headers: {{x-dec: 1.10, x-hex: 0xFF, x-yes: True, x-exp: 1e3}}}}
  - {{name: Auth, url: /auth, auth: {{bearer: 1.10}}}}
  - {{name: Set, action: set, variables: {{version: 1.10}}}}
  - {{name: Var, url: '/var?{{{{var version}}}}'}}
"
    );
    run(&target, &script).finish().exits(0);
    let seen = target.take();
    let pairs = "dec=1.10&amount=100.00&hex=0x1F&oct=0o17&exp=1e3&sign=%2B5&point=.5&yes=True&big=1234567890123456789\
                 &off=false";
    assert_eq!((seen[0].header("x-v"), body(&seen[0]).as_str()), ("1.10", "version=1.10&pin=0042"));
    assert_eq!(target_of(&seen[1]), format!("/query?{pairs}"));
    assert_eq!(body(&seen[2]), pairs);
    assert_eq!(body(&seen[3]), "1.10");
    let fields = ["x-dec", "x-hex", "x-yes", "x-exp"].map(|name| seen[4].header(name));
    assert_eq!(fields, ["1.10", "0xFF", "True", "1e3"]);
    assert_eq!(seen[5].header("authorization"), "Bearer 1.10");
    assert_eq!(target_of(&seen[6]), "/var?1.10");
}

#[test]
fn numbers_of_a_json_body_keep_their_digits() {
    let target = RawServer::recording();
    let script =
        format!("- {{name: Order, method: POST, url: /, json_body: {{{VALUES}, list: [1.10, 2e-7], s: '1.10'}}}}\n");
    run(&target, &script).finish().exits(0);
    let expected = r#"{"dec":1.10,"amount":100.00,"hex":31,"oct":15,"exp":1e3,"sign":5,"point":0.5,"yes":true,"#
        .to_owned()
        + r#""big":1234567890123456789,"off":false,"list":[1.10,2e-7],"s":"1.10"}"#;
    assert_eq!(body(&target.take()[0]), expected);
}

/// The reply whose numbers are captured.
const PRICES: &str = r#"{ "price": 19.90, "total": 100.00, "wei": 18446744073709551616, "exp": 1e3, "id": 7, "ok": true,
    "item": { "price" : 1.10, "n\u0061me": "a b" } }"#;

#[test]
fn captured_numbers_keep_the_digits_of_the_reply() {
    let target = RawServer::start(|request| {
        let content = if request.line.starts_with("GET") { PRICES } else { "" };
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{content}", content.len()).into_bytes()
    });
    let captures: Vec<_> = ["price", "total", "wei", "exp", "id", "ok", "item"].map(str::to_owned).into();
    let rows: String = captures.iter().map(|name| format!("    {name}: {{json: $.{name}}}\n")).collect();
    let texts: Vec<_> = captures.iter().map(|name| format!("{{{{var {name}}}}}")).collect();
    let script = format!(
        "
- name: Get
  url: /
  capture:
{rows}  checks:
    exact: {{json: {{path: $.price, equals: 19.90}}}}
- {{name: Use, method: POST, url: /, body: '{}'}}
",
        texts.join(" ")
    );
    let run = run(&target, &script).report().finish().exits(0);
    assert_eq!(run.report().row("Get").ok(), 1, "{}", run.stdout);
    let expected = r#"19.90 100.00 18446744073709551616 1e3 7 true {"price":1.10,"n\u0061me":"a b"}"#;
    assert_eq!(body(&target.take()[1]), expected);
}

#[test]
fn a_saved_number_of_a_message_keeps_its_digits() {
    let target = WebSockets::start();
    let script = format!(
        "
- name: Say
  action: websocket
  url: {}/echo
  send: '{{\"price\": 19.90, \"big\": 18446744073709551616}}'
  expect: {{json: $.price, equals: 19.90}}
  save: {{price: {{json: $.price}}, big: {{json: $.big}}}}
- {{name: Note, action: log, level: warn, message: 'saved {{{{var price}}}} {{{{var big}}}}'}}
",
        target.base_url().replace("http", "ws")
    );
    let run = shooter().script(&script).finish().exits(0);
    assert!(run.stderr.contains("saved 19.90 18446744073709551616"), "{}", run.stderr);
}

/// Rows with all that JSON escapes, as a JSON file.
const ODD_ROWS: &str = r#"["O\"Brien", "back\\slash", "two\nlines", "tab\there", "ctl\u0001x", "emoji 😀", "plain"]"#;

#[test]
fn values_in_a_json_mapping_are_escaped() {
    let target = RawServer::recording();
    let script = r#"
data: {d: {file: rows.json}}
iterations: 7
steps:
  - name: Order
    method: POST
    url: /
    json_body: {name: "{{next d}}", nested: {list: ["Hi {{pick d}}!"]}, "k{{userId}}": 1}
"#;
    run(&target, script).file("rows.json", ODD_ROWS).finish().exits(0);
    let rows: Vec<String> = serde_json::from_str(ODD_ROWS).expect("JSON");
    let seen = target.take();
    let names: Vec<_> = seen
        .iter()
        .map(|request| {
            let sent: serde_json::Value =
                serde_json::from_slice(&request.body).unwrap_or_else(|_| panic!("{}", body(request)));
            let nested = sent["nested"]["list"][0].as_str().expect("a text").to_owned();
            assert!(rows.iter().any(|row| nested == format!("Hi {row}!")), "{nested:?}");
            assert_eq!(sent["k0"], 1);
            sent["name"].as_str().expect("a text").to_owned()
        })
        .collect();
    assert_eq!(names, rows);
}

#[test]
fn values_in_the_json_of_a_message_are_escaped() {
    let target = WebSockets::start();
    let script = format!(
        "
data: {{d: {{file: rows.json}}}}
iterations: 7
steps:
  - name: Say
    action: websocket
    url: {}/echo
    send: {{json: {{text: '{{{{next d}}}}'}}}}
    expect: {{json: $.text}}
    save: {{text: {{json: $.text}}}}
    timeout: 10s
  - {{name: Note, method: POST, url: /, body: '{{{{var text}}}}'}}
",
        target.base_url().replace("http", "ws")
    );
    let noted = RawServer::recording();
    run(&noted, &script).file("rows.json", ODD_ROWS).finish().exits(0);
    let rows: Vec<String> = serde_json::from_str(ODD_ROWS).expect("JSON");
    assert_eq!(noted.take().iter().map(body).collect::<Vec<_>>(), rows);
}
