//! The drivers of nodes and coordinators: their commands, and their requests to the bus.

use stampede_fleet::{
    Channel, CoordinatorCommand, CoordinatorEvent, CoordinatorExit, Fetched, LeaseAnswer, LoadOrder, MAX_ANSWER,
    NodeCommand, NodeEvent, NodeName, OperatorAnswer, PutAnswer, Record, SECOND, ToNode, read_message,
};

use crate::bus::LeaseKey;
use crate::counts::SimCounts;
use crate::process::{ANSWER_WITHIN, Role};
use crate::world::{Happening, World};

/// A request to the bus.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Get(Record),
    GetSegmentLease(u32),
    Claim(LeaseKey, Vec<u8>),
    Renew(LeaseKey, u64),
    Release(LeaseKey, u64),
    PutState(Option<u64>, Vec<u8>),
    Store(String, Vec<u8>),
}

impl World {
    /// Sends a request to the bus. Requests get lost, and answers do: then it is not known what has happened.
    fn request(&mut self, place: usize, request: Request) {
        let is_troubled = self.now < self.scenario.healed;
        let is_lost = is_troubled && self.random.chance(self.scenario.loss / 3);
        if self.processes[place].is_parted(self.now) || is_lost {
            return self.answer_failed(place, &request);
        }
        let at = self.now + self.delay();
        self.at(at, Happening::Request(place, request));
    }

    fn answer_failed(&mut self, place: usize, request: &Request) {
        let is_node = self.processes[place].node().is_some();
        let failed =
            if is_node { node_answer(request, Answer::Failed) } else { coordinator_answer(request, Answer::Failed) };
        if let Some(event) = failed {
            self.at(self.now + ANSWER_WITHIN, event.into_happening(place));
        }
    }

    pub(crate) fn carry_out(&mut self, place: usize, request: Request) {
        let now = self.now;
        let answer = match request.clone() {
            Request::Get(Record::Plan) => Answer::Fetched(self.bus.get_plan()),
            Request::Get(Record::State) => Answer::Fetched(self.bus.get_state()),
            Request::Get(Record::CoordinatorLease) => Answer::Fetched(self.bus.get_lease(LeaseKey::Coordinator, now)),
            Request::GetSegmentLease(segment) => Answer::Fetched(self.bus.get_lease(LeaseKey::Segment(segment), now)),
            Request::Claim(key, value) => Answer::Lease(self.bus.claim(key, value, now)),
            Request::Renew(key, revision) => Answer::Lease(self.bus.renew(key, revision, now)),
            Request::Release(key, revision) => return self.bus.release(key, revision, now),
            Request::PutState(revision, value) => Answer::Put(self.bus.put_state(revision, value)),
            Request::Store(id, payload) => {
                self.bus.store(id, self.processes[place].name.clone(), payload);
                self.announce_finals();
                Answer::Stored
            }
        };
        let is_troubled = now < self.scenario.healed;
        let process = &self.processes[place];
        if process.is_parted(now) || is_troubled && self.random.chance(self.scenario.loss / 3) {
            return self.answer_failed(place, &request);
        }
        let is_node = self.processes[place].node().is_some();
        let event = if is_node { node_answer(&request, answer) } else { coordinator_answer(&request, answer) };
        let at = now + self.delay();
        if let Some(event) = event {
            self.at(at, event.into_happening(place));
        }
    }

    fn announce_finals(&mut self) {
        for place in 0..self.processes.len() {
            if self.processes[place].is_alive && self.processes[place].coordinator().is_some() {
                self.at(self.now + 100_000, Happening::Finals(place));
            }
        }
    }

    /// Gives a coordinator the next final counts, in order.
    pub(crate) fn give_finals(&mut self, place: usize) {
        let is_parted = self.processes[place].is_parted(self.now);
        let Role::Coordinator(role) = &mut self.processes[place].role else { return };
        if !role.is_subscribed || is_parted {
            return;
        }
        let Some(stored) = self.bus.finals.get(role.finals_read).cloned() else { return };
        role.finals_read += 1;
        let event = CoordinatorEvent::Message { channel: Channel::Final, from: stored.from, payload: stored.payload };
        self.coordinator_event(place, event);
        self.at(self.now + 100_000, Happening::Finals(place));
    }

    pub(crate) fn node_event(&mut self, place: usize, event: NodeEvent<SimCounts>) {
        let bytes = if let NodeEvent::Message(payload) = &event { payload.clone() } else { Vec::new() };
        self.trace.note(self.now, place, &bytes, &event);
        let process = &mut self.processes[place];
        let local = process.read_clock(self.now);
        let Role::Node(role) = &mut process.role else { return };
        let mut out = Vec::new();
        role.node.step(local, event, &mut out);
        if bytes.starts_with(b"{\"Ack\"")
            && let Ok(ToNode::Ack { term, seq }) = read_message(&bytes, MAX_ANSWER)
            && term == role.node.term()
            && role.node.queue().acknowledged() == seq
        {
            role.acknowledged = (term, seq);
        }
        for command in out {
            self.node_command(place, command);
        }
    }

    fn node_command(&mut self, place: usize, command: NodeCommand) {
        let bytes = if let NodeCommand::Publish(_, payload) = &command { payload.clone() } else { Vec::new() };
        self.trace.note(self.now, place, &bytes, &command);
        match command {
            NodeCommand::Get(record) => self.request(place, Request::Get(record)),
            NodeCommand::Claim { segment, value } => {
                self.request(place, Request::Claim(LeaseKey::Segment(segment), value));
            }
            NodeCommand::Renew { segment, revision, .. } => {
                self.request(place, Request::Renew(LeaseKey::Segment(segment), revision));
            }
            NodeCommand::Release { segment, revision } => {
                self.request(place, Request::Release(LeaseKey::Segment(segment), revision));
            }
            NodeCommand::Prepare { plan, segment } => {
                let at = self.now + self.random.range(SECOND / 20, 2 * SECOND);
                if let Role::Node(role) = &mut self.processes[place].role {
                    role.generator.prepare(segment, self.scenario.copies);
                    role.generator.hangs = self.scenario.hangs;
                }
                self.at(at, Happening::Node(place, NodeEvent::Prepared { digest: plan.digest }));
            }
            NodeCommand::Publish(channel, payload) => {
                let from = self.processes[place].name.clone();
                self.send(Some(place), Happening::ToCoordinators { channel, from, payload });
            }
            NodeCommand::Store { id, payload } => self.request(place, Request::Store(id, payload)),
            NodeCommand::Load(order) => self.load(place, order),
            NodeCommand::WakeAt(at) => self.wake_at(place, at),
            NodeCommand::Finish(exit) => {
                self.processes[place].is_alive = false;
                if let Role::Node(role) = &mut self.processes[place].role {
                    role.exit = Some(exit);
                }
            }
        }
    }

    fn load(&mut self, place: usize, order: LoadOrder) {
        let process = &mut self.processes[place];
        let (local, clock) = (process.read_clock(self.now), process.clock);
        if let Role::Node(role) = &mut process.role {
            if let LoadOrder::Begin { start, .. } = order {
                role.started = Some((clock.global(start), role.node.clock().reading().map_or(0, |it| it.bound)));
            }
            role.generator.order(order, local);
        }
        self.arm_generator(place);
    }

    fn wake_at(&mut self, place: usize, at: u64) {
        let process = &mut self.processes[place];
        process.timer += 1;
        let (number, at) = (process.timer, process.clock.global(at).max(self.now + 1_000));
        self.at(at, Happening::Timer(place, number));
    }

    pub(crate) fn coordinator_event(&mut self, place: usize, event: CoordinatorEvent) {
        let bytes = if let CoordinatorEvent::Message { payload, .. } = &event { payload.clone() } else { Vec::new() };
        self.trace.note(self.now, place, &bytes, &event);
        let process = &mut self.processes[place];
        let local = process.read_clock(self.now);
        let Role::Coordinator(role) = &mut process.role else { return };
        let mut out = Vec::new();
        role.coordinator.step(local, event, &mut out);
        for command in out {
            self.coordinator_command(place, command);
        }
    }

    fn coordinator_command(&mut self, place: usize, command: CoordinatorCommand<SimCounts>) {
        let bytes = if let CoordinatorCommand::Send(_, payload) = &command { payload.clone() } else { Vec::new() };
        self.trace.note(self.now, place, &bytes, &command);
        let key = LeaseKey::Coordinator;
        match command {
            CoordinatorCommand::ClaimLease { value } => self.request(place, Request::Claim(key, value)),
            CoordinatorCommand::RenewLease { revision, .. } => self.request(place, Request::Renew(key, revision)),
            CoordinatorCommand::ReleaseLease { revision } => self.request(place, Request::Release(key, revision)),
            CoordinatorCommand::GetState => self.request(place, Request::Get(Record::State)),
            CoordinatorCommand::PutState { revision, value } => self.request(place, Request::PutState(revision, value)),
            CoordinatorCommand::GetSegmentLease(segment) => self.request(place, Request::GetSegmentLease(segment)),
            CoordinatorCommand::Broadcast(payload) => self.broadcast(place, &payload),
            CoordinatorCommand::Send(to, payload) => self.send_to(place, &to, payload),
            CoordinatorCommand::WakeAt(at) => self.wake_at(place, at),
            CoordinatorCommand::Subscribe => {
                if let Role::Coordinator(role) = &mut self.processes[place].role {
                    role.is_subscribed = true;
                }
                self.at(self.now + 1_000_000, Happening::Finals(place));
            }
            other => self.coordinator_result(place, other),
        }
    }

    fn coordinator_result(&mut self, place: usize, command: CoordinatorCommand<SimCounts>) {
        use stampede_fleet::Counts;
        let process = &mut self.processes[place];
        let Role::Coordinator(role) = &mut process.role else { return };
        match command {
            CoordinatorCommand::Window(window) => {
                assert!(role.last_window.is_none_or(|last| last < window.second), "seconds are closed in order");
                assert!(window.reporting <= window.segments);
                role.last_window = Some(window.second);
                for part in window.parts {
                    role.shown.entry(part.segment).or_default().add(&part.counts);
                }
            }
            CoordinatorCommand::Baseline(part) => role.shown.entry(part.segment).or_default().add(&part.counts),
            CoordinatorCommand::Note(_) => role.notes += 1,
            CoordinatorCommand::Report(report) => role.report = Some(*report),
            CoordinatorCommand::Finish(exit) => {
                role.exit = Some(exit);
                process.is_alive = false;
                // A supervisor starts another one unless the run is over.
                if exit == CoordinatorExit::Superseded && self.is_without_coordinator() {
                    self.at(self.now + SECOND, Happening::StartCoordinator);
                }
            }
            _ => {}
        }
    }

    fn is_without_coordinator(&self) -> bool {
        !self.processes.iter().any(|process| process.is_alive && process.coordinator().is_some())
    }

    fn broadcast(&mut self, place: usize, payload: &[u8]) {
        if self.processes[place].is_parted(self.now) {
            return;
        }
        for node in 0..self.processes.len() {
            if self.processes[node].is_alive && self.processes[node].node().is_some() {
                self.send(Some(node), Happening::Node(node, NodeEvent::Message(payload.to_vec())));
            }
        }
    }

    fn send_to(&mut self, place: usize, to: &NodeName, payload: Vec<u8>) {
        if self.processes[place].is_parted(self.now) {
            return;
        }
        if let Some(node) = self.processes.iter().position(|process| process.name == *to) {
            self.send(Some(node), Happening::Node(node, NodeEvent::Message(payload)));
        } else if let Role::Coordinator(role) = &mut self.processes[place].role {
            let answer: OperatorAnswer = serde_json::from_slice(&payload).expect("an operator gets an answer");
            role.answers.push(answer);
        }
    }
}

/// An answer of the bus.
enum Answer {
    Fetched(Fetched),
    Lease(LeaseAnswer),
    Put(PutAnswer),
    Stored,
    Failed,
}

/// An answer as an event of a process.
enum AnswerEvent {
    Node(NodeEvent<SimCounts>),
    Coordinator(CoordinatorEvent),
}

impl AnswerEvent {
    fn into_happening(self, place: usize) -> Happening {
        match self {
            Self::Node(event) => Happening::Node(place, event),
            Self::Coordinator(event) => Happening::Coordinator(place, event),
        }
    }
}

fn node_answer(request: &Request, answer: Answer) -> Option<AnswerEvent> {
    Some(AnswerEvent::Node(match (request, answer) {
        (Request::Get(record), Answer::Fetched(fetched)) => NodeEvent::Got(*record, fetched),
        (Request::Get(record), _) => NodeEvent::Got(*record, Fetched::Failed),
        (Request::Claim(..) | Request::Renew(..), Answer::Lease(answer)) => NodeEvent::Lease(answer),
        (Request::Claim(..) | Request::Renew(..), _) => NodeEvent::Lease(LeaseAnswer::Failed),
        (Request::Store(..), Answer::Stored) => NodeEvent::Stored,
        (Request::Store(..), _) => NodeEvent::NotStored,
        _ => return None,
    }))
}

fn coordinator_answer(request: &Request, answer: Answer) -> Option<AnswerEvent> {
    Some(AnswerEvent::Coordinator(match (request, answer) {
        (Request::Get(_), Answer::Fetched(fetched)) => CoordinatorEvent::GotState(fetched),
        (Request::Get(_), _) => CoordinatorEvent::GotState(Fetched::Failed),
        (Request::GetSegmentLease(segment), Answer::Fetched(lease)) => {
            CoordinatorEvent::SegmentLease { segment: *segment, lease }
        }
        (Request::GetSegmentLease(segment), _) => {
            CoordinatorEvent::SegmentLease { segment: *segment, lease: Fetched::Failed }
        }
        (Request::Claim(..) | Request::Renew(..), Answer::Lease(answer)) => CoordinatorEvent::Lease(answer),
        (Request::Claim(..) | Request::Renew(..), _) => CoordinatorEvent::Lease(LeaseAnswer::Failed),
        (Request::PutState(..), Answer::Put(answer)) => CoordinatorEvent::StatePut(answer),
        (Request::PutState(..), _) => CoordinatorEvent::StatePut(PutAnswer::Failed),
        _ => return None,
    }))
}
