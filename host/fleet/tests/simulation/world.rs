//! The world: virtual time, the network between processes and bus, and what happens in it. Everything follows from the
//! seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use stampede_fleet::{
    Channel, Coordinator, CoordinatorEvent, FleetNode, NodeEvent, NodeName, NodeSettings, SECOND, Time,
};

use crate::bus::Bus;
use crate::counts::SimCounts;
use crate::generator::Generator;
use crate::process::{CoordinatorRole, LocalClock, NodeRole, Process, Role};
use crate::random::Random;
use crate::request::Request;
use crate::scenario::Scenario;
use crate::trace::Trace;

/// Something that happens at an instant.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    Node(usize, NodeEvent<SimCounts>),
    Coordinator(usize, CoordinatorEvent),
    /// A timer with its number, which tells if it was replaced.
    Timer(usize, u64),
    /// The load generator of a node has news.
    Generator(usize),
    /// A request of a process is at the bus.
    Request(usize, Request),
    /// A message is at the bus.
    ToCoordinators {
        channel: Channel,
        from: NodeName,
        payload: Vec<u8>,
    },
    /// The stream has final counts for a coordinator.
    Finals(usize),
    StartNode {
        index: Option<u32>,
        version: &'static str,
    },
    StartCoordinator,
    Trouble(usize),
    Heal,
    Reconnected(usize),
}

/// The world.
pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) scenario: Scenario,
    pub(crate) random: Random,
    pub(crate) bus: Bus,
    pub(crate) processes: Vec<Process>,
    heap: BinaryHeap<Reverse<(Time, u64)>>,
    events: std::collections::HashMap<u64, Happening>,
    number: u64,
    pub(crate) trace: Trace,
}

/// The instant at which a run is certainly over.
const END: Time = 400 * SECOND;

impl World {
    pub(crate) fn new(seed: u64, scenario: Scenario, keeps_lines: bool) -> Self {
        let mut world = Self {
            now: 0,
            random: Random::new(seed ^ 0x5eed),
            bus: Bus::new(scenario.plan.to_bytes()),
            processes: Vec::new(),
            heap: BinaryHeap::new(),
            events: std::collections::HashMap::new(),
            number: 0,
            trace: Trace::new(keeps_lines),
            scenario,
        };
        world.set_up();
        world
    }

    fn set_up(&mut self) {
        let (segments, scenario) = (self.scenario.plan.segments, self.scenario.clone());
        let first = self.random.range(0, 3 * SECOND);
        self.at(first, Happening::StartCoordinator);
        for segment in 0..segments - scenario.absent.min(segments - 1) {
            let index = (!scenario.any_segment).then_some(segment);
            let version = if segment < scenario.strangers { "0.9" } else { "1.0" };
            let at = self.random.range(0, 4 * SECOND);
            self.at(at, Happening::StartNode { index, version });
            if segment < scenario.strangers {
                self.at(at + 8 * SECOND, Happening::StartNode { index, version: "1.0" });
            }
        }
        for _ in 0..scenario.doubles {
            let index = Some(self.random.range(0, u64::from(segments)) as u32);
            let at = self.random.range(0, 20 * SECOND);
            self.at(at, Happening::StartNode { index, version: "1.0" });
        }
        for (place, trouble) in scenario.troubles.iter().enumerate() {
            self.at(trouble.at, Happening::Trouble(place));
        }
        self.at(scenario.healed.min(END), Happening::Heal);
    }

    pub(crate) fn at(&mut self, at: Time, happening: Happening) {
        self.number += 1;
        self.heap.push(Reverse((at.max(self.now), self.number)));
        self.events.insert(self.number, happening);
    }

    /// Lets everything happen until all processes have ended. Returns `false` if some have not.
    pub(crate) fn run(&mut self) -> bool {
        while let Some(Reverse((at, number))) = self.heap.pop() {
            let Some(happening) = self.events.remove(&number) else { continue };
            self.now = at;
            if at > END {
                return false;
            }
            self.happen(happening);
        }
        self.processes.iter().all(|process| !process.is_alive)
    }

    /// Returns the instant at which a process can take an event, if that is later: it stands still.
    fn postponed(&self, place: usize) -> Option<Time> {
        Some(self.processes[place].paused_until).filter(|until| *until > self.now)
    }

    fn happen(&mut self, happening: Happening) {
        let place = match &happening {
            Happening::Node(place, _)
            | Happening::Coordinator(place, _)
            | Happening::Timer(place, _)
            | Happening::Generator(place)
            | Happening::Finals(place)
            | Happening::Reconnected(place) => Some(*place),
            _ => None,
        };
        if let Some(place) = place {
            if !self.processes[place].is_alive {
                return;
            }
            if let Some(until) = self.postponed(place) {
                return self.at(until, happening);
            }
        }
        match happening {
            Happening::Node(place, event) => self.node_event(place, event),
            Happening::Coordinator(place, event) => self.coordinator_event(place, event),
            Happening::Timer(place, number) => self.timer(place, number),
            Happening::Generator(place) => self.generator(place),
            Happening::Request(place, request) => self.carry_out(place, request),
            Happening::ToCoordinators { channel, from, payload } => self.reach_coordinators(channel, &from, &payload),
            Happening::Finals(place) => self.give_finals(place),
            Happening::StartNode { index, version } => self.start_node(index, version),
            Happening::StartCoordinator => self.start_coordinator(),
            Happening::Trouble(place) => self.trouble(self.scenario.troubles[place].kind),
            Happening::Heal => self.heal(),
            Happening::Reconnected(place) => self.reconnected(place),
        }
    }

    fn timer(&mut self, place: usize, number: u64) {
        let process = &self.processes[place];
        if process.timer == number {
            match process.role {
                Role::Node(_) => self.node_event(place, NodeEvent::Timer),
                Role::Coordinator(_) => self.coordinator_event(place, CoordinatorEvent::Timer),
            }
        }
    }

    fn process(&mut self, kind: &str, role: impl FnOnce(NodeName, &mut Random) -> Role) -> usize {
        let place = self.processes.len();
        let name = NodeName::of_process(kind, place as u64 * 7919 + self.random.next() % 7919);
        let drift = self.scenario.drift;
        let clock = LocalClock {
            offset: self.random.range(0, 500 * SECOND) as i64,
            drift: self.random.range(0, 2 * drift + 1) as i64 - drift as i64,
        };
        let role = role(name.clone(), &mut self.random);
        let (parted_until, paused_until) = (self.parted_all(), 0);
        let (seen, timer, is_alive) = (0, 0, true);
        self.processes.push(Process { name, clock, seen, is_alive, paused_until, parted_until, timer, role });
        place
    }

    /// Returns the instant until which all processes are parted from the bus.
    fn parted_all(&self) -> Time {
        let alive = self.processes.iter().filter(|process| process.is_alive);
        let least = alive.map(|process| process.parted_until).min().unwrap_or(0);
        if least > self.now { least } else { 0 }
    }

    fn start_node(&mut self, index: Option<u32>, version: &'static str) {
        let (plan, schedule) = (self.scenario.plan.clone(), self.scenario.schedule);
        let shape = SimCounts { copies: self.scenario.copies, ..SimCounts::default() };
        let place = self.process("pod", |name, random| {
            let settings = NodeSettings {
                run: plan.run.clone(),
                name,
                segment: index,
                version: version.into(),
                patience: 60 * SECOND,
            };
            let random = Random::new(random.next());
            Role::Node(Box::new(NodeRole {
                node: FleetNode::new(settings, shape),
                index,
                generator: Generator::new(schedule, 0, plan.length(), random),
                handed: Vec::new(),
                exit: None,
                acknowledged: (0, 0),
                started: None,
            }))
        });
        self.node_event(place, NodeEvent::Start);
    }

    fn start_coordinator(&mut self) {
        let (plan, schedule) = (self.scenario.plan.clone(), self.scenario.schedule);
        let shape = SimCounts { copies: self.scenario.copies, ..SimCounts::default() };
        let place = self.process("coord", |name, _| {
            Role::Coordinator(Box::new(CoordinatorRole {
                coordinator: Coordinator::new(plan, name, schedule, shape),
                shown: std::collections::BTreeMap::new(),
                last_window: None,
                is_subscribed: false,
                finals_read: 0,
                report: None,
                exit: None,
                answers: Vec::new(),
                notes: 0,
            }))
        });
        self.coordinator_event(place, CoordinatorEvent::Start);
    }

    /// Sends something over the network: it may get lost, or come twice, and takes its time.
    pub(crate) fn send(&mut self, place: Option<usize>, happening: Happening) {
        let is_troubled = self.now < self.scenario.healed;
        if place.is_some_and(|place| self.processes[place].is_parted(self.now)) {
            return;
        }
        if is_troubled && self.random.chance(self.scenario.loss) {
            return;
        }
        if is_troubled && self.random.chance(self.scenario.duplicates) {
            let at = self.now + self.delay() * 3;
            self.at(at, happening.clone());
        }
        let at = self.now + self.delay();
        self.at(at, happening);
    }

    pub(crate) fn delay(&mut self) -> Time {
        let most = if self.now < self.scenario.healed { self.scenario.delay } else { SECOND / 500 };
        // Most messages are quick.
        let most = if self.random.chance(900) { most / 20 } else { most };
        self.random.range(50_000, most.max(100_000))
    }

    fn reach_coordinators(&mut self, channel: Channel, from: &NodeName, payload: &[u8]) {
        for place in 0..self.processes.len() {
            let process = &self.processes[place];
            if process.is_alive && process.coordinator().is_some_and(|role| role.is_subscribed) {
                let event = CoordinatorEvent::Message { channel, from: from.clone(), payload: payload.to_vec() };
                self.send(Some(place), Happening::Coordinator(place, event));
            }
        }
    }

    fn generator(&mut self, place: usize) {
        let process = &mut self.processes[place];
        let local = process.read_clock(self.now);
        let Role::Node(role) = &mut process.role else { return };
        let news = role.generator.advance(local);
        for one in news {
            let event = match one {
                crate::generator::News::Counted(counted) => {
                    if let Role::Node(role) = &mut self.processes[place].role {
                        role.handed.push((counted.second, counted.counts.clone()));
                    }
                    NodeEvent::Counted(counted)
                }
                crate::generator::News::Ended => NodeEvent::Ended,
            };
            self.node_event(place, event);
        }
        self.arm_generator(place);
    }

    pub(crate) fn arm_generator(&mut self, place: usize) {
        let process = &self.processes[place];
        if let Some(next) = process.node().and_then(|role| role.generator.next()) {
            let at = process.clock.global(next).max(self.now + 1_000);
            self.at(at, Happening::Generator(place));
        }
    }
}
