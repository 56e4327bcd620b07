//! The step as a whole, against a scripted host.

use std::time::Duration;

use stampede_plugin::testing::{GivenUp, Host, Reply, Run, json, written_schema};
use stampede_plugin::{ConfigError, FailureKind};

use crate::Stream;

const URL: &str = "http://site/vod/master.m3u8";
const MASTER: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360\nlow/media.m3u8\n";
const MEDIA: &str =
    "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.ts\n#EXTINF:4,\n1.ts\n#EXTINF:4,\n2.ts\n#EXT-X-ENDLIST\n";

fn text(body: &str) -> Reply {
    Reply::new(200).body(body).after(Duration::from_millis(100))
}

fn segment(time: Duration) -> Reply {
    Reply::new(200).body(vec![0; 400_000]).head_after(time / 10).after(time)
}

fn second(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn recording(times: [Duration; 3]) -> Host {
    times.into_iter().map(segment).fold(Host::new().reply(text(MASTER)).reply(text(MEDIA)), Host::reply)
}

fn watch(host: Host, params: impl ToString) -> Run {
    host.run::<Stream>(params).expect("the parameters are right")
}

fn urls(run: &Run) -> Vec<&str> {
    run.requests.iter().map(|request| request.url.as_str()).collect()
}

#[test]
fn a_recording_is_watched_to_its_end() {
    let run = watch(recording([second(1); 3]), json!({"url": URL}));
    assert_eq!(run.failure, None);
    let files = ["/vod/master.m3u8", "/vod/low/media.m3u8", "/vod/low/0.ts", "/vod/low/1.ts", "/vod/low/2.ts"];
    assert_eq!(urls(&run), files.map(|file| format!("http://site{file}")));
    let kept: Vec<_> = run.requests.iter().map(|request| request.options.keep_body).collect();
    assert_eq!(kept, [true, true, false, false, false]);
    assert_eq!((run.metric("sessions"), run.metric("started")), (vec![1.0], vec![1.0]));
    assert_eq!((run.metric("stalled"), run.metric("stall_ratio")), (vec![0.0], vec![0.0]));
    assert_eq!((run.metric("bitrate"), run.metric("height")), (vec![800.0], vec![360.0]));
    let startup = Duration::from_nanos(run.metric("startup")[0] as u64);
    assert!(startup >= Duration::from_millis(1200) && startup < Duration::from_millis(1500), "{startup:?}");
    // All twelve seconds are played, no matter how early they came. The first frame is shown a moment after that has
    // begun.
    let played = run.elapsed - startup;
    assert!(played.abs_diff(second(12)) <= Duration::from_millis(100), "{played:?}");
}

#[test]
fn a_buffer_that_runs_empty_is_a_stall() {
    let run = watch(recording([second(1), second(7), second(1)]), json!({"url": URL, "label": "live"}));
    assert_eq!((run.failure.clone(), run.metric("live.stalled")), (None, vec![1.0]));
    // The second segment takes 7 s while 4 s are played.
    let stall = Duration::from_nanos(run.metric("live.stall_time")[0] as u64);
    assert!(stall >= Duration::from_millis(2700) && stall < Duration::from_millis(3100), "{stall:?}");
    assert_eq!((run.metric("live.late"), run.metric("startup")), (vec![1.0], vec![]));
}

#[test]
fn a_session_that_the_run_cuts_off_counts_and_leaves_what_is_under_way() {
    let run = watch(recording([second(1), second(1), second(60)]).ends_after(second(5)), json!({"url": URL}));
    assert_eq!((run.failure.clone(), run.elapsed), (None, second(5)));
    assert_eq!(
        (run.metric("sessions"), run.metric("started"), run.metric("failed")),
        (vec![1.0], vec![1.0], vec![0.0])
    );
    let rows: Vec<_> = run.transfers.iter().map(|transfer| transfer.row.as_str()).collect();
    assert_eq!(rows, ["manifest", "playlist", "segment", "segment", "left"]);
    assert!(!run.given_up.contains(&GivenUp::Exchange), "{:?}", run.given_up);
}

#[test]
fn a_viewer_who_waits_too_long_leaves() {
    let slow = Host::new().reply(text(MASTER)).reply(text(MEDIA)).reply(segment(second(60)));
    let run = watch(slow, json!({"url": URL, "patience": "10s"}));
    assert_eq!((run.failure.clone(), run.elapsed), (None, second(10)));
    assert_eq!((run.metric("left_early"), run.metric("started")), (vec![1.0], vec![0.0]));
    assert_eq!(run.metric("startup"), [10e9]);
}

#[test]
fn a_document_that_is_no_manifest_fails_the_step() {
    let page = Host::new().reply(text("<!doctype html><title>Sorry</title>"));
    let failure = watch(page, json!({"url": URL})).failure.expect("there is nothing to play");
    assert_eq!(failure.kind(), FailureKind::Protocol);
    let missing = Host::new().reply(Reply::new(404));
    let run = watch(missing, json!({"url": URL}));
    assert_eq!(run.failure.clone().expect("there is no manifest").kind(), FailureKind::Status);
    assert_eq!((run.metric("failed_start"), run.metric("sessions")), (vec![1.0], vec![1.0]));
}

#[test]
fn references_are_resolved_against_the_url_that_answered() {
    let moved = text(MASTER).url("https://cdn.site/x/master.m3u8?token=secret");
    let media = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na_14:49.ts\n#EXT-X-ENDLIST\n";
    let host = [moved, text(media), segment(second(1))].into_iter().fold(Host::new(), Host::reply);
    let run = watch(host, json!({"url": URL, "hosts": ["cdn.site"]}));
    assert_eq!(urls(&run)[1..], ["https://cdn.site/x/low/media.m3u8", "https://cdn.site/x/low/a_14:49.ts"]);
}

#[test]
fn mistakes_are_found_where_they_are() {
    let error = |params: serde_json::Value| -> ConfigError {
        Host::new().run::<Stream>(params).map(drop).expect_err("the parameters are wrong")
    };
    let cases = [
        (json!({"url": URL, "player": "vlc"}), "/player", "`vlc` is not a player"),
        (json!({"url": URL, "player": {"start": "90s"}}), "/player", "must not be more than `buffer`"),
        (json!({"url": URL, "watch": "10s", "patience": "10s"}), "/patience", "must be shorter than `watch`"),
        (json!({"url": URL, "watch": {"uniform": ["5m", "1m"]}}), "/watch", "`uniform` is not a range"),
        (json!({"url": URL, "zap": {"every": "0s"}}), "/zap/every", "must be longer than 0s"),
        (json!({"url": URL, "hosts": ["cdn", "http://x"]}), "/hosts/1", "`http://x` is not a host"),
        (json!({"url": URL, "label": "a b/c"}), "/label", "`a b/c` is not a label"),
    ];
    for (params, pointer, message) in cases {
        let error = error(params.clone());
        assert!(error.message.contains(message) && error.pointer == pointer, "{params}: {error:?}");
    }
}

#[test]
fn the_schema_is_that_of_the_parameters() {
    written_schema::<Stream>("schema/stream.json");
}
