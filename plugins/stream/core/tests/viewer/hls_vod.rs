//! Recordings of HLS, played as hls.js plays them: startup, stalls, bitrate and requests by arithmetic.

use crate::simulator::network::Network;
use crate::simulator::site::{Answer, Hls};
use crate::simulator::{Record, play};
use viewer_core::{Content, FatalError, FaultKind, Metric, Outcome, Profile, SECOND, Settings, TrackKind, What};

fn settings() -> Settings {
    Settings::new(Profile::hls_js())
}

fn segments(what: What) -> bool {
    matches!(what, What::Segment(_))
}

#[test]
fn a_viewer_starts_with_the_first_segment() {
    let mut site = Hls::vod(&[400_000], 4, 10);
    // A segment of 1.6 Mbit takes 0.4 s; three round trips of 0.1 s and one for the connection come before.
    let network = Network::constant(4_000).round_trip(SECOND / 10);
    let record = play(settings(), &mut site, &network, 60 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::Watched));
    assert_eq!(record.one(Metric::Startup), 800.0);
    assert_eq!(record.ended, 40 * SECOND + 800_000);
    assert_eq!((record.one(Metric::Stalls), record.one(Metric::Bitrate)), (0.0, 400.0));
    assert_eq!(record.of(segments).len(), 10);
    assert_eq!(&record.paths()[..4], ["/master?token=x", "/v0/list", "/v0/0", "/v0/1"]);
}

#[test]
fn a_slow_network_stalls_by_arithmetic() {
    let mut site = Hls::vod(&[1_000_000], 4, 5);
    // A segment takes 5 s: it is played in 4, and then the next is missing for 1 s.
    let record = play(settings(), &mut site, &Network::constant(800), 60 * SECOND);
    assert_eq!(record.one(Metric::Startup), 5000.0);
    assert_eq!(record.all(Metric::StallTime), [1000.0; 4]);
    assert_eq!((record.one(Metric::Stalls), record.one(Metric::StallRatio)), (4.0, 4.0 / 24.0 * 100.0));
    assert_eq!(record.ended, 29 * SECOND);
}

/// Returns the rungs of the segments that were asked for, without those that were left.
fn rungs(record: &Record) -> String {
    let kept = record.of(segments).into_iter().filter(|request| !request.was_left && request.url.contains("/v"));
    kept.map(|request| request.url.split("/v").nth(1).unwrap().split('/').next().unwrap()).collect()
}

#[test]
fn a_fast_network_raises_the_rung_and_a_slow_one_does_not() {
    let ladder = [400_000, 800_000, 2_000_000];
    let mut site = Hls::vod(&ladder, 4, 20);
    let fast = play(settings(), &mut site, &Network::constant(4_000), 200 * SECOND);
    assert_eq!(rungs(&fast), "02222222222222222222");
    assert_eq!(fast.one(Metric::Switches), 1.0);
    assert_eq!(fast.one(Metric::Bitrate), (400.0 + 19.0 * 2000.0) / 20.0);
    assert_eq!(fast.one(Metric::Height), (360.0 + 19.0 * 1080.0) / 20.0);
    // 70 % of 1.1 Mb/s are less than the second rung.
    let slow = play(settings(), &mut site, &Network::constant(1_100), 200 * SECOND);
    assert_eq!(rungs(&slow), "00000000000000000000");
    assert_eq!((slow.one(Metric::Stalls), slow.one(Metric::Switches)), (0.0, 0.0));
}

#[test]
fn a_segment_that_would_come_too_late_is_left_for_a_lower_rung() {
    let mut site = Hls::vod(&[200_000, 2_000_000], 4, 40);
    let mut settings = settings();
    settings.profile.buffer.bytes = 0;
    settings.profile.buffer.goal = 8 * SECOND;
    let record = play(settings, &mut site, &Network::steps(&[(0, 4_000), (20, 300)]), 60 * SECOND);
    assert_eq!(record.sum(Metric::Abandoned), 1.0);
    let left: Vec<_> =
        record.requests.iter().filter(|request| request.was_left && request.ended < Some(59 * SECOND)).collect();
    let [left] = left[..] else { panic!("one is left: {left:?}") };
    assert!(left.url.contains("/v1/") && left.bytes < 1_000_000, "{left:?}");
    assert!(record.one(Metric::Wasted) >= left.bytes as f64);
    assert_eq!(record.one(Metric::Stalls), 0.0);
}

#[test]
fn sound_in_segments_of_its_own_is_fetched_beside_the_pictures() {
    let mut site = Hls::vod(&[900_000], 4, 10);
    site.audio = Some(100_000);
    let record = play(settings(), &mut site, &Network::constant(2_000), 100 * SECOND);
    // Two segments of sound come beside the first of pictures, and a third would be ahead of it: 4.4 Mbit at 2 Mb/s.
    assert_eq!(record.one(Metric::Startup), 2200.0);
    assert_eq!(record.ended, 42_200_000);
    let sound = |what| what == What::Segment(TrackKind::Audio);
    assert_eq!((record.of(sound).len(), record.of(segments).len()), (10, 20));
}

#[test]
fn the_buffer_is_filled_to_its_goal_and_no_further() {
    let mut site = Hls::vod(&[1_000_000], 4, 100);
    let mut settings = settings();
    settings.profile.buffer.bytes = 0;
    let record = play(settings.clone(), &mut site, &Network::constant(100_000), 60 * SECOND);
    // 30 s ahead and the one that goes beyond; then one every 4 s.
    let times: Vec<_> = record.of(segments).iter().map(|request| request.begun / SECOND).collect();
    assert_eq!(&times[..12], [0, 0, 0, 0, 0, 0, 0, 0, 2, 6, 10, 14]);
    assert_eq!(record.outcome, Some(Outcome::Watched));
    assert_eq!(record.ended, 60 * SECOND);
    // 60 MB of 1 Mb/s are 480 s.
    settings.profile.buffer.bytes = 60_000_000;
    let record = play(settings, &mut site, &Network::constant(100_000), 60 * SECOND);
    assert_eq!(record.of(segments).len(), 100);
}

#[test]
fn errors_are_retried_with_growing_delays() {
    let mut site = Hls::vod(&[400_000], 4, 3);
    let mut failures = 3;
    site.fault = Box::new(move |path, _| {
        (path == "v0/0" && failures > 0).then(|| {
            failures -= 1;
            Answer::status(503)
        })
    });
    let record = play(settings(), &mut site, &Network::constant(4_000), 60 * SECOND);
    let tries: Vec<_> = record.of(segments).iter().take(4).map(|request| request.begun / SECOND).collect();
    assert_eq!(tries, [0, 1, 3, 7]);
    assert_eq!(record.faults, [FaultKind::Status; 3]);
    assert_eq!((record.outcome, record.one(Metric::Startup)), (Some(Outcome::Watched), 7400.0));
}

#[test]
fn a_missing_segment_fails_over_to_another_rung_and_then_the_session() {
    let mut site = Hls::vod(&[400_000, 800_000], 4, 5);
    site.fault = Box::new(|path, _| (path == "v0/2").then(|| Answer::status(404)));
    let record = play(settings(), &mut site, &Network::constant(600), 60 * SECOND);
    assert_eq!(rungs(&record), "000100");
    assert_eq!(record.outcome, Some(Outcome::Watched));

    site.fault = Box::new(|path, _| path.ends_with("/2").then(|| Answer::status(404)));
    let record = play(settings(), &mut site, &Network::constant(600), 60 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::Failed(FatalError::Segment)));
    assert_eq!(record.paths().iter().filter(|path| **path == "/master?token=x").count(), 2);
    assert_eq!((record.one(Metric::Failed), record.one(Metric::FailedStart)), (1.0, 0.0));
}

#[test]
fn a_manifest_that_does_not_come_fails_the_start() {
    let mut site = Hls::vod(&[400_000], 4, 3);
    site.fault = Box::new(|_, _| Some(Answer::status(500)));
    let record = play(settings(), &mut site, &Network::constant(600), 60 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::Failed(FatalError::Manifest)));
    assert_eq!((record.requests.len(), record.one(Metric::FailedStart)), (2, 1.0));
    site.fault = Box::new(|_, _| Some(Answer::content(Content::Malformed)));
    let record = play(settings(), &mut site, &Network::constant(600), 60 * SECOND);
    assert_eq!((record.outcome, record.requests.len()), (Some(Outcome::Failed(FatalError::Format)), 1));
}

#[test]
fn an_empty_segment_is_not_played() {
    let mut site = Hls::vod(&[400_000], 4, 3);
    let mut empty = true;
    site.fault = Box::new(move |path, _| (path == "v0/1" && std::mem::take(&mut empty)).then(|| Answer::media(0)));
    let record = play(settings(), &mut site, &Network::constant(4_000), 60 * SECOND);
    assert_eq!(record.faults, [FaultKind::Empty]);
    assert_eq!((record.of(segments).len(), record.outcome), (4, Some(Outcome::Watched)));
}

#[test]
fn a_reply_that_does_not_come_is_given_up() {
    let mut site = Hls::vod(&[400_000], 4, 3);
    let mut slow = true;
    site.fault = Box::new(move |path, now| {
        let never = Answer { not_before: now + 3600 * SECOND, ..Answer::media(200_000) };
        (path == "v0/1" && std::mem::take(&mut slow)).then_some(never)
    });
    let record = play(settings(), &mut site, &Network::constant(4_000), 60 * SECOND);
    let begun: Vec<_> = record.of(segments).iter().map(|request| request.begun / 100_000).collect();
    // The head has 10 s; then it is asked for again at once.
    assert_eq!(begun, [0, 4, 104, 108]);
    assert_eq!((record.all(Metric::StallTime), record.outcome), (&[6800.0 - 400.0][..], Some(Outcome::Watched)));
}
