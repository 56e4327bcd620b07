//! Sites that a simulated viewer plays from: a recording and a live stream of HLS, of which a test changes what it is
//! about.

use std::ops::Range;
use std::rc::Rc;

use viewer_core::{
    ByteRange, Content, Fetch, FetchFailure, Format, Micros, PartSpec, Playlist, PlaylistBuilder, Presentation, Rung,
    SECOND, Schedule, SegmentSpec, Source, StretchSpec, Track, TrackKind, Viewer,
};

/// The beginning of all URLs.
pub(crate) const ORIGIN: &str = "http://site";

/// A site.
pub(crate) trait Site {
    /// Answers a request that arrives now.
    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer;

    /// Answers a request of a viewer, whose state a reader may need.
    fn answer_viewer(&mut self, _: &Viewer, fetch: &Fetch, now: Micros) -> Answer {
        self.answer(fetch, now)
    }

    /// Returns the server's wall clock minus that of the viewer's machine.
    fn clock_offset(&self) -> Micros {
        0
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) content: Content,
    /// The instant before which the server does not answer.
    pub(crate) not_before: Micros,
    /// The instants between which the content is made: it comes no sooner.
    pub(crate) made: Option<Range<Micros>>,
    pub(crate) content_range: Option<ByteRange>,
    /// A failure after the bytes.
    pub(crate) failure: Option<FetchFailure>,
    /// The URL that answered, if it is another.
    pub(crate) url: Option<String>,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            bytes: 0,
            content: Content::Dropped,
            not_before: 0,
            made: None,
            content_range: None,
            failure: None,
            url: None,
        }
    }

    pub(crate) fn media(bytes: u64) -> Self {
        Self { bytes, ..Self::status(200) }
    }

    pub(crate) fn content(content: Content) -> Self {
        Self { content, ..Self::status(200) }
    }
}

/// A function of the path and the instant of a request.
pub(crate) type SiteFault = Box<dyn FnMut(&str, Micros) -> Option<Answer>>;

/// A site of HLS with rungs `/v0`, `/v1` … and perhaps sound at `/a`.
pub(crate) struct Hls {
    /// Bits per second.
    pub(crate) rungs: Vec<u64>,
    /// Bits per second of sound in segments of its own.
    pub(crate) audio: Option<u64>,
    pub(crate) duration: Micros,
    /// The number of segments of a recording, or those in the window of a live stream.
    pub(crate) count: u64,
    /// `true` for a live stream that began an hour before the session.
    pub(crate) is_live: bool,
    /// The duration of the parts of segments.
    pub(crate) part: Option<Micros>,
    /// Segments have a wall clock.
    pub(crate) has_dates: bool,
    /// Segments need an initialization segment, and a key.
    pub(crate) has_init: bool,
    pub(crate) has_key: bool,
    /// Called for each request; an answer replaces the site's.
    pub(crate) fault: SiteFault,
    pub(crate) schedule: Schedule,
    /// The presentation and playlists that were made already.
    shared: Vec<(String, Rc<Playlist>)>,
}

/// The segments of a live stream before the session began.
pub(crate) const AIRED: u64 = 1800;

impl Hls {
    pub(crate) fn vod(rungs: &[u64], seconds: Micros, count: u64) -> Self {
        Self {
            rungs: rungs.to_vec(),
            audio: None,
            duration: seconds * SECOND,
            count,
            is_live: false,
            part: None,
            has_dates: false,
            has_init: false,
            has_key: false,
            fault: Box::new(|_, _| None),
            schedule: Schedule { target: seconds * SECOND, ended: true, ..Schedule::default() },
            shared: Vec::new(),
        }
    }

    pub(crate) fn live(rungs: &[u64], seconds: Micros, window: u64) -> Self {
        let mut site = Self::vod(rungs, seconds, window);
        (site.is_live, site.schedule.ended) = (true, false);
        site
    }

    /// Forgets the playlists that were made, since they would differ now.
    pub(crate) fn forget(&mut self) {
        self.shared.clear();
    }

    /// Returns a live stream whose segments of 2 s have parts of half a second, with a server that holds requests.
    pub(crate) fn low_latency(rungs: &[u64]) -> Self {
        let mut site = Self::live(rungs, 2, 10);
        site.part = Some(SECOND / 2);
        site.schedule.part_target = site.part;
        (site.schedule.part_hold_back, site.schedule.can_block) = (Some(SECOND * 3 / 2), true);
        site
    }

    /// Returns the instant from which a part of a segment exists.
    fn part_at(&self, number: u64, part: u64) -> Micros {
        let parts = i64::try_from(part + 1).unwrap();
        (Micros::try_from(number).unwrap() - Micros::try_from(AIRED).unwrap()) * self.duration
            + parts * self.part.unwrap()
    }

    /// Returns the instant at which a request for a playlist is answered, by its directives.
    fn answered_at(&self, url: &str, now: Micros) -> Micros {
        let directive = |name: &str| -> Option<u64> {
            let value = url.split(['?', '&']).find_map(|pair| pair.strip_prefix(name))?;
            value.parse().ok()
        };
        let Some(number) = directive("_HLS_msn=").filter(|_| self.schedule.can_block) else { return now };
        let parts = self.part.map_or(1, |part| u64::try_from(self.duration / part).unwrap());
        let part = directive("_HLS_part=").unwrap_or(parts - 1);
        self.part_at(number + part / parts, part % parts).max(now)
    }

    fn presentation(&self) -> Presentation {
        let remote = |name: String| Source::Remote { url: format!("{ORIGIN}/{name}/list").into(), pathway: ".".into() };
        let audio = self.audio.map(|_| 0);
        let video = self.rungs.iter().enumerate().map(|(index, bandwidth)| Rung {
            bandwidth: *bandwidth,
            height: Some(u32::try_from(index).unwrap() * 360 + 360),
            audio,
            ..Rung::of(remote(format!("v{index}")))
        });
        let track = |kind, rungs| Track { kind, language: None, is_default: true, rungs, listed_first: 0 };
        let mut tracks = vec![track(TrackKind::Video, video.collect())];
        tracks.extend(self.audio.map(|_| track(TrackKind::Audio, vec![Rung::of(remote("a".into()))])));
        Presentation {
            format: Format::Hls,
            tracks,
            live: None,
            clocks: Vec::new(),
            start: None,
            variables: Vec::new(),
            steering: None,
        }
    }

    /// Returns the number behind the newest segment.
    pub(crate) fn end(&self, now: Micros) -> u64 {
        if self.is_live { AIRED + u64::try_from(now / self.duration).unwrap() } else { self.count }
    }

    /// Returns the playlist of a rung, as all viewers get it.
    pub(crate) fn shared_list(&mut self, folder: &str) -> Rc<Playlist> {
        self.playlist(folder, 0)
    }

    fn playlist(&mut self, folder: &str, now: Micros) -> Rc<Playlist> {
        let end = self.end(now);
        let open = self.part.map_or(0, |part| u64::try_from(now % self.duration / part).unwrap());
        let name = format!("{folder} {end}.{open}");
        if let Some((_, list)) = self.shared.iter().find(|(known, _)| *known == name) {
            return Rc::clone(list);
        }
        let mut builder = PlaylistBuilder::default();
        builder.base([format!("{ORIGIN}/{folder}/list").as_str()]);
        let first = end - self.count;
        builder.list(StretchSpec { number: first, ..StretchSpec::default() });
        let init = self.has_init.then(|| builder.init(0, "init", None));
        let key = self.has_key.then(|| builder.key(0, "../key"));
        for number in first..end {
            let aired = Micros::try_from(number).unwrap() * self.duration;
            if number + 3 > end {
                self.list_parts(&mut builder, number, u64::MAX);
            }
            builder.segment(SegmentSpec {
                url: &number.to_string(),
                duration: self.duration,
                range: None,
                wall: self.has_dates.then_some(aired),
                discontinuity: 0,
                init,
                key,
                is_gap: false,
            });
        }
        self.list_parts(&mut builder, end, open);
        if self.part.is_some() {
            builder.hint(0, &format!("{end}.{open}"), None);
        }
        let list = Rc::new(builder.build(self.schedule.clone(), Vec::new()));
        self.shared.push((name, Rc::clone(&list)));
        list
    }
}

impl Hls {
    /// Adds the first parts of a segment.
    fn list_parts(&self, builder: &mut PlaylistBuilder, number: u64, most: u64) {
        let Some(duration) = self.part else { return };
        for part in 0..u64::try_from(self.duration / duration).unwrap().min(most) {
            let (url, is_independent) = (format!("{number}.{part}"), part == 0);
            builder.part(PartSpec { url: &url, duration, range: None, is_independent, is_gap: false });
        }
    }
}

impl Site for Hls {
    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
        let path = fetch.resource.url.strip_prefix(ORIGIN).expect("it is the site's").trim_start_matches('/');
        let path = path.split('?').next().unwrap_or_default().to_owned();
        if let Some(answer) = (self.fault)(&path, now) {
            return answer;
        }
        if path == "key" {
            return Answer::media(16);
        }
        let Some((folder, name)) = path.split_once('/') else {
            return Answer::content(Content::Presentation(Rc::new(self.presentation())));
        };
        if name == "init" {
            return Answer::media(1000);
        }
        if name == "list" {
            let at = self.answered_at(&fetch.resource.url, now);
            return Answer { not_before: at, ..Answer::content(Content::Playlist(self.playlist(folder, at))) };
        }
        let (number, part) = name.split_once('.').map_or((name, None), |(number, part)| (number, Some(part)));
        let number: u64 = number.parse().expect("a number");
        if let Some(part) = part {
            let bandwidth = self.rungs[folder[1..].parse::<usize>().expect("a rung")];
            let bytes = bandwidth * self.part.unwrap().unsigned_abs() / 8_000_000;
            return Answer { not_before: self.part_at(number, part.parse().expect("a part")), ..Answer::media(bytes) };
        }
        if number >= self.end(now) {
            return Answer::status(404);
        }
        let bandwidth = match folder.strip_prefix('v') {
            Some(rung) => self.rungs[rung.parse::<usize>().unwrap()],
            None => self.audio.expect("it has sound"),
        };
        Answer::media(bandwidth * self.duration.unsigned_abs() / 8_000_000)
    }
}
