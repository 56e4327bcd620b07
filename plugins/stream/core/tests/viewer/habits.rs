//! Habits of the person who watches: leaving, seeking, pausing, zapping; and what a script fixes.

use crate::simulator::network::Network;
use crate::simulator::play;
use crate::simulator::site::{Answer, Hls};
use viewer_core::{
    CmcdMode, FatalError, Metric, Micros, Outcome, Profile, Quality, Recurring, SECOND, Settings, Uniform, What,
};

fn settings() -> Settings {
    Settings::new(Profile::hls_js())
}

fn exactly(seconds: Micros) -> Uniform {
    Uniform { from: seconds * SECOND, to: seconds * SECOND }
}

#[test]
fn a_viewer_without_patience_leaves_before_the_first_frame() {
    let mut site = Hls::vod(&[4_000_000], 4, 10);
    let mut settings = settings();
    settings.patience = Some(5 * SECOND);
    let record = play(settings, &mut site, &Network::constant(1_000), 60 * SECOND);
    assert_eq!((record.outcome, record.ended), (Some(Outcome::LeftEarly), 5 * SECOND));
    assert_eq!((record.one(Metric::LeftEarly), record.one(Metric::Startup)), (1.0, 5000.0));
    assert!(record.requests.last().unwrap().was_left);
}

#[test]
fn a_viewer_gives_a_long_stall_up() {
    let mut site = Hls::vod(&[400_000], 4, 100);
    let mut settings = settings();
    settings.give_up_after_stall = Some(3 * SECOND);
    settings.profile.buffer.bytes = 0;
    let record = play(settings, &mut site, &Network::steps(&[(0, 4_000), (10, 0)]), 600 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::Failed(FatalError::Stall)));
    assert_eq!(record.all(Metric::StallTime), [3000.0]);
}

#[test]
fn seeks_leave_the_buffer_and_are_no_stalls() {
    let mut site = Hls::vod(&[400_000], 4, 400);
    let mut settings = settings();
    settings.profile.buffer.bytes = 0;
    settings.seek = Some(Recurring { every: exactly(10), by: exactly(300) });
    let record = play(settings, &mut site, &Network::constant(1_600), 25 * SECOND);
    // The first frame is at 1 s; at 11 s it jumps from 10 to 310 s, and at 21 s from 319 to 619 s.
    let after = |second: Micros| record.requests.iter().find(|request| request.begun >= second * SECOND).unwrap();
    assert!(after(11).url.ends_with("/v0/77") && after(21).url.ends_with("/v0/154"), "{:?}", record.paths());
    assert_eq!((record.one(Metric::Stalls), record.outcome), (0.0, Some(Outcome::Watched)));
    assert!(record.one(Metric::Wasted) > 1_000_000.0);
    // A seek inside the buffer asks for nothing.
    let mut settings = self::settings();
    settings.seek = Some(Recurring { every: exactly(20), by: exactly(5) });
    let record = play(settings, &mut site, &Network::constant(1_600), 30 * SECOND);
    assert_eq!(
        record.one(Metric::Wasted),
        record.requests.iter().map(|it| it.bytes).sum::<u64>() as f64 - 34.0 * 50_000.0
    );
}

#[test]
fn a_pause_stops_the_playhead_and_not_the_download() {
    let mut site = Hls::vod(&[400_000], 4, 5);
    let mut settings = settings();
    settings.pause = Some(Recurring { every: exactly(5), by: exactly(7) });
    let record = play(settings, &mut site, &Network::constant(4_000), 100 * SECOND);
    // 20 s of media with three pauses of 7 s, each 5 s after the one before.
    assert_eq!(record.ended, (400_000 + 20 * SECOND) + 21 * SECOND);
    assert_eq!((record.one(Metric::Stalls), record.one(Metric::Bitrate)), (0.0, 400.0));
}

#[test]
fn the_declared_time_to_decode_is_part_of_the_startup() {
    let mut settings = settings();
    settings.profile.decode = SECOND / 4;
    let record = play(settings, &mut Hls::vod(&[400_000], 4, 2), &Network::constant(4_000), 60 * SECOND);
    assert_eq!((record.one(Metric::Startup), record.ended), (650.0, 8_400_000));
}

#[test]
fn a_zap_ends_the_session() {
    let mut site = Hls::vod(&[400_000], 4, 100);
    let mut settings = settings();
    settings.zap = Some(exactly(30));
    let record = play(settings, &mut site, &Network::constant(4_000), 100 * SECOND);
    assert_eq!((record.outcome, record.ended), (Some(Outcome::Zapped), 30 * SECOND));
}

#[test]
fn the_quality_can_be_fixed_or_bounded() {
    let mut site = Hls::vod(&[400_000, 800_000, 1_600_000], 4, 10);
    for (quality, bitrate) in [
        (Quality::Lowest, 400.0),
        (Quality::Highest, 1600.0),
        (Quality::Height(720), 800.0),
        (Quality::Height(1000), 800.0),
        (Quality::Height(100), 400.0),
        (Quality::Most(720), (400.0 + 9.0 * 800.0) / 10.0),
    ] {
        let mut settings = settings();
        settings.quality = quality;
        let record = play(settings, &mut site, &Network::constant(9_000), 100 * SECOND);
        assert_eq!(record.one(Metric::Bitrate), bitrate, "{quality:?}");
    }
    let mut settings = settings();
    settings.quality = Quality::Random;
    let record = play(settings, &mut site, &Network::constant(9_000), 100 * SECOND);
    assert_eq!((record.one(Metric::Switches), record.outcome), (0.0, Some(Outcome::Watched)));
}

#[test]
fn a_key_and_an_initialization_segment_are_fetched_once() {
    let mut site = Hls::vod(&[400_000], 4, 5);
    (site.has_init, site.has_key) = (true, true);
    let record = play(settings(), &mut site, &Network::constant(4_000).round_trip(SECOND / 10), 100 * SECOND);
    assert_eq!(&record.paths()[..6], ["/master?token=x", "/v0/list", "/key", "/v0/init", "/v0/0", "/v0/1"]);
    assert_eq!(record.requests.len(), 9);
    // hls.js asks for the first segment beside the initialization segment, others after it.
    assert_eq!(record.requests[3].begun, record.requests[4].begun);
    let mut settings = settings();
    settings.profile.parallel_init = false;
    let record = play(settings, &mut site, &Network::constant(4_000).round_trip(SECOND / 10), 100 * SECOND);
    assert_eq!(record.requests[4].begun, record.requests[3].ended.unwrap());
}

#[test]
fn a_key_that_does_not_come_fails_the_session() {
    let mut site = Hls::vod(&[400_000], 4, 5);
    site.has_key = true;
    site.fault = Box::new(|path, _| (path == "key").then(|| Answer::status(403)));
    let record = play(settings(), &mut site, &Network::constant(4_000), 100 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::Failed(FatalError::Key)));
    assert_eq!(record.one(Metric::FailedStart), 1.0);
}

#[test]
fn the_server_is_told_about_the_player() {
    let mut site = Hls::vod(&[400_000], 4, 5);
    let mut settings = settings();
    settings.cmcd = Some(CmcdMode::Query);
    let record = play(settings, &mut site, &Network::constant(4_000), 8 * SECOND);
    let segments = record.of(|what| matches!(what, What::Segment(_)));
    let urls: Vec<_> = segments.iter().map(|request| &request.url).collect();
    assert!(urls[0].contains("?CMCD=bl%3D0%2Cbr%3D400%2Cd%3D4000%2Cmtp%3D500%2Cot%3Dav%2Csf%3Dh%2Csid"), "{urls:?}");
    assert!(urls[0].contains("%2Csu") && !urls[1].contains("%2Csu"), "{urls:?}");
}

#[test]
fn every_profile_plays_a_recording_to_its_end() {
    for profile in Profile::all() {
        let name = profile.name;
        let mut site = Hls::vod(&[400_000, 800_000, 1_600_000], 4, 50);
        site.audio = Some(64_000);
        let record = play(Settings::new(profile), &mut site, &Network::constant(3_000), 1000 * SECOND);
        assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0), "{name}");
        assert!(record.one(Metric::Bitrate) > 1_000.0, "{name}: {}", record.one(Metric::Bitrate));
        assert_eq!(record.one(Metric::Wasted), 0.0, "{name}");
    }
}
