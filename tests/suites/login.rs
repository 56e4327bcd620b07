//! Signing in: which users fail, how many attempts they make, which users go on, and that no credential can ever be
//! read.

use std::collections::BTreeMap;

use stampede_tests::{Finished, RawRequest, RawServer, settled, site};

use crate::shooter;

const PAGE: &str = "- {name: Catalog, url: /api/v1/catalog?page=1}\n";

#[test]
fn if_no_user_can_sign_in_the_run_ends_early_after_four_attempts_each() {
    let site = site();
    let run = shooter()
        .script(PAGE)
        .args("--users 3 --duration 1h --login-url /auth --login-hdr x-api-token:wrong --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(6);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    report.assert_consistent();
    let login = report.row("login");
    assert_eq!((login.total(), login.errors()), (12, BTreeMap::from([("status", 12)])));
    assert_eq!(login.example("status"), "expected status 2xx, got 401");
    assert_eq!(report.row("Catalog").total(), 0);
    assert_eq!(report.at("/run/ended"), "no-user-signed-in");
    assert_eq!(report.at("/run/users_given_up"), 3);
}

/// Answers the right form with a redirect and a cookie, a wrong one with the form again, and requests without the
/// cookie with 401.
fn form_site() -> RawServer {
    RawServer::start(|request| {
        let reply = match (request.line.as_str(), request.body.as_slice()) {
            ("POST /login HTTP/1.1", b"user=ann&password=b+c%26d%3D%C3%A9") => {
                "302 Found\r\nlocation: /me\r\nset-cookie: session=ann; Path=/; HttpOnly"
            }
            ("POST /login HTTP/1.1", _) => "200 OK",
            _ if request.header("cookie") == "session=ann" => "200 OK",
            _ => "401 Unauthorized",
        };
        format!("HTTP/1.1 {reply}\r\ncontent-length: 0\r\n\r\n").into_bytes()
    })
}

#[test]
fn a_form_that_is_answered_by_a_redirect_signs_users_in_if_that_is_expected() {
    for (case, login, code) in [
        ("as expected", "form_body: {user: ann, password: 'b c&d=é'}, expect_status: 302", 0),
        ("one of several", "form_body: {user: ann, password: 'b c&d=é'}, expect_status: [2xx, 302, 303]", 0),
        ("the form again", "form_body: {user: ann, password: wrong}, expect_status: 302", 6),
        ("not expected", "form_body: {user: ann, password: 'b c&d=é'}", 6),
    ] {
        let target = form_site();
        let script = format!("login: {{url: /login, {login}}}\nsteps: [{{name: Me, url: /me}}]\n");
        let run = shooter()
            .script(&script)
            .args("--users 2 --iterations 3 --base-url")
            .arg(target.base_url())
            .report()
            .finish()
            .exits(code);
        let report = run.report();
        assert_eq!(report.row("Me").ok(), if code == 0 { 6 } else { 0 }, "{case}");
        let lines = target.take();
        let logins = lines.iter().filter(|one| one.line.starts_with("POST")).count() as u64;
        assert_eq!(report.row("login").total(), logins, "{case}");
        let text = match case {
            "the form again" => "expected status 302, got 200",
            "not expected" => "expected status 2xx, got 302; `expect_status: 302` accepts it",
            _ => continue,
        };
        assert_eq!(report.row("login").example("status"), text, "{case}");
    }
}

#[test]
fn users_that_sign_in_walk_on_while_others_give_up() {
    let site = site();
    let run = shooter()
        .script(
            "data: {tokens: [good-ann, wrong, good-bob, wrong]}
login: {url: /auth, headers: {x-api-token: '{{next tokens}}'}}
steps:
  - {name: Catalog, url: /api/v1/catalog?page=1}
  - {name: StreamInit, method: POST, url: /api/v1/stream/start, json_body: {movie_id: alien}, expect_status: 201}
",
        )
        .args("--users 4 --iterations 10 --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(0);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    let login = report.row("login");
    assert_eq!((login.ok(), login.errors()), (2, BTreeMap::from([("status", 8)])));
    assert_eq!(["Catalog", "StreamInit"].map(|name| report.row(name).ok()), [20, 20]);
    assert_eq!((report.at("/run/users_signed_in"), report.at("/run/users_given_up")), (&2.into(), &2.into()));
}

#[test]
fn the_credential_header_goes_out_with_the_sign_in_and_with_every_later_request() {
    let target = RawServer::recording();
    let sign_in = |login: &str| {
        let run = shooter().script(PAGE).args("--users 2 --iterations 2 --login-hdr x-api-token:u{{userId}}");
        run.args(login).arg("--base-url").arg(target.base_url()).finish().exits(0);
        let mut seen: Vec<_> =
            target.take().iter().map(|one| (one.line.clone(), one.header("x-api-token").to_owned())).collect();
        seen.sort();
        seen
    };
    let of = |line: &str, user: &str| (format!("{line} HTTP/1.1"), user.to_owned());
    let pages = ["u0", "u0", "u1", "u1"].map(|user| of("GET /api/v1/catalog?page=1", user));
    assert_eq!(sign_in(""), pages, "without a sign-in");
    let logins = ["u0", "u1"].map(|user| of("POST /in", user));
    assert_eq!(sign_in("--login-url /in"), [&pages[..], &logins[..]].concat(), "with one");
}

/// Secrets that must not appear anywhere. The second is a token that the target issues.
const SECRETS: [&str; 2] = ["s3cret-of-the-header", "s3cret-of-the-reply"];

/// Every way in which a request with a credential can fail, at the highest verbosity.
const LEAKY: &str = "
login:
  url: /login
  headers: {x-api-token: s3cret-of-the-header, cookie: 'c=s3cret-of-the-header'}
  capture: {token: {json: $.token}}
  set_headers: {authorization: 'Bearer {{var token}}', x-api-token: s3cret-of-the-header}
steps:
  - {name: Reflected, url: /reflect, expect_body: nonesuch, expect_status: 200}
  - {name: Garbled, url: /garble}
  - {name: Cut, url: /cut}
  - {name: Redirected, url: /redirect}
  - {name: Uncaptured, url: /reflect, capture: {nonesuch: {json: $.nonesuch}}}
";

/// Sends the client its own secrets, in every part of a reply.
fn reflect(request: &RawRequest) -> Vec<u8> {
    let seen = [request.header("x-api-token"), request.header("authorization"), SECRETS[0], SECRETS[1]].join(" ");
    let reply = match request.line.split(' ').nth(1).unwrap_or_default() {
        "/login" => {
            let body = format!("{{\"token\": \"{}\"}}", SECRETS[1]);
            format!("HTTP/1.1 200 {seen}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        }
        "/garble" => format!("HTTP/1.1 2{seen}\r\n{seen}\r\n\r\n"),
        "/cut" => format!("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\nx-seen: {seen}\r\n\r\n{seen}"),
        "/redirect" => format!("HTTP/1.1 302 Found\r\nlocation: ://{seen}\r\ncontent-length: 0\r\n\r\n"),
        _ => format!("HTTP/1.1 400 {seen}\r\nx-seen: {seen}\r\ncontent-length: {}\r\n\r\n{seen}", seen.len()),
    };
    reply.into_bytes()
}

#[track_caller]
fn assert_no_secret(run: &Finished, files: &[&str]) {
    let files = files.iter().map(|name| (*name, run.read(name)));
    let said = [("stdout", run.stdout.clone()), ("stderr", run.stderr.clone())];
    for (place, text) in said.into_iter().chain(files) {
        assert!(!text.is_empty() || place == "stdout", "{place} is empty");
        for secret in SECRETS {
            assert!(!text.contains(secret), "`{secret}` is in {place}:\n{text}");
        }
    }
}

#[test]
fn no_credential_is_ever_printed_logged_or_reported_whatever_goes_wrong() {
    let target = RawServer::start(reflect);
    let run = shooter()
        .script(LEAKY)
        .args("--log trace --verbose --duration 1500ms --rps 20 --timeout 300ms --out report.json --out report.csv")
        .arg("--base-url")
        .arg(target.base_url())
        .finish()
        .exits(0);
    assert!(target.take().iter().any(|one| one.header("authorization").ends_with(SECRETS[1])), "it was sent at all");
    assert!(run.report().totals().err() >= 4, "{}", run.stdout);
    assert_no_secret(&run, &["report.json", "report.csv"]);
}

#[test]
fn a_credential_of_the_command_line_is_not_shown_by_check_nor_in_a_message_about_it() {
    for (wrong, code) in [
        ("--login-hdr x-api-token:s3cret-of-the-header --header x=1", 2),
        ("--login-hdr x-api-token=s3cret-of-the-header", 2),
        ("--login-hdr x-api-token:s3cret-of-the-header{{nonesuch}}", 2),
        ("--login-hdr x-api-token:s3cret-of-the-header{{nonesuch}} --login-url /auth", 2),
        ("--login-hdr x-api-token:{{s3cret-of-the-header}} --login-url /auth", 2),
        ("--login-hdr x-api-token:{{s3cret-of-the-header}}", 2),
    ] {
        let run = shooter().script(PAGE).args("check --log trace --script script.yml --base-url http://127.0.0.1:9");
        let run = run.args(wrong).finish().exits(code);
        assert_no_secret(&run, &[]);
    }
}
