//! One worker: a thread with its own runtime, users, plugin instances, connections and recorder. Nothing is shared with
//! the other workers while the run lasts; once a second the worker hands over what it recorded.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;

use crate::http::{Client, ClientOptions};
use crate::metrics::interval::Interval;
use crate::metrics::recorder::Recorder;
use crate::pace::Limiter;
use crate::plan::{Plan, UsedPlugin};
use crate::plugin::family::{Family, Names};
use crate::plugin::replica::Replica;
use crate::plugin::session::{Session, Shared};

use super::clock::{Clock, Nanos, nanos};
use super::health::Health;
use super::phase::{Phase, SharedPhase};
use super::timers::Timers;
use super::virtual_user::{Life, VirtualUser};
use super::watch::{self, Watch};

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
    },
    /// The worker could not start.
    Failed(String),
}

/// What a worker is made from.
pub struct Setup {
    /// The worker's number, from 0.
    pub index: usize,
    /// What to run.
    pub plan: Arc<Plan>,
    /// How far the run has come.
    pub phase: Arc<SharedPhase>,
    /// To the main thread.
    pub messages: tokio::sync::mpsc::UnboundedSender<Message>,
    /// From the main thread, once, when all workers are ready.
    pub clock: tokio::sync::oneshot::Receiver<Clock>,
    /// Intervals to be used again.
    pub spares: std::sync::mpsc::Receiver<Box<Interval>>,
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
    free_tasks: RefCell<Vec<u32>>,
    tasks: Cell<u32>,
}

impl Crew {
    fn new(plan: Arc<Plan>) -> Self {
        let names = Names::of_plan(&plan.variables, &plan.metrics);
        let family = |used: &UsedPlugin| Family::new(used.terms.clone(), Arc::clone(&plan.scripting), &names);
        let plugins: Vec<_> = plan.plugins.iter().map(family).collect();
        let shared = plan.plugins.iter().zip(&plugins).map(|(used, family)| replica(used, family)).collect();
        let (active, free_tasks, tasks) = Default::default();
        Self { plan, plugins, shared, active, free_tasks, tasks }
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
pub async fn work(setup: Setup, crew: Rc<Crew>) -> Result<(), String> {
    let Setup { index, plan, phase, messages, clock, spares } = setup;
    let Ok(clock) = clock.await else { return Ok(()) };
    let ids: Vec<u32> = (index..plan.workload.users as usize).step_by(plan.workers).map(|id| id as u32).collect();
    let shared = share(&plan, clock, ids.len()).map_err(|error| format!("no timer is to be had: {error}"))?;
    let shared = Rc::new(shared);
    let watch = Rc::new(Watch::new(ids.len()));
    let lives = Rc::new(Lives::new(ids.len() as u32));
    for (slot, id) in ids.into_iter().enumerate() {
        spawn_user((id, slot), &crew, &shared, &watch, &lives);
    }
    let mut hand_over =
        HandOver { index, crew, shared, messages, spares, health: Health::start(clock.now()), second: 0 };
    let mut tick = tokio::time::interval(Duration::from_nanos(watch::PERIOD));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let waited_on = Rc::clone(&hand_over.shared);
    let mut timers = pin!(waited_on.timers.run(clock));
    while lives.left.get() > 0 {
        tokio::select! {
            never = &mut timers => match never {},
            _ = tick.tick() => {}
            () = lives.last.notified() => {}
        }
        let now = clock.now();
        hand_over.health.looked(now);
        watch.look(&hand_over.shared, now, phase.get());
        if now / SECOND > u64::from(hand_over.second) {
            hand_over.interval((now / SECOND) as u32);
        }
    }
    hand_over.interval((clock.now() / SECOND) as u32 + 1);
    let finished = Message::Finished { walked: lives.walked.get(), gave_up: lives.gave_up.get() };
    let _ = hand_over.messages.send(finished);
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
    Ok(Shared {
        clock,
        timers: Timers::new(clock)?,
        client: Rc::new(Client::new(options, clock)),
        recorder: RefCell::new(Recorder::new(plan.rows.len(), plan.metrics.iter().map(|metric| metric.kind).collect())),
        data: plan.scripting.data.clone(),
        users: plan.workload.users,
        phase: Cell::new(Phase::Running),
        deadlines: (0..users).map(|_| Cell::new(Nanos::MAX)).collect(),
        swept: Cell::new(0),
        scratch: RefCell::default(),
        end: plan.workload.duration.map_or(Nanos::MAX, nanos),
    })
}

/// A user as the workload wants it: capped from the moment it begins.
pub fn session((id, slot): (u32, usize), plan: &Plan, shared: &Rc<Shared>) -> Session {
    let workload = &plan.workload;
    let limiter = workload.rps.map(|rps| Limiter::new(rps, workload.begin(id), id, workload.users));
    Session::new(id, slot, Rc::clone(shared), plan.seed, limiter)
}

fn spawn_user((id, slot): (u32, usize), crew: &Rc<Crew>, shared: &Rc<Shared>, watch: &Rc<Watch>, lives: &Rc<Lives>) {
    let begin = crew.plan.workload.begin(id);
    let session = Rc::new(session((id, slot), &crew.plan, shared));
    crew.plan.give_headers(&session);
    let user = VirtualUser::new(Rc::clone(crew), session);
    let entry = Entry { slot, watch: Rc::clone(watch), lives: Rc::clone(lives), life: Life::NotBegun };
    tokio::task::spawn_local(async move {
        poll_fn(|cx| {
            entry.watch.enter(slot, cx.waker());
            Poll::Ready(())
        })
        .await;
        entry.end(user.live(begin).await);
    });
}

/// A user's place on its worker. It is left however the user ends, also by a panic: a run that waited for a user who is
/// gone would never end.
struct Entry {
    slot: usize,
    watch: Rc<Watch>,
    lives: Rc<Lives>,
    life: Life,
}

impl Entry {
    fn end(mut self, life: Life) {
        self.life = life;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.watch.leave(self.slot);
        self.lives.ended(self.life);
    }
}

/// How the users' lives went.
struct Lives {
    left: Cell<u32>,
    walked: Cell<u32>,
    gave_up: Cell<u32>,
    last: Notify,
}

impl Lives {
    fn new(users: u32) -> Self {
        Self { left: Cell::new(users), walked: Cell::new(0), gave_up: Cell::new(0), last: Notify::new() }
    }

    fn ended(&self, life: Life) {
        match life {
            Life::Walked => self.walked.set(self.walked.get() + 1),
            Life::GaveUp => self.gave_up.set(self.gave_up.get() + 1),
            Life::NotBegun => {}
        }
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0 {
            self.last.notify_one();
        }
    }
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
mod tests;
