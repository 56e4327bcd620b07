//! The `page` action, against servers that count requests.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use stampede_tests::{Finished, RawRequest, RawServer, Report};

use super::metric;
use crate::shooter;

fn reply(status: u16, fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n{fields}\r\n{body}").into_bytes()
}

/// Serves a page, and the reply of `other` on any other path.
fn site(content: &'static str, other: impl Fn(&RawRequest) -> Vec<u8> + Send + Sync + 'static) -> RawServer {
    RawServer::start(move |request| match path(request) {
        "/page" => reply(200, "content-type: text/html\r\n", content),
        "/moved" => reply(302, "location: /page\r\n", ""),
        _ => other(request),
    })
}

fn path(request: &RawRequest) -> &str {
    request.line.split(' ').nth(1).unwrap_or_default()
}

/// Counts requests by path.
fn asked(server: &RawServer) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for request in server.take() {
        *asked.entry(path(&request).to_owned()).or_default() += 1;
    }
    asked
}

fn times(paths: &[(&str, usize)]) -> BTreeMap<String, usize> {
    paths.iter().map(|(path, times)| ((*path).to_owned(), *times)).collect()
}

#[track_caller]
fn ran(script: &str, flags: &str, server: &RawServer) -> (Finished, Report) {
    let run = shooter().script(script).args(flags).arg("--base-url").arg(server.base_url()).report();
    let run = run.args("--fail-on never").finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    (run, report)
}

#[test]
fn a_page_is_loaded_with_its_own_resources_and_those_of_named_hosts() {
    let cdn = RawServer::start(|_| reply(200, "", "cdn"));
    let address = cdn.base_url().replace("http://", "");
    let content = format!(
        "<link rel=stylesheet href=/a.css><script src=/b.js></script><img src=c.png><img src=c.png>\
         <img src=http://{address}/d.png><img src=http://127.0.0.1:9/no><img src=http://bücher.example/no><a href=/no></a>"
    );
    let server = site(content.leak(), |_| reply(200, "", "0123456789"));
    let script = format!("[{{name: Page, action: page, url: /moved, hosts: ['{address}']}}]");
    let (run, report) = ran(&script, "--users 4 --iterations 5 --workers 2", &server);
    let all = ["/moved", "/page", "/a.css", "/b.js", "/c.png"].map(|path| (path, 20));
    assert_eq!((asked(&server), asked(&cdn)), (times(&all), times(&[("/d.png", 20)])), "{}", run.stdout);
    let row = report.row("Page");
    assert_eq!((row.ok(), row.err(), row.tasks("passed")), (6 * 20, 0, 20), "{}", run.stdout);
    let number = |name, what| metric(&report, "page", name, what) as u64;
    assert_eq!((number("resources", "sum"), number("skipped", "sum"), number("load_time", "count")), (80, 40, 20));
}

/// The user's turns are half a second apart: one for the redirect, one for the page, one for each image.
#[test]
fn the_load_time_leaves_out_the_waits_for_turns() {
    let server = site("<img src=1><img src=2><img src=3>", |_| reply(200, "", "0123456789"));
    let script = "{rps: 2, steps: [{name: Page, action: page, url: /moved}]}";
    let (run, report) = ran(script, "--users 1 --iterations 1", &server);
    assert_eq!((report.row("Page").ok(), report.row("Page").tasks("passed")), (5, 1), "{}", run.stdout);
    assert!(metric(&report, "page", "load_time", "max") < 1000e6, "four waits of half a second: {}", run.stdout);
}

#[test]
fn resources_are_fetched_in_parallel_up_to_the_limit() {
    let (here, all) = (Mutex::new((0_usize, 0)), Condvar::new());
    let content = "<img src=1><img src=2><img src=3><img src=4><img src=5><img src=6>";
    // Each request is answered only when three are in flight, or after a time that no test should take.
    let server = site(content, move |_| {
        let mut state = here.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        if state.0 % 3 == 0 {
            state.1 = state.0;
            all.notify_all();
        }
        let mine = state.0.div_ceil(3) * 3;
        let waited = all.wait_timeout_while(state, Duration::from_secs(60), |state| state.1 < mine);
        reply(if waited.is_ok_and(|(_, over)| !over.timed_out()) { 200 } else { 500 }, "", "")
    });
    let (run, report) = ran("[{name: Page, action: page, url: /page, at_once: 3}]", "--iterations 3", &server);
    let row = report.row("Page");
    assert_eq!((row.ok(), row.err(), row.tasks("passed")), (21, 0, 3), "{}", run.stdout);
}

#[test]
fn a_resource_that_fails_is_one_error_and_fails_the_step_unless_it_may() {
    let content = "<img src=/gone><img src=/good><img src=/cut><img src=/fine>";
    let server = site(content, |request| match path(request) {
        "/gone" => reply(404, "", ""),
        "/cut" => Vec::new(),
        _ => reply(200, "", ""),
    });
    let script = "
- {name: Strict, action: page, url: /page}
- {name: Lax, action: page, url: /page, ignore_failures: true}
";
    let (run, report) = ran(script, "--users 2 --iterations 5", &server);
    for (name, end) in [("Strict", "failed"), ("Lax", "passed")] {
        let row = report.row(name);
        assert_eq!(row.errors(), [("network", 10), ("status", 10)].into(), "{name}\n{}", run.stdout);
        assert_eq!((row.ok(), row.tasks(end)), (30, 10), "{name}");
        assert_eq!(row.example("status"), "expected status 200 to 399 of the resource `/gone`, got 404");
    }
    let paths = ["/page", "/gone", "/good", "/cut", "/fine"].map(|path| (path, 20));
    assert_eq!(asked(&server), times(&paths));
}

#[test]
fn a_user_fetches_a_cacheable_resource_once() {
    let server = site("<img src=/kept><img src=/stored><img src=/asked>", |request| match path(request) {
        "/kept" => reply(200, "cache-control: public, max-age=3600\r\n", ""),
        "/stored" => reply(200, "cache-control: no-store, max-age=3600\r\n", ""),
        _ => reply(200, "", ""),
    });
    let script = "[{name: Page, action: page, url: /page, cache: true}]";
    let (run, report) = ran(script, "--users 3 --iterations 4 --workers 1", &server);
    let all = [("/page", 12), ("/kept", 3), ("/stored", 12), ("/asked", 12)];
    assert_eq!(asked(&server), times(&all), "{}", run.stdout);
    assert_eq!((report.row("Page").ok(), metric(&report, "page", "cached", "sum") as u64), (39, 9));
}

#[test]
fn what_a_browser_fetches_on_its_own_is_fetched() {
    let content = "
        <body background=/body.png><svg><style/><script/><title/></svg>
        <svg><image href=/in-svg.png /><foreignObject><img src=/in-foreign.png></foreignObject></svg>
        <input type=image src=/input.png><object data=/object.svg></object><embed src=/embed.svg>
        <table background=/table.png><tr><td background=/cell.png></table>
        <link rel=stylesheet href=/no.css disabled><link rel=stylesheet href=/print.css media=print>
        <iframe src=/no.html srcdoc='<p>'></iframe><noscript><img src=/no.png></noscript><img src=/last.png>";
    let server = site(content, |_| reply(200, "", ""));
    let (run, report) = ran("[{name: Page, action: page, url: /page}]", "--iterations 2", &server);
    let fetched = [
        "/page",
        "/body.png",
        "/in-svg.png",
        "/in-foreign.png",
        "/input.png",
        "/object.svg",
        "/embed.svg",
        "/table.png",
        "/cell.png",
        "/print.css",
        "/last.png",
    ];
    assert_eq!(asked(&server), times(&fetched.map(|path| (path, 2))), "{}", run.stdout);
    assert_eq!(report.row("Page").tasks("passed"), 2);
}

#[test]
fn frames_are_fetched() {
    let content = "<frameset><frame src=/a.html><frame src=/b.html></frameset><noframes><img src=/no.png></noframes>";
    let server = site(content, |_| reply(200, "", ""));
    ran("[{name: Page, action: page, url: /page}]", "--iterations 1", &server);
    assert_eq!(asked(&server), times(&[("/page", 1), ("/a.html", 1), ("/b.html", 1)]));
}

/// The kinds of content that cost the most, in pages of nearly 4 MiB.
const PIECES: [(&str, &str, &str); 14] = [
    ("images", "", "<img src='/NUMBER.png'>"),
    ("one image", "", "<img src='/same.png'>"),
    ("cards", "", "<div class=card><h2>Title</h2><p>Some text here</p><img src='/NUMBER.png'></div>\n"),
    ("text", "", "lorem ipsum "),
    ("comment", "<!--", "-"),
    ("open tags", "", "<"),
    ("attributes", "<p ", "a=1 "),
    ("references", "", "&amp;"),
    ("script", "<script>", "var a = 1 < 2;\n"),
    ("long reference", "<img src='/", "a"),
    ("candidates", "<img srcset='", "/a.png 1x, "),
    ("zeros", "", "\0"),
    ("foreign elements", "<svg>", "<g>"),
    ("foreign and back", "", "<svg><p>"),
];

fn large(begin: &str, piece: &str) -> String {
    let mut content = begin.to_owned();
    for number in 0.. {
        if content.len() > 4_000_000 {
            break;
        }
        content.push_str(&piece.replace("NUMBER", &number.to_string()));
    }
    content
}

#[test]
fn large_pages_of_any_kind_are_scanned_within_the_limits() {
    let pages: BTreeMap<_, _> = PIECES
        .iter()
        .map(|(name, begin, piece)| (format!("/{}", name.replace(' ', "-")), large(begin, piece)))
        .collect();
    let paths: Vec<_> = pages.keys().cloned().collect();
    let server = RawServer::start(move |request| match pages.get(path(request)) {
        Some(page) => reply(200, "content-type: text/html\r\n", page),
        None => reply(200, "", ""),
    });
    let steps =
        paths.iter().map(|path| format!("- {{name: {path}, action: page, url: {path}, most: 3, timeout: 1m}}\n"));
    let (run, report) = ran(&steps.collect::<String>(), "--iterations 1 --users 2", &server);
    for path in &paths {
        assert_eq!(report.row(path).tasks("passed"), 2, "{path}\n{}\n{}", run.stdout, run.stderr);
    }
    assert_eq!(report.traps("page"), (0, 0));
    let skipped = metric(&report, "page", "skipped", "sum");
    assert!(skipped > 2.0 * 100_000.0, "{skipped}");
}
