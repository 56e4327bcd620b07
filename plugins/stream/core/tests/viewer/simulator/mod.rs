//! A deterministic driver: it carries a viewer's commands out against a site and a network in virtual time, and writes
//! everything down. Hours of playback take milliseconds.

pub(crate) mod dash;
pub(crate) mod network;
pub(crate) mod site;

use std::collections::BTreeMap;
use std::rc::Rc;

use network::{Flow, Network};
use site::{Answer, Site};
use viewer_core::{
    Command, Content, Event, FaultKind, Fetch, FetchFailure, FetchId, FetchTimes, Metric, Micros, Outcome, Reply,
    ReplyHead, SECOND, SessionSpec, Settings, Viewer, What,
};

/// The wall clock at the start of every run: 2026-12-01T00:00:00Z.
pub(crate) const WALL: Micros = 1_796_083_200 * SECOND;

/// Everything that a session did.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) requests: Vec<Request>,
    pub(crate) values: BTreeMap<Metric, Vec<f64>>,
    pub(crate) faults: Vec<FaultKind>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) ended: Micros,
    /// Events that were delivered.
    pub(crate) steps: usize,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) what: What,
    pub(crate) url: String,
    pub(crate) begun: Micros,
    pub(crate) ended: Option<Micros>,
    /// Bytes of content that came.
    pub(crate) bytes: u64,
    pub(crate) status: u16,
    pub(crate) was_left: bool,
}

/// A request on its way.
struct Transit {
    fetch: Fetch,
    flow: Flow,
    answer: Answer,
    /// Its place in the record.
    place: usize,
}

impl Record {
    /// Returns the values of a metric.
    pub(crate) fn all(&self, metric: Metric) -> &[f64] {
        self.values.get(&metric).map_or(&[], Vec::as_slice)
    }

    /// Returns the only value of a metric.
    pub(crate) fn one(&self, metric: Metric) -> f64 {
        let [value] = self.all(metric) else { panic!("{metric:?}: {:?}", self.all(metric)) };
        *value
    }

    pub(crate) fn sum(&self, metric: Metric) -> f64 {
        self.all(metric).iter().sum()
    }

    /// Returns the requests of a kind.
    pub(crate) fn of(&self, kind: impl Fn(What) -> bool) -> Vec<&Request> {
        self.requests.iter().filter(|request| kind(request.what)).collect()
    }

    /// Returns the paths of the requests, without the site.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.requests.iter().map(|request| request.url.strip_prefix(site::ORIGIN).unwrap_or(&request.url)).collect()
    }
}

/// Plays a session to its end, or for `until`.
pub(crate) fn play(settings: Settings, site: &mut dyn Site, network: &Network, until: Micros) -> Record {
    let session = SessionSpec { url: format!("{}/master?token=x", site::ORIGIN), watch: until, seed: 7 };
    let mut run = SimulatedRun {
        viewer: Viewer::new(Rc::new(settings), &session),
        network,
        site,
        transits: Vec::new(),
        timer: None,
        now: 0,
        record: Record::default(),
        idle: 0,
    };
    run.deliver(&Event::Start { now: 0, wall: WALL });
    while run.record.outcome.is_none() {
        let flow = network.next(run.transits.iter().map(|transit| &transit.flow), run.now);
        let timeout = run.transits.iter().map(|transit| transit.fetch.give_up_at).min();
        let next = [flow, timeout, run.timer].into_iter().flatten().min().expect("a viewer always waits for something");
        assert!(next >= run.now && next < Micros::MAX, "time goes on: {next} after {}", run.now);
        network.pass(run.transits.iter_mut().map(|transit| &mut transit.flow), run.now, next);
        run.now = next;
        run.settle();
    }
    run.record.ended = run.now;
    run.record
}

/// A session that is played.
struct SimulatedRun<'a> {
    viewer: Viewer,
    network: &'a Network,
    site: &'a mut dyn Site,
    transits: Vec<Transit>,
    timer: Option<Micros>,
    now: Micros,
    record: Record,
    /// Connections that are open and idle.
    idle: usize,
}

impl SimulatedRun<'_> {
    /// Delivers everything that is due.
    fn settle(&mut self) {
        let now = self.now;
        while let Some(place) = self.transits.iter().position(|transit| transit.flow.is_done(now)) {
            let transit = self.transits.swap_remove(place);
            self.idle += 1;
            self.finish(transit);
        }
        while let Some(place) = self.transits.iter().position(|transit| transit.fetch.give_up_at <= now) {
            let transit = self.transits.swap_remove(place);
            self.end(&transit, false);
            let bytes = transit.flow.bytes();
            self.deliver(&Event::Failed { now, id: transit.fetch.id, failure: FetchFailure::Timeout, bytes });
        }
        if self.timer.is_some_and(|at| at <= now) {
            self.timer = None;
            self.deliver(&Event::Timer { now });
        }
    }

    fn finish(&mut self, transit: Transit) {
        self.end(&transit, false);
        let (now, id, bytes) = (self.now, transit.fetch.id, transit.flow.bytes());
        if let Some(failure) = transit.answer.failure {
            return self.deliver(&Event::Failed { now, id, failure, bytes });
        }
        let begun = self.record.requests[transit.place].begun;
        let url = transit.answer.url.clone().unwrap_or_else(|| transit.fetch.resource.url.clone());
        let times = FetchTimes { start: begun, headed: transit.flow.begins, end: now };
        let content = if transit.fetch.keep { transit.answer.content } else { Content::Dropped };
        let head = ReplyHead {
            date: Some((WALL + now + self.site.clock_offset()) / SECOND * SECOND),
            content_range: transit.answer.content_range,
            ..ReplyHead::default()
        };
        let status = transit.answer.status;
        self.deliver(&Event::Done(Reply { now, id, status, bytes, times, head, url: &url, content }));
    }

    fn end(&mut self, transit: &Transit, was_left: bool) {
        let request = &mut self.record.requests[transit.place];
        (request.ended, request.bytes) = (Some(self.now), transit.flow.bytes());
        (request.status, request.was_left) = (transit.answer.status, was_left);
    }

    fn deliver(&mut self, event: &Event<'_>) {
        let mut commands = Vec::new();
        self.viewer.step(event, &mut commands);
        self.record.steps += 1;
        assert!(self.record.steps < 50_000, "the viewer spins: {event:?}, {commands:?}");
        let mut looks = Vec::new();
        for command in commands {
            match command {
                Command::Look(id) => looks.push(id),
                other => self.carry_out(other),
            }
        }
        // Answers follow when all commands are carried out: a later command may have set the timer.
        for id in looks {
            self.report(id);
        }
    }

    /// Reports the progress of a request, unless it has ended.
    fn report(&mut self, id: FetchId) {
        if let Some(transit) = self.transits.iter().find(|transit| transit.fetch.id == id) {
            let headed = Some(transit.flow.begins).filter(|begins| *begins <= self.now);
            self.deliver(&Event::Progress { now: self.now, id, headed, bytes: transit.flow.bytes() });
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Fetch(fetch) => self.fetch(fetch),
            Command::Look(_) => unreachable!("it is answered when all commands are carried out"),
            Command::Leave(id) => {
                let place = self.transits.iter().position(|transit| transit.fetch.id == id).expect("it is in flight");
                let transit = self.transits.swap_remove(place);
                self.end(&transit, true);
            }
            Command::WakeAt(at) => {
                assert!(at >= self.now, "the timer is not in the past");
                self.timer = Some(at);
            }
            Command::Count(metric, value) => self.record.values.entry(metric).or_default().push(value),
            Command::Fault(fault) => self.record.faults.push(fault.kind),
            Command::Finish(outcome) => {
                assert!(self.transits.is_empty(), "nothing is in flight at the end");
                self.record.outcome = Some(outcome);
            }
        }
    }

    fn fetch(&mut self, fetch: Fetch) {
        let answer = self.site.answer_viewer(&self.viewer, &fetch, self.now);
        let fresh = self.idle == 0;
        self.idle = self.idle.saturating_sub(1);
        let opening = if fresh { self.network.round_trip } else { 0 };
        let begins = self.now.max(answer.not_before) + self.network.round_trip + opening;
        self.record.requests.push(Request {
            what: fetch.what,
            url: fetch.resource.url.clone(),
            begun: self.now,
            ended: None,
            bytes: 0,
            status: 0,
            was_left: false,
        });
        let (flow, place) = (Flow::new(begins, answer.bytes, answer.made.clone()), self.record.requests.len() - 1);
        self.transits.push(Transit { fetch, flow, answer, place });
    }
}
