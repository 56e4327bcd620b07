//! Replies that take time: playlists down to a segment, bodies in pieces, events, a body without end.

use std::time::Duration;

use http_body_util::BodyExt;
use stampede_time::{Clock, nanos};

use crate::client::{Client, request, settled, site};

/// Returns the first line that is not a tag.
fn first_uri(playlist: &str) -> &str {
    playlist.lines().find(|line| !line.starts_with('#')).unwrap()
}

#[tokio::test]
async fn playlists_lead_to_segments_of_whole_packets() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let master = client.get("/hls/mv-00007/master.m3u8").await;
    assert_eq!(master.header("content-type"), "application/vnd.apple.mpegurl");
    let media = client.get(first_uri(master.text())).await;
    assert_eq!(media.header("content-type"), "application/vnd.apple.mpegurl");
    let segment = client.get(first_uri(media.text())).await;
    assert_eq!((segment.status.as_u16(), segment.header("content-type")), (200, "video/mp2t"));
    assert_eq!(segment.body.len(), 800_000 / 8 * 4 / 188 * 188);
    assert!(segment.body.chunks(188).all(|packet| packet[0] == 0x47));
}

#[tokio::test]
async fn segments_in_no_playlist_are_404() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    for path in ["a/144p/media.m3u8", "a/144p/0.ts", "a/360p/30.ts", "a/360p/-1.ts", "a/360p/x.ts", "a/other.m3u8"] {
        assert_eq!(client.get(&format!("/hls/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_slow_body_comes_in_pieces_none_of_them_early() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let clock = Clock::start();
    let start = clock.now();
    let mut body = client.open(request("GET", "/slow?ms=10&chunks=3", &[], "")).await.unwrap().into_body();
    let mut pieces = 0;
    while let Some(frame) = body.frame().await {
        assert_eq!(frame.unwrap().into_data().unwrap(), "drip\n");
        pieces += 1;
        assert!(clock.now() - start >= nanos(Duration::from_millis(10 * pieces)));
    }
    assert_eq!(pieces, 3);
    assert_eq!(client.get("/slow?ms=x").await.status, 400);
}

#[tokio::test]
async fn events_are_as_many_as_requested() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let reply = client.get("/events?count=2&every_ms=1").await;
    assert_eq!(reply.header("content-type"), "text/event-stream");
    let expected = "id: 1\nevent: tick\ndata: {\"tick\":1}\n\nid: 2\nevent: tick\ndata: {\"tick\":2}\n\n";
    assert_eq!(reply.text(), expected);
}

#[tokio::test]
async fn an_endless_body_ends_with_its_client() {
    let site = site();
    let mut client = Client::connect(site.addr()).await;
    let mut body = client.open(request("GET", "/endless", &[], "")).await.unwrap().into_body();
    let mut received = 0;
    while received < 10_000_000 {
        received += body.frame().await.unwrap().unwrap().into_data().unwrap().len() as u64;
    }
    drop((body, client));
    let snapshot = settled(&site).await;
    assert!(snapshot.body_bytes_sent >= received);
    assert_eq!(snapshot.statuses[&200], 1);
}
