//! DASH: manifests, movies as segments and as one file, live streams, segments that arrive as they are made.

use std::time::Duration;

use http_body_util::BodyExt;
use stampede_site::Route;

use crate::client::{Client, request, settled, site_at};

/// Returns the values of an attribute, in the order of the manifest.
fn values<'a>(manifest: &'a str, attribute: &str) -> Vec<&'a str> {
    manifest.split(&format!(" {attribute}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn a_movie_has_numbered_segments() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/dash/vod/mv-1,length=10s";
    let manifest = client.get(&format!("{base}/manifest.mpd")).await;
    assert_eq!(manifest.header("content-type"), "application/dash+xml");
    let text = manifest.text();
    assert_eq!(values(text, "type"), ["static"]);
    assert_eq!(values(text, "mediaPresentationDuration"), ["PT12.000S"]);
    assert_eq!(values(text, "media"), ["$RepresentationID$/$Number$.m4s"]);
    assert_eq!((values(text, "startNumber"), values(text, "duration")), (vec!["0"], vec!["4000000"]));
    assert_eq!(values(text, "bandwidth"), ["800000", "2800000", "5000000"]);
    assert_eq!(client.get(&format!("{base}/800k/init.mp4")).await.body.len(), 800);
    for number in 0..3 {
        assert_eq!(client.get(&format!("{base}/800k/{number}.m4s")).await.body.len(), 400_000);
    }
    for file in ["3.m4s", "4000000.m4s", "18446744073709551615.m4s"] {
        assert_eq!(client.get(&format!("{base}/800k/{file}")).await.status, 404, "{file}");
    }
}

#[tokio::test]
async fn numbers_may_have_leading_zeros() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let manifest = client.get("/dash/vod/mv-1,index=padded/manifest.mpd").await;
    assert_eq!(values(manifest.text(), "media"), ["$RepresentationID$/$Number%012d$.m4s"]);
    assert_eq!(client.get("/dash/vod/mv-1,index=padded/800k/000000000007.m4s").await.body.len(), 400_000);
}

#[tokio::test]
async fn a_movie_with_a_timeline_names_segments_by_their_times() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/dash/vod/mv-1,length=12s,index=timeline,audio=apart";
    let manifest = client.get(&format!("{base}/manifest.mpd")).await;
    let text = manifest.text();
    assert_eq!(values(text, "contentType"), ["video", "audio"]);
    assert_eq!(text.matches("<S t=\"0\" d=\"4000000\" r=\"2\"/>").count(), 2);
    for (file, status) in [("0", 200), ("8000000", 200), ("12000000", 404), ("1", 404), ("4000001", 404)] {
        let reply = client.get(&format!("{base}/audio/{file}.m4s")).await;
        assert_eq!(reply.status, status, "{file}");
    }
}

#[tokio::test]
async fn a_movie_in_one_file_has_an_index_of_its_segments() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/dash/vod/mv-1,length=10s,index=base";
    let manifest = client.get(&format!("{base}/manifest.mpd")).await;
    let text = manifest.text();
    assert_eq!(values(text, "indexRange"), ["800-875"; 3]);
    assert_eq!(values(text, "range"), ["0-799"; 3]);
    assert!(text.contains("<BaseURL>800k/whole.mp4</BaseURL>"));
    let whole = client.get(&format!("{base}/800k/whole.mp4")).await;
    assert_eq!((whole.status.as_u16(), whole.body.len()), (200, 876 + 3 * 400_000));
    assert_eq!((whole.header("accept-ranges"), whole.header("content-length")), ("bytes", "1200876"));
    let path = format!("{base}/800k/whole.mp4");
    for (first, last) in [(0, 799), (800, 875), (876, 400_875), (400_000, 900_000), (1_200_875, 1_200_875)] {
        let field = format!("bytes={first}-{last}");
        let part = client.send(request("GET", &path, &[("range", &field)], "")).await;
        assert_eq!(part.status, 206);
        assert_eq!(part.header("content-range"), format!("bytes {first}-{last}/1200876"));
        assert!(part.body == whole.body[first..=last], "{field}");
    }
    assert_eq!(&whole.body[804..808], b"sidx");
    let beyond = client.send(request("GET", &path, &[("range", "bytes=1200876-")], "")).await;
    assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, "bytes */1200876"));
}

#[tokio::test]
async fn a_live_manifest_tells_when_the_stream_began_and_names_a_clock() {
    let (site, time) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let path = "/dash/live/match,start=900,window=20s";
    let manifest = client.get(&format!("{path}/manifest.mpd")).await;
    let text = manifest.text();
    assert_eq!(values(text, "availabilityStartTime"), ["1970-01-01T00:15:00.000Z"]);
    assert_eq!(values(text, "publishTime"), ["1970-01-01T00:16:40.000Z"]);
    assert_eq!(
        (values(text, "timeShiftBufferDepth"), values(text, "minimumUpdatePeriod")),
        (vec!["PT20.000S"], vec!["PT4.000S"])
    );
    assert_eq!(values(text, "suggestedPresentationDelay"), ["PT12.000S"]);
    assert_eq!(values(text, "value"), ["http://site/dash/time"]);
    assert_eq!(client.get("/dash/time").await.text(), "1970-01-01T00:16:40.000Z");
    // Segment n can be requested from 900 + 4 (n + 1) seconds on.
    let status =
        async |client: &mut Client, number| client.get(&format!("{path}/800k/{number}.m4s")).await.status.as_u16();
    assert_eq!((status(&mut client, 24).await, status(&mut client, 25).await), (200, 404));
    time.advance(Duration::from_secs(4));
    assert_eq!((status(&mut client, 25).await, status(&mut client, 26).await), (200, 404));
    assert_eq!(settled(&site).await.routes[Route::DashLiveSegment.pattern()].requests, 4);
}

#[tokio::test]
async fn a_stream_in_periods_lists_those_of_the_window() {
    let (site, time) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let path = "/dash/live/a,period=20s,window=24s/manifest.mpd";
    for (first, last) in [(48, 50), (49, 51)] {
        let manifest = client.get(path).await;
        let text = manifest.text();
        let periods: Vec<_> = (first..=last).collect();
        let start: Vec<_> = periods.iter().map(|period| format!("PT{}.000S", period * 20)).collect();
        assert_eq!(values(text, "start"), start);
        let offsets: Vec<_> = periods.iter().map(|period| format!("{}000000", period * 20)).collect();
        assert_eq!(values(text, "presentationTimeOffset"), offsets);
        let numbers: Vec<_> = periods.iter().map(|period| (period * 5).to_string()).collect();
        assert_eq!(values(text, "startNumber"), numbers);
        time.advance(Duration::from_secs(20));
    }
    let movie = client.get("/dash/vod/a,period=20s,length=44s,index=timeline/manifest.mpd").await;
    assert_eq!(values(movie.text(), "r"), ["4", "4", "0"]);
    assert_eq!(values(movie.text(), "t"), ["0", "20000000", "40000000"]);
    assert_eq!(client.get("/dash/vod/a,period=10s/manifest.mpd").await.status, 400);
    assert_eq!(client.get("/dash/vod/a,period=8s,index=base/manifest.mpd").await.status, 400);
}

#[tokio::test]
async fn a_manifest_may_name_another_place_for_its_next_version() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let manifest = client.get("/dash/live/a,location/manifest.mpd").await;
    let location = "/dash/live/a,location/manifest.mpd?session=1";
    let escaped = client.get("/dash/live/a&b,location/manifest.mpd").await;
    assert!(escaped.text().contains("/dash/live/a&amp;b,location/manifest.mpd?session=1<"));
    assert!(manifest.text().contains(&format!("<Location>http://site{location}</Location>")), "{}", manifest.text());
    assert_eq!(client.get(location).await.text(), manifest.text());
}

#[tokio::test]
async fn a_live_timeline_lists_the_window() {
    let (site, time) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let path = "/dash/live/match,index=timeline,window=20s,update=never,utc=none";
    for (start, newest) in [(980, 996), (984, 1_000)] {
        let manifest = client.get(&format!("{path}/manifest.mpd")).await;
        let text = manifest.text();
        assert!(text.contains(&format!("<S t=\"{start}000000\" d=\"4000000\" r=\"4\"/>")), "{text}");
        assert!(!text.contains("minimumUpdatePeriod") && !text.contains("UTCTiming"));
        assert_eq!(client.get(&format!("{path}/800k/{newest}000000.m4s")).await.status, 200);
        time.advance(Duration::from_secs(4));
    }
}

#[tokio::test]
async fn a_low_latency_segment_arrives_part_by_part() {
    let (site, time) = site_at(1_001);
    let mut client = Client::connect(site.addr()).await;
    let path = "/dash/ll/match,ladder=mobile,segment=2s,part=500ms";
    let manifest = client.get(&format!("{path}/manifest.mpd")).await;
    let text = manifest.text();
    assert_eq!(
        (values(text, "availabilityTimeOffset"), values(text, "availabilityTimeComplete")),
        (vec!["1.500"], vec!["false"])
    );
    assert_eq!((values(text, "target"), values(text, "suggestedPresentationDelay")), (vec!["1500"], vec!["PT1.500S"]));
    let open = request("GET", &format!("{path}/800k/500.m4s"), &[], "");
    let mut body = client.open(open).await.unwrap().into_body();
    let mut sizes = Vec::new();
    // Two parts of 50,000 bytes are complete; each step of the clock completes another.
    for parts in 2..=4 {
        let mut received = 0;
        while received < if parts == 2 { 100_000 } else { 50_000 } {
            received += body.frame().await.unwrap().unwrap().into_data().unwrap().len();
        }
        sizes.push(received);
        time.advance(Duration::from_millis(500));
    }
    assert!(body.frame().await.is_none());
    assert_eq!(sizes, [100_000, 50_000, 50_000]);
    let whole = client.get(&format!("{path}/800k/500.m4s")).await;
    assert_eq!(whole.header("content-length"), "200000");
}

#[tokio::test]
async fn a_low_latency_segment_is_listed_with_its_first_part_and_404_before_it_is_begun() {
    let (site, time) = site_at(999);
    let mut client = Client::connect(site.addr()).await;
    let path = "/dash/ll/match,segment=2s,part=500ms,index=timeline";
    let next = format!("{path}/800k/1000000000.m4s");
    assert_eq!(client.get(&next).await.status, 404);
    time.advance(Duration::from_secs(1));
    let manifest = client.get(&format!("{path}/manifest.mpd")).await;
    assert!(!manifest.text().contains("r=\"10\""));
    assert_eq!(values(manifest.text(), "minimumUpdatePeriod"), ["PT0.500S"]);
    let mut waiting = Client::connect(site.addr()).await;
    let reply = waiting.open(request("GET", &next, &[], "")).await.unwrap();
    time.advance(Duration::from_millis(500));
    assert_eq!(reply.into_body().frame().await.unwrap().unwrap().into_data().unwrap().len(), 32);
    assert!(client.get(&format!("{path}/manifest.mpd")).await.text().contains("r=\"10\""));
}

#[tokio::test]
async fn options_that_dash_does_not_have_are_400() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    for path in ["/dash/live/a,container=ts", "/dash/live/a,index=base", "/dash/ll/a,index=base", "/dash/vod/a,index=x"]
    {
        assert_eq!(client.get(&format!("{path}/manifest.mpd")).await.status, 400, "{path}");
    }
}
