//! A site of DASH that a simulated viewer plays from: a recording or a live stream, by templates, timelines or indices.

use std::rc::Rc;

use viewer_core::{
    Availability, ByteRange, ClockSource, Content, Fetch, Format, IndexedFile, Live, Micros, Playlist, PlaylistBuilder,
    Presentation, Rung, SECOND, Schedule, SegmentSpec, Source, StretchSpec, TemplateSpec, Track, TrackKind, What,
};

use super::WALL;
use super::site::{Answer, ORIGIN, Site, SiteFault};

/// A site of DASH with rungs `/v0`, `/v1` … and perhaps sound at `/a`.
pub(crate) struct Dash {
    /// Bits per second.
    pub(crate) rungs: Vec<u64>,
    pub(crate) audio: Option<u64>,
    pub(crate) duration: Micros,
    /// The duration of a recording.
    pub(crate) length: Option<Micros>,
    /// The rules of a live stream, which began when `availability_start` says.
    pub(crate) live: Option<Live>,
    /// Segments are listed by the manifest instead of computed, as far as they exist.
    pub(crate) has_timeline: bool,
    /// The time without media behind the third segment of a recording.
    pub(crate) hole: Micros,
    /// Files have an index.
    pub(crate) has_index: bool,
    /// The time by which segments can be requested before they are complete, and then come as they are made.
    pub(crate) ahead: Micros,
    pub(crate) clocks: Vec<ClockSource>,
    /// The server's wall clock minus that of the viewer's machine.
    pub(crate) clock_offset: Micros,
    pub(crate) fault: SiteFault,
}

impl Dash {
    pub(crate) fn vod(rungs: &[u64], seconds: Micros, length: Micros) -> Self {
        Self {
            rungs: rungs.to_vec(),
            audio: None,
            duration: seconds * SECOND,
            length: Some(length * SECOND),
            live: None,
            has_timeline: false,
            hole: 0,
            has_index: false,
            ahead: 0,
            clocks: Vec::new(),
            clock_offset: 0,
            fault: Box::new(|_, _| None),
        }
    }

    /// Returns a live stream that began an hour before the session.
    pub(crate) fn live(rungs: &[u64], seconds: Micros) -> Self {
        let live = Live { availability_start: WALL - 3600 * SECOND, depth: Some(60 * SECOND), ..Live::default() };
        Self { length: None, live: Some(live), ..Self::vod(rungs, seconds, 0) }
    }

    fn wall(&self, now: Micros) -> Micros {
        WALL + now + self.clock_offset
    }

    fn presentation(&self, now: Micros) -> Presentation {
        let video = self.rungs.iter().enumerate().map(|(index, bandwidth)| Rung {
            bandwidth: *bandwidth,
            ..Rung::of(self.source(&format!("v{index}"), now))
        });
        let track = |kind, rungs| Track { kind, language: None, is_default: true, rungs, listed_first: 0 };
        let mut tracks = vec![track(TrackKind::Video, video.collect())];
        if let Some(bandwidth) = self.audio {
            tracks.push(track(TrackKind::Audio, vec![Rung { bandwidth, ..Rung::of(self.source("a", now)) }]));
        }
        Presentation {
            format: Format::Dash,
            tracks,
            live: self.live.clone(),
            clocks: self.clocks.clone(),
            start: None,
            variables: Vec::new(),
            steering: None,
        }
    }

    fn source(&self, folder: &str, now: Micros) -> Source {
        if self.has_index {
            return Source::Indexed(IndexedFile {
                urls: vec![format!("{ORIGIN}/{folder}/file").into()],
                index: Some(ByteRange { start: 800, length: 200 }),
                init: Some(ByteRange { start: 0, length: 800 }),
                offset: 0,
                end: self.length,
                discontinuity: 0,
            });
        }
        let mut builder = PlaylistBuilder::default();
        builder.base([format!("{ORIGIN}/{folder}/").as_str()]);
        let duration = self.duration.unsigned_abs();
        let mut stretch = StretchSpec {
            end: self.length,
            init: Some(builder.init(0, "init", None)),
            ahead: self.ahead,
            is_chunked: self.ahead > 0,
            ..StretchSpec::default()
        };
        let mut template = TemplateSpec {
            media: "$Number$",
            timescale: 1_000_000,
            offset: 0,
            start_number: 0,
            duration,
            runs: Rc::from([]),
        };
        if self.hole > 0 {
            let run = |first, time, count| viewer_core::Run { first, time, duration, count };
            let rest = self.complete(now) - 3;
            let runs = [run(0, 0, 3), run(3, 3 * self.duration + self.hole, rest)];
            (template.duration, template.runs) = (0, Rc::from(runs));
            stretch.end = self.length.map(|length| length + self.hole);
        }
        if self.has_timeline {
            // As a sliding window of a minute, numbered from its first segment.
            let count = self.complete(now);
            let first = count.saturating_sub(60_000_000 / duration);
            let time = i64::try_from(first * duration).unwrap();
            let run = viewer_core::Run { first: 0, time, duration, count: count - first };
            (template.duration, template.runs, template.start_number) = (0, Rc::from([run]), first);
            stretch.number = 1;
        }
        builder.template(stretch, template);
        let live = self.live.as_ref();
        let availability = live.map(|live| Availability { start: live.availability_start, depth: live.depth });
        let schedule = Schedule { target: self.duration, ended: live.is_none(), availability, ..Schedule::default() };
        Source::Listed(Rc::new(builder.build(schedule, Vec::new())))
    }

    /// Returns the number of segments that are complete.
    fn complete(&self, now: Micros) -> u64 {
        let Some(live) = &self.live else {
            return self.length.unwrap().unsigned_abs().div_ceil(self.duration.unsigned_abs());
        };
        let elapsed = (self.wall(now) - live.availability_start).min(self.length.unwrap_or(Micros::MAX));
        u64::try_from(elapsed.max(0) / self.duration).unwrap()
    }

    /// Returns the playlist of an index: segments of ranges in one file.
    fn index(&self, folder: &str, bandwidth: u64) -> Rc<Playlist> {
        let mut builder = PlaylistBuilder::default();
        builder.base([format!("{ORIGIN}/{folder}/file").as_str()]);
        let init = Some(builder.init(0, "", Some(ByteRange { start: 0, length: 800 })));
        builder.list(StretchSpec::default());
        let bytes = bandwidth * self.duration.unsigned_abs() / 8_000_000;
        for number in 0..self.complete(0) {
            let range = Some(ByteRange { start: 1000 + number * bytes, length: bytes });
            let (duration, url) = (self.duration, "");
            let (wall, discontinuity, key, is_gap) = (None, 0, None, false);
            builder.segment(SegmentSpec { url, duration, range, wall, discontinuity, init, key, is_gap });
        }
        let schedule = Schedule { target: self.duration, ended: true, ..Schedule::default() };
        Rc::new(builder.build(schedule, Vec::new()))
    }
}

impl Site for Dash {
    fn clock_offset(&self) -> Micros {
        self.clock_offset
    }

    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
        let path =
            fetch.resource.url.strip_prefix(ORIGIN).expect("it is the site's").trim_start_matches('/').to_owned();
        if let Some(answer) = (self.fault)(&path, now) {
            return answer;
        }
        if fetch.what == What::Clock {
            return Answer::content(Content::Instant(self.wall(now)));
        }
        let Some((folder, name)) = path.split_once('/') else {
            return Answer::content(Content::Presentation(Rc::new(self.presentation(now))));
        };
        let bandwidth = match folder.strip_prefix('v') {
            Some(rung) => self.rungs[rung.parse::<usize>().unwrap()],
            None => self.audio.expect("it has sound"),
        };
        match (name, fetch.what) {
            ("init", _) => return Answer::media(800),
            ("file", What::Index(_)) => {
                return Answer { bytes: 200, ..Answer::content(Content::Playlist(self.index(folder, bandwidth))) };
            }
            ("file", _) => {
                let range = fetch.resource.range.expect("a range is asked for");
                return Answer { status: 206, ..Answer::media(range.length) };
            }
            _ => {}
        }
        let number: u64 = name.parse().expect("a number");
        let begun = self.complete(now + self.duration);
        if number >= self.complete(now + self.ahead) && !(self.ahead > 0 && number < begun) {
            return Answer::status(404);
        }
        let mut answer = Answer::media(bandwidth * self.duration.unsigned_abs() / 8_000_000);
        if let Some(live) = self.live.as_ref().filter(|_| self.ahead > 0) {
            let starts = Micros::try_from(number).unwrap() * self.duration + live.availability_start;
            answer.made = Some(starts - WALL - self.clock_offset..starts - WALL - self.clock_offset + self.duration);
        }
        answer
    }
}
