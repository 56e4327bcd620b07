//! Playlists as readers build them, asked as the player asks.

use super::*;
use crate::micros::SECOND;

fn segment(url: &str, duration: Micros) -> SegmentSpec<'_> {
    SegmentSpec { url, duration, range: None, wall: None, discontinuity: 0, init: None, key: None, is_gap: false }
}

fn part(url: &str) -> PartSpec<'_> {
    PartSpec { url, duration: SECOND / 2, range: None, is_independent: false, is_gap: false }
}

fn template(duration: u64, runs: Vec<Run>) -> TemplateSpec<'static> {
    TemplateSpec {
        media: "$Number$-$Time$",
        timescale: 1000,
        offset: 5000,
        start_number: 7,
        duration,
        runs: runs.into(),
    }
}

/// Returns a stretch of DASH that begins at a second.
fn stretch(number: u64, start: Micros, end: Option<Micros>) -> StretchSpec {
    StretchSpec { number, start: start * SECOND, end: end.map(|end| end * SECOND), ..StretchSpec::default() }
}

fn live(start: Micros, depth: Option<Micros>) -> Schedule {
    let availability = Some(Availability { start: start * SECOND, depth: depth.map(|depth| depth * SECOND) });
    Schedule { availability, ..Schedule::default() }
}

fn url(playlist: &Playlist, number: u64) -> String {
    playlist.resource(number, 0).map(|resource| resource.url).unwrap_or_default()
}

#[test]
fn a_list_is_found_by_number_and_by_time() {
    let mut builder = PlaylistBuilder::default();
    builder.base(["http://a/b/list.m3u8?token"]);
    builder.list(StretchSpec { number: 100, ..StretchSpec::default() });
    let init = builder.init(0, "init.mp4", Some(ByteRange { start: 0, length: 9 }));
    builder.segment(SegmentSpec { wall: Some(SECOND), init: Some(init), ..segment("0.ts", 4 * SECOND) });
    let range = Some(ByteRange { start: 5, length: 6 });
    builder.segment(SegmentSpec { range, discontinuity: 1, is_gap: true, ..segment("../1.ts", 2 * SECOND) });
    builder.segment(segment("//cdn/2.ts", 0));
    let list = builder.build(Schedule::default(), Vec::new());

    assert_eq!((list.numbers(), list.window(0), list.end(0)), (100..103, 100..103, 6 * SECOND + 1));
    let first = list.segment(100).unwrap();
    assert_eq!((first.start, first.duration, first.wall, first.init), (0, 4 * SECOND, Some(SECOND), Some(0)));
    let second = list.segment(101).unwrap();
    assert_eq!((second.start, second.discontinuity, second.is_gap, second.init), (4 * SECOND, 1, true, None));
    assert_eq!((first.range, second.range, list.segment(102).unwrap().range), (None, range, None));
    assert_eq!([99, 103].map(|number| list.segment(number)), [None, None]);
    assert_eq!(
        [100, 101, 102].map(|number| url(&list, number)),
        ["http://a/b/0.ts", "http://a/1.ts", "http://cdn/2.ts"]
    );
    assert_eq!(list.init(0, 0).unwrap().url, "http://a/b/init.mp4");
    for (time, number) in [(-SECOND, Some(100)), (0, Some(100)), (4 * SECOND - 1, Some(100)), (4 * SECOND, Some(101))] {
        assert_eq!(list.number_at(time), number);
    }
    assert_eq!(list.number_at(7 * SECOND), None);
}

#[test]
fn parts_belong_to_the_segment_after_them() {
    let mut builder = PlaylistBuilder::default();
    builder.base(["http://a/"]);
    builder.list(StretchSpec { number: 0, ..StretchSpec::default() });
    builder.segment(segment("0", SECOND));
    builder.part(part("1.0"));
    builder.part(PartSpec { range: Some(ByteRange { start: 4, length: 5 }), ..part("1.1") });
    builder.segment(segment("1", SECOND));
    builder.part(part("2.0"));
    builder.hint(0, "2.1", None);
    let list = builder.build(Schedule::default(), Vec::new());
    assert_eq!([0, 1, 2, 3].map(|number| list.part_count(number)), [0, 2, 1, 0]);
    assert_eq!(list.part_resource(1, 1).unwrap().url, "http://a/1.1");
    assert_eq!(list.part(1, 1).unwrap().range, Some(ByteRange { start: 4, length: 5 }));
    assert_eq!(list.part(2, 1), None);
    assert_eq!(list.hint().unwrap().url, "http://a/2.1");
    assert_eq!(list.end(0), 2 * SECOND + SECOND / 2);
}

#[test]
fn periods_follow_each_other() {
    let mut builder = PlaylistBuilder::default();
    builder.base(["http://a/"]);
    builder.base(["http://b/", "http://c/"]);
    builder.template(stretch(7, 0, Some(5)), template(2000, Vec::new()));
    let runs = vec![
        Run { first: 0, time: 5000, duration: 2000, count: 2 },
        Run { first: 2, time: 9500, duration: 1000, count: 1 },
    ];
    let ad = StretchSpec { base: 1, discontinuity: 1, ..stretch(10, 5, None) };
    builder.template(ad, template(0, runs));
    let list = builder.build(Schedule::default(), Vec::new());

    assert_eq!(list.numbers(), 7..13);
    // The third segment of the first period is longer than the period.
    let starts = (7..13).map(|number| list.segment(number).unwrap().start / 1000).collect::<Vec<_>>();
    assert_eq!(starts, [0, 2000, 4000, 5000, 7000, 9500]);
    assert_eq!([9, 10, 12].map(|number| url(&list, number)), ["http://a/9-9000", "http://b/7-5000", "http://b/9-9500"]);
    assert_eq!((list.base_count(10), list.resource(10, 1).unwrap().url), (2, "http://c/7-5000".into()));
    // Between the runs there is a gap of half a second.
    for (time, number) in [(4999, Some(9)), (5000, Some(10)), (9200, Some(12)), (10_499, Some(12)), (10_500, None)] {
        assert_eq!(list.number_at(time * 1000), number, "{time} ms");
    }
    assert_eq!(list.end(0), 10_500_000);
}

#[test]
fn a_run_behind_the_end_of_its_period_has_no_segment() {
    let runs = vec![
        Run { first: 0, time: 5000, duration: 2000, count: 4 },
        Run { first: 4, time: 17_000, duration: 2000, count: u64::MAX },
    ];
    let mut builder = PlaylistBuilder::default();
    builder.base(["http://a/"]);
    builder.template(stretch(7, 0, Some(10)), template(0, runs));
    builder.template(stretch(0, 10, Some(12)), template(2000, Vec::new()));
    let list = builder.build(Schedule::default(), Vec::new());
    // The second stretch goes on with the next number.
    assert_eq!(list.numbers(), 7..12);
    assert_eq!(list.segment(11).unwrap().start, 10 * SECOND);
    assert_eq!((list.number_at(8 * SECOND), list.number_at(10 * SECOND - 1)), (Some(11), Some(11)));
}

#[test]
fn a_list_may_have_gaps() {
    let mut builder = PlaylistBuilder::default();
    builder.base(["http://a/"]);
    builder.list(StretchSpec::default());
    builder.segment(segment("0", SECOND));
    builder.gap(SECOND / 2);
    builder.segment(segment("1", SECOND));
    let list = builder.build(Schedule::default(), Vec::new());
    assert_eq!(list.segment(1).unwrap().start, SECOND + SECOND / 2);
    assert_eq!(list.number_at(SECOND), Some(1));
}

#[test]
fn the_clock_tells_which_segments_of_a_template_exist() {
    for (case, ahead, elapsed, window) in [
        ("before the start", 0, -1, 7..7),
        ("nothing is complete", 0, 1, 7..7),
        ("one is", 0, 2, 7..8),
        ("old ones are gone", 0, 21, 11..17),
        ("requests ahead", 1, 3, 7..9),
    ] {
        let mut builder = PlaylistBuilder::default();
        builder.base(["http://a/"]);
        builder.template(StretchSpec { ahead: ahead * SECOND, ..stretch(7, 0, None) }, template(2000, Vec::new()));
        let list = builder.build(live(1000, Some(12)), Vec::new());
        assert_eq!(list.window((1000 + elapsed) * SECOND), window, "{case}");
        let segment = list.segment(9).unwrap();
        assert_eq!(segment.available_at, Some((1006 - ahead) * SECOND), "{case}");
        assert_eq!((segment.start, segment.wall), (4 * SECOND, Some(1004 * SECOND)), "{case}");
    }
}

#[test]
fn a_period_that_has_not_begun_is_not_requested() {
    let runs = |duration| vec![Run { first: 0, time: 5000, duration, count: 3 }];
    let mut builder = PlaylistBuilder::default();
    builder.base(["http://a/"]);
    builder.template(stretch(0, 0, Some(6)), template(0, runs(2000)));
    builder.template(stretch(0, 6, Some(12)), template(0, runs(1000)));
    let list = builder.build(live(1000, None), Vec::new());
    // Segments that a timeline lists in a period that has begun exist, whatever the clock says.
    for (elapsed, window) in [(-1, 0..0), (0, 0..3), (5, 0..3), (6, 0..6)] {
        assert_eq!(list.window((1000 + elapsed) * SECOND), window);
    }
}

#[test]
fn media_ends_at_the_clock_while_a_segment_is_made() {
    for (case, ahead, elapsed, end) in [
        ("a whole segment", 0, 5, 4),
        ("the next has begun, and can be requested", SECOND, 5, 5),
        ("the next cannot be requested yet", SECOND / 2, 5, 4),
        ("all segments can be requested", Micros::MAX, 5, 5),
        ("the period is over", Micros::MAX, 11, 9),
    ] {
        let mut builder = PlaylistBuilder::default();
        builder.base(["http://a/"]);
        builder.template(StretchSpec { ahead, ..stretch(7, 0, Some(9)) }, template(2000, Vec::new()));
        let list = builder.build(live(1000, None), Vec::new());
        assert_eq!(list.end((1000 + elapsed) * SECOND), end * SECOND, "{case}");
    }
}

#[test]
fn a_third_of_a_second_loses_no_segment() {
    let mut builder = PlaylistBuilder::default();
    builder.base(["http://a/"]);
    let spec = TemplateSpec { timescale: 3, offset: 0, ..template(1, Vec::new()) };
    builder.template(StretchSpec::default(), spec);
    let list = builder.build(Schedule::default(), Vec::new());
    for number in 0..1000 {
        let segment = list.segment(number).unwrap();
        assert_eq!(list.number_at(segment.start), Some(number));
        assert_eq!(list.segment(number + 1).unwrap().start, segment.start + segment.duration);
    }
}

#[test]
fn two_hours_of_segments_take_48_bytes_each() {
    let mut builder = PlaylistBuilder::default();
    builder.base(["http://a/"]);
    builder.list(StretchSpec::default());
    for _ in 0..3600 {
        builder.segment(segment("s.ts", 2 * SECOND));
    }
    let list = builder.build(Schedule::default(), Vec::new());
    assert!(list.memory() < 3600 * 48 + 500, "{}", list.memory());
}

#[test]
fn playlists_that_follow_each_other_are_joined() {
    let mut builder = PlaylistBuilder::default();
    let base = builder.base(["http://a/1.mp4"]);
    let init = builder.init(base, "", Some(ByteRange { start: 0, length: 9 }));
    builder.list(StretchSpec { end: Some(4 * SECOND), ..StretchSpec::default() });
    for start in [9, 19] {
        let range = Some(ByteRange { start, length: 10 });
        builder.segment(SegmentSpec { range, init: Some(init), ..segment("", 2 * SECOND) });
    }
    let first = builder.build(Schedule { target: 2 * SECOND, ended: true, ..Schedule::default() }, Vec::new());

    let mut builder = PlaylistBuilder::default();
    let base = builder.base(["http://b/"]);
    builder.base(["http://c/", "http://d/"]);
    let init = builder.init(base, "init", None);
    builder.template(StretchSpec { base: 1, init: Some(init), ..stretch(1, 5, Some(11)) }, template(3000, Vec::new()));
    let second = builder.build(Schedule { target: 3 * SECOND, ..Schedule::default() }, Vec::new());

    let list = Playlist::join([&first, &second]);
    assert_eq!((list.schedule().target, list.schedule().ended, list.numbers()), (3 * SECOND, true, 0..4));
    assert_eq!(list.segment(1), first.segment(1));
    assert_eq!([1, 2, 3].map(|number| url(&list, number)), ["http://a/1.mp4", "http://c/7-5000", "http://c/8-8000"]);
    assert_eq!((list.base_count(2), list.resource(2, 1).unwrap().url), (2, "http://d/7-5000".into()));
    assert_eq!([0, 1].map(|init| list.init(init, 0).unwrap().url), ["http://a/1.mp4", "http://b/init"]);
    assert_eq!(list.segment(2).unwrap().init, Some(1));
    assert_eq!((list.number_at(4 * SECOND), list.segment(2).unwrap().start), (Some(2), 5 * SECOND));
    assert_eq!(Playlist::join([&first]), first);
}
