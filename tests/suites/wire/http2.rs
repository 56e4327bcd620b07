//! Requests over HTTP/2 that the server does not process, by its own account, go out again on a new connection, and the
//! counts of both sides stay equal.

use std::collections::BTreeMap;

use stampede_tests::{Http2Counts, Http2Server, Part, Report};

use super::ran;

const NO_ERROR: u32 = 0;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

fn ok() -> Vec<Part> {
    vec![Part::Head("text/plain"), Part::Data(b"ok".to_vec()), Part::End]
}

/// A script of 20 requests by each of two users.
const SCRIPT: &str = "{users: 2, iterations: 20, steps: [{name: Page, url: /, http_version: '2'}]}";

fn assert_all_good(report: &Report, counts: Http2Counts, requests: u64) {
    let all = report.totals();
    assert_eq!((all.total(), all.ok(), all.errors()), (requests, requests, BTreeMap::new()));
    assert_eq!(counts.answered, requests);
}

#[test]
fn a_connection_that_ends_as_a_request_begins_costs_no_request() {
    for code in [NO_ERROR, ENHANCE_YOUR_CALM] {
        let server = Http2Server::answering(move |request| match request.number {
            3 => vec![Part::GoAwayBefore(code), Part::Close],
            _ => ok(),
        });
        let (_, report) = ran(SCRIPT, "", &server.base_url());
        assert_all_good(&report, server.counts(), 40);
        assert_eq!(server.counts().connections, 20, "two requests on each");
    }
}

#[test]
fn a_connection_that_ends_after_a_reply_costs_no_request() {
    let server = Http2Server::answering(|request| match request.number {
        3 => [&[Part::GoAwayAfter(NO_ERROR)], &ok()[..], &[Part::Close]].concat(),
        _ => ok(),
    });
    let (_, report) = ran(SCRIPT, "", &server.base_url());
    assert_all_good(&report, server.counts(), 40);
}

#[test]
fn a_refused_stream_is_opened_again_on_a_new_connection() {
    let server = Http2Server::answering(|request| match request.number {
        4 => vec![Part::Reset(REFUSED_STREAM)],
        _ => ok(),
    });
    let (_, report) = ran(SCRIPT, "", &server.base_url());
    assert_all_good(&report, server.counts(), 40);
    assert!(server.counts().connections > 2);
}

#[test]
fn content_goes_out_again_with_its_request() {
    let server = Http2Server::answering(|request| match request.number {
        2 => vec![Part::Reset(REFUSED_STREAM)],
        _ => ok(),
    });
    let script = "{iterations: 10, steps: [{name: Page, url: /, method: POST, body: hello, http_version: '2'}]}";
    let (_, report) = ran(script, "", &server.base_url());
    assert_all_good(&report, server.counts(), 10);
}

#[test]
fn a_server_that_processes_nothing_is_not_asked_for_ever() {
    for (reply, detail) in [
        (Part::Reset(REFUSED_STREAM), "stream reset by the server: http/2: refused stream before processing any"),
        (Part::GoAwayBefore(NO_ERROR), "connection closed by the server: http/2: not a result of an error"),
    ] {
        let server = Http2Server::answering(move |_| vec![reply.clone()]);
        let script = "{iterations: 3, steps: [{name: Page, url: /, http_version: '2'}]}";
        let (_, report) = ran(script, "", &server.base_url());
        let row = report.row("Page");
        assert_eq!(row.errors(), BTreeMap::from([("network", 3)]));
        assert!(row.example("network").starts_with(detail), "{}", row.example("network"));
        assert_eq!((server.counts().connections, server.counts().answered), (12, 0), "three more attempts for each");
    }
}

#[test]
fn a_request_that_may_have_been_processed_is_not_sent_again() {
    for reply in [
        vec![Part::Reset(8)],
        vec![Part::Close],
        vec![Part::GoAwayAfter(NO_ERROR), Part::Close],
        vec![Part::Head("text/plain"), Part::Reset(REFUSED_STREAM)],
    ] {
        let server = Http2Server::start(reply.clone());
        let script = "{iterations: 5, steps: [{name: Page, url: /, http_version: '2'}]}";
        let (_, report) = ran(script, "", &server.base_url());
        assert_eq!(report.row("Page").ok(), 0, "{reply:?}");
        assert!(server.counts().connections <= 5, "{reply:?}");
    }
}

#[test]
fn requests_wait_until_the_server_allows_streams_and_never_exceed_them() {
    let server = Http2Server::allowing(2, |_| ok());
    let steps = (0..6).map(|number| format!("  - {{name: Page {number}, url: /, http_version: '2'}}\n"));
    let script = format!("users: 3\niterations: 5\nsteps:\n- parallel:\n{}", steps.collect::<String>());
    let (_, report) = ran(&script, "", &server.base_url());
    assert_all_good(&report, server.counts(), 90);
    let Http2Counts { early, most_open, connections, .. } = server.counts();
    assert_eq!((early, most_open, connections), (0, 2, 3));
}

/// hyper gives up the request that is next in line for a stream, and does not tell why.
#[test]
fn requests_that_wait_for_a_stream_when_their_connection_ends_are_sent_on_another() {
    for code in [NO_ERROR, ENHANCE_YOUR_CALM] {
        let server = Http2Server::allowing(1, move |request| match request.number {
            2 => [&[Part::GoAwayAfter(code)], &ok()[..], &[Part::Close]].concat(),
            _ => ok(),
        });
        let steps = (0..6).map(|number| format!("  - {{name: Page {number}, url: /, http_version: '2'}}\n"));
        let script = format!("iterations: 3\nsteps:\n- parallel:\n{}", steps.collect::<String>());
        let (_, report) = ran(&script, "", &server.base_url());
        assert_all_good(&report, server.counts(), 18);
        assert_eq!(server.counts().connections, 9, "two requests on each");
    }
}

#[test]
fn a_request_that_waits_for_the_settings_of_a_connection_that_ends_is_sent_on_another() {
    let script = "{iterations: 5, steps: [{name: Page, url: /, method: POST, body: hello, http_version: '2'}]}";
    let server = Http2Server::turning_away(3, [Part::GoAwayBefore(NO_ERROR), Part::Close], |_| ok());
    let (_, report) = ran(script, "", &server.base_url());
    assert_all_good(&report, server.counts(), 5);
    assert_eq!(server.counts().connections, 4);
}

#[test]
fn a_server_that_ends_each_connection_at_once_is_not_asked_for_ever() {
    for (parts, connections) in [
        (vec![Part::GoAwayBefore(NO_ERROR), Part::Close], 12),
        // A connection that closes without a word was never a good one.
        (vec![Part::Close], 3),
    ] {
        let server = Http2Server::turning_away(usize::MAX, parts.clone(), |_| ok());
        let script = "{iterations: 3, steps: [{name: Page, url: /, http_version: '2'}]}";
        let (_, report) = ran(script, "", &server.base_url());
        assert_eq!(report.row("Page").errors(), BTreeMap::from([("network", 3)]), "{parts:?}");
        assert_eq!((server.counts().connections, server.counts().answered), (connections, 0), "{parts:?}");
    }
}
