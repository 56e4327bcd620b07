//! The step as a whole, against a scripted host.

use std::time::Duration;

use stampede_plugin::testing::{Host, Reply, Run, json, written_schema};
use stampede_plugin::{Failure, FailureKind};

use crate::Sse;

const URL: &str = "http://site/events";

fn stream(body: &str) -> Reply {
    Reply::new(200).header("content-type", "text/event-stream; charset=utf-8").body(body)
}

fn run(params: impl ToString, reply: Reply) -> Run {
    Host::new().reply(reply).run::<Sse>(params).expect("the parameters are right")
}

#[test]
fn a_step_reads_until_one_of_its_conditions_is_met() {
    let three = || stream("data: a\n\ndata: b\n\ndata: c\n\n").after(Duration::from_millis(5));
    let ended = |text: &str| Some(Failure::new(FailureKind::Network, text));
    for (params, failure) in [
        (json!({"url": URL}), None),
        (json!({"url": URL, "events": 2}), None),
        (json!({"url": URL, "events": 3, "for": "1s"}), None),
        (json!({"url": URL, "events": 4}), ended("expected 4 events, got 3 before the stream ended")),
        (json!({"url": URL, "for": "1s"}), ended("expected events for 1s, got 3 before the stream ended")),
        (json!({"url": URL, "expect": "b"}), None),
        (json!({"url": URL, "expect": {"regex": "^c$"}}), None),
        (
            json!({"url": URL, "events": 2, "expect": "c"}),
            Some(Failure::check("expected an event to contain `c`, got 2 others")),
        ),
        (json!({"url": URL, "expect": "d"}), Some(Failure::check("expected an event to contain `d`, got 3 others"))),
    ] {
        assert_eq!(run(&params, three()).failure, failure, "{params}");
    }
}

#[test]
fn a_reply_that_is_not_an_event_stream_fails() {
    let of_type = |content_type: &str| Reply::new(200).header("content-type", content_type);
    let protocol = |got: &str| Failure::protocol(format!("expected the content type `text/event-stream`, got {got}"));
    for (reply, failure) in [
        (Reply::new(204), Failure::status("expected status 200, got 204")),
        (of_type("text/html; charset=utf-8"), protocol("`text/html`")),
        (Reply::new(200), protocol("none")),
    ] {
        assert_eq!(run(json!({"url": URL}), reply).failure, Some(failure));
    }
    assert_eq!(run(json!({"url": URL}), of_type("Text/Event-Stream")).failure, None);
    let refused = run(json!({"url": URL}), Reply::failed(FailureKind::Network));
    assert_eq!(refused.failure.map(|failure| failure.kind()), Some(FailureKind::Network));
}

#[test]
fn an_event_that_never_ends_is_not_kept() {
    let endless = format!("data: {}", "a".repeat(crate::event_stream::MOST));
    let failure = run(json!({"url": URL}), stream(&endless)).failure;
    assert_eq!(failure, Some(Failure::protocol("an event has more than 1048576 bytes")));
}

#[test]
fn the_request_accepts_event_streams_by_default() {
    for (params, accept) in
        [(json!({"url": URL}), "text/event-stream"), (json!({"url": URL, "headers": {"Accept": "*/*"}}), "*/*")]
    {
        let run = run(params, stream(""));
        let fields = run.requests[0].headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("accept"));
        assert_eq!(fields.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), [accept]);
    }
}

#[test]
fn the_written_schema_is_that_of_the_parameters() {
    written_schema::<Sse>("schema/sse.json");
}
