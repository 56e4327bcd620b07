//! Events in every order, with values that no driver gives: a viewer keeps its promises whatever happens.

use std::rc::Rc;

use proptest::prelude::*;
use viewer_core::{
    Command, Content, Event, Fetch, FetchFailure, FetchTimes, Micros, Profile, Recurring, Reply, ReplyHead, SECOND,
    SessionSpec, Settings, Uniform, Viewer,
};

use crate::simulator::WALL;
use crate::simulator::dash::Dash;
use crate::simulator::site::{Answer, Hls, ORIGIN, Site};

/// A thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    /// A fetch is answered: which of those in flight, and how.
    Answer(usize, Kind),
    Progress(usize, u64),
    Timer,
    Pass(Micros),
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Right,
    Status(u16),
    Malformed,
    Unmergeable,
    Lost,
    Timeout,
    Refused,
    Empty,
}

fn happening() -> impl Strategy<Value = Happening> {
    let kind = prop_oneof![
        12 => Just(Kind::Right),
        1 => prop::sample::select(vec![404, 416, 500, 302]).prop_map(Kind::Status),
        1 => Just(Kind::Malformed),
        1 => Just(Kind::Unmergeable),
        1 => Just(Kind::Lost),
        1 => Just(Kind::Timeout),
        1 => Just(Kind::Refused),
        1 => Just(Kind::Empty),
    ];
    prop_oneof![
        8 => (any::<usize>(), kind).prop_map(|(which, kind)| Happening::Answer(which, kind)),
        2 => (any::<usize>(), 0..1_000_000_u64).prop_map(|(which, bytes)| Happening::Progress(which, bytes)),
        4 => Just(Happening::Timer),
        4 => (0..6 * SECOND).prop_map(Happening::Pass),
    ]
}

/// A site whose every second manifest has fewer rungs and no sound.
struct Shrinking<S> {
    site: S,
    manifests: u32,
}

impl<S: Site> Site for Shrinking<S> {
    fn answer(&mut self, fetch: &Fetch, now: Micros) -> Answer {
        let answer = self.site.answer(fetch, now);
        let Content::Presentation(presentation) = &answer.content else { return answer };
        self.manifests += 1;
        if self.manifests % 2 == 1 {
            return answer;
        }
        let mut presentation = (**presentation).clone();
        presentation.tracks.truncate(1);
        presentation.tracks[0].rungs.truncate(1);
        Answer { content: Content::Presentation(Rc::new(presentation)), ..answer }
    }
}

fn sites() -> Vec<Box<dyn Site>> {
    let mut timeline = Dash::live(&[400_000, 900_000], 2);
    (timeline.has_timeline, timeline.live.as_mut().unwrap().update) = (true, Some(4 * SECOND));
    let mut chunked = Dash::live(&[400_000], 2);
    chunked.ahead = SECOND * 3 / 2;
    let mut indexed = Dash::vod(&[400_000, 900_000], 4, 60);
    (indexed.has_index, indexed.audio) = (true, Some(64_000));
    let mut encrypted = Hls::vod(&[400_000, 900_000], 4, 30);
    (encrypted.has_init, encrypted.has_key, encrypted.audio) = (true, true, Some(64_000));
    let mut shrinking = Dash::live(&[400_000, 900_000], 2);
    (shrinking.has_timeline, shrinking.audio) = (true, Some(64_000));
    shrinking.live.as_mut().unwrap().update = Some(2 * SECOND);
    let mut renewed = Hls::live(&[400_000, 900_000], 2, 6);
    renewed.audio = Some(64_000);
    vec![
        Box::new(Shrinking { site: shrinking, manifests: 0 }),
        Box::new(Shrinking { site: renewed, manifests: 0 }),
        Box::new(encrypted),
        Box::new(Hls::live(&[400_000, 900_000], 2, 6)),
        Box::new(Hls::low_latency(&[400_000, 900_000])),
        Box::new(timeline),
        Box::new(chunked),
        Box::new(indexed),
    ]
}

fn settings(profile: Profile) -> Settings {
    let uniform = Uniform { from: SECOND, to: 20 * SECOND };
    let recurring = Some(Recurring { every: uniform, by: uniform });
    let mut settings = Settings::new(profile);
    (settings.seek, settings.pause) = (recurring, recurring);
    (settings.patience, settings.give_up_after_stall) = (Some(30 * SECOND), Some(60 * SECOND));
    settings
}

/// Plays a session of things that happen, and checks what must hold after each.
fn play(profile: Profile, site: &mut dyn Site, happenings: &[Happening]) {
    let session = SessionSpec { url: format!("{ORIGIN}/master"), watch: 300 * SECOND, seed: 3 };
    let mut viewer = Viewer::new(Rc::new(settings(profile)), &session);
    let (mut now, mut timer, mut flights) = (0, None, Vec::new());
    let mut event = Some(Event::Start { now, wall: WALL });
    let mut happenings = happenings.iter();
    loop {
        if let Some(event) = event.take() {
            let before = viewer.playhead();
            let mut commands = Vec::new();
            viewer.step(&event, &mut commands);
            assert!(commands.len() < 60, "few commands follow from an event: {commands:?}");
            assert!(viewer.buffered() >= 0 && (viewer.playhead() - before).abs() < i64::MAX / 4);
            let last = commands.len().saturating_sub(1);
            for (at, command) in commands.into_iter().enumerate() {
                match command {
                    Command::Fetch(fetch) => flights.push(fetch),
                    Command::Leave(id) => {
                        let place = flights.iter().position(|fetch| fetch.id == id).expect("it is in flight");
                        flights.remove(place);
                    }
                    Command::WakeAt(at) => timer = Some(at.max(now)),
                    Command::Count(_, value) => assert!(value.is_finite()),
                    Command::Finish(_) => {
                        assert!(at == last && flights.is_empty() && viewer.is_finished());
                        return;
                    }
                    Command::Look(_) | Command::Fault(_) => {}
                }
            }
            assert!(flights.len() < 10, "few fetches are in flight");
            assert!(timer.is_some() || !flights.is_empty(), "something is waited for");
        }
        let mut answer = Answer::status(200);
        match happenings.next() {
            None => return,
            Some(Happening::Pass(time)) => now = timer.map_or(now + time, |timer| timer.min(now + time)),
            Some(Happening::Timer) => {
                let Some(at) = timer.take() else { continue };
                now = now.max(at);
                event = Some(Event::Timer { now });
            }
            Some(Happening::Progress(which, bytes)) if !flights.is_empty() => {
                let id = flights[which % flights.len()].id;
                event = Some(Event::Progress { now, id, headed: Some(now), bytes: *bytes });
            }
            Some(Happening::Answer(which, kind)) if !flights.is_empty() => {
                let fetch = flights.swap_remove(which % flights.len());
                let id = fetch.id;
                let lost = |failure| Some(Event::Failed { now, id, failure, bytes: 5 });
                match kind {
                    Kind::Right => answer = site.answer(&fetch, now),
                    Kind::Status(status) => answer.status = *status,
                    Kind::Malformed => answer.content = Content::Malformed,
                    Kind::Unmergeable => answer.content = Content::Unmergeable,
                    Kind::Empty => {}
                    Kind::Lost => event = lost(FetchFailure::Network),
                    Kind::Timeout => event = lost(FetchFailure::Timeout),
                    Kind::Refused => event = lost(FetchFailure::Refused),
                }
                if event.is_none() {
                    let content = if fetch.keep { answer.content } else { Content::Dropped };
                    let times = FetchTimes { start: now - 10, headed: now - 5, end: now };
                    let head = ReplyHead { date: Some(WALL + now), ..ReplyHead::default() };
                    let (status, bytes, url) = (answer.status, answer.bytes, "http://site/moved");
                    event = Some(Event::Done(Reply { now, id, status, bytes, times, head, url, content }));
                }
            }
            Some(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_viewer_keeps_its_promises_in_every_order(happenings in prop::collection::vec(happening(), 1..200)) {
        for profile in Profile::all() {
            for site in &mut sites() {
                play(profile.clone(), &mut **site, &happenings);
            }
        }
    }
}

#[test]
fn a_viewer_takes_a_kilobyte() {
    assert!(size_of::<Viewer>() <= 1024, "{}", size_of::<Viewer>());
}
