//! Streams of real media: fragments of a folder, played over and over.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use stampede_site::{RunningSite, Site, SiteConfig};
use stampede_time::ManualTime;

use crate::client::{Client, request};
use crate::cmaf::{AUDIO, LOW, TestTrack, VIDEO, folder, samples};

/// Starts a site that plays three segments of two seconds, at a thousand seconds.
fn site(test: &str) -> (RunningSite, ManualTime) {
    let time = ManualTime::starting_at(Duration::from_secs(1_000));
    let media = folder(test, &[VIDEO, AUDIO, LOW], 3);
    let config = SiteConfig { time: Some(time.clone()), media: Some(media) };
    (Site::spawn_with(([127, 0, 0, 1], 0).into(), 1, &config).unwrap(), time)
}

/// A fragment as a player sees it.
#[derive(Debug, PartialEq, Eq)]
struct Fragment {
    time: u64,
    samples: Vec<u8>,
}

/// Takes fragments apart by the places that their boxes tell.
fn fragments(bytes: &[u8]) -> Vec<Fragment> {
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let within =
        |from: usize, kind: &[u8]| bytes[from..].windows(4).position(|window| window == kind).map(|at| from + at);
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        if &bytes[at + 4..at + 8] == b"moof" {
            let (tfdt, trun) = (within(at, b"tfdt").unwrap(), within(at, b"trun").unwrap());
            assert_eq!((bytes[tfdt + 4], number(tfdt - 4)), (1, 20));
            let time = u64::from_be_bytes(bytes[tfdt + 8..tfdt + 16].try_into().unwrap());
            let (data, mdat) = (at + number(trun + 12), at + number(at));
            assert_eq!((data, &bytes[mdat + 4..mdat + 8]), (mdat + 8, &b"mdat"[..]));
            found.push(Fragment { time, samples: bytes[data..mdat + number(mdat)].to_vec() });
        }
        at += number(at);
    }
    found
}

/// Returns a fragment of that second of a stream, whose recording has six seconds.
fn expected(track: &TestTrack, second: u64) -> Fragment {
    Fragment { time: second * u64::from(track.timescale), samples: samples(track, second % 6) }
}

#[tokio::test]
async fn a_master_playlist_describes_the_tracks_of_the_folder() {
    let (site, _) = site("master");
    let mut client = Client::connect(site.addr()).await;
    let master = client.get("/live/any/master.m3u8").await;
    let text = master.text();
    let streams: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("#EXT-X-STREAM-INF:")).collect();
    assert_eq!(streams.len(), 2);
    assert!(streams[0].contains("RESOLUTION=640x360,CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"audio\""), "{text}");
    assert!(text.find("low/media.m3u8").unwrap() < text.find("high/media.m3u8").unwrap());
    assert!(text.contains("URI=\"sound/media.m3u8\""));
    let init = client.get("/live/any/high/init.mp4").await;
    assert_eq!((init.header("content-type"), &init.body[4..8]), ("video/mp4", &b"ftyp"[..]));
}

#[tokio::test]
async fn the_recording_begins_again_and_its_times_go_on() {
    let (site, time) = site("live");
    let mut client = Client::connect(site.addr()).await;
    for newest in [499, 500, 501, 502] {
        let media = client.get("/live/any/high/media.m3u8").await;
        assert!(media.text().ends_with(&format!("#EXTINF:2.000,\n{newest}.m4s\n")), "{}", media.text());
        for track in [VIDEO, LOW, AUDIO] {
            let reply = client.get(&format!("/live/any/{}/{newest}.m4s", track.name)).await;
            let wanted = [expected(&track, 2 * newest), expected(&track, 2 * newest + 1)];
            assert_eq!(fragments(&reply.body), wanted, "{} {newest}", track.name);
        }
        assert_eq!(client.get(&format!("/live/any/high/{}.m4s", newest + 1)).await.status, 404);
        time.advance(Duration::from_secs(2));
    }
}

#[tokio::test]
async fn the_parts_of_a_segment_are_its_fragments() {
    let (site, time) = site("parts");
    let mut client = Client::connect(site.addr()).await;
    time.advance(Duration::from_secs(1));
    let media = client.get("/ll/any/high/media.m3u8").await;
    assert!(media.text().contains("#EXT-X-PART-INF:PART-TARGET=1.000\n"));
    assert!(media.text().contains("#EXT-X-PART:DURATION=1.000,URI=\"499.0.m4s\",INDEPENDENT=YES\n"));
    assert!(media.text().contains("#EXT-X-PART:DURATION=1.000,URI=\"499.1.m4s\"\n"));
    assert!(media.text().contains("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"500.1.m4s\"\n"));
    let first = client.get("/ll/any/high/499.0.m4s").await.body;
    let second = client.get("/ll/any/high/499.1.m4s").await.body;
    assert_eq!(fragments(&second), [expected(&VIDEO, 999)]);
    assert!([first, second].concat() == client.get("/ll/any/high/499.m4s").await.body);
    assert_eq!(client.get("/ll/any/high/499.2.m4s").await.status, 404);
}

#[tokio::test]
async fn a_movie_is_the_recording_once_or_as_long_as_it_is_asked_for() {
    let (site, _) = site("movie");
    let mut client = Client::connect(site.addr()).await;
    for (options, count) in [("", 3), (",length=10s", 5)] {
        let media = client.get(&format!("/vod/any{options}/low/media.m3u8")).await;
        assert_eq!(media.text().matches("#EXTINF:2.000,").count(), count);
        let whole = client.get(&format!("/vod/any{options}/low/whole.mp4")).await.body;
        assert_eq!(fragments(&whole), (0..2 * count as u64).map(|second| expected(&LOW, second)).collect::<Vec<_>>());
        let path = format!("/vod/any{options}/low/whole.mp4");
        let (first, last) = (whole.len() / 3, whole.len() / 2);
        let part = client.send(request("GET", &path, &[("range", &format!("bytes={first}-{last}"))], "")).await;
        assert!(part.body == whole[first..=last]);
    }
}

#[tokio::test]
async fn dash_lists_the_segments_or_counts_them() {
    let (site, _) = site("dash");
    let mut client = Client::connect(site.addr()).await;
    let counted = client.get("/dash/live/any/manifest.mpd").await;
    assert_eq!(counted.text().matches("startNumber=\"0\" duration=\"2000000\"").count(), 2);
    let listed = client.get("/dash/live/any,index=timeline/manifest.mpd").await;
    assert_eq!(listed.text().matches("<S t=\"980000000\" d=\"2000000\" r=\"9\"/>").count(), 2);
    let reply = client.get("/dash/live/any,index=timeline/sound/998000000.m4s").await;
    assert_eq!(fragments(&reply.body), [expected(&AUDIO, 998), expected(&AUDIO, 999)]);
}

#[tokio::test]
async fn options_that_the_media_decide_on_are_400() {
    let (site, _) = site("options");
    let mut client = Client::connect(site.addr()).await;
    for option in ["ladder=hd", "segment=2s", "part=1s", "audio=apart", "container=ts", "keys=1"] {
        let reply = client.get(&format!("/vod/any,{option}/master.m3u8")).await;
        let key = option.split('=').next().unwrap();
        assert_eq!(reply.status, 400);
        assert!(reply.text().contains(&format!("decide on `{key}`")), "{}", reply.text());
    }
    assert_eq!(client.get("/live/any,window=10s/800k/media.m3u8").await.status, 404);
}

/// Returns the message about a folder that cannot be served, without its path.
fn refusal(media: &Path) -> String {
    let config = SiteConfig { media: Some(media.to_owned()), time: None };
    let error = Site::bind_with(([127, 0, 0, 1], 0).into(), &config).err().unwrap();
    assert!(error.kind() == ErrorKind::InvalidData || error.kind() == ErrorKind::NotFound);
    error.to_string().replace(media.to_str().unwrap(), "…")
}

#[test]
fn a_folder_that_cannot_be_served_is_refused_with_the_reason() {
    let media = folder("refused", &[VIDEO, AUDIO], 2);
    let sound = media.join("sound");
    fs::write(sound.join("0.m4s"), Bytes::from_static(b"\0\0\0\x08free")).unwrap();
    assert_eq!(refusal(&media), "`…/sound/0.m4s`: it has no fragment");
    fs::write(sound.join("0.m4s"), b"moof").unwrap();
    assert_eq!(refusal(&media), "`…/sound/0.m4s`: it is not made of whole boxes");
    fs::remove_file(sound.join("0.m4s")).unwrap();
    fs::remove_file(sound.join("1.m4s")).unwrap();
    assert_eq!(refusal(&media), "`…/sound`: it has no segment, a file `*.m4s`");
    fs::write(sound.join("init.mp4"), b"\0\0\0\x08moov").unwrap();
    assert!(refusal(&media).starts_with("`…/sound/init.mp4`: it does not have exactly one track"));
    fs::remove_file(sound.join("init.mp4")).unwrap();
    assert!(refusal(&media).starts_with("`…/sound/init.mp4`: "));
    fs::rename(&sound, media.join("so und")).unwrap();
    assert!(refusal(&media).contains("letters, digits"));
    fs::remove_dir_all(media.join("so und")).unwrap();
    fs::remove_dir_all(media.join("high")).unwrap();
    assert!(refusal(&media).contains("at least one folder of video"));
    assert!(refusal(&media.join("missing")).starts_with("`…`: "));
}

#[test]
fn tracks_of_different_lengths_are_refused() {
    let media = folder("uneven", &[VIDEO, AUDIO], 3);
    fs::remove_file(media.join("sound").join("2.m4s")).unwrap();
    assert_eq!(refusal(&media), "`…`: track `sound` is longer or shorter than others");
}
