//! One virtual user as the capabilities see it: identity, variables, header store, random stream, connections and the
//! task under way. A guest's imports act on the session that the host put in place before the call, never on a number
//! that the guest gives, so no plugin can act on another user.
//!
//! Everything here lives on one worker thread; `Cell` and `RefCell` are the only synchronisation. No borrow is held
//! across an `await` or a call into a guest.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use hyper::header::{HeaderName, HeaderValue};
use stampede_time::{Clock, Nanos, RunPhase, Timers};

use crate::data::{DataSets, Order, Partition};
use crate::expression::LastExchange;
use crate::http::{self, Client, Field};
use crate::metrics::recorder::Recorder;
use crate::pace::RateLimiter;
use crate::random::UserRandom;
use crate::segment::Segment;
pub use crate::template::RowShortage;
use crate::template::{RenderContext, RenderScratch, RowCursors, Template, VariableId, Variables};

use super::limits;
use super::request_memory::RequestScratch;
use super::sockets::Sockets;
use super::start::{ActiveWindow, PromisedStart, RequestStart, Turn};
use super::task::Task;
use super::task_trace::Tracer;
use crate::secrets::Secrets;
use crate::text::without_scheme;

/// State that all users of one worker share.
pub struct WorkerShared {
    /// The run's clock.
    pub clock: Clock,
    /// Timers of waiting users.
    pub timers: Rc<Timers>,
    /// The HTTP client, which opens connections.
    pub client: Rc<Client>,
    /// Recorder of the samples.
    pub recorder: RefCell<Recorder>,
    /// The script's data sets.
    pub data: DataSets,
    /// Buffers for rendering templates.
    pub scratch: RefCell<RenderScratch>,
    /// Buffers for rendering requests.
    pub request_scratch: RefCell<RequestScratch>,
    /// Users in the whole run.
    pub total_users: u32,
    /// The part of the run that this process carries out.
    pub segment: Segment,
    /// The phase as the worker last saw it. A user looks here whenever it is woken.
    pub phase: Cell<RunPhase>,
    /// Time at which each user's current step times out, by [`Session::slot`]; `Nanos::MAX` while none is under way.
    /// They are contiguous because the worker checks all of them many times a second; no request has a timer.
    pub deadlines: Box<[Cell<Nanos>]>,
    /// Time at which the worker last checked the deadlines.
    pub last_sweep: Cell<Nanos>,
    /// Seed of the run, by which rows of data sets are shuffled.
    pub seed: u64,
    /// Initial variables of every user.
    pub initial_variables: Variables,
    /// The worker's share of the rate limit on all users together, if there is one.
    pub total_limiter: Cell<Option<RateLimiter>>,
    /// Secrets of the run, which are never shown.
    pub secrets: Arc<Secrets>,
    /// Variables whose values are secret.
    pub secret_variables: Vec<VariableId>,
    /// Makes traces; `None` if the run has none.
    pub tracer: Option<Tracer>,
}

impl WorkerShared {
    /// Counts a user for whom a data set has no row, and warns of the first.
    fn count_shortage(&self, user: u32, shortage: RowShortage) {
        let set = match shortage {
            RowShortage::Stop(set) | RowShortage::Error(set) | RowShortage::Unreadable(set) => self.data.set(set),
        };
        if set.count_exhausted_user() {
            let text = self.shortage_text(shortage);
            match shortage {
                RowShortage::Stop(_) => tracing::warn!("{text}: user {user} is the first to end"),
                _ => tracing::error!("{text}: user {user} is the first to fail"),
            }
        }
    }

    /// Returns `true` if the rows that are short are given to each user only once, so that no user has any left.
    pub fn is_short_for_all(&self, shortage: RowShortage) -> bool {
        let (RowShortage::Stop(set) | RowShortage::Error(set) | RowShortage::Unreadable(set)) = shortage;
        let feed = self.data.set(set).feed();
        feed.order == Order::Unique && feed.partition == Partition::None
    }

    /// Describes a shortage of rows, for messages.
    pub fn shortage_text(&self, shortage: RowShortage) -> String {
        match shortage {
            RowShortage::Stop(set) | RowShortage::Error(set) => {
                let set = self.data.set(set);
                format!("data set `{}` has no row left ({} in all)", set.name(), set.rows())
            }
            RowShortage::Unreadable(set) => {
                format!("the file of data set `{}` changed during the run, or can't be read", self.data.set(set).name())
            }
        }
    }
}

/// One virtual user that does one thing after the other. A user that does several things at once has several sessions,
/// its lanes: each with a task, all with one [`User`].
pub struct Session {
    user: Rc<User>,
    /// Index of the user, or of its lane, on its worker.
    pub slot: usize,
    /// End of the waits for turns that were added to the deadline.
    turns_until: Cell<Nanos>,
    /// The shortage of a data set in this lane.
    shortage: Cell<Option<RowShortage>>,
    /// True when the last step passed, and before the first.
    pub last_step_passed: Cell<bool>,
    /// The parts of the last exchange that conditions read.
    pub last_exchange: RefCell<Option<Box<LastExchange>>>,
    /// The number of times that the flow around the next step was walked before in vain, by `retry`.
    pub repeat: Cell<u32>,
    /// The task under way.
    pub task: Task,
}

/// State of a user, shared by its lanes.
pub struct User {
    /// The user's number in the whole run.
    pub id: u32,
    /// State shared with the other users of the worker.
    pub shared: Rc<WorkerShared>,
    /// Iterations completed.
    pub iteration: Cell<u64>,
    /// The rate limit of this user, if there is one.
    pub limiter: Cell<Option<RateLimiter>>,
    /// Time during which the user is active.
    pub window: Cell<ActiveWindow>,
    /// The start that its next request was promised, if any.
    pub promised: Cell<Option<PromisedStart>>,
    /// Open connections and cookies.
    pub http: http::HttpSession,
    /// Open sockets.
    pub sockets: Sockets,
    random: RefCell<UserRandom>,
    variables: RefCell<Variables>,
    rows: RefCell<RowCursors>,
    /// The first shortage of a data set.
    shortage: Cell<Option<RowShortage>>,
    headers: RefCell<Rc<Vec<Field>>>,
    /// Superseded secrets, the newest last: replies may still contain them.
    retired_secrets: RefCell<Vec<String>>,
}

impl Deref for Session {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

impl Session {
    /// Creates a user before its first step, with the variables of the run's set-up.
    pub fn new(id: u32, slot: usize, shared: Rc<WorkerShared>, seed: u64, limiter: Option<RateLimiter>) -> Self {
        let rows_seed = shared.seed;
        let user = User {
            id,
            variables: RefCell::new(shared.initial_variables.clone()),
            shared,
            iteration: Cell::new(0),
            limiter: Cell::new(limiter),
            window: Cell::new(ActiveWindow::from(0)),
            promised: Cell::new(None),
            http: http::HttpSession::new(id),
            sockets: Sockets::default(),
            random: RefCell::new(UserRandom::new(seed, id)),
            rows: RefCell::new(RowCursors::new(rows_seed)),
            shortage: Cell::default(),
            headers: RefCell::default(),
            retired_secrets: RefCell::default(),
        };
        Self::from_user(Rc::new(user), slot)
    }

    fn from_user(user: Rc<User>, slot: usize) -> Self {
        Self {
            user,
            slot,
            turns_until: Cell::new(0),
            shortage: Cell::default(),
            last_step_passed: Cell::new(true),
            last_exchange: RefCell::default(),
            repeat: Cell::default(),
            task: Task::default(),
        }
    }

    /// Creates another lane of the user. The slots of its lanes are adjacent.
    pub fn lane(&self, number: usize) -> Self {
        Self::from_user(Rc::clone(&self.user), self.slot + number)
    }

    /// Begins work in the lane, where its user stands: `user` decides whether the last step passed, and the lane has no
    /// last exchange.
    pub fn begin_lane(&self, user: &Self) {
        self.last_step_passed.set(user.last_step_passed.get());
        self.last_exchange.take();
    }

    /// Renders a template for this user and appends the text to `out`. A user for whom a data set has no row left
    /// starts nothing from then on.
    pub fn render(&self, template: &Template, out: &mut String) {
        self.with_render_context(|values| template.render(values, out));
    }

    /// Calls `render` with what templates need to be rendered for this user now.
    #[inline]
    pub fn with_render_context<T>(&self, render: impl FnOnce(&mut RenderContext<'_>) -> T) -> T {
        let mut values = RenderContext {
            user: self.id,
            users: self.shared.total_users,
            segment: self.shared.segment,
            iteration: self.iteration.get(),
            wall_clock: self.shared.clock.wall(self.shared.clock.now()),
            random: &mut self.random.borrow_mut(),
            variables: &self.variables.borrow(),
            rows: &mut self.rows.borrow_mut(),
            data: &self.shared.data,
            scratch: &mut self.shared.scratch.borrow_mut(),
        };
        let rendered = render(&mut values);
        if let Some(shortage) = values.rows.take_shortage() {
            self.note_shortage(shortage);
        }
        rendered
    }

    /// Notes that a data set had no row for this session. The user's first shortage is counted.
    fn note_shortage(&self, shortage: RowShortage) {
        self.shortage.set(self.shortage.get().or(Some(shortage)));
        if self.user.shortage.get().is_none() {
            self.user.shortage.set(Some(shortage));
            self.shared.count_shortage(self.id, shortage);
        }
    }

    /// Returns the shortage of this session, which starts no more requests; the tasks of the user's other lanes go on
    /// to their end.
    pub fn shortage(&self) -> Option<RowShortage> {
        self.shortage.get()
    }

    /// Returns the first shortage of the user in any of its lanes, after which it begins no more steps.
    pub fn user_shortage(&self) -> Option<RowShortage> {
        self.user.shortage.get()
    }

    /// Returns the user's variables.
    pub fn variables(&self) -> &RefCell<Variables> {
        &self.variables
    }

    /// Sets a variable.
    pub fn set_variable(&self, id: VariableId, value: &str) {
        let mut variables = self.variables.borrow_mut();
        if self.shared.secret_variables.contains(&id)
            && let Some(former) = variables.get(id).filter(|former| *former != value)
        {
            self.retire_secret(former);
        }
        variables.set(id, value);
    }

    /// Removes the value of a variable.
    pub fn unset_variable(&self, id: VariableId) {
        let mut variables = self.variables.borrow_mut();
        if self.shared.secret_variables.contains(&id)
            && let Some(former) = variables.get(id)
        {
            self.retire_secret(former);
        }
        variables.unset(id);
    }

    /// Keeps a superseded secret for redaction.
    fn retire_secret(&self, secret: &str) {
        let mut former = self.retired_secrets.borrow_mut();
        if former.len() == MAX_RETIRED_SECRETS {
            former.remove(0);
        }
        former.push(secret.to_owned());
    }

    /// Draws the next number of the user's random stream, in `0.0..1.0`.
    pub fn random_unit(&self) -> f64 {
        self.random.borrow_mut().unit()
    }

    /// Draws the next number of the user's random stream.
    pub fn random(&self) -> u64 {
        self.random.borrow_mut().next_u64()
    }

    /// Returns the header fields sent with every request.
    pub fn headers(&self) -> Rc<Vec<Field>> {
        Rc::clone(&self.headers.borrow())
    }

    /// Adds a header field to every later request, in place of one with the same name.
    ///
    /// # Errors
    /// The user has [`limits::HEADERS`] fields already.
    pub fn set_header(&self, name: HeaderName, value: HeaderValue) -> Result<(), String> {
        let mut headers = self.headers.borrow_mut();
        let headers = Rc::make_mut(&mut headers);
        headers.retain(|(existing, former)| {
            let is_replaced = *existing == name;
            if is_replaced && *former != value {
                self.retire_secret(header_text(former));
            }
            !is_replaced
        });
        if headers.len() >= limits::HEADERS {
            return Err(format!("a user may have {} header fields", limits::HEADERS));
        }
        headers.push((name, value));
        Ok(())
    }

    /// Adds a header field to every later request, beside those with the same name.
    ///
    /// # Errors
    /// The user has [`limits::HEADERS`] fields already.
    pub fn add_header(&self, name: HeaderName, value: HeaderValue) -> Result<(), String> {
        let mut headers = self.headers.borrow_mut();
        let headers = Rc::make_mut(&mut headers);
        if headers.len() >= limits::HEADERS {
            return Err(format!("a user may have {} header fields", limits::HEADERS));
        }
        headers.push((name, value));
        Ok(())
    }

    /// Returns `true` if a header value holds a secret of the run or a secret variable of this user.
    pub fn holds_secret(&self, value: &HeaderValue) -> bool {
        let (text, variables) = (header_text(value), self.variables.borrow());
        let secrets: Vec<&str> = self.shared.secret_variables.iter().filter_map(|id| variables.get(*id)).collect();
        self.shared.secrets.redact(text, &secrets) != text
    }

    /// Removes the secrets of the run and of this user (its header store and secret variables) from a text, and cuts it
    /// to the length that the report keeps. For texts that a guest or a peer may have influenced.
    pub fn redact(&self, shown: &str) -> String {
        self.with_secrets(|run, user| run.excerpt(shown, user))
    }

    /// Removes the same secrets from a text and leaves its length as it is.
    pub fn redact_whole(&self, shown: &str) -> String {
        self.with_secrets(|run, user| run.redact(shown, user))
    }

    fn with_secrets<T>(&self, search: impl FnOnce(&Secrets, &[&str]) -> T) -> T {
        let (headers, variables, former) =
            (self.headers.borrow(), self.variables.borrow(), self.retired_secrets.borrow());
        let fields = headers.iter().map(|(_, value)| header_text(value)).flat_map(whole_and_words);
        let variables = self.shared.secret_variables.iter().filter_map(|id| variables.get(*id));
        let secrets: Vec<&str> =
            fields.chain(variables).chain(former.iter().flat_map(|former| whole_and_words(former))).collect();
        search(&self.shared.secrets, &secrets)
    }

    /// Returns the time at which the current step times out. Waiting for the rate limit postpones it.
    pub fn deadline(&self) -> &Cell<Nanos> {
        &self.shared.deadlines[self.slot]
    }

    /// Returns `true` if a rate limit may make a request of the current task wait.
    pub fn is_limited(&self) -> bool {
        !self.task.is_lasting() && (self.limiter.get().is_some() || self.shared.total_limiter.get().is_some())
    }

    /// Takes the turn that the task holds, or waits for one. Returns the start, which is now; `None` if the run, or the
    /// session's data, ends first.
    pub async fn next_turn(&self) -> Option<RequestStart> {
        let Some(held) = self.task.held_turn.take() else {
            let turn = self.wait_for_turn().await?;
            return Some(turn.start(turn.at));
        };
        let now = self.shared.clock.now();
        self.may_start_at(now).then(|| held.start(now))
    }

    /// Waits for the user's turn under its rate limit and under that of all users. `None` if the run, or the user's
    /// data, ends first. The wait postpones the step's deadline and is not part of the latency, unless the request was
    /// promised a start; the delay that the generator alone causes is recorded as start delay.
    pub(super) async fn wait_for_turn(&self) -> Option<Turn> {
        if self.shortage().is_some() {
            return None;
        }
        let promise = self.promised.take();
        let mut due = promise.map(|promise| promise.due);
        for limiter in [&self.limiter, &self.shared.total_limiter] {
            if let Some(mut next) = limiter.get().filter(|_| !self.task.is_lasting()) {
                let turn = next.reserve(self.shared.clock.now());
                limiter.set(Some(next));
                self.wait_for_reserved(turn).await?;
                due = Some(turn);
            }
        }
        let now = self.shared.clock.now();
        if !self.may_start_at(now) {
            return None;
        }
        if let Some(due) = due {
            self.shared.recorder.borrow_mut().record_start_delay(now.saturating_sub(due));
        }
        Some(Turn { at: now, intended: promise.map(|promise| promise.intended) })
    }

    /// Waits for a turn that has been reserved, and postpones the step's deadline by the wait. `None` if the run ends
    /// first.
    async fn wait_for_reserved(&self, turn: Nanos) -> Option<()> {
        let now = self.shared.clock.now();
        // Waits of simultaneous operations overlap: each postpones the deadline by the part that it adds.
        let waited = turn.saturating_sub(self.turns_until.get().max(now));
        self.turns_until.set(self.turns_until.get().max(turn));
        let (deadline, window) = (self.deadline(), self.window.get());
        deadline.set(deadline.get().saturating_add(waited).min(window.cut_off));
        let _waiting = (turn > now).then(|| self.task.active_time.wait(&self.shared.clock));
        self.pause_until(turn).await.then_some(())
    }

    /// Returns `true` if the user may start something now.
    pub fn may_start(&self) -> bool {
        self.may_start_at(self.shared.clock.now())
    }

    /// Returns `true` if the user may start something at `now`, just read from the clock.
    pub fn may_start_at(&self, now: Nanos) -> bool {
        self.shared.phase.get() == RunPhase::Running && now < self.window.get().requests_until
    }

    /// Waits until a time. Returns `false` as soon as the run is ending.
    pub async fn wait_until(&self, at: Nanos) -> bool {
        self.shared.wait_until(at).await
    }

    /// Waits until a time, but at most to the end of the user's window. Returns `false` if that, or the run, ends
    /// first.
    pub async fn pause_until(&self, at: Nanos) -> bool {
        let end = self.window.get().requests_until;
        self.wait_until(at.min(end)).await && at < end
    }
}

impl WorkerShared {
    /// Waits until a time. Returns `false` as soon as the run is ending.
    pub async fn wait_until(&self, at: Nanos) -> bool {
        let mut timer = None;
        poll_fn(|cx| {
            let now = self.clock.now();
            if self.phase.get() != RunPhase::Running {
                return Poll::Ready(false);
            }
            if at <= now {
                return Poll::Ready(true);
            }
            timer.get_or_insert_with(|| self.timers.add(at, now, cx.waker().clone()));
            Poll::Pending
        })
        .await
    }
}

/// Returns a header value as text. It is UTF-8, not only the visible ASCII that `to_str` accepts.
fn header_text(value: &HeaderValue) -> &str {
    std::str::from_utf8(value.as_bytes()).unwrap_or_default()
}

/// Iterates over a secret as a whole and its words, without the name of an authentication scheme before them.
fn whole_and_words(secret: &str) -> impl Iterator<Item = &str> {
    let secret = without_scheme(secret);
    std::iter::once(secret).chain(secret.split(' '))
}

/// Maximum number of superseded secrets per user that are still redacted.
const MAX_RETIRED_SECRETS: usize = 8;
