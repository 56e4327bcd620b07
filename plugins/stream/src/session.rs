//! One session: reports to the player what happens, and carries out what it commands.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use stampede_plugin::http::{Transfer, TransferReply};
use stampede_plugin::{Ending, Failure, FailureKind, Sleep, Task};
use viewer_core::{
    ByteRange, Command, Content, Event, FatalError, Fault, FaultKind, Fetch, FetchFailure, FetchId, FetchTimes, Micros,
    Outcome, Reply, ReplyHead, SECOND, SessionSpec, Viewer, What,
};

use crate::Stream;
use crate::reader::{self, KeptReply};
use crate::span::micros;

/// A session that is played.
pub(crate) struct Session<'s> {
    step: &'s Stream,
    task: &'s Task,
    viewer: Viewer,
    transfers: Vec<OpenFetch<'s>>,
    /// The instant at which the player wants to be woken.
    wake_at: Option<Micros>,
    /// The one wait of the session; it may be earlier than anything that is due.
    alarm: Option<Alarm<'s>>,
    /// The reply that is being delivered.
    answered: Option<Answered>,
    /// The failure that the last failed request had.
    failure: Option<Failure>,
    outcome: Option<Outcome>,
}

/// A fetch under way.
struct OpenFetch<'s> {
    id: FetchId,
    what: What,
    keep: bool,
    give_up_at: Micros,
    transfer: Transfer<'s>,
}

/// A wait until an instant.
struct Alarm<'s> {
    at: Micros,
    sleep: Sleep<'s>,
}

/// A reply, as a fault describes it.
struct Answered {
    status: u16,
    /// The URL without its query, which may hold anything.
    place: String,
}

/// An occurrence that a session waits for.
enum Occurrence<'s> {
    /// A fetch has ended.
    Ended(usize, Result<TransferReply<'s>, Failure>),
    /// The alarm rings.
    Alarm,
    /// The user's time is over.
    TimeOver,
}

impl<'s> Session<'s> {
    /// Creates a session that has not begun.
    pub(crate) fn new(step: &'s Stream, task: &'s Task, spec: &SessionSpec) -> Self {
        Self {
            step,
            task,
            viewer: Viewer::new(step.settings.clone(), spec),
            transfers: Vec::new(),
            wake_at: None,
            alarm: None,
            answered: None,
            failure: None,
            outcome: None,
        }
    }

    /// Plays to the end.
    pub(crate) async fn play(mut self, ending: &mut Ending<'_>) -> Result<Outcome, Failure> {
        self.deliver(&Event::Start { now: self.now(), wall: micros(self.task.time_of_day()) });
        loop {
            if let Some(outcome) = self.outcome {
                return self.settle(outcome);
            }
            self.set_alarm();
            match self.next(ending).await {
                Occurrence::Ended(place, result) => self.take(place, result),
                Occurrence::Alarm => self.ring(),
                Occurrence::TimeOver => self.deliver(&Event::Stop { now: self.now() }),
            }
        }
    }

    /// Waits for what happens next. Each exchange is judged before the next one is announced: a failure marks the one
    /// that was announced last.
    async fn next(&mut self, ending: &mut Ending<'_>) -> Occurrence<'s> {
        poll_fn(|context| {
            if Pin::new(&mut *ending).poll(context).is_ready() {
                return Poll::Ready(Occurrence::TimeOver);
            }
            for (place, open) in self.transfers.iter_mut().enumerate() {
                if let Poll::Ready(result) = Pin::new(&mut open.transfer).poll(context) {
                    return Poll::Ready(Occurrence::Ended(place, result));
                }
            }
            if let Some(alarm) = &mut self.alarm
                && Pin::new(&mut alarm.sleep).poll(context).is_ready()
            {
                return Poll::Ready(Occurrence::Alarm);
            }
            Poll::Pending
        })
        .await
    }

    /// Sets the alarm to the first instant that is due, unless it rings before that anyway.
    fn set_alarm(&mut self) {
        let given_up = self.transfers.iter().map(|open| open.give_up_at).min();
        let Some(at) = given_up.into_iter().chain(self.wake_at).min() else { return };
        if self.alarm.as_ref().is_none_or(|alarm| alarm.at > at) {
            let wait = u64::try_from(at - self.now()).unwrap_or(0);
            self.alarm = Some(Alarm { at, sleep: self.task.sleep(Duration::from_micros(wait)) });
        }
    }

    /// Does what is due.
    fn ring(&mut self) {
        self.alarm = None;
        let now = self.now();
        while self.outcome.is_none()
            && let Some(place) = self.transfers.iter().position(|open| open.give_up_at <= now)
        {
            let open = self.transfers.swap_remove(place);
            let bytes = open.transfer.progress().map_or(0, |progress| progress.content);
            drop(open.transfer);
            self.failure = Some(Failure::new(FailureKind::Timeout, "the player waited no longer for a reply"));
            self.deliver(&Event::Failed { now, id: open.id, failure: FetchFailure::Timeout, bytes });
        }
        if self.outcome.is_none() && self.wake_at.is_some_and(|at| at <= now) {
            self.wake_at = None;
            self.deliver(&Event::Timer { now });
        }
    }

    /// Takes the end of a fetch.
    fn take(&mut self, place: usize, result: Result<TransferReply<'s>, Failure>) {
        let OpenFetch { id, what, keep, .. } = self.transfers.swap_remove(place);
        let now = self.now();
        let reply = match result {
            Ok(reply) => reply,
            Err(failure) => {
                let kind = match failure.kind() {
                    FailureKind::Timeout => FetchFailure::Timeout,
                    FailureKind::Protocol => FetchFailure::Protocol,
                    FailureKind::Plugin => FetchFailure::Refused,
                    _ => FetchFailure::Network,
                };
                self.failure = Some(failure);
                return self.deliver(&Event::Failed { now, id, failure: kind, bytes: 0 });
            }
        };
        let url = reply.url();
        let is_read = keep && (200..300).contains(&reply.status);
        let content = if is_read {
            self.step.reader.read(&self.viewer, &KeptReply { id, what, url: &url, reply: &reply })
        } else {
            Content::Dropped
        };
        let times = reply.times();
        let times = FetchTimes { start: micros(times.start), headed: micros(times.headed), end: micros(times.end) };
        let (status, bytes, head) = (reply.status, reply.body_bytes, head(what, &reply));
        drop(reply);
        let place = url.split('?').next().unwrap_or_default().to_owned();
        self.answered = Some(Answered { status, place });
        self.deliver(&Event::Done(Reply { now, id, status, bytes, times, head, url: &url, content }));
        self.answered = None;
    }

    /// Reports an event, and carries the commands out.
    fn deliver(&mut self, event: &Event<'_>) {
        let mut commands = Vec::new();
        self.viewer.step(event, &mut commands);
        let mut looks = Vec::new();
        for command in commands {
            match command {
                Command::Fetch(fetch) => self.fetch(fetch),
                Command::Look(id) => looks.push(id),
                Command::Leave(id) => self.leave(id),
                Command::WakeAt(at) => self.wake_at = Some(at),
                Command::Count(metric, value) => self.step.metrics.add(self.task, metric, value),
                Command::Fault(fault) => self.fail(fault),
                Command::Finish(outcome) => self.outcome = Some(outcome),
            }
        }
        // The next event comes after all commands.
        looks.into_iter().for_each(|id| self.look(id));
    }

    fn fetch(&mut self, fetch: Fetch) {
        let Fetch { id, what, resource, range, keep, give_up_at, cmcd } = fetch;
        let mut request = self.step.request(self.task, resource.url, keep);
        request.headers.extend(range.map(|range| ("range".to_owned(), range)));
        request.headers.extend(cmcd.into_iter().map(|field| (field.name.to_owned(), field.value)));
        let transfer = request.begin(self.task, self.step.rows.of(what)).left_in(self.step.rows.left);
        self.transfers.push(OpenFetch { id, what, keep, give_up_at, transfer });
    }

    fn look(&mut self, id: FetchId) {
        let open = self.transfers.iter().find(|open| open.id == id);
        if let Some(progress) = open.and_then(|open| open.transfer.progress()) {
            let headed = progress.headed.map(micros);
            self.deliver(&Event::Progress { now: self.now(), id, headed, bytes: progress.content });
        }
    }

    fn leave(&mut self, id: FetchId) {
        if let Some(place) = self.transfers.iter().position(|open| open.id == id) {
            self.transfers.swap_remove(place).transfer.leave(self.step.rows.left);
        }
    }

    /// Fails the reply that is being delivered.
    fn fail(&mut self, Fault { kind, .. }: Fault) {
        let Some(Answered { status, place }) = &self.answered else { return };
        let failure = match kind {
            FaultKind::Status => Failure::status(format!("expected status 2xx of `{place}`, got {status}")),
            FaultKind::Format => Failure::protocol(format!("`{place}` is not a manifest that can be played")),
            FaultKind::Empty => Failure::protocol(format!("`{place}` is an empty segment")),
            FaultKind::Range => Failure::protocol(format!("`{place}` is not the range that was asked for")),
            FaultKind::Stale => Failure::check(format!("`{place}` is older than the playlist before")),
        };
        self.failure = Some(failure.report(self.task));
    }

    /// Returns how the session ended; a fatal error fails the step with the failure that led to it.
    fn settle(self, outcome: Outcome) -> Result<Outcome, Failure> {
        let Outcome::Failed(error) = outcome else { return Ok(outcome) };
        let led = self.failure.map_or(FailureKind::Check, |failure| failure.kind());
        Err(match error {
            FatalError::Manifest => Failure::new(led, "the session failed: its manifest could not be fetched"),
            FatalError::Format => Failure::protocol("the session failed: its manifest is neither HLS nor DASH"),
            FatalError::Playlist => Failure::new(led, "the session failed: a playlist came no more"),
            FatalError::Segment => Failure::new(led, "the session failed: a segment could not be fetched"),
            FatalError::Key => Failure::new(led, "the session failed: a key could not be fetched"),
            FatalError::Stall => Failure::check("the session failed: a stall took too long"),
            FatalError::Empty => Failure::protocol("the session failed: nothing in its manifest can be played"),
        })
    }

    fn now(&self) -> Micros {
        micros(self.task.now())
    }
}

/// Reads the fields that a player heeds of such a reply: each is a call of the host, and segments have none.
fn head(what: What, reply: &TransferReply<'_>) -> ReplyHead {
    let seconds = |name: &str| {
        reply.header(name).and_then(|value| value.trim().parse::<i64>().ok()).map(|value| value.saturating_mul(SECOND))
    };
    let is_media = matches!(what, What::Init(_) | What::Segment(_) | What::Part(_) | What::Index(_) | What::Key);
    let mut head = ReplyHead::default();
    if !is_media {
        head.date = reply.header("date").as_deref().and_then(reader::date);
        head.age = seconds("age");
    }
    if reply.status == 206 {
        head.content_range = reply.header("content-range").as_deref().and_then(content_range);
    }
    if reply.status >= 400 {
        head.retry_after = seconds("retry-after");
    }
    head
}

/// Parses `bytes 0-499/1234` (RFC 9110, section 14.4).
fn content_range(value: &str) -> Option<ByteRange> {
    let (range, _) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    Some(ByteRange { start: first, length: last.checked_sub(first)?.checked_add(1)? })
}
