//! Low latency: parts and held playlists of HLS, and segments of DASH that come as they are made.

use std::rc::Rc;

use crate::simulator::dash::Dash;
use crate::simulator::network::Network;
use crate::simulator::play;
use crate::simulator::site::{Answer, Hls, Site};
use viewer_core::{Content, Fetch, Metric, Micros, Outcome, Profile, SECOND, Settings, What};

fn settings(profile: Profile) -> Settings {
    Settings::new(profile)
}

fn is_list(what: What) -> bool {
    matches!(what, What::Playlist(_) | What::Reload(_))
}

#[test]
fn parts_are_played_close_to_the_edge() {
    for profile in [Profile::hls_js(), Profile::shaka()] {
        let name = profile.name;
        let mut site = Hls::low_latency(&[400_000]);
        let record = play(settings(profile), &mut site, &Network::constant(4_000), 30 * SECOND);
        assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0), "{name}");
        let latency = record.all(Metric::Latency).last().copied().unwrap();
        assert!((1_000.0..2_500.0).contains(&latency), "{name}: {latency}");
        // Each playlist is asked for when the one before has come, and held until it has a part more.
        let held = record.of(|what| matches!(what, What::Reload(_)));
        assert!((58..=61).contains(&held.len()), "{name}: {}", held.len());
        assert!(held[0].url.contains("_HLS_msn=1800&_HLS_part="), "{name}: {}", held[0].url);
        let parts = record.of(|what| matches!(what, What::Part(_)));
        assert!((58..=66).contains(&parts.len()), "{name}: {}", parts.len());
    }
}

#[test]
fn parts_are_left_alone_without_low_latency() {
    let mut site = Hls::low_latency(&[400_000]);
    let mut settings = settings(Profile::hls_js());
    settings.low_latency = false;
    let record = play(settings, &mut site, &Network::constant(4_000), 30 * SECOND);
    assert_eq!(record.of(|what| matches!(what, What::Part(_) | What::Reload(_))).len(), 0);
    assert_eq!((record.of(is_list).len(), record.one(Metric::Stalls)), (15, 0.0));
    assert!(record.all(Metric::Latency).iter().all(|latency| *latency > 5_000.0));
}

#[test]
fn a_server_that_holds_nothing_is_not_asked_in_a_loop() {
    let mut site = Unheld(Hls::low_latency(&[400_000]));
    let record = play(settings(Profile::hls_js()), &mut site, &Network::constant(4_000), 30 * SECOND);
    // An unchanged answer is followed by a wait of half a target duration.
    let lists = record.of(is_list).len();
    assert!(lists <= 61, "{lists}");
    assert_eq!(record.outcome, Some(Outcome::Watched));
}

/// A stream whose server answers at once what it has.
struct Unheld(Hls);

impl Site for Unheld {
    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
        self.0.schedule.can_block = true;
        let mut fetch = fetch.clone();
        fetch.resource.url.truncate(fetch.resource.url.find('?').unwrap_or(fetch.resource.url.len()));
        self.0.answer(&fetch, now)
    }
}

#[test]
fn a_delta_update_that_does_not_fit_is_followed_by_a_whole_playlist() {
    let mut site = Skipping { site: Hls::low_latency(&[400_000]), failures: 0 };
    site.site.schedule.skip_until = Some(12 * SECOND);
    let record = play(settings(Profile::hls_js()), &mut site, &Network::constant(4_000), 20 * SECOND);
    assert_eq!((record.one(Metric::Stalls), record.faults.len(), site.failures), (0.0, 0, 1));
    let urls: Vec<_> = record.of(is_list).iter().map(|request| request.url.clone()).collect();
    let failed = urls.iter().position(|url| url.contains("_HLS_skip=YES")).unwrap();
    assert!(!urls[failed + 1].contains("_HLS_skip") && urls[failed + 2].contains("_HLS_skip=YES"), "{urls:?}");
}

/// A stream whose first delta update does not fit.
struct Skipping {
    site: Hls,
    failures: u32,
}

impl Site for Skipping {
    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
        if fetch.resource.url.contains("_HLS_skip") && self.failures == 0 {
            self.failures += 1;
            return Answer::content(Content::Unmergeable);
        }
        self.site.answer(fetch, now)
    }
}

#[test]
fn a_rung_is_switched_inside_a_segment_of_parts() {
    let mut site = Hls::low_latency(&[400_000, 1_500_000]);
    let record = play(settings(Profile::hls_js()), &mut site, &Network::steps(&[(0, 6_000), (15, 900)]), 60 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::Watched));
    assert!(record.one(Metric::Switches) >= 2.0 && record.one(Metric::Bitrate) < 1_000.0, "{record:?}");
    assert!(record.one(Metric::Stalls) <= 2.0, "{:?}", record.all(Metric::StallTime));
}

#[test]
fn segments_of_dash_are_played_while_they_are_made() {
    for profile in [Profile::dash_js(), Profile::shaka()] {
        let name = profile.name;
        let mut site = Dash::live(&[400_000], 2);
        site.ahead = SECOND * 3 / 2;
        site.live.as_mut().unwrap().latency = Some(SECOND * 3 / 2);
        let record = play(settings(profile), &mut site, &Network::constant(4_000), 30 * SECOND);
        assert_eq!((record.outcome, record.faults.len()), (Some(Outcome::Watched), 0), "{name}");
        let latency = record.all(Metric::Latency).last().copied().unwrap();
        assert!((1_300.0..2_500.0).contains(&latency), "{name}: {latency}");
        assert_eq!(record.one(Metric::Stalls), 0.0, "{name}: {:?}", record.all(Metric::StallTime));
        assert_eq!(record.of(|what| matches!(what, What::Segment(_))).len(), 0, "{name}");
    }
}

#[test]
fn viewers_of_the_same_bytes_share_a_playlist() {
    let mut site = Hls::vod(&[400_000], 2, 3600);
    let list = site.shared_list("v0");
    let before = Rc::strong_count(&list);
    play(settings(Profile::hls_js()), &mut site, &Network::constant(4_000), 5 * SECOND);
    assert_eq!(Rc::strong_count(&list), before);
    assert!(list.memory() < 3600 * 56, "{}", list.memory());
}

#[test]
fn a_player_that_catches_up_reaches_the_latency_that_is_asked_for() {
    // Three round trips of 0.2 s put playback behind the place that was computed at the start.
    let network = Network::constant(4_000).round_trip(SECOND / 5);
    for (catch_up, low, high) in [(true, 1_450.0, 1_600.0), (false, 1_700.0, 3_000.0)] {
        let mut site = Dash::live(&[400_000], 2);
        site.ahead = SECOND * 3 / 2;
        site.live.as_mut().unwrap().latency = Some(SECOND * 3 / 2);
        let mut profile = Profile::dash_js();
        profile.catch_up = catch_up;
        let record = play(settings(profile), &mut site, &network, 30 * SECOND);
        let latency = record.all(Metric::Latency).last().copied().unwrap();
        assert!((low..high).contains(&latency), "catches up: {catch_up}: {latency}");
        assert_eq!(record.one(Metric::Stalls), 0.0, "catches up: {catch_up}: {:?}", record.all(Metric::StallTime));
    }
}
