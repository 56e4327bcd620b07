//! The player: a state machine that takes an event and answers with commands. Its parts are the playhead, the lanes
//! with their buffers, the fetches in flight, and the live edge; each event moves the playhead on, changes one of them,
//! and then everything that can be begun is begun, and the one timer is set.

mod dash;
mod edge;
mod failing;
mod failures;
mod flight;
mod goals;
mod lane;
mod loading;
mod parts;
mod playback;
mod profile;
mod qoe;
mod random;
mod replies;
mod settings;
mod starting;
mod steering;
mod waking;
mod watching;

use std::rc::Rc;

pub use profile::{BufferGoals, LiveGoals, Profile, Retries, RetryPolicy, SoundGoal};
pub use settings::{Join, Quality, Recurring, SessionSpec, Settings, Uniform};

use crate::abr::Abr;
use crate::command::Command;
use crate::event::{Event, FetchId};
use crate::metric::{FatalError, Metric, Outcome};
use crate::micros::Micros;
use crate::presentation::Presentation;
use crate::reference::query;
use dash::ClockState;
use failures::Failures;
use flight::Flight;
use lane::Lane;
use playback::{PlayState, Playback};
use qoe::{Qoe, millis};
use random::Random;
use steering::SteeringState;
use watching::Habits;

/// A viewer: one session of one presentation.
#[derive(Debug)]
pub struct Viewer {
    settings: Rc<Settings>,
    /// The URL of the manifest; a refresh of DASH may move it.
    url: String,
    /// The query of the first URL, if it is added to other URLs.
    forwarded: Option<String>,
    presentation: Option<Rc<Presentation>>,
    abr: Abr,
    /// The track with pictures first.
    lanes: Vec<Lane>,
    playback: Playback,
    habits: Habits,
    qoe: Qoe,
    random: Random,
    seed: u64,
    flights: Vec<Flight>,
    next_id: FetchId,
    /// The instant of the last event.
    now: Micros,
    /// The driver's wall clock minus the instant.
    wall: Micros,
    /// The server's wall clock minus the driver's.
    clock_offset: Micros,
    clock: ClockState,
    steering: SteeringState,
    /// URLs of keys that came.
    keys: Vec<String>,
    /// The session's time at which playback begins, once it is known.
    position: Option<Micros>,
    /// `true` from a jump to the live edge until playback goes on.
    is_resyncing: bool,
    /// The fetch of the manifest: the instant of the next, and its failures.
    manifest: ManifestState,
    /// The instant for which the timer is set.
    armed: Option<Micros>,
    is_finished: bool,
}

/// The state of the manifest.
#[derive(Debug, Default)]
struct ManifestState {
    /// The instant at which it is fetched, again or after a failure.
    fetch_at: Option<Micros>,
    failures: Failures,
    /// `true` if it has been fetched again because everything else had failed.
    was_reloaded: bool,
}

impl Viewer {
    /// Returns a viewer that waits for [`Event::Start`].
    #[must_use]
    pub fn new(settings: Rc<Settings>, session: &SessionSpec) -> Self {
        let mut random = Random::new(session.seed);
        let forwarded = settings.forward_query.then(|| query(&session.url).map(str::to_owned)).flatten();
        Self {
            abr: Abr::new(settings.profile.rule, 0, settings.profile.buffer.goal),
            habits: Habits::new(&settings, session.watch, &mut random),
            settings,
            url: session.url.clone(),
            forwarded,
            presentation: None,
            lanes: Vec::new(),
            playback: Playback::new(),
            qoe: Qoe::default(),
            random,
            seed: session.seed,
            flights: Vec::new(),
            next_id: 0,
            now: 0,
            wall: 0,
            clock_offset: 0,
            clock: ClockState::default(),
            steering: SteeringState::default(),
            keys: Vec::new(),
            position: None,
            is_resyncing: false,
            manifest: ManifestState::default(),
            armed: None,
            is_finished: false,
        }
    }

    /// Takes an event and appends the commands that follow from it. After [`Command::Finish`] it takes none.
    pub fn step(&mut self, event: &Event<'_>, out: &mut Vec<Command>) {
        if self.is_finished {
            return;
        }
        self.now = self.now.max(event.now());
        self.advance(out);
        if self.is_finished {
            return;
        }
        match event {
            Event::Start { wall, .. } => self.start(*wall),
            Event::Done(reply) => self.done(reply, out),
            Event::Failed { id, failure, bytes, .. } => self.failed(*id, *failure, *bytes, out),
            Event::Progress { id, headed, bytes, .. } => self.progress(*id, *headed, *bytes, out),
            Event::Timer { .. } => {
                if let Some(armed) = self.armed.take() {
                    out.push(Command::Count(Metric::WakeLag, millis((self.now - armed).max(0))));
                }
            }
            Event::Stop { .. } => self.finish(Outcome::Stopped, out),
        }
        self.watch(out);
        self.start_if_ready(out);
        self.load(out);
        self.start_if_ready(out);
        self.set_speed();
        self.arm(out);
    }

    /// Returns `true` after [`Command::Finish`].
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Returns the presentation, once it is known: a driver reads a refresh on top of it.
    #[must_use]
    pub fn presentation(&self) -> Option<&Rc<Presentation>> {
        self.presentation.as_ref()
    }

    /// Returns the playhead: the presentation's time, as of the last event.
    #[must_use]
    pub fn playhead(&self) -> Micros {
        self.playback.time()
    }

    /// Returns the media ahead of the playhead, in the track that has the least.
    #[must_use]
    pub fn buffered(&self) -> Micros {
        let unfinished = self.lanes.iter().filter(|lane| !lane.is_complete);
        let ahead = |lane: &Lane| lane.ahead(self.playback.time());
        unfinished.map(ahead).min().or(self.lanes.iter().map(ahead).max()).unwrap_or(0)
    }

    /// Moves the playhead on to now, and takes what it passed into the sums.
    fn advance(&mut self, out: &mut Vec<Command>) {
        if self.lanes.is_empty() {
            return;
        }
        let before = self.playback.state;
        let is_complete = self.lanes.iter().all(|lane| lane.is_complete);
        loop {
            let end = self.playback.time().saturating_add(self.buffered());
            let hole = self.lanes[0].buffer.hole(self.playback.time()).filter(|hole| hole.end < end);
            let played = match hole {
                None => self.playback.advance(self.now, end, is_complete),
                Some(hole) => self.playback.advance(self.now, hole.start, false),
            };
            self.qoe.played += played.to - played.from;
            if let (Some(presentation), Some(lane)) = (&self.presentation, self.lanes.first_mut()) {
                lane.buffer.play(played, &presentation.tracks[lane.track].rungs, &mut self.qoe);
            }
            // A player jumps over time without media.
            match hole.filter(|hole| played.to >= hole.start && before == PlayState::Playing) {
                Some(hole) => self.playback.skip(hole.end),
                None => break,
            }
        }
        if before == PlayState::Playing && self.playback.state == PlayState::Ended {
            self.finish(Outcome::Watched, out);
        }
    }

    fn fail(&mut self, error: FatalError, out: &mut Vec<Command>) {
        self.finish(Outcome::Failed(error), out);
    }

    /// Ends the session: leaves what is in flight, and reports.
    fn finish(&mut self, outcome: Outcome, out: &mut Vec<Command>) {
        if self.is_finished {
            return;
        }
        self.is_finished = true;
        out.extend(self.flights.drain(..).map(|flight| Command::Leave(flight.id)));
        if let PlayState::Stalled(since) = self.playback.state {
            self.qoe.stall(self.now - since, out);
        }
        let time = self.playback.time();
        self.qoe.wasted += self.lanes.iter().map(|lane| lane.buffer.unplayed(time)).sum::<u64>();
        self.qoe.report(self.now, outcome, self.settings.profile.decode, out);
        out.push(Command::Finish(outcome));
    }
}
