//! The step as a whole, against a scripted host.

use std::time::Duration;

use stampede_plugin::testing::{Host, Reply, Run, json, written_schema};
use stampede_plugin::{Failure, FailureKind};

use crate::Page;

const URL: &str = "http://site/dir/page";

fn html(content: &str) -> Reply {
    Reply::new(200).header("content-type", "text/html; charset=utf-8").body(content)
}

fn run(params: impl ToString, replies: impl IntoIterator<Item = Reply>) -> Run {
    let host = replies.into_iter().fold(Host::new(), Host::reply);
    host.run::<Page>(params).expect("the parameters are right")
}

fn urls(run: &Run) -> Vec<&str> {
    run.requests.iter().map(|request| request.url.as_str()).collect()
}

fn ok(bytes: usize) -> Reply {
    Reply::new(200).body("x".repeat(bytes)).after(Duration::from_millis(5))
}

#[test]
fn a_page_is_loaded_with_the_resources_of_its_origin() {
    let page = "<link rel=icon href=/i><img src=a><img src=a#b><img src=http://cdn/c><img src=http://other/o>";
    let params = json!({"url": "/x", "hosts": ["cdn"], "headers": {"x-id": 7}});
    let run = run(params, [html(page).url(URL), ok(10), ok(20), ok(30)]);
    assert_eq!(run.failure, None);
    assert_eq!(urls(&run), ["/x", "http://site/i", "http://site/dir/a", "http://cdn/c"]);
    let with_fields = run.requests.iter().map(|request| request.headers.len()).collect::<Vec<_>>();
    assert_eq!(with_fields, [1, 1, 1, 0]);
    assert_eq!((run.metric("resources").len(), run.metric("skipped").len()), (3, 1));
    assert_eq!(run.metric("bytes"), [(page.len() + 60) as f64]);
    // All three at once.
    assert_eq!(run.metric("load_time"), [5e6]);
}

#[test]
fn requests_are_bounded_at_once_and_in_all() {
    let page = "<img src=1><img src=2><img src=3><img src=4><img src=5>";
    let run = run(json!({"url": URL, "at_once": 2, "most": 4}), [html(page), ok(0), ok(0), ok(0), ok(0)]);
    assert_eq!((run.metric("load_time"), run.metric("skipped").len()), (vec![1e7], 1));
}

#[test]
fn a_resource_that_fails_fails_the_step_after_the_others() {
    let page = || html("<img src=a?secret><img src=b>");
    let status = |status| [page(), Reply::new(status), ok(0)];
    let said = "expected status 200 to 399 of the resource `/dir/a`, got 404";
    let failed = run(json!({"url": URL}), status(404));
    assert_eq!((failed.failure, failed.requests.len()), (Some(Failure::status(said)), 3));
    assert_eq!(run(json!({"url": URL, "ignore_failures": true}), status(404)).failure, None);
    assert_eq!(run(json!({"url": URL}), status(304)).failure, None);
    let network = || [page(), Reply::failed(FailureKind::Network), ok(0)];
    let failed = run(json!({"url": URL}), network());
    assert_eq!(failed.failure.map(|failure| failure.kind()), Some(FailureKind::Network));
    assert_eq!(run(json!({"url": URL, "ignore_failures": true}), network()).failure, None);
}

#[test]
fn the_page_itself_is_checked_first() {
    for (params, reply, failure) in [
        (json!({"url": URL}), Reply::new(404), Failure::status("expected status 200 to 399, got 404")),
        (json!({"url": URL, "expect_body": "b"}), html("a"), Failure::check("expected the body to contain `b`")),
        (
            json!({"url": URL}),
            html(&"a".repeat((4 << 20) + 1)),
            Failure::protocol("the page has more than 4194304 bytes"),
        ),
    ] {
        assert_eq!(run(&params, [reply]).failure, Some(failure), "{params}");
    }
    let other = Reply::new(200).header("content-type", "application/json").body("<img src=a>");
    assert_eq!(run(json!({"url": URL}), [other]).requests.len(), 1);
}

#[test]
fn a_cached_resource_is_not_fetched_again() {
    let page = || html("<img src=a><img src=b>");
    let kept = || Reply::new(200).header("cache-control", "public, max-age=60");
    let host = [page(), kept(), ok(0), page(), ok(0), page(), kept(), ok(0)].into_iter().fold(Host::new(), Host::reply);
    let mut session = host.session();
    let step = session.configure::<Page>(json!({"url": URL, "cache": true})).expect("the parameters are right");
    assert_eq!(session.run(step, 0).requests.len(), 3);
    let again = session.run(step, 0);
    assert_eq!(urls(&again), [URL, "http://site/dir/b"]);
    assert_eq!(again.metric("cached").len(), 1);
    // Another user has nothing.
    assert_eq!(session.run(step, 1).requests.len(), 3);
}

#[test]
fn invalid_parameters_are_rejected_at_their_place() {
    for (params, pointer, message) in [
        (json!({"url": URL, "most": 1001}), "/most", "`most` must be from 0 to 1000"),
        (json!({"url": URL, "at_once": 0}), "/at_once", "`at_once` must be from 1 to 64"),
        (json!({"url": URL, "hosts": ["cdn", "http://x"]}), "/hosts/1", "`http://x` is not a host"),
        (json!({"url": URL, "hosts": ["*.cdn"]}), "/hosts/0", "`*.cdn` is not a host"),
    ] {
        let error = Host::new().run::<Page>(&params).expect_err("they are wrong");
        assert_eq!((error.pointer.as_str(), error.message.as_str()), (pointer, message));
    }
}

#[test]
fn the_written_schema_is_that_of_the_parameters() {
    written_schema::<Page>("schema/page.json");
}
