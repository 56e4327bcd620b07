//! DASH, played as dash.js and Shaka Player play it: recordings, indices, and live streams by the clock.

use crate::simulator::dash::Dash;
use crate::simulator::network::Network;
use crate::simulator::site::{Answer, ORIGIN};
use crate::simulator::{Record, WALL, play};
use viewer_core::{ClockSource, Metric, Micros, Outcome, Profile, SECOND, Settings, TrackKind, What};

fn settings(profile: Profile) -> Settings {
    Settings::new(profile)
}

fn numbers(record: &Record) -> Vec<i64> {
    let segments = record.of(|what| matches!(what, What::Segment(_)));
    segments.iter().map(|request| request.url.rsplit('/').next().unwrap().parse::<i64>().unwrap()).collect()
}

#[test]
fn a_recording_is_played_to_its_end() {
    for profile in Profile::all() {
        let name = profile.name;
        let mut site = Dash::vod(&[400_000, 1_200_000], 4, 42);
        site.audio = Some(64_000);
        let record = play(settings(profile), &mut site, &Network::constant(4_000), 200 * SECOND);
        assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0), "{name}");
        let startup = Micros::try_from((record.one(Metric::Startup) * 1000.0) as u64).unwrap();
        // The last of 11 segments is cut where the period ends.
        assert_eq!(record.ended, startup + 42 * SECOND, "{name}");
        assert_eq!(record.of(|what| matches!(what, What::Segment(_))).len(), 22, "{name}");
    }
}

#[test]
fn an_index_is_fetched_before_the_segments_of_a_rung() {
    let mut site = Dash::vod(&[400_000, 1_200_000], 4, 20);
    site.has_index = true;
    let record = play(settings(Profile::dash_js()), &mut site, &Network::constant(2_000), 200 * SECOND);
    assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0));
    let indices = record.of(|what| matches!(what, What::Index(_)));
    assert_eq!((indices.len(), indices[0].url.as_str()), (2, "http://site/v0/file"));
    assert_eq!(record.of(|what| matches!(what, What::Segment(_))).len(), 5);
}

#[test]
fn a_live_stream_is_joined_by_its_delay_and_followed_by_the_clock() {
    for (delay, latency, distance) in [(Some(8), None, 8), (Some(8), Some(5), 5), (None, None, 8)] {
        let mut site = Dash::live(&[400_000], 2);
        let live = site.live.as_mut().unwrap();
        (live.delay, live.latency) = (delay.map(|it| it * SECOND), latency.map(|it| it * SECOND));
        let record = play(settings(Profile::dash_js()), &mut site, &Network::constant(4_000), 60 * SECOND);
        assert_eq!((record.one(Metric::Stalls), record.faults.len()), (0.0, 0));
        let shown = record.all(Metric::Latency).last().copied().unwrap();
        assert!((shown - distance as f64 * 1000.0).abs() < 500.0, "{distance} s, and {shown} ms");
        // The manifest is never fetched again, since it does not ask for that.
        assert_eq!(record.of(|what| what == What::Manifest).len(), 1);
        assert_eq!(record.faults, []);
    }
}

#[test]
fn a_timeline_is_refreshed_and_its_segments_found_again_by_time() {
    let mut site = Dash::live(&[400_000, 900_000], 2);
    site.has_timeline = true;
    site.live.as_mut().unwrap().update = Some(4 * SECOND);
    site.live.as_mut().unwrap().delay = Some(10 * SECOND);
    let record = play(settings(Profile::dash_js()), &mut site, &Network::constant(4_000), 60 * SECOND);
    assert_eq!((record.one(Metric::Stalls), record.outcome), (0.0, Some(Outcome::Watched)));
    let times: Vec<_> = record.of(|what| what == What::Manifest).iter().map(|request| request.begun / SECOND).collect();
    assert_eq!(times, (0..15).map(|n| n * 4).collect::<Vec<_>>());
    let numbers = numbers(&record);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert_eq!(record.one(Metric::Bitrate), 900.0);
}

#[test]
fn a_refresh_for_each_segment_is_no_loop() {
    let mut site = Dash::live(&[400_000], 2);
    site.has_timeline = true;
    site.live.as_mut().unwrap().update = Some(0);
    let record = play(settings(Profile::shaka()), &mut site, &Network::constant(4_000), 30 * SECOND);
    assert_eq!(record.of(|what| what == What::Manifest).len(), 15);
    assert_eq!(record.one(Metric::Stalls), 0.0);
}

#[test]
fn the_next_refresh_goes_where_the_manifest_says() {
    let mut site = Dash::live(&[400_000], 2);
    site.live.as_mut().unwrap().update = Some(5 * SECOND);
    site.live.as_mut().unwrap().location = Some(format!("{ORIGIN}/session-7").into());
    let record = play(settings(Profile::dash_js()), &mut site, &Network::constant(4_000), 12 * SECOND);
    let urls: Vec<_> = record.of(|what| what == What::Manifest).iter().map(|request| request.url.as_str()).collect();
    assert_eq!(urls, ["http://site/master?token=x", "http://site/session-7", "http://site/session-7"]);
}

#[test]
fn a_wrong_clock_causes_no_missing_segments() {
    let clock = || vec![ClockSource::Body(format!("{ORIGIN}/time").into())];
    for (case, offset, clocks) in [
        ("ahead, by a time server", -120, clock()),
        ("behind, by a time server", 120, clock()),
        ("ahead, by the date of the manifest", -120, Vec::new()),
        ("behind, by the date of the manifest", 120, Vec::new()),
        ("by the manifest", 30, vec![ClockSource::Direct(WALL + 30 * SECOND)]),
    ] {
        let mut site = Dash::live(&[400_000], 2);
        (site.clock_offset, site.clocks) = (offset * SECOND, clocks);
        let record = play(settings(Profile::dash_js()), &mut site, &Network::constant(4_000), 30 * SECOND);
        assert_eq!((record.faults.len(), record.one(Metric::Stalls)), (0, 0.0), "{case}");
        let latency = record.all(Metric::Latency)[0];
        assert!((7_000.0..9_000.0).contains(&latency), "{case}: {latency}");
    }
    // A time server that fails leaves the date.
    let mut site = Dash::live(&[400_000], 2);
    (site.clock_offset, site.clocks) = (120 * SECOND, clock());
    site.fault = Box::new(|path, _| (path == "time").then(|| Answer::status(503)));
    let record = play(settings(Profile::dash_js()), &mut site, &Network::constant(4_000), 30 * SECOND);
    assert_eq!((record.faults.len(), record.one(Metric::Stalls)), (1, 0.0));
}

#[test]
fn a_stream_that_has_not_begun_is_waited_for() {
    let mut site = Dash::live(&[400_000], 2);
    site.live.as_mut().unwrap().availability_start = WALL + 20 * SECOND;
    let record = play(settings(Profile::dash_js()), &mut site, &Network::constant(4_000), 60 * SECOND);
    assert_eq!((record.outcome, record.faults.len()), (Some(Outcome::Watched), 0));
    // The first segment is complete 2 s after the start; it and 800 bytes before it come in 0.2016 s.
    assert_eq!(record.one(Metric::Startup), 22_201.6);
    let mut settings = settings(Profile::dash_js());
    settings.patience = Some(10 * SECOND);
    let record = play(settings, &mut site, &Network::constant(4_000), 60 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::LeftEarly));
}

#[test]
fn a_segment_that_is_not_there_yet_is_asked_for_again() {
    let mut site = Dash::live(&[400_000], 2);
    let mut misses = 2;
    site.fault = Box::new(move |path, now| {
        (path.starts_with("v0/18") && now > 10 * SECOND && misses > 0).then(|| {
            misses -= 1;
            Answer::status(404)
        })
    });
    let record = play(settings(Profile::dash_js()), &mut site, &Network::constant(4_000), 30 * SECOND);
    assert_eq!((record.sum(Metric::EdgeMisses), record.one(Metric::Stalls)), (2.0, 0.0));
    assert_eq!(record.outcome, Some(Outcome::Watched));
}

#[test]
fn a_live_stream_that_ends_is_played_to_its_end() {
    // An hour has passed, and 20 seconds are left.
    let mut site = Dash::live(&[400_000], 2);
    site.length = Some(3620 * SECOND);
    let record = play(settings(Profile::dash_js()), &mut site, &Network::constant(4_000), 120 * SECOND);
    assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0));
    // It is 8 s behind, and began 0.2 s after the start.
    assert!((28 * SECOND..29 * SECOND).contains(&record.ended), "{}", record.ended);
}

#[test]
fn sound_does_not_run_ahead_of_the_pictures() {
    for profile in [Profile::dash_js(), Profile::shaka(), Profile::exoplayer()] {
        let name = profile.name;
        let mut site = Dash::vod(&[900_000], 4, 40);
        site.audio = Some(100_000);
        let record = play(settings(profile), &mut site, &Network::constant(2_000), 100 * SECOND);
        let first = record.of(|what| what == What::Segment(TrackKind::Video))[0].ended.unwrap();
        let sound = record.of(|what| what == What::Segment(TrackKind::Audio));
        assert_eq!(sound.iter().filter(|request| request.begun < first).count(), 1, "{name}");
        assert_eq!((sound.len(), record.one(Metric::Stalls)), (10, 0.0), "{name}");
    }
}

#[test]
fn time_without_media_is_jumped_over() {
    // Three segments of 4 s, 1.4 s of nothing, and three more.
    let text = |holes: Micros| {
        let mut site = Dash::vod(&[400_000], 4, 24);
        site.hole = holes * SECOND / 10;
        play(settings(Profile::dash_js()), &mut site, &Network::constant(4_000), 100 * SECOND)
    };
    let (without, with) = (text(0), text(14));
    assert_eq!((with.outcome, with.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0));
    assert_eq!((with.ended, with.one(Metric::Bitrate)), (without.ended, 400.0));
    assert_eq!(numbers(&with), numbers(&without));
}
