//! Live HLS: what a viewer sees while the clock moves on.

use std::time::Duration;

use stampede_site::{Route, RouteCounts};

use crate::client::{Client, settled, site_at, uris};

#[tokio::test]
async fn a_viewer_walks_from_the_master_to_segments_of_the_size_of_the_bit_rate() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/live/match,ladder=mobile,segment=2s";
    let master = client.get(&format!("{base}/master.m3u8")).await;
    assert_eq!(master.header("content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(uris(master.text()), ["200k/media.m3u8", "400k/media.m3u8", "800k/media.m3u8"]);
    for kbps in [200, 400, 800] {
        let media = client.get(&format!("{base}/{kbps}k/media.m3u8")).await;
        assert_eq!(uris(media.text()), (490..500).map(|number| format!("{number}.m4s")).collect::<Vec<_>>());
        assert!(media.text().contains("#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:16:20.000Z\n"));
        assert_eq!(media.header("date"), "Thu, 01 Jan 1970 00:16:40 GMT");
        let init = client.get(&format!("{base}/{kbps}k/init.mp4")).await;
        assert_eq!((init.header("content-type"), init.body.len()), ("video/mp4", 800));
        let segment = client.get(&format!("{base}/{kbps}k/499.m4s")).await;
        assert_eq!((segment.header("content-type"), segment.body.len()), ("video/mp4", kbps * 250));
        assert_eq!(segment.header("access-control-allow-origin"), "*");
    }
    let counts = settled(&site).await;
    let segments = RouteCounts { requests: 3, body_bytes_sent: 1_400 * 250, body_bytes_received: 0 };
    assert_eq!(counts.routes[Route::LiveSegment.pattern()], segments);
    assert_eq!(counts.routes[Route::LiveMedia.pattern()].requests, 3);
    assert_eq!(counts.statuses.into_iter().collect::<Vec<_>>(), [(200, 10)]);
}

#[tokio::test]
async fn segments_appear_when_they_are_complete_and_leave_some_time_after_the_playlist_has_dropped_them() {
    let (site, time) = site_at(999);
    let mut client = Client::connect(site.addr()).await;
    let base = "/live/match,window=12s/800k";
    let mut statuses = Vec::new();
    for _ in 0..16 {
        let listed = client.get(&format!("{base}/media.m3u8")).await.text().contains("\n249.m4s\n");
        statuses.push((client.get(&format!("{base}/249.m4s")).await.status.as_u16(), listed));
        time.advance(Duration::from_secs(2));
    }
    // Complete at 1,000 s; listed until 1,012 s have come with the next segment; gone after 1,028 s.
    let expected = [vec![(404, false)], vec![(200, true); 6], vec![(200, false); 8], vec![(404, false)]].concat();
    assert_eq!(statuses, expected);
}

#[tokio::test]
async fn audio_apart_has_playlists_and_segments_of_its_own() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let master = client.get("/live/a,audio=apart/master.m3u8").await;
    assert!(master.text().contains("URI=\"audio/media.m3u8\""));
    assert_eq!(uris(client.get("/live/a,audio=apart/audio/media.m3u8").await.text()).len(), 10);
    let segment = client.get("/live/a,audio=apart/audio/249.m4s").await;
    assert_eq!((segment.header("content-type"), segment.body.len()), ("audio/mp4", 32_000));
    assert_eq!(client.get("/live/a/audio/249.m4s").await.status, 404);
}

#[tokio::test]
async fn transport_streams_need_no_initialization_section() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let media = client.get("/live/a,container=ts/800k/media.m3u8").await;
    assert!(!media.text().contains("EXT-X-MAP"));
    let segment = client.get("/live/a,container=ts/800k/249.ts").await;
    assert_eq!((segment.header("content-type"), segment.body.len()), ("video/mp2t", 400_000 / 188 * 188));
    assert!(segment.body.chunks(188).all(|packet| packet[0] == 0x47));
    assert_eq!(client.get("/live/a,container=ts/800k/init.mp4").await.status, 404);
}

#[tokio::test]
async fn a_stream_that_has_not_begun_has_a_master_playlist_only() {
    let (site, time) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    assert_eq!(client.get("/live/a,start=1010/master.m3u8").await.status, 200);
    for seconds in [0, 10, 3] {
        time.advance(Duration::from_secs(seconds));
        assert_eq!(client.get("/live/a,start=1010/800k/media.m3u8").await.status, 404);
    }
    time.advance(Duration::from_secs(1));
    assert_eq!(uris(client.get("/live/a,start=1010/800k/media.m3u8").await.text()), ["0.m4s"]);
}

#[tokio::test]
async fn wrong_options_are_400_and_wrong_names_404() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let wrong = client.get("/live/a,segmnt=2s/master.m3u8").await;
    assert_eq!((wrong.status.as_u16(), wrong.text()), (400, r#"{"error":"`segmnt=2s` is not an option of a stream"}"#));
    for path in ["900k/media.m3u8", "800k/249.ts", "800k/x.m4s", "800k/249", "800k/-1.m4s", "800k/250.m4s"] {
        assert_eq!(client.get(&format!("/live/a/{path}")).await.status, 404, "{path}");
    }
}
