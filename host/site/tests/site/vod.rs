//! Movies in HLS: segments, byte ranges, keys.

use stampede_site::Route;

use crate::client::{Client, request, settled, site_at, uris};

#[tokio::test]
async fn a_long_movie_can_be_entered_anywhere() {
    let (site, _) = site_at(0);
    let mut client = Client::connect(site.addr()).await;
    let base = "/vod/mv-7,length=2h,ladder=mobile,audio=apart";
    let master = client.get(&format!("{base}/master.m3u8")).await;
    assert_eq!(uris(master.text()), ["200k/media.m3u8", "400k/media.m3u8", "800k/media.m3u8"]);
    for (track, bytes) in [("200k", 100_000), ("audio", 32_000)] {
        let media = client.get(&format!("{base}/{track}/media.m3u8")).await;
        assert!(media.text().ends_with("1799.m4s\n#EXT-X-ENDLIST\n"));
        assert_eq!(uris(media.text()).len(), 1_800);
        assert_eq!(client.get(&format!("{base}/{track}/1799.m4s")).await.body.len(), bytes);
        assert_eq!(client.get(&format!("{base}/{track}/1800.m4s")).await.status, 404);
        assert_eq!(client.get(&format!("{base}/{track}/init.mp4")).await.status, 200);
    }
}

#[tokio::test]
async fn byte_ranges_lead_through_one_file() {
    let (site, _) = site_at(0);
    let mut client = Client::connect(site.addr()).await;
    let base = "/vod/mv-7,length=8s,layout=file/800k";
    let media = client.get(&format!("{base}/media.m3u8")).await;
    let ranges: Vec<_> = media.text().lines().filter_map(|line| line.strip_prefix("#EXT-X-BYTERANGE:")).collect();
    assert_eq!((uris(media.text()), ranges), (vec!["whole.mp4"; 2], vec!["400000@864", "400000"]));
    let path = format!("{base}/whole.mp4");
    for (field, first) in [("bytes=864-400863", 864), ("bytes=400864-800863", 400_864)] {
        let part = client.send(request("GET", &path, &[("range", field)], "")).await;
        assert_eq!((part.status.as_u16(), part.body.len()), (206, 400_000));
        assert_eq!(part.header("content-range"), format!("bytes {first}-{}/800864", first + 399_999));
        assert_eq!(&part.body[4..8], b"styp");
    }
    let counts = settled(&site).await;
    assert_eq!(counts.routes[Route::VodFile.pattern()].body_bytes_sent, 800_000);
    assert_eq!(counts.statuses[&206], 2);
}

#[tokio::test]
async fn encrypted_segments_have_keys() {
    let (site, _) = site_at(0);
    let mut client = Client::connect(site.addr()).await;
    let base = "/vod/mv-7,length=12s,keys=2";
    let media = client.get(&format!("{base}/800k/media.m3u8")).await;
    assert_eq!(media.text().matches("#EXT-X-KEY:METHOD=AES-128,URI=\"../key/").count(), 2);
    let (first, second) = (client.get(&format!("{base}/key/0")).await, client.get(&format!("{base}/key/1")).await);
    assert_eq!((first.body.len(), second.body.len()), (16, 16));
    assert_ne!(first.body, second.body);
    assert_eq!(first.body, client.get(&format!("{base}/key/0")).await.body);
    assert_eq!(client.get(&format!("{base}/800k/0.m4s")).await.body.len(), 400_016);
    for path in [format!("{base}/key/x"), "/vod/mv-7/key/0".to_owned()] {
        assert_eq!(client.get(&path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn options_that_exclude_each_other_are_400() {
    let (site, _) = site_at(0);
    let mut client = Client::connect(site.addr()).await;
    for options in ["layout=file,keys=1", "layout=file,container=ts", "layout=x", "keys"] {
        assert_eq!(client.get(&format!("/vod/a,{options}/800k/media.m3u8")).await.status, 400, "{options}");
    }
    assert_eq!(client.get("/live/a,keys=1/master.m3u8").await.status, 400);
    assert_eq!(client.get("/vod/a,container=ts/800k/whole.mp4").await.status, 404);
    assert_eq!(client.get("/vod/a,container=ts/800k/0.ts").await.body.len(), 400_000 / 188 * 188);
}
