//! The WebSocket actions, against tokio-tungstenite, nginx in front of it, and servers that break the rules.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_tests::{Nginx, RawServer, Refusing, WebSockets, site, switching};

use super::{metric, ran};
use crate::shooter;

const FLAGS: &str = "--users 4 --iterations 5 --workers 2";
/// Runs of each step.
const TASKS: u64 = 20;

fn counted(report: &stampede_tests::Report, name: &str) -> u64 {
    metric(report, "websocket", name, "sum") as u64
}

#[test]
fn a_connection_lives_as_long_as_its_user() {
    let server = WebSockets::start();
    let script = format!(
        "
steps:
  - {{name: Open, action: websocket.open, url: '{}/echo'}}
  - {{name: Say, action: websocket.send, send: {{json: {{user: '{{{{userId}}}}', walk: '{{{{iteration}}}}'}}}}}}
  - name: Hear
    action: websocket.expect
    expect: {{kind: text, json: $.walk, equals: '{{{{iteration}}}}'}}
    save: {{user: {{json: $.user}}, walk: {{regex: 'walk\":\"(\\d)'}}}}
  - {{name: Bytes, action: websocket.send, send: {{hex: 00ff}}}}
  - {{name: Again, action: websocket.expect, expect: {{kind: binary}}}}
  - {{name: Ping, action: websocket.send, send: {{ping: hello}}, expect: {{kind: pong, contains: hello}}}}
  - {{name: Note, action: log, level: warn, message: 'user {{{{var user}}}} in walk {{{{var walk}}}}'}}
",
        server.base_url()
    );
    let (run, report) = ran(&script, FLAGS);
    for name in ["Say", "Hear", "Bytes", "Again", "Ping"] {
        let row = report.row(name);
        assert_eq!((row.ok(), row.err()), (TASKS, 0), "{name}\n{}\n{}", run.stdout, run.stderr);
    }
    for (user, walk) in [(0, 0), (3, 4)] {
        assert_eq!(run.stderr.matches(&format!("user {user} in walk {walk}")).count(), 1, "{}", run.stderr);
    }
    let open = report.row("Open");
    assert_eq!((open.tasks("passed"), open.total()), (TASKS, 4), "a connection that is open already needs no request");
    let server = server.settled();
    assert_eq!((server.opened, server.messages_in, server.messages_out), (4, 2 * TASKS, 2 * TASKS));
    assert_eq!((counted(&report, "messages_out"), counted(&report, "messages_in")), (2 * TASKS, 2 * TASKS));
    assert_eq!(metric(&report, "websocket", "handshake", "count"), 4.0);
    assert_eq!(metric(&report, "websocket", "round_trip", "count"), TASKS as f64, "a ping and its pong in one step");
}

#[test]
fn one_step_does_it_all_and_says_goodbye() {
    let server = WebSockets::start();
    let base = server.base_url();
    let script = format!(
        "
data: {{tokens: [t-1]}}
steps:
  - name: Once
    action: websocket
    url: '{base}/authorization'
    headers: {{authorization: 'Bearer {{{{pick tokens}}}}'}}
    protocols: [chat.v2, chat.v1]
    send: hello
    expect: {{regex: ^Bearer t-1$}}
    save: {{token: {{regex: 'Bearer (.*)'}}}}
  - {{name: Feed, action: websocket, url: '{base}/feed', expect: {{json: '$.of[2]', contains: '\"number\": 2'}}}}
  - {{name: Pinged, action: websocket, url: '{base}/ping', expect: you are}}
  - {{name: Said, action: log, level: warn, message: 'got {{{{var token}}}}'}}
"
    );
    let (run, report) = ran(&script, FLAGS);
    for name in ["Once", "Feed", "Pinged"] {
        assert_eq!((report.row(name).ok(), report.row(name).err()), (TASKS, 0), "{name}\n{}", run.stdout);
    }
    assert_eq!(run.stderr.matches("got t-1").count() as u64, TASKS, "{}", run.stderr);
    let server = server.settled();
    assert_eq!(server.codes, vec![1000; 3 * TASKS as usize], "each connection ends with a close frame");
    // Each user sends hello, and receives it back while it sends goodbye.
    assert_eq!((counted(&report, "messages_out"), counted(&report, "messages_in")), (TASKS, server.messages_out));
    assert_eq!((server.opened, server.messages_in), (3 * TASKS, TASKS));
}

#[test]
fn nginx_in_between_and_tls_change_nothing() {
    let server = WebSockets::start();
    let upgrade =
        "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection Upgrade;";
    let nginx = Nginx::start_tls(&format!("location / {{ proxy_pass http://{}; {upgrade} }}", server.address()));
    let base = nginx.base_url().replace("https:", "wss:");
    let script = format!(
        "
headers: {{authorization: Bearer u}}
steps:
  - {{name: Known, action: websocket, url: '{base}/known', expect: Bearer u}}
  - {{name: Once, action: websocket, url: '{base}/echo', send: over TLS, expect: over TLS}}
"
    );
    let (run, report) = ran(&script, &format!("{FLAGS} --insecure-tls"));
    for name in ["Known", "Once"] {
        assert_eq!((report.row(name).ok(), report.row(name).err()), (TASKS, 0), "{name}\n{}", run.stdout);
    }
    assert_eq!(server.settled().messages_in, TASKS);
    let run = shooter().script(&script).args(FLAGS).report().finish().exits(5);
    assert_eq!(run.report().row("Once").errors(), [("network", TASKS)].into(), "the certificate is not trusted");
    assert_eq!(nginx.log(2 * TASKS).iter().filter(|line| line.status == 101).count() as u64, 2 * TASKS);
}

#[test]
fn the_close_code_of_either_side_reaches_the_other() {
    let server = WebSockets::start();
    let base = server.base_url();
    let script = format!(
        "
steps:
  - {{name: Open, action: websocket.open, url: '{base}/close/4001'}}
  - {{name: Ask, action: websocket.send, send: please}}
  - {{name: Told, action: websocket.expect, expect: {{kind: close, code: 4001, contains: enough}}}}
  - {{name: Reopen, action: websocket.open, url: '{base}/echo'}}
  - {{name: Close, action: websocket.close, code: 4002, reason: 'user {{{{userId}}}}', expect_code: 4002}}
"
    );
    let (run, report) = ran(&script, FLAGS);
    assert_eq!((report.totals().err(), report.row("Close").ok()), (0, TASKS), "{}", run.stdout);
    let codes = server.settled().codes;
    assert_eq!(codes.iter().filter(|code| **code == 4001).count() as u64, TASKS, "the answer repeats the code");
    assert_eq!(codes.iter().filter(|code| **code == 4002).count() as u64, TASKS);
}

#[test]
fn a_foreign_servers_every_wrong_answer_has_its_category() {
    let server = WebSockets::start();
    let base = server.base_url();
    let once = |name: &str, path: &str, more: &str| {
        format!("  - {{name: {name}, action: websocket, url: '{base}/{path}', {more}}}\n")
    };
    let script = [
        "steps:\n".to_owned(),
        once("Forbidden", "refuse", "send: a"),
        once("Other", "echo", "send: a, expect: b, timeout: 100ms"),
        once("Closed", "close/1011", "send: a, expect: a"),
        once("Code", "close/1011", "send: a, expect: {kind: close, code: 1000}"),
        once("Dropped", "drop", "send: a, expect: b"),
        once("Half", "half", "send: a, expect: b"),
        once("Large", "bytes/1001", "most: 1000, expect: {kind: binary}"),
        once("Fits", "bytes/1000", "most: 1000, expect: {kind: binary}"),
        once("Missing", "feed", "save: {a: {json: $.nothing}}"),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    for (name, category, example) in [
        ("Forbidden", "status", "expected status 101, got 403"),
        ("Other", "timeout", "not done within 100ms: waiting for the peer"),
        ("Closed", "status", "the server closed the connection with code 1011 and `enough`"),
        ("Code", "status", "expected a close frame with code 1000, got one with code 1011 and `enough`"),
        ("Dropped", "network", "the server ended the connection without a close frame"),
        ("Half", "network", "the server ended the connection without a close frame"),
        ("Large", "protocol", "a message has 1001 bytes, more than the 1000 of `most`"),
        ("Missing", "check", "save `a`: nothing at `$.nothing`"),
    ] {
        let row = report.row(name);
        assert_eq!(row.errors(), [(category, TASKS)].into(), "{name}\n{}", run.stdout);
        assert_eq!(row.example(category).split(", after").next(), Some(example), "{name}");
    }
    assert_eq!(report.row("Fits").ok(), TASKS, "{}", run.stdout);
    let codes = server.settled().codes;
    assert_eq!(
        codes.iter().filter(|code| **code == 1009).count() as u64,
        TASKS,
        "the close frame names what was too large"
    );
}

#[test]
fn a_server_that_breaks_the_protocol_is_detected() {
    let frame = |bytes: &'static [u8]| RawServer::start(move |request| [&switching(request, None), bytes].concat());
    let wrong_key = RawServer::start(|request| switching(request, Some("c29tZWJvZHkgZWxzZSdzIGtleQ==")));
    let (reserved, masked, half) = (frame(b"\xf1\x00"), frame(b"\x81\x82abcdef"), frame(b"\x81\x7ehalf"));
    let (not_utf8, lonely) = (frame(b"\x81\x01\xff"), frame(b"\x80\x00"));
    let (refusing, plain) = (Refusing::bind(), site());
    let step = |name: &str, base: &str| {
        let (url, timeout) = (base.replace("http:", "ws:"), if name == "Half" { "100ms" } else { "5m" });
        format!("  - {{name: {name}, action: websocket, url: '{url}/a', expect: a, timeout: {timeout}}}\n")
    };
    let script = [
        "steps:\n".to_owned(),
        step("Key", &wrong_key.base_url()),
        step("Reserved", &reserved.base_url()),
        step("Masked", &masked.base_url()),
        step("Half", &half.base_url()),
        step("Text", &not_utf8.base_url()),
        step("Lonely", &lonely.base_url()),
        step("Refused", &refusing.base_url()),
        step("Plain", &plain.base_url()),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    for (name, category, example) in [
        ("Key", "protocol", "the server violated the protocol: `sec-websocket-accept` does not fit the key"),
        ("Reserved", "protocol", "the server violated the protocol: reserved bits are non-zero"),
        ("Masked", "protocol", "the server violated the protocol: received a masked frame from server"),
        ("Half", "timeout", "not done within 100ms: waiting for the peer"),
        ("Text", "protocol", "a text that is not UTF-8"),
        ("Lonely", "protocol", "the server violated the protocol: continue frame but nothing to continue"),
        ("Plain", "status", "expected status 101, got 404"),
    ] {
        let row = report.row(name);
        assert_eq!(row.errors(), [(category, TASKS)].into(), "{name}\n{}", run.stdout);
        assert_eq!(row.example(category).split(", after").next(), Some(example), "{name}");
    }
    assert_eq!(report.row("Refused").errors(), [("network", TASKS)].into());
}

#[test]
fn errors_are_shown_at_their_line() {
    for (step, message) in [
        (
            "action: websocket, url: 'ws://si te/'",
            "`ws://si te/` is not a WebSocket URL: invalid international domain name",
        ),
        (
            "action: websocket.open, url: 'ws://site:99999'",
            "`ws://site:99999` is not a WebSocket URL: invalid port number",
        ),
        ("action: websocket.open, url: /chat", "`/chat` is not a WebSocket URL"),
        ("action: tcp, address: 'si te:80'", "`si te:80` is not an address"),
        ("action: tcp, address: 'site/a:80'", "`site/a:80` is not an address"),
    ] {
        let run = shooter().script(&format!("steps: [{{name: Wrong, {step}}}]\n")).finish().exits(3);
        let first = run.stderr.lines().next().unwrap_or_default();
        assert_eq!(first, format!("error[script::parameter]: {message}"));
    }
}

#[test]
fn a_token_of_the_login_goes_into_the_handshake() {
    let server = WebSockets::start();
    let login = RawServer::start(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"token\": \"t-7\"}".to_vec());
    let script = format!(
        "
login: {{url: '{}/login', capture: {{token: {{json: $.token}}}}}}
steps:
  - name: Once
    action: websocket
    url: '{}/authorization'
    headers: {{authorization: 'Bearer {{{{var token}}}}'}}
    expect: Bearer t-7
",
        login.base_url(),
        server.base_url()
    );
    let (run, report) = ran(&script, FLAGS);
    assert_eq!((report.row("Once").ok(), report.totals().err()), (TASKS, 0), "{}", run.stdout);
}

#[test]
fn a_ping_that_comes_between_two_steps_is_answered_by_the_next_one_that_waits() {
    let server = WebSockets::start();
    let script = format!(
        "
steps:
  - {{name: Open, action: websocket.open, url: '{}/ping'}}
  - {{name: Meanwhile, action: sleep, for: 20ms}}
  - {{name: Hear, action: websocket.expect, expect: you are}}
",
        server.base_url()
    );
    let (run, report) = ran(&script, "--users 4 --iterations 1");
    assert_eq!((report.row("Hear").ok(), report.row("Hear").err()), (4, 0), "{}", run.stdout);
}

/// The user signs in with a token that is not in the script, and with a cookie.
fn signs_in() -> (RawServer, String) {
    let reply =
        "HTTP/1.1 200 OK\r\nset-cookie: id=ann; Path=/\r\ncontent-length: 23\r\n\r\n{\"token\": \"s3cret-t-7\"}";
    let server = RawServer::start(|_| reply.as_bytes().to_vec());
    let login = format!(
        "login: {{url: '{}/login', capture: {{token: {{json: $.token}}}}, \
         set_headers: {{authorization: 'Bearer {{{{var token}}}}'}}}}\n",
        server.base_url()
    );
    (server, login)
}

#[test]
fn a_handshake_carries_the_credentials_of_its_user() {
    let (server, (_site, login)) = (WebSockets::start(), signs_in());
    let base = server.base_url();
    let page = RawServer::recording();
    let script = format!(
        "
{login}steps:
  - {{name: First, action: websocket, url: '{base}/known', expect: Bearer s3cret-t-7|id=ann}}
  - {{name: Again, action: websocket, url: '{base}/known', expect: Bearer s3cret-t-7|id=ann; seat=7}}
  - {{name: Own, action: websocket, url: '{base}/known', headers: {{Authorization: mine, cookie: a=1}}, expect: mine|a=1}}
  - {{name: Page, url: '{}/page'}}
",
        page.base_url()
    );
    let (run, report) = ran(&script, "--users 2 --iterations 1");
    for name in ["First", "Again", "Own"] {
        assert_eq!((report.row(name).ok(), report.row(name).err()), (2, 0), "{name}\n{}", run.stdout);
        assert_eq!(report.row(name).statuses(), [(101, 2)].into(), "{name}");
    }
    let pages = page.take();
    assert!(pages.len() == 2 && pages.iter().all(|page| page.header("cookie") == "id=ann; seat=7"), "{pages:?}");
}

#[test]
fn a_handshake_that_is_not_answered_with_101_has_its_category_and_reveals_no_secret() {
    let (switching_server, (_site, login)) = (WebSockets::start(), signs_in());
    let replies = RawServer::start(|request| {
        let switch = || switching(request, None);
        match request.line.split(' ').nth(1).unwrap_or_default() {
            "/unauthorized" => b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\n\r\n".to_vec(),
            "/missing" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone".to_vec(),
            "/page" => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec(),
            "/moved" => b"HTTP/1.1 302 Found\r\nlocation: /page\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "/bare" => b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec(),
            "/other" => String::from_utf8_lossy(&switch()).replace("upgrade: websocket", "upgrade: h2c").into_bytes(),
            "/length" => {
                String::from_utf8_lossy(&switch()).replace("upgrade:", "content-length: x\r\nupgrade:").into_bytes()
            }
            "/together" => [&switch()[..], b"\x81\x05hello\x88\x02\x03\xe8"].concat(),
            _ => Vec::new(),
        }
    });
    let base = replies.base_url().replace("http:", "ws:");
    let step =
        |name: &str, url: &str| format!("  - {{name: {name}, action: websocket, url: '{url}', expect: hello}}\n");
    let cases = [
        ("Unauthorized", "status", "expected status 101, got 401"),
        ("Missing", "status", "expected status 101, got 404"),
        ("Page", "status", "expected status 101, got 200"),
        ("Moved", "status", "expected status 101, got 302"),
        ("Bare", "protocol", "the server violated the protocol: no \"Upgrade: websocket\" header"),
        ("Other", "protocol", "the server violated the protocol: no \"Upgrade: websocket\" header"),
        ("Length", "protocol", "malformed reply: invalid content-length"),
        ("Hangup", "network", "connection closed before the reply"),
    ];
    let mut script = format!("{login}data: {{nothing: ['']}}\nsteps:\n");
    cases.iter().for_each(|(name, ..)| script += &step(name, &format!("{base}/{}", name.to_lowercase())));
    script += &step("Together", &format!("{base}/together"));
    script += &step("Elsewhere", &format!("{{{{pick nothing}}}}{}/known", switching_server.base_url()));
    let (run, report) = ran(&script, "--users 2 --iterations 3 --verbose");
    for (name, category, example) in cases.into_iter().chain([(
        "Elsewhere",
        "network",
        "a request to `127.0.0.1:PORT`, which is not granted; add `allow: [\"127.0.0.1:PORT\"]` to the plugin's entry",
    )]) {
        let row = report.row(name);
        assert_eq!(row.errors(), [(category, 6)].into(), "{name}\n{}", run.stdout);
        let port = switching_server.address().rsplit_once(':').map(|(_, port)| port.to_owned()).unwrap_or_default();
        assert_eq!(row.example(category), example.replace("PORT", &port), "{name}");
    }
    assert_eq!(report.row("Together").ok(), 6, "{}", run.stdout);
    let seen = replies.take();
    assert_eq!(seen.iter().filter(|request| request.line.contains(" /page ")).count(), 6, "no redirect is followed");
    assert!(seen.iter().all(|request| request.header("authorization") == "Bearer s3cret-t-7"), "{seen:?}");
    assert_eq!(switching_server.settled().opened, 0, "nothing is sent to a host that is not granted");
    for text in [&run.stdout, &run.stderr, &report.at("").to_string()] {
        assert!(!text.contains("s3cret"), "{text}");
    }
}

/// Whatever bytes arrive after a handshake, or instead of one, the step fails and the instance goes on.
#[test]
fn garbage_fails_its_own_step_alone() {
    // Numbers that look random and are the same each time.
    let numbers = |seed: u64| {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
    };
    let seeds = AtomicU64::new(1);
    let frames = RawServer::start(move |request| {
        let mut numbers = numbers(seeds.fetch_add(1, Ordering::Relaxed));
        let mut next = || numbers.next().unwrap_or_default();
        let mut reply = switching(request, None);
        for _ in 0..8 {
            // Any operation, mostly without reserved bits, final or not, of a length that mostly fits.
            let (first, length) = (next() & if next() < 200 { 0x8f } else { 0xff }, next() % 8);
            reply.extend([first, if next() < 240 { length } else { next() }]);
            reply.extend((0..length).map(|_| next()));
        }
        reply
    });
    let seeds = AtomicU64::new(1);
    let noise = RawServer::start(move |_| numbers(seeds.fetch_add(1, Ordering::Relaxed)).take(200).collect());
    let step = |name: &str, base: &str| {
        let (url, expect) = (base.replace("http:", "ws:"), "{kind: pong, contains: nothing of the kind}");
        format!("  - {{name: {name}, action: websocket, url: '{url}/', expect: {expect}, timeout: 50ms}}\n")
    };
    let script = ["steps:\n".to_owned(), step("Frames", &frames.base_url()), step("Noise", &noise.base_url())].concat();
    let (run, report) = ran(&script, "--users 10 --iterations 50 --workers 2");
    for name in ["Frames", "Noise"] {
        let row = report.row(name);
        assert_eq!((row.ok(), row.err()), (0, 500), "{name}\n{}", run.stdout);
        assert!(!row.errors().contains_key("plugin"), "{name}\n{}", run.stdout);
        assert!(row.errors().contains_key("protocol"), "{name}\n{}", run.stdout);
    }
    assert_eq!(report.traps("websocket"), (0, 0));
}

/// A server cannot end the instance, and with it all users' connections, by what it sends.
#[test]
fn a_document_that_is_too_deep_matches_nothing() {
    let server = WebSockets::start();
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let step = |name: &str, levels: usize, more: &str| {
        let expect = format!("expect: {{json: '$..[0]'}}, {more}");
        format!(
            "  - {{name: {name}, action: websocket, url: '{}/echo', send: '{}', {expect}}}\n",
            server.base_url(),
            deep(levels)
        )
    };
    let script = [
        "steps:\n".to_owned(),
        step("Fits", 64, ""),
        step("Deep", 65, "timeout: 100ms"),
        step("Deeper", 5000, "timeout: 100ms"),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    assert_eq!(report.row("Fits").ok(), TASKS, "{}", run.stdout);
    for name in ["Deep", "Deeper"] {
        assert_eq!(report.row(name).errors(), [("timeout", TASKS)].into(), "{name}\n{}", run.stdout);
    }
    assert_eq!(report.traps("websocket"), (0, 0));
}

#[test]
fn an_expectation_that_is_not_met_in_time_leaves_the_connection_open() {
    let server = WebSockets::start();
    let script = format!(
        "
steps:
  - {{name: Open, action: websocket.open, url: '{}/echo'}}
  - {{name: Say, action: websocket.send, send: one, expect: one}}
  - {{name: Two, action: websocket.expect, expect: two, within: 50ms}}
  - {{name: Both, action: websocket.send, send: one, expect: two, within: 50ms}}
  - {{name: More, action: websocket.send, send: two}}
  - {{name: Now, action: websocket.expect, expect: two}}
  - {{name: Gone, action: websocket.expect, expect: three, timeout: 50ms}}
  - {{name: None, action: websocket.send, send: four}}
",
        server.base_url()
    );
    let (run, report) = ran(&script, FLAGS);
    let example = "expected a message with `two` within 50ms, got none";
    assert_eq!(report.row("Two").errors(), [("timeout", TASKS)].into(), "{}", run.stdout);
    assert_eq!(
        (report.row("Two").example("timeout"), report.row("Both").errors()),
        (example, [("timeout", TASKS)].into())
    );
    assert_eq!(report.row("Now").ok(), TASKS, "{}", run.stdout);
    assert_eq!(report.row("Gone").errors(), [("timeout", TASKS)].into());
    assert_eq!(report.row("None").example("check"), "the user has no open connection");
    assert_eq!(server.settled().opened, TASKS);
}

#[test]
fn two_thousand_users_exchange_a_message_a_second_and_every_one_is_counted() {
    let server = WebSockets::start();
    // No user is answered before all are connected.
    let script = format!(
        "
timeout: 5m
steps:
  - {{name: Open, action: websocket.open, url: '{}/together/2000'}}
  - name: Ask
    action: websocket.send
    send: 'user {{{{userId}}}}, message {{{{iteration}}}}'
    expect: 'user {{{{userId}}}}, message {{{{iteration}}}}'
",
        server.base_url()
    );
    let (run, report) = ran(&script, "--users 2000 --rps 1 --iterations 3 --workers 2");
    let server = server.settled();
    assert_eq!((server.opened, server.most_open), (2000, 2000));
    assert_eq!((server.messages_in, server.messages_out), (6000, 6000));
    assert_eq!((counted(&report, "messages_out"), counted(&report, "messages_in")), (6000, 6000));
    assert_eq!(metric(&report, "websocket", "round_trip", "count"), 6000.0);
    let (open, ask) = (report.row("Open"), report.row("Ask"));
    assert_eq!((open.ok(), ask.ok(), report.totals().err()), (2000, 6000, 0), "{}", run.stdout);
}
