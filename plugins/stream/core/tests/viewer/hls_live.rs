//! Live streams of HLS, played as hls.js plays them: the distance to the edge, reloads, and playlists that misbehave.

use crate::simulator::network::Network;
use crate::simulator::site::{AIRED, Answer, Hls, Site};
use crate::simulator::{Record, play};
use viewer_core::{FatalError, FaultKind, Fetch, Join, Metric, Micros, Outcome, Profile, SECOND, Settings, What};

fn settings() -> Settings {
    Settings::new(Profile::hls_js())
}

fn reloads(record: &Record) -> Vec<Micros> {
    record.of(|what| matches!(what, What::Playlist(_))).iter().map(|request| request.begun).collect()
}

/// Returns the numbers of the segments that were fetched, from the first that the playlist had at the start.
fn numbers(record: &Record) -> Vec<i64> {
    let segments = record.of(|what| matches!(what, What::Segment(_)));
    let number = |url: &str| url.rsplit('/').next().unwrap().parse::<i64>().unwrap();
    segments.iter().map(|request| number(&request.url) - i64::try_from(AIRED).unwrap()).collect()
}

#[test]
fn a_viewer_joins_three_target_durations_behind_the_edge() {
    let mut site = Hls::live(&[400_000], 2, 10);
    let record = play(settings(), &mut site, &Network::constant(4_000), 60 * SECOND);
    // The edge is behind segment -1; the third last begins 6 s before it, and what was made meanwhile is added.
    assert_eq!(numbers(&record)[..3], [-3, -2, -1]);
    assert_eq!((record.one(Metric::Startup), record.one(Metric::Stalls)), (200.0, 0.0));
    let latency = record.all(Metric::Latency);
    assert!(latency.iter().all(|latency| (*latency - 6200.0).abs() < 300.0), "{latency:?}");
    assert_eq!(record.outcome, Some(Outcome::Watched));
    // A reload each target duration.
    let times = reloads(&record);
    assert_eq!(times.len(), 30, "{times:?}");
    assert!(times.windows(2).skip(1).all(|pair| pair[1] - pair[0] == 2 * SECOND), "{times:?}");
}

#[test]
fn the_playlist_and_the_settings_say_how_far_behind_a_viewer_stays() {
    let network = Network::constant(4_000);
    let mut site = Hls::live(&[400_000], 2, 10);
    site.schedule.hold_back = Some(10 * SECOND);
    assert_eq!(numbers(&play(settings(), &mut site, &network, 20 * SECOND))[0], -5);
    let mut from_start = settings();
    from_start.join = Join::Start;
    assert_eq!(numbers(&play(from_start, &mut site, &network, 20 * SECOND))[0], -10);
    let mut behind = settings();
    behind.join = Join::Behind(15 * SECOND);
    assert_eq!(numbers(&play(behind, &mut site, &network, 20 * SECOND))[0], -8);
}

#[test]
fn a_playlist_that_never_changes_is_reloaded_at_half_the_target_and_ends_in_a_failure() {
    let mut frozen = Frozen(Hls::live(&[400_000], 4, 6));
    let mut settings = settings();
    settings.give_up_after_stall = Some(20 * SECOND);
    let record = play(settings, &mut frozen, &Network::constant(4_000), 120 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::Failed(FatalError::Stall)));
    // 12 s are played, then it stalls for 20 s.
    assert_eq!((record.all(Metric::StallTime), record.ended / SECOND), (&[20_000.0][..], 32));
    let times = reloads(&record);
    assert!(times.windows(2).skip(1).all(|pair| pair[1] - pair[0] == 2 * SECOND), "{times:?}");
}

/// A live stream whose encoder has died.
struct Frozen(Hls);

impl Site for Frozen {
    fn answer(&mut self, fetch: &Fetch, _: Micros) -> Answer {
        self.0.answer(fetch, 0)
    }
}

#[test]
fn a_list_that_ends_is_played_to_its_end() {
    let mut site = Ending(Hls::live(&[400_000], 2, 10));
    let record = play(settings(), &mut site, &Network::constant(4_000), 120 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::Watched));
    // It plays from 6 s before the edge, 0.2 s after the start, and 20 s are made after that.
    assert_eq!(record.ended, 26_200_000);
    assert!(reloads(&record).iter().all(|at| *at <= 22 * SECOND));
}

/// A live stream that ends after 20 seconds.
struct Ending(Hls);

impl Site for Ending {
    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
        let at = now.min(20 * SECOND);
        if now >= 20 * SECOND && !self.0.schedule.ended {
            self.0.schedule.ended = true;
            self.0.forget();
        }
        self.0.answer(fetch, at)
    }
}

#[test]
fn an_old_playlist_is_ignored_and_a_restarted_one_followed() {
    // One reply from a stale cache.
    let mut site = Hls::live(&[400_000], 2, 10);
    let mut stale = StaleAt { site: Hls::live(&[400_000], 2, 10), old: 9 * SECOND..11 * SECOND };
    let record = play(settings(), &mut stale, &Network::constant(4_000), 30 * SECOND);
    assert_eq!((record.faults.as_slice(), record.sum(Metric::Resyncs)), (&[FaultKind::Stale][..], 0.0));
    let expected = numbers(&play(settings(), &mut site, &Network::constant(4_000), 30 * SECOND));
    assert_eq!(numbers(&record), expected);
    // An encoder that begins again with 0.
    stale.old = 9 * SECOND..100 * SECOND;
    let record = play(settings(), &mut stale, &Network::constant(4_000), 40 * SECOND);
    assert_eq!((record.sum(Metric::Resyncs), record.outcome), (1.0, Some(Outcome::Watched)));
}

/// A live stream that shows an older playlist for some time.
struct StaleAt {
    site: Hls,
    old: std::ops::Range<Micros>,
}

impl Site for StaleAt {
    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
        let is_list = matches!(fetch.what, What::Playlist(_));
        let at = if is_list && self.old.contains(&now) { now - 8 * SECOND } else { now };
        self.site.answer(fetch, at)
    }
}

#[test]
fn a_viewer_that_stalled_behind_the_window_goes_to_the_edge() {
    let mut site = Hls::live(&[400_000], 2, 6);
    let network = Network::steps(&[(0, 4_000), (10, 0), (60, 4_000)]);
    let record = play(settings(), &mut site, &network, 100 * SECOND);
    assert_eq!((record.sum(Metric::Resyncs), record.one(Metric::Stalls)), (1.0, 1.0));
    let latency = record.all(Metric::Latency).last().copied().unwrap();
    // One stall puts it a second further behind.
    assert!((6_000.0..13_000.0).contains(&latency), "{latency}");
}

#[test]
fn a_viewer_on_a_slow_network_plays_live_at_a_lower_rung() {
    let mut site = Hls::live(&[400_000, 3_000_000], 2, 10);
    site.has_dates = true;
    let record = play(settings(), &mut site, &Network::constant(6_000), 60 * SECOND);
    assert!(record.one(Metric::Bitrate) > 2_000.0, "{record:?}");
    let record = play(settings(), &mut site, &Network::constant(1_500), 60 * SECOND);
    assert_eq!((record.one(Metric::Bitrate), record.one(Metric::Stalls)), (400.0, 0.0));
}

#[test]
fn two_hours_are_replayed_with_few_steps() {
    let mut site = Hls::live(&[400_000, 800_000], 2, 30);
    let record = play(settings(), &mut site, &Network::constant(4_000).round_trip(SECOND / 20), 7200 * SECOND);
    assert_eq!((record.one(Metric::Stalls), record.sum(Metric::Resyncs)), (0.0, 0.0));
    // For each segment: the playlist and its timer, the segment and a look at it.
    assert!(record.steps < 4 * 3600 + 100, "{}", record.steps);
}
