//! One worker: a thread with its own runtime, users, plugin instances, connections and recorder. Nothing is shared with
//! the other workers while the run lasts; once a second the worker hands over what it recorded.

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::expression::Language;
use crate::http::{Client, ClientOptions};
use crate::metrics::interval::Interval;
use crate::metrics::recorder::Recorder;
use crate::plan::{Plan, Scenario, UsedPlugin};
use crate::plugin::family::{Family, Names};
use crate::plugin::replica::Replica;
use crate::plugin::session::Shared;
use crate::template::Variables;

use super::cast::Cast;
use super::clock::{Clock, Nanos};
use super::common::Common;
use super::health::Health;
use super::phase::Phase;
use super::timers::Timers;
use super::watch;

/// What a worker tells the main thread.
pub enum Message {
    /// The worker's instances stand; it waits for the clock.
    Ready,
    /// What was recorded in about a second.
    Interval {
        /// Which worker.
        worker: usize,
        /// Seconds since the run began.
        second: u32,
        /// The record.
        interval: Box<Interval>,
    },
    /// All users are gone, everything recorded has been handed over.
    Finished {
        /// Users that signed in or had no need to.
        walked: u32,
        /// Users that could not sign in.
        gave_up: u32,
        /// Whether every step passed.
        passed: bool,
        /// What the last user knew at its end.
        found: Variables,
    },
    /// The worker could not start.
    Failed(String),
}

/// What a worker is made from.
pub struct Setup {
    /// The worker's number, from 0.
    pub index: usize,
    /// How many workers there are beside it, itself included.
    pub workers: usize,
    /// What to run.
    pub plan: Arc<Plan>,
    /// Which part of it.
    pub part: Part,
    /// What it shares with the others.
    pub common: Arc<Common>,
    /// Variables that its users begin with.
    pub found: Variables,
    /// To the main thread.
    pub messages: tokio::sync::mpsc::UnboundedSender<Message>,
    /// From the main thread, once, when all workers are ready.
    pub clock: tokio::sync::oneshot::Receiver<Clock>,
    /// Intervals to be used again.
    pub spares: std::sync::mpsc::Receiver<Box<Interval>>,
}

/// The parts of a run, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// One user prepares.
    Setup,
    /// The scenarios.
    Load,
    /// One user tidies up.
    Teardown,
}

impl Part {
    /// The scenarios of this part of a plan.
    pub fn scenarios(self, plan: &Plan) -> &[Scenario] {
        match self {
            Self::Setup => plan.setup.as_slice(),
            Self::Load => &plan.scenarios,
            Self::Teardown => plan.teardown.as_slice(),
        }
    }
}

/// What the users of one worker share besides what their plugins see.
pub struct Crew {
    /// What to run.
    pub plan: Arc<Plan>,
    /// The plugins, by [`Step::plugin`].
    pub plugins: Vec<Rc<Family>>,
    /// Their instances as all users of the worker share them.
    shared: Replicas,
    /// Users under way.
    pub active: Cell<u32>,
    /// Whether a step has failed.
    pub failed: Cell<bool>,
    /// What conditions are told in, once there is one.
    pub language: OnceCell<Language>,
    free_tasks: RefCell<Vec<u32>>,
    tasks: Cell<u32>,
}

impl Crew {
    fn new(plan: Arc<Plan>) -> Self {
        let names = Names::of_plan(&plan.variables, &plan.metrics);
        let family = |used: &UsedPlugin| Family::new(used.terms.clone(), Arc::clone(&plan.scripting), &names);
        let plugins: Vec<_> = plan.plugins.iter().map(family).collect();
        let shared = plan.plugins.iter().zip(&plugins).map(|(used, family)| replica(used, family)).collect();
        let (active, failed, language, free_tasks, tasks) = Default::default();
        Self { plan, plugins, shared, active, failed, language, free_tasks, tasks }
    }

    /// The instances that a user's steps run in, by [`Step::plugin`](crate::plan::Step::plugin): those of the worker,
    /// but for plugins of which each user has its own.
    pub fn replicas(&self) -> Replicas {
        if self.plan.plugins.iter().all(|used| !used.terms.instance_per_user) {
            return Rc::clone(&self.shared);
        }
        let all = self.plan.plugins.iter().zip(&self.plugins).zip(self.shared.iter());
        all.map(
            |((used, family), shared)| {
                if used.terms.instance_per_user { replica(used, family) } else { Rc::clone(shared) }
            },
        )
        .collect()
    }

    /// A number for a task: dense, so that guests may index arrays with it.
    pub fn take_task_id(&self) -> u32 {
        self.free_tasks.borrow_mut().pop().unwrap_or_else(|| self.tasks.replace(self.tasks.get() + 1))
    }

    /// The number may be used again.
    pub fn give_back(&self, task: u32) {
        self.free_tasks.borrow_mut().push(task);
    }
}

/// One replica of each plugin.
pub type Replicas = Rc<[Rc<RefCell<Replica>>]>;

fn replica(used: &UsedPlugin, family: &Rc<Family>) -> Rc<RefCell<Replica>> {
    let (plugin, steps) = (Arc::clone(&used.plugin), Arc::clone(&used.steps));
    Rc::new(RefCell::new(Replica::new(plugin, steps, Rc::clone(family))))
}

/// Runs a worker to its end; the body of its thread.
pub fn run(setup: Setup) {
    let messages = setup.messages.clone();
    let worked = prepare(&setup.plan).and_then(|crew| {
        let _ = messages.send(Message::Ready);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default());
        let runtime = runtime.map_err(|error| error.to_string())?;
        let result = runtime.block_on(work(setup, crew));
        runtime.shutdown_background();
        result
    });
    if let Err(reason) = worked {
        let _ = messages.send(Message::Failed(reason));
    }
}

/// What the users of a worker share, each plugin instantiated.
///
/// # Errors
/// A plugin does not start.
pub fn prepare(plan: &Arc<Plan>) -> Result<Rc<Crew>, String> {
    let crew = Crew::new(Arc::clone(plan));
    for (replica, used) in crew.shared.iter().zip(&plan.plugins) {
        if !used.terms.instance_per_user {
            replica.borrow_mut().ready().map_err(|lost| lost.0)?;
        }
    }
    Ok(Rc::new(crew))
}

/// The worker's life, from the moment the clock starts until the last user is gone.
///
/// # Errors
/// The operating system has no more timers.
pub async fn work(mut setup: Setup, crew: Rc<Crew>) -> Result<(), String> {
    let Ok(clock) = (&mut setup.clock).await else { return Ok(()) };
    let cast = Cast::new(&setup, clock, crew).map_err(|error| format!("no timer is to be had: {error}"))?;
    cast.begin();
    let Setup { index, common, messages, spares, .. } = setup;
    let (shared, crew) = (Rc::clone(&cast.shared), Rc::clone(&cast.crew));
    let health = Health::start(clock.now());
    let mut hand_over = HandOver { index, crew, shared, messages, spares, health, second: 0 };
    let mut tick = tokio::time::interval(Duration::from_nanos(watch::PERIOD));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut timers = pin!(cast.shared.timers.run(clock));
    let mut heard = 0;
    while cast.lives.left.get() > 0 {
        tokio::select! {
            never = &mut timers => match never {},
            _ = tick.tick() => {}
            () = cast.lives.last.notified() => {}
        }
        let now = clock.now();
        hand_over.health.looked(now);
        cast.watch.look(&cast.shared, now, common.phase.get());
        let news = common.scales.news();
        if std::mem::replace(&mut heard, news) != news {
            cast.watch.wake_all();
        }
        if now / SECOND > u64::from(hand_over.second) {
            hand_over.interval((now / SECOND) as u32);
        }
    }
    cast.end();
    hand_over.interval((clock.now() / SECOND) as u32 + 1);
    let _ = hand_over.messages.send(cast.finished());
    Ok(())
}

/// Largest reply body that is kept for a capture or a plugin, in bytes.
const MOST_BODY_KEPT: usize = 16 << 20;

const SECOND: Nanos = 1_000_000_000;

/// What the users of a worker share, before its first user. Must be called where tasks run.
///
/// # Errors
/// The operating system has no more timers.
pub fn share(plan: &Plan, clock: Clock, users: usize) -> io::Result<Shared> {
    let options = ClientOptions { tls: plan.tls.clone(), max_body_kept: MOST_BODY_KEPT, dial: plan.dial.clone() };
    let metrics = plan.metrics.iter().map(|metric| metric.kind).collect();
    Ok(Shared {
        clock,
        timers: Timers::new(clock)?,
        client: Rc::new(Client::new(options, clock)),
        recorder: RefCell::new(Recorder::new(plan.rows.len(), metrics)),
        data: plan.scripting.data.clone(),
        users: plan.users(),
        phase: Cell::new(Phase::Running),
        deadlines: (0..users).map(|_| Cell::new(Nanos::MAX)).collect(),
        swept: Cell::new(0),
        scratch: RefCell::default(),
        seed: plan.seed,
        found: Variables::default(),
        limiter: Cell::default(),
        secrets: Arc::clone(&plan.scripting.secrets),
        secret_variables: plan.secret_variables(),
    })
}

/// Hands what was recorded to the main thread.
struct HandOver {
    index: usize,
    crew: Rc<Crew>,
    shared: Rc<Shared>,
    messages: tokio::sync::mpsc::UnboundedSender<Message>,
    spares: std::sync::mpsc::Receiver<Box<Interval>>,
    health: Health,
    second: u32,
}

impl HandOver {
    /// Everything recorded so far, as the record of the seconds that end before `second`.
    fn interval(&mut self, second: u32) {
        let mut recorder = self.shared.recorder.borrow_mut();
        recorder.set_users_active(self.crew.active.get());
        let mut interval = recorder.take(self.spares.try_recv().ok());
        interval.health = self.health.take(self.shared.clock.now(), &self.crew.plugins);
        let _ = self.messages.send(Message::Interval { worker: self.index, second: self.second, interval });
        self.second = second;
    }
}

#[cfg(test)]
mod changes;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod tests;
