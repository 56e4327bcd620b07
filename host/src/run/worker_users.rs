//! The users of one worker: its share of every scenario's users, each a tokio task, and the tasks that assign arrivals.
//!
//! The users of the process's segment are dealt to its workers in turn, so every worker has about as many of each
//! scenario; no user moves.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use stampede_time::{Clock, Nanos, nanos};
use tokio::sync::Notify;

use super::arrival_pool::{ArrivalPool, IdleSlot, PoolOptions};
use super::context::WorkerContext;
use super::deadline_sweep::DeadlineSweep;
use super::iteration_source::{IterationPool, IterationSource, ScaleGate, SelfPaced};
use super::setup::{SectionKind, WorkerMessage, WorkerSetup, new_shared};
use super::shared::RunShared;
use super::user_loop::UserOutcome;
use super::virtual_user::{ScenarioHandle, VirtualUser};
use crate::load_model::{ArrivalRule, IterationRule, SelfPacedRule};
use crate::net::Link;
use crate::pace::{Arrivals, RateLimiter};
use crate::plan::workload::Workload;
use crate::segment::{Deal, Stride};
use crate::template::Variables;
use crate::user::{ActiveWindow, Session, WorkerShared};

/// The users of one worker.
pub(super) struct WorkerUsers {
    /// The state that they share with their plugins.
    pub shared: Rc<WorkerShared>,
    /// The rest of the state that they share.
    pub context: Rc<WorkerContext>,
    /// Wakes users that miss a deadline.
    pub sweep: Rc<DeadlineSweep>,
    /// Counts the users that run, and how the others ended.
    pub tally: Rc<UserTally>,
    run_shared: Arc<RunShared>,
    scenarios: Vec<Rc<ScenarioUsers>>,
    pools: RefCell<Vec<Rc<ArrivalPool>>>,
    /// The variables of the last user that ended.
    last_variables: Rc<RefCell<Variables>>,
}

/// The users of one scenario on one worker.
struct ScenarioUsers {
    scenario: ScenarioHandle,
    /// The slot of its first user; those of the others follow. After the last one comes that of its arrivals.
    first_slot: usize,
    /// Slots of each user: one for each parallel branch.
    lanes: usize,
    /// Its users on this worker, by their numbers within the scenario.
    own: Stride,
    /// Its maximum number of users on this worker.
    users: u32,
}

impl ScenarioUsers {
    /// Returns the number within the scenario of a user with that number on this worker.
    const fn number_in_scenario(&self, on_worker: u32) -> u32 {
        self.own.nth(on_worker as u64) as u32
    }

    /// Returns the slot of a user with that number on this worker. The slot after those of all users is the arrivals'.
    const fn slot_of(&self, number: u32) -> usize {
        self.first_slot + number as usize * self.lanes
    }
}

impl WorkerUsers {
    /// Returns all users of a worker before any has begun. Must be called where tasks run.
    ///
    /// # Errors
    /// The operating system has no more timers.
    pub(super) fn new(setup: &WorkerSetup, clock: Clock, context: Rc<WorkerContext>) -> io::Result<Self> {
        let plan = &setup.plan;
        let own = setup.section.own_users(plan).part(setup.index, setup.workers);
        let mut slot = 0;
        let scenarios = setup.section.scenarios(plan).iter().enumerate().map(|(index, scenario)| {
            let own = own.counted_from(scenario.first_user);
            let users = own.users_below(scenario.workload.users());
            let index = (setup.section == SectionKind::Load).then_some(index);
            let lanes = scenario.flow.lanes();
            let scenario = ScenarioHandle { index, scenario: Rc::new(scenario.clone()) };
            let of_scenario = Rc::new(ScenarioUsers { scenario, first_slot: slot, lanes, own, users });
            slot = of_scenario.slot_of(users) + 1;
            of_scenario
        });
        let scenarios: Vec<_> = scenarios.collect();
        let mut shared = new_shared(plan, clock, slot)?;
        if setup.section == SectionKind::Load {
            let recorder = shared.recorder.into_inner().with_scenarios(scenarios.len(), nanos(plan.warm_up));
            shared.recorder = RefCell::new(recorder);
            // Every worker of every segment has the same part of the limit, and a turn of its own.
            let limiter = |all| RateLimiter::new(all / own.step() as f64, 0, own.first() as u32, own.step() as u32);
            shared.total_limiter = Cell::new(plan.rps_total.map(limiter));
        }
        shared.initial_variables = setup.variables.clone();
        Ok(Self {
            shared: Rc::new(shared),
            context,
            sweep: Rc::new(DeadlineSweep::new(slot)),
            tally: Rc::default(),
            run_shared: Arc::clone(&setup.run_shared),
            scenarios,
            pools: RefCell::default(),
            last_variables: Rc::default(),
        })
    }

    /// Starts the tasks of all users and arrivals.
    pub(super) fn spawn_all(&self) {
        for users in &self.scenarios {
            match users.scenario.scenario.workload.rule() {
                IterationRule::SelfPaced(rule) => {
                    (0..users.users).for_each(|number| self.spawn_self_paced(users, rule, number));
                }
                // Without users there is no arrival to assign: those of other workers have all of them.
                IterationRule::Arrivals(_) if users.users == 0 => {}
                IterationRule::Arrivals(rule) => self.spawn_arrivals(users, rule),
            }
        }
    }

    /// Counts the arrivals still queued as dropped: all users are gone.
    pub(super) fn drop_queued_arrivals(&self) {
        self.pools.borrow().iter().for_each(|pool| pool.drop_queued(&self.shared));
    }

    /// Returns the last message of the worker with this index.
    pub(super) fn final_message(&self, worker: usize) -> WorkerMessage {
        WorkerMessage::Finished {
            worker,
            signed_in: self.tally.signed_in.get(),
            gave_up: self.tally.gave_up.get(),
            passed: !self.context.any_step_failed.get(),
            variables: self.last_variables.borrow().clone(),
        }
    }

    /// Starts a self-paced user, which is active all the time or while a ramp wants it.
    fn spawn_self_paced(&self, users: &Rc<ScenarioUsers>, rule: &SelfPacedRule, number: u32) {
        let number_in_scenario = users.number_in_scenario(number);
        let windows = active_windows(&users.scenario.scenario.workload, number_in_scenario);
        let iterations = {
            let (users, rule) = (Rc::clone(users), rule.clone());
            let (run_shared, context) = (Arc::clone(&self.run_shared), Rc::clone(&self.context));
            move || self_paced(&users, &rule, &run_shared, &context, number_in_scenario)
        };
        self.spawn_user(users, number, windows, iterations);
    }

    /// Starts the arrivals of a scenario, which start users as they need them.
    fn spawn_arrivals(&self, users: &Rc<ScenarioUsers>, rule: &ArrivalRule) {
        let ScenarioHandle { index, scenario } = &users.scenario;
        let workload = &scenario.workload;
        let arrivals = Arrivals::new(rule.rate.clone(), rule.process, Deal::new(rule.max_users, users.own));
        let options = PoolOptions {
            scenario: index.unwrap_or_default(),
            first_row: scenario.flow.first_step().map(|step| self.context.plan.steps[step].row),
            scenario_name: scenario.name.clone(),
            max_users: self.context.plan.segment_users(scenario),
            users: users.users,
            max_wait: nanos(rule.max_wait),
            end: workload.end().unwrap_or(Nanos::MAX),
        };
        let pool = Rc::new(ArrivalPool::new(options, Arc::clone(&self.run_shared)));
        self.pools.borrow_mut().push(Rc::clone(&pool));
        let (begin, windows) = (nanos(workload.start), active_windows(workload, 0));
        let (spawner, users) = (self.share(), Rc::clone(users));
        let task_slot = self.claim_slots(users.slot_of(users.users), 1);
        tokio::task::spawn_local(async move {
            task_slot.register_wakers().await;
            let mut spawned = 0;
            let spawn = |idle_slot: Rc<IdleSlot>| {
                let pool = Rc::clone(&pool);
                spawner.spawn_user(&users, spawned, windows.clone(), move || {
                    IterationSource::Arrivals(Rc::clone(&pool), Rc::clone(&idle_slot))
                });
                spawned += 1;
            };
            pool.serve(arrivals, begin, &spawner.shared, spawn).await;
        });
    }

    /// Returns a second handle to the worker's state, for a task of its own.
    fn share(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
            context: Rc::clone(&self.context),
            sweep: Rc::clone(&self.sweep),
            tally: Rc::clone(&self.tally),
            run_shared: Arc::clone(&self.run_shared),
            scenarios: Vec::new(),
            pools: RefCell::default(),
            last_variables: Rc::clone(&self.last_variables),
        }
    }

    /// Starts a user's task. In each of its windows it is a new user to the target.
    fn spawn_user(
        &self,
        users: &Rc<ScenarioUsers>,
        number: u32,
        windows: Vec<ActiveWindow>,
        iterations: impl Fn() -> IterationSource + 'static,
    ) {
        let (worker, users) = (self.share(), Rc::clone(users));
        let mut task_slot = self.claim_slots(users.slot_of(number), users.lanes);
        tokio::task::spawn_local(async move {
            task_slot.register_wakers().await;
            for (visit, window) in windows.into_iter().enumerate() {
                let session = worker.new_session(&users, number, visit as u64);
                session.window.set(window);
                let (context, scenario) = (Rc::clone(&worker.context), users.scenario.clone());
                let user = VirtualUser::new(context, Rc::clone(&session), scenario, iterations());
                task_slot.outcome = task_slot.outcome.max(user.run_to_end().await);
                worker.last_variables.replace(session.variables().borrow().clone());
            }
        });
    }

    /// Returns the session of a user in one of its windows, rate-limited from the moment the user begins.
    fn new_session(&self, users: &ScenarioUsers, number: u32, visit: u64) -> Rc<Session> {
        let (plan, scenario) = (&self.context.plan, &users.scenario.scenario);
        let workload = &scenario.workload;
        let of_scenario = users.number_in_scenario(number);
        let (begin, max_users) = (workload.user_begin(of_scenario), workload.users());
        let limiter = workload.rps.map(|rps| RateLimiter::new(rps, begin, of_scenario, max_users));
        let (id, slot) = (scenario.first_user + of_scenario, users.slot_of(number));
        let seed = plan.seed.wrapping_add(visit);
        let session = Rc::new(Session::new(id, slot, Rc::clone(&self.shared), seed, limiter));
        session.http.set_retention(workload.retention);
        let link = workload.link.as_ref().and_then(|choice| choice.draw(plan.seed, id));
        if let Some(profile) = link {
            session.http.set_link(Link::new(profile.clone()), &self.shared.timers);
        }
        plan.set_user_headers(&session);
        session
    }

    /// Returns the sessions of all users, for tests of what one does.
    #[cfg(test)]
    pub(super) fn sessions(&self) -> Vec<Rc<Session>> {
        let sessions = self.scenarios.iter().flat_map(|users| {
            (0..users.users).map(|number| {
                let session = self.new_session(users, number, 0);
                let number = users.number_in_scenario(number);
                session.window.set(active_windows(&users.scenario.scenario.workload, number)[0]);
                session
            })
        });
        sessions.collect()
    }

    fn claim_slots(&self, slot: usize, lanes: usize) -> TaskSlot {
        self.tally.task_started();
        TaskSlot {
            slots: slot..slot + lanes,
            sweep: Rc::clone(&self.sweep),
            tally: Rc::clone(&self.tally),
            outcome: UserOutcome::NeverStarted,
        }
    }
}

/// Returns when a self-paced user is active; for arrivals, when any user is.
fn active_windows(workload: &Workload, number: u32) -> Vec<ActiveWindow> {
    let end = workload.end().unwrap_or(Nanos::MAX);
    let (start, grace) = (nanos(workload.start), nanos(workload.graceful_ramp_down));
    let window = |span: Range<Nanos>| {
        let iterations_until = start.saturating_add(span.end);
        let requests_until = iterations_until.saturating_add(grace).min(end);
        ActiveWindow {
            begin: start.saturating_add(span.start),
            iterations_until,
            requests_until,
            cut_off: requests_until.saturating_add(nanos(workload.graceful_stop)),
        }
    };
    workload.rule().active_spans(number).into_iter().map(window).collect()
}

/// Returns the source of a self-paced user's iterations.
fn self_paced(
    users: &ScenarioUsers,
    rule: &SelfPacedRule,
    run_shared: &Arc<RunShared>,
    context: &Rc<WorkerContext>,
    number: u32,
) -> IterationSource {
    let ScenarioHandle { index, scenario } = &users.scenario;
    let pool = rule
        .shared_iterations
        .map(|_| IterationPool { run_shared: Arc::clone(run_shared), scenario: index.unwrap_or_default() });
    let pace = scenario.workload.pace;
    let pace = (!pace.is_zero()).then(|| RateLimiter::every(nanos(pace)));
    // Spare users wait until the load is raised, if it ever is.
    let is_gated = scenario.workload.rule().has_spare_users() || run_shared.scales.may_change();
    let gate = index.filter(|_| is_gated).map(|scenario_index| ScaleGate {
        run_shared: Arc::clone(run_shared),
        scenario_index,
        scenario: Rc::clone(scenario),
        number,
        context: Rc::clone(context),
    });
    IterationSource::SelfPaced(SelfPaced { max_iterations: rule.max_iterations, pool, pace: Cell::new(pace), gate })
}

/// A task's slots on its worker. They are given up however the task ends, also by a panic: a run that waited for a user
/// that is gone would never end.
struct TaskSlot {
    slots: Range<usize>,
    sweep: Rc<DeadlineSweep>,
    tally: Rc<UserTally>,
    outcome: UserOutcome,
}

impl TaskSlot {
    /// Registers the task, so that it can be woken.
    async fn register_wakers(&self) {
        poll_fn(|cx| {
            self.slots.clone().for_each(|slot| self.sweep.register(slot, cx.waker()));
            Poll::Ready(())
        })
        .await;
    }
}

impl Drop for TaskSlot {
    fn drop(&mut self) {
        self.slots.clone().for_each(|slot| self.sweep.unregister(slot));
        self.tally.task_ended(self.outcome);
    }
}

/// Counts users by how they ended.
#[derive(Default)]
pub(super) struct UserTally {
    /// Tasks that have not ended.
    pub running: Cell<u32>,
    signed_in: Cell<u32>,
    gave_up: Cell<u32>,
    /// Notified when no task runs any more.
    pub all_done: Notify,
}

impl UserTally {
    fn task_started(&self) {
        self.running.set(self.running.get() + 1);
    }

    fn task_ended(&self, outcome: UserOutcome) {
        match outcome {
            UserOutcome::SignedIn => self.signed_in.set(self.signed_in.get() + 1),
            UserOutcome::GaveUp => self.gave_up.set(self.gave_up.get() + 1),
            UserOutcome::NeverStarted => {}
        }
        self.running.set(self.running.get() - 1);
        if self.running.get() == 0 {
            self.all_done.notify_one();
        }
    }
}
