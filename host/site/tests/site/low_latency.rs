//! Low-latency HLS: parts, replies that wait, and updates.

use std::time::Duration;

use stampede_site::Route;

use crate::client::{Client, Reply, settled, site_at, uris};

const BASE: &str = "/ll/match,ladder=mobile,segment=2s,part=500ms/400k";

/// Returns the lines of a playlist that begin with a tag.
fn tags<'a>(playlist: &'a Reply, tag: &str) -> Vec<&'a str> {
    playlist.text().lines().filter_map(|line| line.strip_prefix(tag)).collect()
}

#[tokio::test]
async fn a_playlist_lists_the_parts_near_the_edge() {
    let (site, _) = site_at(101);
    let mut client = Client::connect(site.addr()).await;
    let playlist = client.get(&format!("{BASE}/media.m3u8")).await;
    let control = "CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.500,CAN-SKIP-UNTIL=12.000";
    assert_eq!(tags(&playlist, "#EXT-X-SERVER-CONTROL:"), [control]);
    assert_eq!(tags(&playlist, "#EXT-X-PART-INF:"), ["PART-TARGET=0.500"]);
    assert_eq!(tags(&playlist, "#EXT-X-MEDIA-SEQUENCE:"), ["40"]);
    assert_eq!(tags(&playlist, "#EXTINF:").len(), 10);
    let parts = tags(&playlist, "#EXT-X-PART:");
    // Those of the three complete segments that end within the last six seconds, and two of the one in progress.
    assert_eq!(parts.len(), 3 * 4 + 2);
    assert_eq!(parts[0], "DURATION=0.500,URI=\"47.0.m4s\",INDEPENDENT=YES");
    assert_eq!(parts[13], "DURATION=0.500,URI=\"50.1.m4s\"");
    assert_eq!(tags(&playlist, "#EXT-X-PRELOAD-HINT:"), ["TYPE=PART,URI=\"50.2.m4s\""]);
    let reports = ["200k", "800k"].map(|name| format!("URI=\"../{name}/media.m3u8\",LAST-MSN=50,LAST-PART=1"));
    assert_eq!(tags(&playlist, "#EXT-X-RENDITION-REPORT:"), reports);
}

#[tokio::test]
async fn an_update_leaves_out_what_is_older_than_six_target_durations() {
    let (site, _) = site_at(101);
    let mut client = Client::connect(site.addr()).await;
    let whole = client.get(&format!("{BASE}/media.m3u8")).await;
    let update = client.get(&format!("{BASE}/media.m3u8?_HLS_skip=YES")).await;
    assert_eq!(tags(&update, "#EXT-X-SKIP:"), ["SKIPPED-SEGMENTS=4"]);
    assert_eq!(tags(&update, "#EXT-X-MEDIA-SEQUENCE:"), ["40"]);
    assert_eq!(uris(whole.text())[4..], uris(update.text()));
    assert_eq!(tags(&whole, "#EXT-X-PART:"), tags(&update, "#EXT-X-PART:"));
    // A short playlist has nothing to leave out.
    let short = client.get("/ll/a,segment=2s,window=6s/800k/media.m3u8?_HLS_skip=YES").await;
    assert!(tags(&short, "#EXT-X-SKIP:").is_empty() && tags(&short, "#EXT-X-MAP:").len() == 1);
}

#[tokio::test]
async fn a_discontinuity_stands_before_the_parts_of_its_segment() {
    let (site, time) = site_at(100);
    let mut client = Client::connect(site.addr()).await;
    let path = "/ll/match,segment=2s,discontinuity=10/800k/media.m3u8";
    // Segment 50 begins with a discontinuity, but has no part yet.
    let before = client.get(path).await;
    assert_eq!(
        (tags(&before, "#EXT-X-DISCONTINUITY-SEQUENCE:"), tags(&before, "#EXT-X-PROGRAM")),
        (vec!["3"], vec!["-DATE-TIME:1970-01-01T00:01:20.000Z"])
    );
    assert_eq!(before.text().matches("#EXT-X-DISCONTINUITY\n").count(), 1);
    time.advance(Duration::from_millis(500));
    let after = client.get(path).await;
    let line = "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:01:40.000Z\n#EXT-X-PART:";
    assert!(after.text().contains(line), "{}", after.text());
    // A discontinuity that an update leaves out is still counted.
    let update = client.get(&format!("{path}?_HLS_skip=YES")).await;
    assert_eq!(
        (tags(&update, "#EXT-X-DISCONTINUITY-SEQUENCE:"), update.text().matches("#EXT-X-DISCONTINUITY\n").count()),
        (vec!["3"], 1)
    );
}

#[tokio::test]
async fn a_playlist_waits_for_what_the_directives_ask_for() {
    // At 101 s segment 50 is in progress and has two parts.
    for (query, milliseconds, last) in [
        ("_HLS_msn=50&_HLS_part=2", 500, "50.2.m4s"),
        ("_HLS_msn=50&_HLS_part=3", 1_000, "50.3.m4s"),
        ("_HLS_msn=50&_HLS_part=4", 1_500, "51.0.m4s"),
        ("_HLS_msn=51&_HLS_part=0", 1_500, "51.0.m4s"),
        ("_HLS_msn=50", 1_000, "50.3.m4s"),
        ("_HLS_msn=51", 3_000, "51.3.m4s"),
        ("_HLS_msn=50&_HLS_part=1", 0, "50.1.m4s"),
        ("_HLS_msn=49", 0, "50.1.m4s"),
        ("_HLS_msn=0", 0, "50.1.m4s"),
    ] {
        let (site, time) = site_at(101);
        let mut client = Client::connect(site.addr()).await;
        let path = format!("{BASE}/media.m3u8?{query}");
        let waiting = tokio::spawn(async move { client.get(&path).await });
        while milliseconds > 0 && site.stats().snapshot().in_flight == 0 {
            tokio::task::yield_now().await;
        }
        // A reply that comes early lacks the part that is asked for.
        time.advance(Duration::from_millis(milliseconds));
        let playlist = waiting.await.unwrap();
        let parts = tags(&playlist, "#EXT-X-PART:");
        assert!(parts.last().unwrap().contains(last), "{query}: {parts:?}");
        assert_eq!(settled(&site).await.routes[Route::LowLatencyMedia.pattern()].requests, 1);
    }
}

#[tokio::test]
async fn a_part_in_progress_waits_and_later_ones_are_404() {
    let (site, time) = site_at(101);
    let mut client = Client::connect(site.addr()).await;
    let complete = client.get(&format!("{BASE}/50.1.m4s")).await;
    assert_eq!((complete.status.as_u16(), complete.body.len()), (200, 400 * 125 / 2));
    for file in ["50.3.m4s", "50.4.m4s", "51.0.m4s", "50.x.m4s", "20.0.m4s", "50.m4s", "18446744073709551615.0.m4s"] {
        assert_eq!(client.get(&format!("{BASE}/{file}")).await.status, 404, "{file}");
    }
    let path = format!("{BASE}/50.2.m4s");
    let waiting = tokio::spawn(async move { client.get(&path).await });
    while site.stats().snapshot().in_flight == 0 && !waiting.is_finished() {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    time.advance(Duration::from_millis(500));
    assert_eq!(waiting.await.unwrap().body.len(), 400 * 125 / 2);
}

#[tokio::test]
async fn the_parts_of_a_segment_are_the_segment() {
    let (site, _) = site_at(100);
    let mut client = Client::connect(site.addr()).await;
    let mut joined = Vec::new();
    for index in 0..4 {
        joined.extend(client.get(&format!("{BASE}/49.{index}.m4s")).await.body);
    }
    assert!(joined == client.get(&format!("{BASE}/49.m4s")).await.body);
}

#[tokio::test]
async fn directives_that_are_wrong_or_too_far_ahead_are_400() {
    let (site, _) = site_at(101);
    let mut client = Client::connect(site.addr()).await;
    for query in [
        "_HLS_msn=52",
        "_HLS_msn=18446744073709551615",
        "_HLS_msn=50&_HLS_part=8",
        "_HLS_part=1",
        "_HLS_msn=x",
        "_HLS_msn=50&_HLS_part=-1",
    ] {
        assert_eq!(client.get(&format!("{BASE}/media.m3u8?{query}")).await.status, 400, "{query}");
    }
    assert_eq!(client.get(&format!("{BASE}/media.m3u8?_HLS_other=1&token=x")).await.status, 200);
}
