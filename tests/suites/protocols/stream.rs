//! The `stream` action, against the streams of the embedded site, which counts what it serves.

use stampede_site::SiteCounts;
use stampede_tests::{Report, settled, site};

use super::{metric, ran};

/// Plays a stream of a site and returns the report, and what the site counted.
fn watched(stream: &str, more: &str, flags: &str) -> (Report, SiteCounts) {
    let site = site();
    let url = format!("{}/{stream}", site.base_url());
    let script = format!("steps:\n  - {{name: Watch, action: stream, url: '{url}', {more}}}\n");
    let (_, report) = ran(&script, flags);
    (report, settled(&site.stats()))
}

#[test]
fn a_recording_in_hls_is_watched_to_its_end() {
    let stream = "vod/m,ladder=mobile,segment=1s,length=3s/master.m3u8";
    let (report, counts) = watched(stream, "quality: lowest", "--users 4 --iterations 1 --workers 2");
    let rows = ["manifest", "playlist", "init", "segment"];
    let requests = rows.map(|row| report.row(&format!("Watch/{row}")).ok());
    assert_eq!(requests, [4, 4, 4, 12]);
    assert_eq!(report.row("Watch").tasks("passed"), 4);
    report.assert_equals(&counts);
    assert_eq!(metric(&report, "stream", "sessions", "sum") as u64, 4);
    assert_eq!(metric(&report, "stream", "started", "share"), 1.0);
    assert_eq!(metric(&report, "stream", "failed", "share"), 0.0);
    // The lowest of the ladder, all the time.
    for what in ["min", "max"] {
        assert_eq!(metric(&report, "stream", "height", what).round(), 240.0);
    }
}

#[test]
fn a_live_stream_is_followed_until_the_run_cuts_it_off() {
    for stream in [
        "live/c,ladder=mobile,segment=500ms,window=6s/master.m3u8",
        "dash/live/c,ladder=mobile,segment=500ms,window=6s/manifest.mpd",
    ] {
        let (report, counts) = watched(stream, "watch: 1m, label: live", "--users 3 --duration 4s");
        assert_eq!(report.row("Watch/manifest").err() + report.row("Watch/segment").err(), 0, "{stream}");
        assert!(report.row("Watch/segment").ok() >= 9, "{stream}");
        assert_eq!(metric(&report, "stream", "live.sessions", "sum") as u64, 3, "{stream}");
        assert_eq!(metric(&report, "stream", "live.failed", "share"), 0.0, "{stream}");
        assert!(metric(&report, "stream", "live.latency", "count") > 0.0, "{stream}");
        assert_eq!(report.totals().total(), counts.requests, "{stream}");
    }
}
