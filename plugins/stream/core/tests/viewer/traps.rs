//! Mistakes that sites make in the field, and the right outcome of each.

use std::rc::Rc;

use crate::simulator::dash::Dash;
use crate::simulator::network::Network;
use crate::simulator::site::{Answer, Hls, ORIGIN, Site};
use crate::simulator::{Record, play};
use viewer_core::{
    ByteRange, Content, FatalError, FaultKind, Fetch, Metric, Micros, Outcome, Playlist, PlaylistBuilder, Profile,
    SECOND, SegmentSpec, Settings, Source, Steering, SteeringReply, StretchSpec, What,
};

fn settings() -> Settings {
    Settings::new(Profile::hls_js())
}

fn segments(record: &Record) -> Vec<String> {
    let segments = record.of(|what| matches!(what, What::Segment(_)));
    segments.iter().map(|request| request.url.strip_prefix(ORIGIN).unwrap().to_owned()).collect()
}

/// Returns a playlist with another content but the same rules.
fn rebuilt(list: &Playlist, change: impl Fn(SegmentSpec<'_>, u64) -> SegmentSpec<'_>, number: u64) -> Rc<Playlist> {
    let mut builder = PlaylistBuilder::default();
    let numbers = list.numbers();
    let base = list.resource(numbers.start, 0).unwrap().url;
    builder.base([base.as_str()]);
    builder.list(StretchSpec { number, ..StretchSpec::default() });
    for old in numbers {
        let segment = list.segment(old).unwrap();
        let url = list.resource(old, 0).unwrap().url;
        let spec = SegmentSpec {
            url: &url,
            duration: segment.duration,
            range: None,
            wall: segment.wall,
            discontinuity: segment.discontinuity,
            init: None,
            key: None,
            is_gap: false,
        };
        builder.segment(change(spec, old));
    }
    Rc::new(builder.build(list.schedule().clone(), Vec::new()))
}

/// A site whose playlists are changed on their way.
struct Changed<F>(Hls, F);

impl<F: FnMut(&Fetch, Rc<Playlist>) -> Rc<Playlist>> Site for Changed<F> {
    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
        let answer = self.0.answer(fetch, now);
        match answer.content {
            Content::Playlist(list) => Answer { content: Content::Playlist((self.1)(fetch, list)), ..answer },
            _ => answer,
        }
    }
}

#[test]
fn variants_with_other_numbers_are_matched_by_their_dates() {
    for has_dates in [true, false] {
        let mut site = Hls::live(&[400_000, 1_500_000], 2, 10);
        site.has_dates = has_dates;
        // The second rung counts from another number.
        let shift = |fetch: &Fetch, list: Rc<Playlist>| match fetch.resource.url.contains("/v1/") {
            true => rebuilt(&list, |spec, _| spec, list.numbers().start - 500),
            false => list,
        };
        let record = play(settings(), &mut Changed(site, shift), &Network::constant(6_000), 40 * SECOND);
        assert_eq!((record.one(Metric::Stalls), record.sum(Metric::Resyncs)), (0.0, 0.0), "dates: {has_dates}");
        let mut numbers: Vec<_> = segments(&record).iter().map(|url| url[4..].parse::<u64>().unwrap()).collect();
        assert!(record.one(Metric::Switches) >= 1.0);
        // No segment is missing, and none comes twice.
        numbers.dedup();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "dates: {has_dates}: {numbers:?}");
    }
}

#[test]
fn gaps_are_passed_over_without_a_request() {
    let gap = |_: &Fetch, list: Rc<Playlist>| {
        rebuilt(&list, |spec, number| SegmentSpec { is_gap: (2..4).contains(&number), ..spec }, 0)
    };
    let record =
        play(settings(), &mut Changed(Hls::vod(&[400_000], 4, 6), gap), &Network::constant(4_000), 100 * SECOND);
    assert_eq!(segments(&record), ["/v0/0", "/v0/1", "/v0/4", "/v0/5"]);
    assert_eq!((record.one(Metric::Stalls), record.ended), (0.0, 24 * SECOND + 400_000));
}

#[test]
fn a_gap_in_one_rung_is_filled_from_another() {
    let gap = |fetch: &Fetch, list: Rc<Playlist>| match fetch.resource.url.contains("/v1/") {
        true => rebuilt(&list, |spec, number| SegmentSpec { is_gap: (2..4).contains(&number), ..spec }, 0),
        false => list,
    };
    let site = Hls::vod(&[400_000, 800_000], 4, 6);
    let record = play(settings(), &mut Changed(site, gap), &Network::constant(4_000), 100 * SECOND);
    assert_eq!(segments(&record), ["/v0/0", "/v1/1", "/v0/2", "/v0/3", "/v1/4", "/v1/5"]);
    assert_eq!((record.one(Metric::Stalls), record.one(Metric::Switches)), (0.0, 3.0));
}

#[test]
fn a_token_that_expires_is_renewed_once_by_the_manifest() {
    let mut site = Hls::live(&[400_000], 2, 10);
    let mut masters = 0;
    site.fault = Box::new(move |path, now| {
        masters += u32::from(path == "master");
        (path.ends_with("list") && now > 10 * SECOND && masters < 2).then(|| Answer::status(403))
    });
    let record = play(settings(), &mut site, &Network::constant(4_000), 40 * SECOND);
    assert_eq!((record.outcome, record.of(|what| what == What::Manifest).len()), (Some(Outcome::Watched), 2));
    assert_eq!(record.one(Metric::Stalls), 0.0);
    // A token that stays invalid ends the session, and not in a loop.
    site.fault = Box::new(move |path, now| (path.ends_with("list") && now > 10 * SECOND).then(|| Answer::status(403)));
    let record = play(settings(), &mut site, &Network::constant(4_000), 40 * SECOND);
    assert_eq!(record.outcome, Some(Outcome::Failed(FatalError::Playlist)));
    assert!(record.requests.len() < 40);
}

#[test]
fn the_query_of_the_manifest_is_added_only_if_that_is_asked_for() {
    let mut site = Hls::vod(&[400_000], 4, 2);
    for forward_query in [false, true] {
        let record = play(Settings { forward_query, ..settings() }, &mut site, &Network::constant(4_000), 40 * SECOND);
        let query = if forward_query { "?token=x" } else { "" };
        assert_eq!(record.paths()[0], "/master?token=x");
        assert!(record.paths()[1..].iter().all(|path| path.ends_with(query) && path.contains('?') == forward_query));
    }
}

#[test]
fn a_whole_file_instead_of_a_range_is_wasted_and_a_short_range_continued() {
    let ranged = |_: &Fetch, list: Rc<Playlist>| {
        let range = |number| Some(ByteRange { start: number * 200_000, length: 200_000 });
        rebuilt(&list, |spec, number| SegmentSpec { range: range(number), ..spec }, 0)
    };
    let mut site = Hls::vod(&[400_000], 4, 2);
    site.fault = Box::new(|path, _| path.starts_with("v0/0").then(|| Answer::media(400_000)));
    let record = play(settings(), &mut Changed(site, ranged), &Network::constant(4_000), 40 * SECOND);
    assert_eq!((record.one(Metric::Wasted), record.outcome), (200_000.0, Some(Outcome::Watched)));

    // Another range than was asked for is not played.
    let mut site = Hls::vod(&[400_000], 4, 2);
    let mut wrong = true;
    site.fault = Box::new(move |path, _| {
        (path.starts_with("v0/1") && std::mem::take(&mut wrong)).then(|| {
            let content_range = Some(ByteRange { start: 7, length: 200_000 });
            Answer { status: 206, content_range, ..Answer::media(200_000) }
        })
    });
    let record = play(settings(), &mut Changed(site, ranged), &Network::constant(4_000), 40 * SECOND);
    assert_eq!((record.faults.as_slice(), segments(&record).len()), (&[FaultKind::Range][..], 3));

    let mut site = Hls::vod(&[400_000], 4, 2);
    let mut short = true;
    site.fault = Box::new(move |path, _| {
        path.starts_with("v0/0").then(|| {
            let bytes = if std::mem::take(&mut short) { 50_000 } else { 150_000 };
            Answer { status: 206, ..Answer::media(bytes) }
        })
    });
    let record = play(settings(), &mut Changed(site, ranged), &Network::constant(4_000), 40 * SECOND);
    assert_eq!(
        (segments(&record), record.one(Metric::Wasted)),
        (["/v0/0", "/v0/0", "/v0/1"].map(str::to_owned).into(), 0.0)
    );
    assert_eq!(record.one(Metric::Startup), 400.0);
}

#[test]
fn a_slow_segment_is_looked_at_only_when_it_could_come_too_late() {
    let mut site = Hls::vod(&[400_000, 1_000_000], 4, 100);
    let record = play(settings(), &mut site, &Network::constant(1_500), 60 * SECOND);
    // Each segment takes 2.7 of its 4 s, which would be eight looks, while the buffer grows by a third.
    let segments = record.of(|what| matches!(what, What::Segment(_))).len();
    assert!(record.steps < 4 * segments, "{} steps for {segments} segments", record.steps);
}

#[test]
fn a_rung_that_cannot_be_reached_is_left_for_its_backup() {
    struct Backed(Hls);
    impl Site for Backed {
        fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
            let answer = self.0.answer(fetch, now);
            let Content::Presentation(presentation) = &answer.content else { return answer };
            let mut presentation = (**presentation).clone();
            let url = format!("{ORIGIN}/v1/list").into();
            presentation.tracks[0].rungs.truncate(1);
            presentation.tracks[0].rungs[0].backups = vec![Source::Remote { url, pathway: "b".into() }];
            Answer { content: Content::Presentation(Rc::new(presentation)), ..answer }
        }
    }
    let mut site = Hls::vod(&[400_000, 400_000], 4, 6);
    site.fault = Box::new(|path, _| (path == "v0/3").then(|| Answer::status(404)));
    let record = play(settings(), &mut Backed(site), &Network::constant(4_000), 100 * SECOND);
    assert_eq!(segments(&record), ["/v0/0", "/v0/1", "/v0/2", "/v0/3", "/v1/3", "/v1/4", "/v1/5"]);
    assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0));
}

/// A site with two pathways, and a steering server that names the second after five seconds.
struct Steered {
    site: Hls,
    /// The status of the steering server.
    status: u16,
}

impl Site for Steered {
    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
        if fetch.what == What::Steering {
            let pathway = if now < 5 * SECOND { "a" } else { "b" };
            let reply = SteeringReply { ttl: 5 * SECOND, reload: None, priority: vec!["none".into(), pathway.into()] };
            let content = Content::Steering(Rc::new(reply));
            return Answer { status: self.status, ..Answer::content(content) };
        }
        let answer = self.site.answer(fetch, now);
        let Content::Presentation(presentation) = &answer.content else { return answer };
        let mut presentation = (**presentation).clone();
        let source = |folder: &str, pathway: &str| Source::Remote {
            url: format!("{ORIGIN}/{folder}/list").into(),
            pathway: pathway.into(),
        };
        presentation.tracks[0].rungs.truncate(1);
        presentation.tracks[0].rungs[0].source = source("v0", "a");
        presentation.tracks[0].rungs[0].backups = vec![source("v1", "b")];
        presentation.steering = Some(Steering { url: format!("{ORIGIN}/steer").into(), pathway: Some("a".into()) });
        Answer { content: Content::Presentation(Rc::new(presentation)), ..answer }
    }
}

#[test]
fn a_steering_server_moves_viewers_to_another_pathway() {
    let mut steered = Steered { site: Hls::live(&[400_000, 400_000], 2, 10), status: 200 };
    let record = play(settings(), &mut steered, &Network::constant(4_000), 22 * SECOND);
    let asked = record.of(|what| what == What::Steering);
    let times: Vec<_> = asked.iter().map(|request| request.begun / SECOND).collect();
    assert_eq!(times, [0, 5, 10, 15, 20]);
    assert!(asked[1].url.contains("_HLS_pathway=\"a\"&_HLS_throughput="), "{}", asked[1].url);
    let urls = segments(&record);
    let moved = urls.iter().position(|url| url.starts_with("/v1/")).unwrap();
    assert!(moved > 3 && urls[moved..].iter().all(|url| url.starts_with("/v1/")), "{urls:?}");
    let numbers: Vec<_> = urls.iter().map(|url| url[4..].parse::<u64>().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert_eq!(record.one(Metric::Stalls), 0.0);
    // A server that is gone is not asked again.
    steered.status = 410;
    let record = play(settings(), &mut steered, &Network::constant(4_000), 22 * SECOND);
    assert_eq!(record.of(|what| what == What::Steering).len(), 1);
    assert_eq!((record.one(Metric::Stalls), record.outcome), (0.0, Some(Outcome::Watched)));
}

#[test]
fn a_playlist_that_fails_for_some_time_is_asked_for_again_while_segments_go_on() {
    let mut site = Hls::live(&[400_000], 2, 10);
    site.fault = Box::new(|path, now| {
        (path.ends_with("list") && (10 * SECOND..13 * SECOND).contains(&now)).then(|| Answer::status(503))
    });
    let record = play(settings(), &mut site, &Network::constant(4_000), 40 * SECOND);
    assert_eq!((record.faults.len(), record.one(Metric::Stalls), record.outcome), (2, 0.0, Some(Outcome::Watched)));
    let lists = record.of(|what| matches!(what, What::Playlist(_)));
    let times: Vec<_> = lists.iter().map(|request| request.begun / SECOND).collect();
    // The one at 13 s is late, so the next follows at once; that has no news, and waits for half the target.
    assert_eq!(times[..10], [0, 2, 4, 6, 8, 10, 11, 13, 13, 14]);
}

#[test]
fn a_live_manifest_that_fails_is_asked_for_again_in_its_own_time() {
    let mut site = Dash::live(&[400_000], 2);
    site.has_timeline = true;
    (site.live.as_mut().unwrap().update, site.live.as_mut().unwrap().delay) = (Some(2 * SECOND), Some(20 * SECOND));
    site.fault = Box::new(|path, now| {
        (path.starts_with("master") && (10 * SECOND..20 * SECOND).contains(&now)).then(|| Answer::status(500))
    });
    let record = play(Settings::new(Profile::dash_js()), &mut site, &Network::constant(4_000), 60 * SECOND);
    assert_eq!((record.outcome, record.one(Metric::Stalls)), (Some(Outcome::Watched), 0.0));
    assert!((4..20).contains(&record.faults.len()), "{}", record.faults.len());
}
