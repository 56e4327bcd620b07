//! Secrets of a script appear nowhere, whatever the target makes of them and whatever is logged.

use stampede_tests::{Finished, RawRequest, RawServer, Run, WebSockets};

use crate::shooter;

/// Secrets that must not appear anywhere: from the environment, an env-file, two data sets, and replies of the target.
const ENVIRONMENT: &str = "env&s3cret/1+1";
const ENV_FILE: &str = "file-s3cret";
const PASSWORD: &str = "pa55 \"wörd\"";
const CODE: &str = "c0de-0f-the-list";
const TOKEN: &str = "t0ken-of-the-reply";
const FORMER: &str = "t0ken-before-that";
const SECRETS: [&str; 6] = [ENVIRONMENT, ENV_FILE, PASSWORD, CODE, TOKEN, FORMER];

/// Returns a text as written in a URL, in a form, in JSON, in ASCII, and in base64.
fn forms(secret: &str) -> Vec<String> {
    let percent = |plain: &str| {
        let escaped = |byte: u8| match byte {
            byte if byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        secret.bytes().map(escaped).collect::<String>()
    };
    let json = serde_json::to_string(secret).expect("a text is JSON");
    let mut forms = vec![secret.to_owned(), percent("-._~"), percent("-._~ ").replace(' ', "+")];
    forms.extend([json[1..json.len() - 1].to_owned(), secret.as_bytes().escape_ascii().to_string(), base64(secret)]);
    forms
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(bytes.get(at).copied().unwrap_or(0)));
        let digits = [18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63]));
        digits[..=bytes.len()].iter().collect::<String>()
    };
    text.as_bytes().chunks(3).map(group).collect()
}

#[test]
fn base64_equals_that_of_other_implementations() {
    assert_eq!(["user:pass", "ab", "abcd"].map(base64), ["dXNlcjpwYXNz", "YWI", "YWJjZA"]);
}

#[track_caller]
fn assert_no_secret(run: &Finished, files: &[&str]) {
    let said = [("stdout", run.stdout.clone()), ("stderr", run.stderr.clone())];
    for (place, text) in said.into_iter().chain(files.iter().map(|name| (*name, run.read(name)))) {
        for form in SECRETS.iter().flat_map(|secret| forms(secret)) {
            assert!(!text.to_lowercase().contains(&form.to_lowercase()), "`{form}` is in {place}:\n{text}");
        }
    }
}

/// A script with every way in which a text is shown, for secrets of every kind.
const LEAKY: &str = r#"
data:
  people: {file: people.csv, secret: [password]}
  codes: {file: codes.txt, secret: true}
setup:
  - {name: Before, url: /before, capture: {token: {header: x-former, secret: true}}}
login:
  url: /in
  json_body: '{"password": {{json (next people.password)}}, "code": "{{next codes}}"}'
  headers: {x-key: "{{env S3CRET}}"}
  set_headers: {x-other: one}
steps:
  - {name: Token, url: /token, capture: {token: {json: $.token, secret: true}, seen: {header: x-seen}}, expect_body: nonesuch}
  - {name: Again, url: /token, capture: {token: {json: $.token, secret: true}}}
  - {name: Said, action: log, level: error, message: "said {{var token}} {{next people.password}} {{env S3CRET}} {{env OF_FILE}}"}
  - {name: Seen, action: log, level: debug, message: "seen {{var seen}}"}
  - {name: Encoded, action: log, message: "encoded {{urlencode (env S3CRET)}} {{base64 (next people.password)}} {{json (next people.password)}} {{base64 (urlencode (env S3CRET))}}"}
  - {name: Codes, action: log, message: "codes {{pick codes}} {{base64 (pick codes)}}"}
  - name: Sent
    url: "/reflect?key={{urlencode (env S3CRET)}}&password={{urlencode (next people.password)}}"
    auth: {basic: {user: ann, password: "{{env OF_FILE}}"}}
    expect_body: nonesuch
    checks:
      is right: {body: nonesuch}
  - {name: Elsewhere, url: "/redirect?to={{env OF_FILE}}"}
  - {name: Denied, url: "http://{{pick codes}}/"}
  - {name: Malformed, url: "http://{{next people.password}}:{{env S3CRET}}/"}
  - {name: Header, url: /, headers: {x-y: "{{var token}}\n"}}
  - {name: Socket, action: tcp, address: "{{env ADDRESS}}", send: "GET /raw HTTP/1.1\r\n\r\n", expect: {line: "nonesuch {{next people.password}}"}}
"#;

/// Sends the client its own secrets, in every part of a reply.
fn reflect(request: &RawRequest) -> Vec<u8> {
    let seen = SECRETS.map(forms).concat().join(" ");
    let header = SECRETS.map(|secret| forms(secret).remove(1)).join(" ");
    let path = request.line.split(' ').nth(1).unwrap_or_default();
    let reply = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 {header}\r\nx-seen: {header}\r\nx-former: {FORMER}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let text = match path.split('?').next().unwrap_or_default() {
        "/token" => reply(&format!("{{\"token\": \"{TOKEN}\", \"seen\": \"{header}\"}}")),
        "/redirect" => {
            format!("HTTP/1.1 302 Found\r\nlocation: http://{ENV_FILE}:81/{header}\r\ncontent-length: 0\r\n\r\n")
        }
        "/raw" => format!("{seen}\r\n"),
        _ => reply(&seen),
    };
    text.into_bytes()
}

fn with_secrets(run: Run, target: &RawServer) -> Run {
    run.file("people.csv", format!("name,password\nann,\"{}\"\n", PASSWORD.replace('"', "\"\"")))
        .file("codes.txt", format!("{CODE}\n"))
        .file("secrets.env", format!("OF_FILE={ENV_FILE}\n"))
        .env("S3CRET", ENVIRONMENT)
        .env("ADDRESS", target.base_url().trim_start_matches("http://"))
        .args("--env-file secrets.env --base-url")
        .arg(target.base_url())
}

#[test]
fn no_secret_is_ever_printed_logged_or_reported_whatever_is_made_of_it() {
    let target = RawServer::start(reflect);
    let run = with_secrets(shooter().script(LEAKY), &target)
        .args(
            "--log trace --verbose --iterations 2 --out report.json --out report.csv --out report.xml --out report.md",
        )
        .finish()
        .exits(0);
    let requests = target.take();
    let sent = |text: &str| requests.iter().any(|request| format!("{request:?}").contains(text));
    assert!(sent(&forms(ENVIRONMENT)[1]) && sent(&base64(&format!("ann:{ENV_FILE}"))), "they were sent at all");
    for said in ["said *** *** *** ***", "encoded *** *** \"***\" ***", "codes *** ***", "seen *** ***"] {
        assert!(run.stderr.contains(said), "`{said}` is not in the log:\n{}", run.stderr);
    }
    let report = run.report();
    let example = |row: &str, kind: &str| report.row(row).example(kind).to_owned();
    assert_eq!(
        example("Elsewhere", "network"),
        "redirect to `***:81`, which is not granted; add `allow: [\"***:81\"]` to the plugin's entry"
    );
    assert_eq!(
        example("Denied", "network"),
        "a request to `***:80`, which is not granted; add `allow: [\"***:80\"]` to the plugin's entry"
    );
    assert!(example("Socket", "check").starts_with("expected a line with `nonesuch ***`, got `***"), "{}", run.stdout);
    assert!(run.read("report.xml").contains("is right"), "{}", run.read("report.xml"));
    assert_no_secret(&run, &["report.json", "report.csv", "report.xml", "report.md"]);
}

#[test]
fn messages_about_a_script_show_the_script_and_not_what_it_reads() {
    let target = RawServer::recording();
    for (script, message) in [
        ("- {name: Page, url: 'http://{{env OF_FILE}}:x/'}", "`http://***:x/` is not a URL: invalid port number"),
        ("- {name: Page, url: 'ftp://{{env OF_FILE}}/'}", "`ftp://***/` is neither http nor https"),
    ] {
        let run = with_secrets(shooter().script(script), &target).args("--log trace").finish().exits(3);
        assert!(run.stderr.contains(message) && run.stderr.contains("{{env OF_FILE}}"), "{}", run.stderr);
        assert_no_secret(&run, &[]);
    }
    let plan = shooter().args("check").script("- {name: Page, url: 'http://{{env OF_FILE}}/x'}");
    let run = with_secrets(plan, &target).finish().exits(0);
    assert!(run.stdout.contains("Requests go to http://***:80."), "{}", run.stdout);
    assert_no_secret(&run, &[]);
    assert_eq!(target.take(), []);
}

#[test]
fn text_of_the_script_is_shown() {
    let script = "
data: {people: [{name: annette, password: hunter2}]}
scenarios:
  one:
    env: {REGION: europe}
    steps: [{name: Say, action: log, message: 'in {{env REGION}} by {{next people.name}}, {{next people.password}}'}]
";
    let run = shooter().script(script).env("REGION", "asia").args("--log info").finish().exits(0);
    assert!(run.stderr.contains("in europe by annette, hunter2"), "{}", run.stderr);
}

#[test]
fn a_saved_value_that_is_secret_is_shown_nowhere() {
    let server = WebSockets::start();
    let script = format!(
        "
steps:
  - name: Ask
    action: websocket
    url: '{}/echo'
    send: {{json: {{token: 'hunter2-{{{{randInt 100000 100000}}}}', seat: 12-D}}}}
    expect: {{kind: text}}
    save: {{token: {{json: $.token, secret: true}}, seat: {{json: $.seat}}}}
  - {{name: Note, action: log, level: warn, message: 'token {{{{var token}}}}, seat {{{{var seat}}}}'}}
",
        server.base_url()
    );
    let run = shooter().script(&script).args("--users 1 --iterations 1").report().finish().exits(0);
    let report = run.report();
    assert_eq!(report.row("Ask").ok(), 1, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("token ***, seat 12-D"), "{}", run.stderr);
    let shown = [&run.stdout, &run.stderr, &report.at("").to_string()].map(|text| text.contains("hunter2-100000"));
    assert_eq!(shown, [false; 3]);
}
