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

use super::arrivals::{Place, Pool, Terms};
use super::context::Crew;
use super::deadline_sweep::Watch;
use super::iteration_source::{Gate, Own, Turns};
use super::setup::{Message, Part, Setup, share};
use super::shared::Common;
use super::user_loop::Life;
use super::virtual_user::VirtualUser;
use crate::pace::{Arrivals, Limiter};
use crate::plan::Scenario;
use crate::plan::workload::{Model, Workload};
use crate::template::Variables;
use crate::user::{Hours, Session, Shared};

/// The users of one worker.
pub struct Cast {
    /// What they share with their plugins.
    pub shared: Rc<Shared>,
    /// What else they share.
    pub crew: Rc<Crew>,
    /// How they are woken.
    pub watch: Rc<Watch>,
    /// How they fared.
    pub lives: Rc<Lives>,
    common: Arc<Common>,
    /// The worker's number, and how many there are.
    place: (usize, usize),
    troupes: Vec<Rc<Troupe>>,
    pools: RefCell<Vec<Rc<Pool>>>,
    /// What the last user knew at its end.
    found: Rc<RefCell<Variables>>,
}

/// The users of one scenario on one worker.
struct Troupe {
    /// The scenario's number, if its iterations are counted.
    number: Option<usize>,
    scenario: Rc<Scenario>,
    /// The slot of its first user; those of the others follow. After the last one comes that of its arrivals.
    slot: usize,
    /// Slots of each user: one for each thing that it does at once.
    lanes: usize,
    /// Its users on this worker, at most.
    users: u32,
}

impl Troupe {
    /// The slot of a user with that number on this worker; after those of all users comes that of the arrivals.
    const fn slot_of(&self, number: u32) -> usize {
        self.slot + number as usize * self.lanes
    }
}

impl Cast {
    /// Everybody who belongs on the worker, before anybody has begun. Must be called where tasks run.
    ///
    /// # Errors
    /// The operating system has no more timers.
    pub fn new(setup: &Setup, clock: Clock, crew: Rc<Crew>) -> io::Result<Self> {
        let (plan, place) = (&setup.plan, (setup.index, setup.workers));
        let mut slot = 0;
        let troupes = setup.part.scenarios(plan).iter().enumerate().map(|(number, scenario)| {
            let users = scenario.workload.users();
            // Those of 0..users that leave this remainder.
            let users = (users + place.1 as u32 - 1 - place.0 as u32) / place.1 as u32;
            let number = (setup.part == Part::Load).then_some(number);
            let lanes = scenario.flow.lanes();
            let troupe = Rc::new(Troupe { number, scenario: Rc::new(scenario.clone()), slot, lanes, users });
            slot = troupe.slot_of(users) + 1;
            troupe
        });
        let troupes: Vec<_> = troupes.collect();
        let mut shared = share(plan, clock, slot)?;
        if setup.part == Part::Load {
            let recorder = shared.recorder.into_inner().with_scenarios(troupes.len(), nanos(plan.warm_up));
            shared.recorder = RefCell::new(recorder);
            let cap = plan.rps_total.map(|all| all / place.1 as f64);
            shared.limiter = Cell::new(cap.map(|cap| Limiter::new(cap, 0, place.0 as u32, place.1 as u32)));
        }
        shared.found = setup.found.clone();
        let (lives, pools, found) = Default::default();
        let common = Arc::clone(&setup.common);
        Ok(Self {
            shared: Rc::new(shared),
            crew,
            watch: Rc::new(Watch::new(slot)),
            lives,
            common,
            place,
            troupes,
            pools,
            found,
        })
    }

    /// Everybody begins.
    pub fn begin(&self) {
        for troupe in &self.troupes {
            if let Model::Arrivals { .. } = troupe.scenario.workload.model {
                self.begin_arrivals(troupe);
            } else {
                (0..troupe.users).for_each(|number| self.begin_user(troupe, number));
            }
        }
    }

    /// Nobody is left: what nobody came for is dropped.
    pub fn end(&self) {
        self.pools.borrow().iter().for_each(|pool| pool.close(&self.shared));
    }

    /// What the worker has to say at its end.
    pub fn finished(&self) -> Message {
        Message::Finished {
            walked: self.lives.walked.get(),
            gave_up: self.lives.gave_up.get(),
            passed: !self.crew.failed.get(),
            found: self.found.borrow().clone(),
        }
    }

    /// A user who goes at its own speed: the whole time, or while a ramp wants it.
    fn begin_user(&self, troupe: &Rc<Troupe>, number: u32) {
        let stays = stays(&troupe.scenario.workload, self.number(number));
        let turns = {
            let (troupe, common) = (Rc::clone(troupe), Arc::clone(&self.common));
            let (crew, number) = (Rc::clone(&self.crew), self.number(number));
            move || own_turns(&troupe, &common, (&crew, number))
        };
        self.spawn(troupe, number, stays, turns);
    }

    /// The number within its scenario of a user with that number on this worker.
    const fn number(&self, on_worker: u32) -> u32 {
        self.place.0 as u32 + on_worker * self.place.1 as u32
    }

    /// The arrivals of a scenario, and users as they need them.
    fn begin_arrivals(&self, troupe: &Rc<Troupe>) {
        let workload = &troupe.scenario.workload;
        let Model::Arrivals { rate, spread, max_users, max_wait } = &workload.model else { return };
        let (index, workers) = self.place;
        let arrivals = Arrivals::new(rate.clone(), *spread, index, workers);
        let terms = Terms {
            scenario: troupe.number.unwrap_or_default(),
            named: (troupe.scenario.name.clone(), *max_users),
            users: troupe.users,
            max_wait: nanos(*max_wait),
            end: workload.end().unwrap_or(Nanos::MAX),
        };
        let pool = Rc::new(Pool::new(terms, Arc::clone(&self.common)));
        self.pools.borrow_mut().push(Rc::clone(&pool));
        let (begin, stays) = (nanos(workload.start), stays(workload, 0));
        let (spawner, troupe) = (self.again(), Rc::clone(troupe));
        let entry = self.enter(troupe.slot_of(troupe.users), 1);
        tokio::task::spawn_local(async move {
            entry.noticed().await;
            let mut spawned = 0;
            let spawn = |place: Rc<Place>| {
                let pool = Rc::clone(&pool);
                spawner.spawn(&troupe, spawned, stays.clone(), move || {
                    Turns::Arrivals(Rc::clone(&pool), Rc::clone(&place))
                });
                spawned += 1;
            };
            pool.serve(arrivals, begin, &spawner.shared, spawn).await;
        });
    }

    /// The same worker's, for a task of its own.
    fn again(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
            crew: Rc::clone(&self.crew),
            watch: Rc::clone(&self.watch),
            lives: Rc::clone(&self.lives),
            common: Arc::clone(&self.common),
            place: self.place,
            troupes: Vec::new(),
            pools: RefCell::default(),
            found: Rc::clone(&self.found),
        }
    }

    /// A user's task: one life after the other, each a new user to the target.
    fn spawn(&self, troupe: &Rc<Troupe>, number: u32, stays: Vec<Hours>, turns: impl Fn() -> Turns + 'static) {
        let (cast, troupe) = (self.again(), Rc::clone(troupe));
        let mut entry = self.enter(troupe.slot_of(number), troupe.lanes);
        tokio::task::spawn_local(async move {
            entry.noticed().await;
            for (life, hours) in stays.into_iter().enumerate() {
                let session = cast.session(&troupe, number, life as u64);
                session.hours.set(hours);
                let scenario = (troupe.number, Rc::clone(&troupe.scenario));
                let user = VirtualUser::new(Rc::clone(&cast.crew), Rc::clone(&session), scenario, turns());
                entry.life = entry.life.max(user.live().await);
                cast.found.replace(session.variables().borrow().clone());
            }
        });
    }

    /// A user as the scenario wants it: capped from the moment it begins.
    fn session(&self, troupe: &Troupe, number: u32, life: u64) -> Rc<Session> {
        let (plan, workload) = (&self.crew.plan, &troupe.scenario.workload);
        let of_scenario = self.number(number);
        let (begin, users) = (workload.begin(of_scenario), workload.users());
        let limiter = workload.rps.map(|rps| Limiter::new(rps, begin, of_scenario, users));
        let (id, slot) = (troupe.scenario.first_user + of_scenario, troupe.slot_of(number));
        let seed = plan.seed.wrapping_add(life);
        let session = Rc::new(Session::new(id, slot, Rc::clone(&self.shared), seed, limiter));
        session.http.keep(workload.keeps);
        plan.give_headers(&session);
        session
    }

    /// The sessions of all users, for tests of what one does.
    #[cfg(test)]
    pub fn sessions(&self) -> Vec<Rc<Session>> {
        let sessions = self.troupes.iter().flat_map(|troupe| {
            (0..troupe.users).map(|number| {
                let session = self.session(troupe, number, 0);
                session.hours.set(stays(&troupe.scenario.workload, number)[0]);
                session
            })
        });
        sessions.collect()
    }

    fn enter(&self, slot: usize, lanes: usize) -> Entry {
        self.lives.begun();
        Entry {
            slots: slot..slot + lanes,
            watch: Rc::clone(&self.watch),
            lives: Rc::clone(&self.lives),
            life: Life::NotBegun,
        }
    }
}

/// When a user of a closed workload is there; of arrivals, when one may be.
fn stays(workload: &Workload, number: u32) -> Vec<Hours> {
    let end = workload.end().unwrap_or(Nanos::MAX);
    let until = |begin, iterations: Nanos, grace: Nanos| {
        let requests = iterations.saturating_add(grace).min(end);
        Hours { begin, iterations, requests, cut: requests.saturating_add(nanos(workload.graceful_stop)) }
    };
    let Model::Ramping { users } = &workload.model else { return vec![until(workload.begin(number), end, 0)] };
    let (start, grace) = (nanos(workload.start), nanos(workload.graceful_ramp_down));
    let stretches = users.above(f64::from(number)).into_iter();
    stretches.map(|(from, to)| until(start.saturating_add(from), start.saturating_add(to), grace)).collect()
}

fn own_turns(troupe: &Troupe, common: &Arc<Common>, (crew, number): (&Rc<Crew>, u32)) -> Turns {
    let workload = &troupe.scenario.workload;
    let most = match workload.model {
        Model::Constant { iterations, .. } => iterations,
        _ => None,
    };
    let shares =
        matches!(workload.model, Model::Shared { .. }).then(|| (Arc::clone(common), troupe.number.unwrap_or_default()));
    let pace = (!workload.pace.is_zero()).then(|| Limiter::every(nanos(workload.pace)));
    // Whoever is more than planned waits until the load is changed, if it ever is.
    let has_room = matches!(workload.model, Model::Constant { room, .. } if room > 0);
    let gate = troupe.number.filter(|_| has_room || common.scales.may_change()).map(|scenario| Gate {
        common: Arc::clone(common),
        scenario,
        load: Rc::clone(&troupe.scenario),
        number,
        crew: Rc::clone(crew),
    });
    Turns::Own(Own { most, shares, pace: Cell::new(pace), gate })
}

/// A task's place on its worker. It is left however the task ends, also by a panic: a run that waited for a user who is
/// gone would never end.
struct Entry {
    slots: Range<usize>,
    watch: Rc<Watch>,
    lives: Rc<Lives>,
    life: Life,
}

impl Entry {
    /// From now on its task can be woken.
    async fn noticed(&self) {
        poll_fn(|cx| {
            self.slots.clone().for_each(|slot| self.watch.enter(slot, cx.waker()));
            Poll::Ready(())
        })
        .await;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.slots.clone().for_each(|slot| self.watch.leave(slot));
        self.lives.ended(self.life);
    }
}

/// How the users' lives went.
#[derive(Default)]
pub struct Lives {
    /// Tasks that have not ended.
    pub left: Cell<u32>,
    walked: Cell<u32>,
    gave_up: Cell<u32>,
    /// Told when none is left.
    pub last: Notify,
}

impl Lives {
    fn begun(&self) {
        self.left.set(self.left.get() + 1);
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
