//! Every failure of a target is a sample of the right category, with an example, and the run goes on.

use std::collections::BTreeMap;

use stampede_tests::{Http2Server, Nginx, Part, RawServer, Refusing, settled, site};

use crate::shooter;

/// Steps that fail, each with its category and its example in the report.
const FAILING: [(&str, &str, &str, &str); 9] = [
    ("Reset", "url: /reset", "network", "connection reset"),
    ("Closed", "url: /close", "network", "connection closed before the reply"),
    ("Truncated", "url: /truncated", "protocol", "reply truncated"),
    ("Malformed", "url: /malformed", "protocol", "malformed reply: invalid version"),
    ("Endless", "url: /endless, timeout: 200ms", "timeout", "not done within 200ms: in the body"),
    ("Oversized", "url: /big-header/1000000", "protocol", "header section too large"),
    ("Status", "url: /status/503", "status", "expected status 200 to 399, got 503"),
    ("Body", "url: /bytes/5, expect_body: nonesuch", "check", "expected the body to contain `nonesuch`"),
    (
        "Capture",
        "url: /echo, capture: {token: {json: $.nonesuch}}",
        "check",
        "capture `token`: nothing in the body at `$.nonesuch`",
    ),
];

#[test]
fn each_failure_is_counted_in_its_category_and_later_steps_still_run() {
    let (site, refusing) = (site(), Refusing::bind());
    let mut script = format!("- {{name: Refused, url: \"{}/\"}}\n", refusing.base_url());
    for (name, step, ..) in FAILING {
        script += &format!("- {{name: {name}, {step}}}\n");
    }
    script += "- {name: After, url: /status/200}\n";
    let run =
        shooter().script(&script).args("--iterations 2 --base-url").arg(site.base_url()).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    let refused = ("Refused", "", "network", "connection refused");
    for (name, _, category, example) in FAILING.into_iter().chain([refused]) {
        let row = report.row(name);
        assert_eq!((row.total(), row.errors()), (2, BTreeMap::from([(category, 2)])), "{name}");
        // The number of bytes depends on the machine's speed, so it is not compared.
        let shown = row.example(category).split(", after").next();
        assert_eq!(shown, Some(example), "{name}");
        assert_eq!(row.tasks("failed"), 2, "{name}");
    }
    let after = report.row("After");
    assert_eq!((after.ok(), after.err()), (2, 0));
    assert!(run.stdout.contains("Errors, with their share of all requests:"), "{}", run.stdout);
}

#[test]
fn the_memory_for_kept_contents_is_that_of_the_script_or_of_the_flag() {
    let site = site();
    let script = "body_memory: 2MiB\nsteps: [{name: Page, url: /bytes/3000000, capture: {first: {regex: '^(.)'}}}]\n";
    let run = |arguments: &str| shooter().args(arguments).script(script).arg("--base-url").arg(site.base_url());
    let report = run("").report().finish().exits(9).report();
    let row = report.row("Page");
    assert_eq!(row.errors(), BTreeMap::from([("protocol", 1)]));
    let text = "the contents of replies that are kept take more than 2 MiB in all; `--body-memory` allows more";
    assert_eq!(row.example("protocol"), text);
    assert_eq!(run("--body-memory 4MiB").report().finish().exits(0).report().row("Page").ok(), 1);
    for (arguments, most) in [("check", 2), ("check --body-memory 1GiB", 1024)] {
        let shown = run(arguments).finish().exits(0).stdout;
        let line = format!("Contents of replies that are kept may take {most} MiB in all; more fail their step.\n");
        assert!(shown.contains(&line), "{shown}");
    }
}

#[test]
fn a_target_that_resets_every_request_was_reached() {
    let site = site();
    let run = shooter().script("- {name: Page, url: /reset}\n").args("--base-url").arg(site.base_url()).report();
    let report = run.finish().exits(9).report();
    assert_eq!(report.row("Page").errors(), BTreeMap::from([("network", 1)]));
}

#[test]
fn a_rendered_url_is_not_repeated() {
    let script = "- {name: Page, url: 'x{{userId}}{{env SECRET}}'}\n- {name: User, url: 'http://me{{userId}}@site/'}\n";
    let run = shooter().script(script).env("SECRET", "s3cret").report().finish();
    let report = run.report();
    let relative = "the rendered URL is relative, and there is no `base_url`";
    assert_eq!(report.row("Page").example("network"), relative);
    assert!(report.row("User").example("network").starts_with("the rendered URL has a user name or password in it"));
    assert!(!run.stdout.contains("s3cret") && !run.stderr.contains("s3cret"));
}

#[test]
fn a_target_that_refuses_every_connection_was_never_reached() {
    let target = Refusing::bind();
    let run = shooter()
        .script("- {name: Page, url: /}\n")
        .args("--users 3 --base-url")
        .arg(target.base_url())
        .report()
        .finish()
        .exits(5);
    assert_eq!(run.report().totals().errors(), BTreeMap::from([("network", 3)]));
}

/// Replies with the version of HTTP that the client spoke.
const VERSION: &str = "location = /version { return 200 '$server_protocol'; }";

#[test]
fn a_certificate_of_an_unknown_issuer_is_a_network_failure() {
    let nginx = Nginx::start_tls(VERSION);
    let run = shooter()
        .script("- {name: Page, url: /version}\n")
        .arg("--base-url")
        .arg(nginx.base_url())
        .report()
        .finish()
        .exits(5);
    let report = run.report();
    assert_eq!(report.totals().errors(), BTreeMap::from([("network", 1)]));
    let text = report.row("Page").example("network");
    assert!(
        text.starts_with("tls: certificate of an unknown issuer; `--cacert FILE` or `SSL_CERT_FILE` trusts"),
        "{text}"
    );
    assert_eq!(nginx.log(0), []);
}

#[test]
fn any_certificate_is_accepted_on_request_and_a_warning_is_shown() {
    let nginx = Nginx::start_tls(VERSION);
    let run = shooter()
        .script("- {name: Page, url: /version}\n")
        .args("--insecure-tls --base-url")
        .arg(nginx.base_url())
        .report()
        .finish()
        .exits(0);
    assert!(run.stderr.starts_with("warning: any TLS certificate is accepted"), "{}", run.stderr);
    assert_eq!(run.report().at("/settings/insecure_tls"), true);
    let tls = run.report().row("Page").at("/phases_us/tls/count").clone();
    assert_eq!(tls, 1);
}

#[test]
fn the_version_of_http_is_negotiated_or_as_the_step_says() {
    let nginx = Nginx::start_tls(VERSION);
    let run = shooter()
        .script(
            "- {name: Any, url: /version, expect_body: HTTP/2.0}
- {name: Two, url: /version, http_version: 2, expect_body: HTTP/2.0}
- {name: One, url: /version, http_version: 1.1, expect_body: HTTP/1.1}
",
        )
        .args("--iterations 2 --insecure-tls --base-url")
        .arg(nginx.base_url())
        .report()
        .finish()
        .exits(0);
    assert_eq!((run.report().totals().ok(), run.report().totals().err()), (6, 0), "{}", run.stdout);
    let log = nginx.log(6);
    let spoken = |version| log.iter().filter(|line| line.request.ends_with(version)).count();
    assert_eq!((log.len(), spoken("HTTP/2.0"), spoken("HTTP/1.1")), (6, 4, 2));
}

#[test]
fn compressed_replies_are_asked_for_decoded_and_counted_as_they_came() {
    let site = site();
    let script = "- {name: Gzip, url: /gzip, compression: true, expect_body: compressed}
- {name: Deflate, url: /deflate, compression: true, expect_body: compressed}
- {name: Clear, url: /gzip, expect_body: compressed}
";
    let run = shooter().script(script).arg("--base-url").arg(site.base_url()).report().finish().exits(0);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    assert_eq!((report.totals().ok(), report.totals().err()), (3, 0), "{}", run.stdout);
    assert!(report.row("Gzip").body_in() < report.row("Clear").body_in());
}

#[test]
fn every_redirect_is_a_request_of_its_own() {
    let site = site();
    let script = "- {name: Followed, url: /redirect/3}
- {name: Not followed, url: /redirect/3, follow_redirects: false, expect_status: 302}
- {name: Relative, url: /redirect-to?url=bytes/7}
";
    let run =
        shooter().script(script).args("--iterations 5 --base-url").arg(site.base_url()).report().finish().exits(0);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    report.assert_consistent();
    assert_eq!(["Followed", "Not followed", "Relative"].map(|name| report.row(name).ok()), [20, 5, 10]);
    assert_eq!(report.row("Followed").tasks("passed"), 5);
    assert_eq!(report.totals().err(), 0);
}

#[test]
fn a_redirect_too_many_fails_the_step_and_shows_the_chain() {
    let target = RawServer::start(|request| {
        let path = request.line.split(' ').nth(1).expect("a path");
        let path = path.split('?').next().unwrap_or_default();
        let next = match path.trim_start_matches('/').parse::<u32>() {
            Ok(number) => format!("/{}?token=5ecret", number + 1),
            Err(_) if path == "/ping" => "/pong".to_owned(),
            Err(_) => "/ping".to_owned(),
        };
        format!("HTTP/1.1 302 Found\r\nlocation: {next}\r\ncontent-length: 0\r\n\r\n").into_bytes()
    });
    for (action, url, more, hops, example) in [
        ("http", "/ping", "", 11, "redirect loop, given up after 10: /ping → /pong → /ping → /pong → … → "),
        ("page", "/ping", "", 11, "redirect loop, given up after "),
        ("http", "/ping", ", follow_redirects: 1", 2, "redirect loop, given up after 1: /ping → /pong → /ping"),
        ("http", "/ping", ", follow_redirects: 1, expect_status: 302", 2, "redirect loop, given up after 1"),
        ("http", "/7", ", follow_redirects: 2", 3, "too many redirects, given up after 2: /7 → /8 → /9 → /10"),
    ] {
        let run = shooter()
            .script(&format!("- {{name: Page, action: {action}, url: {url}{more}}}\n"))
            .arg("--base-url")
            .arg(target.base_url())
            .report()
            .finish();
        let report = run.report();
        let row = report.row("Page");
        assert_eq!(row.errors(), BTreeMap::from([("redirects", 1)]), "{url}{more}: {}", run.stdout);
        assert!(row.example("redirects").starts_with(example), "{url}{more}: {}", row.example("redirects"));
        assert_eq!((row.total(), row.tasks("failed")), (hops, 1), "{url}{more}");
        assert_eq!(target.take().len() as u64, hops, "{url}{more}");
        report.assert_consistent();
    }
}

/// A server may end a stream without an error once its reply is complete (RFC 9113 section 8.1), but not before.
#[test]
fn a_reply_over_http2_that_ends_too_early_is_truncated_however_it_ends() {
    for (end, errors, example) in [
        (Part::End, BTreeMap::new(), None),
        (Part::Reset(0), BTreeMap::from([("protocol", 1)]), Some("reply truncated")),
        (Part::Close, BTreeMap::from([("protocol", 1)]), Some("reply truncated")),
    ] {
        let target = Http2Server::start([Part::Head("text/plain"), Part::Data(b"half of it".to_vec()), end.clone()]);
        for action in ["http", "page"] {
            let run = shooter()
                .script(&format!("- {{name: Page, action: {action}, url: /, http_version: 2}}\n"))
                .arg("--base-url")
                .arg(target.base_url())
                .report()
                .finish();
            let report = run.report();
            assert_eq!(report.row("Page").errors(), errors, "{action}, {end:?}: {}", run.stdout);
            if let Some(example) = example {
                assert_eq!(report.row("Page").example("protocol"), example, "{action}, {end:?}");
            }
        }
    }
}
