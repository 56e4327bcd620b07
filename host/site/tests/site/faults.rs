//! Streams that misbehave, each in the way that its name asks for.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::client::{Client, Reply, request, site_at};

/// Returns the value of a tag.
fn tag<'a>(playlist: &'a Reply, name: &str) -> &'a str {
    playlist.text().lines().find_map(|line| line.strip_prefix(name)).unwrap()
}

#[tokio::test]
async fn a_frozen_playlist_does_not_change_and_keeps_its_segments() {
    let (site, time) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/live/a,frozen,after=8s/800k";
    time.advance(Duration::from_secs(4));
    assert_eq!(tag(&client.get(&format!("{base}/media.m3u8")).await, "#EXT-X-MEDIA-SEQUENCE:"), "241");
    time.advance(Duration::from_secs(4));
    let frozen = client.get(&format!("{base}/media.m3u8")).await;
    assert_eq!(tag(&frozen, "#EXT-X-MEDIA-SEQUENCE:"), "242");
    for _ in 0..3 {
        time.advance(Duration::from_secs(100));
        assert_eq!(client.get(&format!("{base}/media.m3u8")).await.text(), frozen.text());
        assert_eq!(client.get(&format!("{base}/251.m4s")).await.status, 200);
        assert_eq!(client.get(&format!("{base}/252.m4s")).await.status, 404);
    }
    let manifest = client.get("/dash/live/a,frozen/manifest.mpd").await;
    time.advance(Duration::from_secs(100));
    assert_eq!(client.get("/dash/live/a,frozen/manifest.mpd").await.text(), manifest.text());
}

#[tokio::test]
async fn a_frozen_stream_answers_503_to_requests_that_wait() {
    let (site, time) = site_at(1_001);
    let addr = site.addr();
    for path in ["media.m3u8?_HLS_msn=250", "250.2.m4s"] {
        let path = format!("/ll/a,frozen/800k/{path}");
        let waiting = tokio::spawn(async move { Client::connect(addr).await.get(&path).await });
        while site.stats().snapshot().in_flight == 0 {
            tokio::task::yield_now().await;
        }
        // Three target durations after the request, and not at the time of the part.
        while !waiting.is_finished() {
            time.advance(Duration::from_secs(12));
            tokio::task::yield_now().await;
        }
        assert_eq!(waiting.await.unwrap().status, 503);
    }
    let mut client = Client::connect(addr).await;
    assert_eq!(client.get("/dash/ll/a,frozen/800k/250.m4s").await.status, 404);
    assert_eq!(client.get("/dash/ll/a,frozen/800k/249.m4s").await.status, 200);
}

#[tokio::test]
async fn a_stream_that_begins_again_counts_from_0() {
    let (site, time) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/live/a,restart,after=10s/800k";
    let before = client.get(&format!("{base}/media.m3u8")).await;
    assert_eq!(tag(&before, "#EXT-X-MEDIA-SEQUENCE:"), "240");
    time.advance(Duration::from_secs(14));
    let after = client.get(&format!("{base}/media.m3u8")).await;
    assert_eq!(tag(&after, "#EXT-X-MEDIA-SEQUENCE:"), "0");
    assert_eq!(tag(&after, "#EXT-X-PROGRAM-DATE-TIME:"), "1970-01-01T00:16:50.000Z");
    assert_eq!(client.get(&format!("{base}/0.m4s")).await.status, 200);
    assert_eq!(client.get(&format!("{base}/249.m4s")).await.status, 404);
}

#[tokio::test]
async fn a_stream_that_jumps_leaves_its_viewers_behind() {
    let (site, time) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/live/a,jump=200s,after=4s/800k";
    let before = client.get(&format!("{base}/media.m3u8")).await;
    assert_eq!(tag(&before, "#EXT-X-MEDIA-SEQUENCE:"), "190");
    time.advance(Duration::from_secs(4));
    let after = client.get(&format!("{base}/media.m3u8")).await;
    assert_eq!(tag(&after, "#EXT-X-MEDIA-SEQUENCE:"), "241");
    assert_eq!(client.get(&format!("{base}/200.m4s")).await.status, 404);
}

#[tokio::test]
async fn gaps_are_marked_and_404() {
    let (site, _) = site_at(1_001);
    let mut client = Client::connect(site.addr()).await;
    let live = client.get("/live/a,gap=5/800k/media.m3u8").await;
    assert_eq!(live.text().matches("#EXT-X-GAP\n").count(), 2);
    assert!(live.text().contains("#EXTINF:4.000,\n#EXT-X-GAP\n249.m4s\n"));
    assert!(client.get("/vod/a,gap=5/800k/media.m3u8").await.text().contains("#EXT-X-GAP\n4.m4s\n"));
    let parts = client.get("/ll/a,gap=5/800k/media.m3u8").await;
    assert!(parts.text().contains("URI=\"249.7.m4s\",GAP=YES\n") && parts.text().contains("#EXT-X-GAP\n249.m4s\n"));
    for (path, status) in [("live/a,gap=5/800k/249.m4s", 404), ("live/a,gap=5/800k/248.m4s", 200)] {
        assert_eq!(client.get(&format!("/{path}")).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn segments_are_missing_or_empty() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    for form in ["live", "ll", "dash/live", "dash/ll", "dash/vod", "vod"] {
        let base = format!("/{form}/a,length=1h,missing=5,empty=3/800k");
        for (number, status, bytes) in [(249, 404, 45), (247, 200, 400_000), (245, 200, 0)] {
            let reply = client.get(&format!("{base}/{number}.m4s")).await;
            assert_eq!((reply.status.as_u16(), reply.body.len()), (status, bytes), "{form} {number}");
        }
    }
    assert_eq!(client.get("/ll/a,missing=5/800k/249.0.m4s").await.status, 404);
    assert_eq!(client.get("/dash/live/a,missing=5,index=timeline/800k/996000000.m4s").await.status, 404);
}

#[test]
fn a_segment_is_cut_in_its_middle() {
    let (site, _) = site_at(1_000);
    let mut stream = TcpStream::connect(site.addr()).unwrap();
    write!(stream, "GET /live/a,cut=2/800k/249.m4s HTTP/1.1\r\nhost: site\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert!(String::from_utf8_lossy(&bytes[..head]).contains("content-length: 400000\r\n"));
    assert_eq!(bytes.len() - head, 200_000);
}

#[tokio::test]
async fn a_token_is_handed_out_by_the_master_playlist_and_expires() {
    let (site, time) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/live/a,token=30s,audio=apart";
    let master = client.get(&format!("{base}/master.m3u8")).await;
    assert!(master.text().contains("\n800k/media.m3u8?token=1030000000\n"));
    assert!(master.text().contains("URI=\"audio/media.m3u8?token=1030000000\""));
    let token = "token=1030000000";
    let media = client.get(&format!("{base}/800k/media.m3u8?{token}")).await;
    assert!(media.text().contains("#EXT-X-MAP:URI=\"init.mp4?token=1030000000\"\n"));
    assert!(media.text().ends_with("\n249.m4s?token=1030000000\n"));
    let files = ["800k/media.m3u8", "800k/init.mp4", "800k/249.m4s"];
    for (query, status) in [(format!("?{token}"), 200), (String::new(), 403), ("?token=x".into(), 403)] {
        for file in files {
            assert_eq!(client.get(&format!("{base}/{file}{query}")).await.status, status, "{file}{query}");
        }
    }
    time.advance(Duration::from_secs(30));
    for file in files {
        assert_eq!(client.get(&format!("{base}/{file}?{token}")).await.status, 403, "{file}");
    }
    assert!(client.get(&format!("{base}/master.m3u8")).await.text().contains("?token=1060000000\n"));
    let manifest = client.get("/dash/live/a,token=30s/manifest.mpd").await;
    assert!(manifest.text().contains("media=\"$RepresentationID$/$Number$.m4s?token=1060000000\""));
    assert_eq!(client.get("/dash/live/a,token=30s/800k/256.m4s?token=1060000000").await.status, 200);
}

#[tokio::test]
async fn a_playlist_may_take_the_token_from_its_own_uri() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/live/a,token=30s,define";
    let master = client.get(&format!("{base}/master.m3u8")).await;
    assert!(master.text().contains("\n800k/media.m3u8?token=1030000000\n"));
    let media = client.get(&format!("{base}/800k/media.m3u8?token=1030000000")).await;
    assert!(media.text().starts_with("#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM=\"token\"\n"));
    assert!(media.text().ends_with("\n249.m4s?token={$token}\n"));
}

#[tokio::test]
async fn qualities_may_count_their_segments_differently() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    for (track, first, bytes) in [("800k", 240, 400_000), ("2800k", 340, 1_400_000), ("5000k", 440, 2_500_000)] {
        let media = client.get(&format!("/live/a,skew=100/{track}/media.m3u8")).await;
        assert_eq!(tag(&media, "#EXT-X-MEDIA-SEQUENCE:"), first.to_string());
        assert_eq!(tag(&media, "#EXT-X-PROGRAM-DATE-TIME:"), "1970-01-01T00:16:00.000Z");
        let status = async |client: &mut Client, number| {
            let reply = client.get(&format!("/live/a,skew=100/{track}/{number}.m4s")).await;
            (reply.status.as_u16(), reply.body.len() == bytes)
        };
        assert_eq!(status(&mut client, first + 9).await, (200, true));
        assert_eq!(status(&mut client, first + 10).await, (404, false));
    }
    assert_eq!(client.get("/live/a,skew=100/5000k/199.m4s").await.status, 404);
    assert_eq!(client.get("/ll/a,skew=100/master.m3u8").await.status, 400);
}

#[tokio::test]
async fn a_late_segment_is_listed_before_it_is_there() {
    let (site, time) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/live/a,late=500ms/800k";
    assert!(client.get(&format!("{base}/media.m3u8")).await.text().ends_with("\n249.m4s\n"));
    assert_eq!(client.get(&format!("{base}/249.m4s")).await.status, 404);
    time.advance(Duration::from_millis(500));
    assert_eq!(client.get(&format!("{base}/249.m4s")).await.status, 200);
}

#[tokio::test]
async fn a_playlist_is_compressed_and_may_hide_it() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let clear = client.get("/live/a/800k/media.m3u8").await;
    let accept = [("accept-encoding", "gzip")];
    for (option, fields, encoding) in
        [("gzip", &accept[..], "gzip"), ("hidden-gzip", &accept, ""), ("hidden-gzip", &[], "")]
    {
        let path = format!("/live/a,coding={option}/800k/media.m3u8");
        let reply = client.send(request("GET", &path, fields, "")).await;
        assert_eq!(reply.header("content-encoding"), encoding);
        let mut text = String::new();
        flate2::read::GzDecoder::new(&reply.body[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, clear.text());
    }
    assert_eq!(client.get("/live/a,coding=gzip/800k/media.m3u8").await.text(), clear.text());
}

#[tokio::test]
async fn media_need_all_cookies_of_the_master_playlist() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let base = "/live/a,cookies";
    let master = client.get(&format!("{base}/master.m3u8")).await;
    let set: Vec<_> = master.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(set.len(), 3);
    assert!(set.iter().all(|cookie| cookie.ends_with("; Path=/live/a,cookies/")), "{set:?}");
    let pairs: Vec<_> = set.iter().map(|cookie| cookie.split(';').next().unwrap()).collect();
    assert_eq!(client.get(&format!("{base}/800k/media.m3u8")).await.status, 200);
    for (field, status) in [(pairs.join("; "), 200), (pairs[..2].join("; "), 403), ("x=1".to_owned(), 403)] {
        let path = format!("{base}/800k/249.m4s");
        let reply = client.send(request("GET", &path, &[("cookie", &field)], "")).await;
        assert_eq!(reply.status, status, "{field}");
    }
}

#[tokio::test]
async fn a_redirect_leads_to_the_stream_without_the_option() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    for (path, status, location) in [
        ("/live/a,redirect=302,segment=2s/master.m3u8", 302, "/live/a,segment=2s/master.m3u8"),
        ("/live/a%20b,redirect=307/master.m3u8?x=1", 307, "/live/a%20b/master.m3u8?x=1"),
        ("/dash/live/a,redirect=308/manifest.mpd", 308, "/dash/live/a/manifest.mpd"),
    ] {
        let reply = client.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (status, location));
        assert_eq!(client.get(location).await.status, 200);
    }
    assert_eq!(client.get("/live/a,redirect=302/800k/media.m3u8").await.status, 404);
}

#[tokio::test]
async fn ranges_are_ignored() {
    let (site, _) = site_at(1_000);
    let mut client = Client::connect(site.addr()).await;
    let path = "/vod/a,length=8s,layout=file,ranges=ignored/800k/whole.mp4";
    let reply = client.send(request("GET", path, &[("range", "bytes=0-799")], "")).await;
    assert_eq!((reply.status.as_u16(), reply.body.len(), reply.header("content-range")), (200, 800_864, ""));
}

#[tokio::test]
async fn an_unblocked_playlist_is_sent_at_once() {
    let (site, _) = site_at(1_001);
    let mut client = Client::connect(site.addr()).await;
    let reply = client.get("/ll/a,unblocked/800k/media.m3u8?_HLS_msn=250&_HLS_part=5").await;
    assert_eq!((reply.status.as_u16(), tag(&reply, "#EXT-X-PRELOAD-HINT:")), (200, "TYPE=PART,URI=\"250.2.m4s\""));
}
