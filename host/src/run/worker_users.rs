//! Who is on a worker: its share of every scenario's users, each a tokio task, and the tasks that hand arrivals out.
//!
//! User `n` of a scenario is on worker `n mod workers`, so every worker has about as many of each; nobody moves.

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
use super::iteration_source::{IterationSource, ScaleGate, SelfPaced};
use super::setup::{SegmentKind, WorkerMessage, WorkerSetup, new_shared};
use super::shared::RunShared;
use super::user_loop::UserOutcome;
use super::virtual_user::VirtualUser;
use crate::pace::{Arrivals, RateLimiter};
use crate::plan::Scenario;
use crate::plan::workload::{LoadModel, Workload};
use crate::template::Variables;
use crate::user::{ActiveWindow, Session, WorkerShared};

/// The users of one worker.
pub struct WorkerUsers {
    /// What they share with their plugins.
    pub shared: Rc<WorkerShared>,
    /// What else they share.
    pub context: Rc<WorkerContext>,
    /// How they are woken.
    pub sweep: Rc<DeadlineSweep>,
    /// How they fared.
    pub tally: Rc<UserTally>,
    run_shared: Arc<RunShared>,
    /// The worker's number, and how many there are.
    position: (usize, usize),
    scenarios: Vec<Rc<ScenarioUsers>>,
    pools: RefCell<Vec<Rc<ArrivalPool>>>,
    /// What the last user knew at its end.
    last_variables: Rc<RefCell<Variables>>,
}

/// The users of one scenario on one worker.
struct ScenarioUsers {
    /// The scenario's number, if its iterations are counted.
    index: Option<usize>,
    scenario: Rc<Scenario>,
    /// The slot of its first user; those of the others follow. After the last one comes that of its arrivals.
    first_slot: usize,
    /// Slots of each user: one for each thing that it does at once.
    lanes: usize,
    /// Its users on this worker, at most.
    users: u32,
}

impl ScenarioUsers {
    /// The slot of a user with that number on this worker; after those of all users comes that of the arrivals.
    const fn slot_of(&self, number: u32) -> usize {
        self.first_slot + number as usize * self.lanes
    }
}

impl WorkerUsers {
    /// Everybody who belongs on the worker, before anybody has begun. Must be called where tasks run.
    ///
    /// # Errors
    /// The operating system has no more timers.
    pub fn new(setup: &WorkerSetup, clock: Clock, crew: Rc<WorkerContext>) -> io::Result<Self> {
        let (plan, position) = (&setup.plan, (setup.index, setup.workers));
        let mut slot = 0;
        let troupes = setup.segment.scenarios(plan).iter().enumerate().map(|(number, scenario)| {
            let users = scenario.workload.users();
            // Those of 0..users that leave this remainder.
            let users = (users + position.1 as u32 - 1 - position.0 as u32) / position.1 as u32;
            let number = (setup.segment == SegmentKind::Load).then_some(number);
            let lanes = scenario.flow.lanes();
            let troupe = Rc::new(ScenarioUsers {
                index: number,
                scenario: Rc::new(scenario.clone()),
                first_slot: slot,
                lanes,
                users,
            });
            slot = troupe.slot_of(users) + 1;
            troupe
        });
        let troupes: Vec<_> = troupes.collect();
        let mut shared = new_shared(plan, clock, slot)?;
        if setup.segment == SegmentKind::Load {
            let recorder = shared.recorder.into_inner().with_scenarios(troupes.len(), nanos(plan.warm_up));
            shared.recorder = RefCell::new(recorder);
            let cap = plan.rps_total.map(|all| all / position.1 as f64);
            shared.total_limiter =
                Cell::new(cap.map(|cap| RateLimiter::new(cap, 0, position.0 as u32, position.1 as u32)));
        }
        shared.initial_variables = setup.variables.clone();
        let (tally, pools, last_variables) = Default::default();
        let common = Arc::clone(&setup.run_shared);
        Ok(Self {
            shared: Rc::new(shared),
            context: crew,
            sweep: Rc::new(DeadlineSweep::new(slot)),
            tally: tally,
            run_shared: common,
            position: position,
            scenarios: troupes,
            pools,
            last_variables: last_variables,
        })
    }

    /// Everybody begins.
    pub fn spawn_all(&self) {
        for troupe in &self.scenarios {
            if let LoadModel::Arrivals { .. } = troupe.scenario.workload.model {
                self.spawn_arrivals(troupe);
            } else {
                (0..troupe.users).for_each(|number| self.spawn_self_paced(troupe, number));
            }
        }
    }

    /// Nobody is left: what nobody came for is dropped.
    pub fn drop_queued_arrivals(&self) {
        self.pools.borrow().iter().for_each(|pool| pool.drop_queued(&self.shared));
    }

    /// What the worker has to say at its end.
    pub fn final_message(&self) -> WorkerMessage {
        WorkerMessage::Finished {
            signed_in: self.tally.signed_in.get(),
            gave_up: self.tally.gave_up.get(),
            passed: !self.context.any_step_failed.get(),
            variables: self.last_variables.borrow().clone(),
        }
    }

    /// A user who goes at its own speed: the whole time, or while a ramp wants it.
    fn spawn_self_paced(&self, troupe: &Rc<ScenarioUsers>, number: u32) {
        let windows = active_windows(&troupe.scenario.workload, self.number_in_scenario(number));
        let turns = {
            let (troupe, common) = (Rc::clone(troupe), Arc::clone(&self.run_shared));
            let (crew, number) = (Rc::clone(&self.context), self.number_in_scenario(number));
            move || self_paced(&troupe, &common, (&crew, number))
        };
        self.spawn_user(troupe, number, windows, turns);
    }

    /// The number within its scenario of a user with that number on this worker.
    const fn number_in_scenario(&self, on_worker: u32) -> u32 {
        self.position.0 as u32 + on_worker * self.position.1 as u32
    }

    /// The arrivals of a scenario, and users as they need them.
    fn spawn_arrivals(&self, troupe: &Rc<ScenarioUsers>) {
        let workload = &troupe.scenario.workload;
        let LoadModel::Arrivals { rate, spread, max_users, max_wait } = &workload.model else { return };
        let (index, workers) = self.position;
        let arrivals = Arrivals::new(rate.clone(), *spread, index, workers);
        let terms = PoolOptions {
            scenario: troupe.index.unwrap_or_default(),
            label: (troupe.scenario.name.clone(), *max_users),
            users: troupe.users,
            max_wait: nanos(*max_wait),
            end: workload.end().unwrap_or(Nanos::MAX),
        };
        let pool = Rc::new(ArrivalPool::new(terms, Arc::clone(&self.run_shared)));
        self.pools.borrow_mut().push(Rc::clone(&pool));
        let (begin, windows) = (nanos(workload.start), active_windows(workload, 0));
        let (spawner, troupe) = (self.share(), Rc::clone(troupe));
        let entry = self.claim_slots(troupe.slot_of(troupe.users), 1);
        tokio::task::spawn_local(async move {
            entry.register_wakers().await;
            let mut spawned = 0;
            let spawn = |place: Rc<IdleSlot>| {
                let pool = Rc::clone(&pool);
                spawner.spawn_user(&troupe, spawned, windows.clone(), move || {
                    IterationSource::Arrivals(Rc::clone(&pool), Rc::clone(&place))
                });
                spawned += 1;
            };
            pool.serve(arrivals, begin, &spawner.shared, spawn).await;
        });
    }

    /// The same worker's, for a task of its own.
    fn share(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
            context: Rc::clone(&self.context),
            sweep: Rc::clone(&self.sweep),
            tally: Rc::clone(&self.tally),
            run_shared: Arc::clone(&self.run_shared),
            position: self.position,
            scenarios: Vec::new(),
            pools: RefCell::default(),
            last_variables: Rc::clone(&self.last_variables),
        }
    }

    /// A user's task: one life after the other, each a new user to the target.
    fn spawn_user(
        &self,
        troupe: &Rc<ScenarioUsers>,
        number: u32,
        stays: Vec<ActiveWindow>,
        turns: impl Fn() -> IterationSource + 'static,
    ) {
        let (users, troupe) = (self.share(), Rc::clone(troupe));
        let mut entry = self.claim_slots(troupe.slot_of(number), troupe.lanes);
        tokio::task::spawn_local(async move {
            entry.register_wakers().await;
            for (run, window) in stays.into_iter().enumerate() {
                let session = users.new_session(&troupe, number, run as u64);
                session.window.set(window);
                let scenario = (troupe.index, Rc::clone(&troupe.scenario));
                let user = VirtualUser::new(Rc::clone(&users.context), Rc::clone(&session), scenario, turns());
                entry.outcome = entry.outcome.max(user.run_to_end().await);
                users.last_variables.replace(session.variables().borrow().clone());
            }
        });
    }

    /// A user as the scenario wants it: capped from the moment it begins.
    fn new_session(&self, troupe: &ScenarioUsers, number: u32, life: u64) -> Rc<Session> {
        let (plan, workload) = (&self.context.plan, &troupe.scenario.workload);
        let of_scenario = self.number_in_scenario(number);
        let (begin, users) = (workload.user_begin(of_scenario), workload.users());
        let limiter = workload.rps.map(|rps| RateLimiter::new(rps, begin, of_scenario, users));
        let (id, slot) = (troupe.scenario.first_user + of_scenario, troupe.slot_of(number));
        let seed = plan.seed.wrapping_add(life);
        let session = Rc::new(Session::new(id, slot, Rc::clone(&self.shared), seed, limiter));
        session.http.set_retention(workload.retention);
        plan.set_user_headers(&session);
        session
    }

    /// The sessions of all users, for tests of what one does.
    #[cfg(test)]
    pub fn sessions(&self) -> Vec<Rc<Session>> {
        let sessions = self.scenarios.iter().flat_map(|troupe| {
            (0..troupe.users).map(|number| {
                let session = self.new_session(troupe, number, 0);
                session.window.set(active_windows(&troupe.scenario.workload, number)[0]);
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

/// When a user of a closed workload is there; of arrivals, when one may be.
fn active_windows(workload: &Workload, number: u32) -> Vec<ActiveWindow> {
    let end = workload.end().unwrap_or(Nanos::MAX);
    let until = |begin, iterations: Nanos, grace: Nanos| {
        let requests = iterations.saturating_add(grace).min(end);
        ActiveWindow {
            begin,
            iterations_until: iterations,
            requests_until: requests,
            cut_off: requests.saturating_add(nanos(workload.graceful_stop)),
        }
    };
    let LoadModel::Ramping { users } = &workload.model else { return vec![until(workload.user_begin(number), end, 0)] };
    let (start, grace) = (nanos(workload.start), nanos(workload.graceful_ramp_down));
    let stretches = users.spans_above(f64::from(number)).into_iter();
    stretches.map(|(from, to)| until(start.saturating_add(from), start.saturating_add(to), grace)).collect()
}

fn self_paced(
    troupe: &ScenarioUsers,
    common: &Arc<RunShared>,
    (crew, number): (&Rc<WorkerContext>, u32),
) -> IterationSource {
    let workload = &troupe.scenario.workload;
    let most = match workload.model {
        LoadModel::Constant { iterations, .. } => iterations,
        _ => None,
    };
    let shares = matches!(workload.model, LoadModel::Shared { .. })
        .then(|| (Arc::clone(common), troupe.index.unwrap_or_default()));
    let pace = (!workload.pace.is_zero()).then(|| RateLimiter::every(nanos(workload.pace)));
    // Whoever is more than planned waits until the load is changed, if it ever is.
    let has_room = matches!(workload.model, LoadModel::Constant { spare_users, .. } if spare_users > 0);
    let gate = troupe.index.filter(|_| has_room || common.scales.may_change()).map(|scenario| ScaleGate {
        run_shared: Arc::clone(common),
        scenario_index: scenario,
        scenario: Rc::clone(&troupe.scenario),
        number,
        context: Rc::clone(crew),
    });
    IterationSource::SelfPaced(SelfPaced { max_iterations: most, pool: shares, pace: Cell::new(pace), gate })
}

/// A task's place on its worker. It is left however the task ends, also by a panic: a run that waited for a user who is
/// gone would never end.
struct TaskSlot {
    slots: Range<usize>,
    sweep: Rc<DeadlineSweep>,
    tally: Rc<UserTally>,
    outcome: UserOutcome,
}

impl TaskSlot {
    /// From now on its task can be woken.
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

/// How the users' lives went.
#[derive(Default)]
pub struct UserTally {
    /// Tasks that have not ended.
    pub running: Cell<u32>,
    signed_in: Cell<u32>,
    gave_up: Cell<u32>,
    /// Told when none is left.
    pub all_done: Notify,
}

impl UserTally {
    fn task_started(&self) {
        self.running.set(self.running.get() + 1);
    }

    fn task_ended(&self, life: UserOutcome) {
        match life {
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
