//! Events in every order, with values that no driver and no peer gives: the machines keep their promises whatever
//! happens. They do not panic, wait for something until they end, and answer an event with few commands.

use proptest::prelude::*;
use stampede_fleet::frame::{CountedSecond, ParcelHead, ParcelKind, encode};
use stampede_fleet::{
    Ask, Channel, Coordinator, CoordinatorCommand, CoordinatorEvent, Counts, CountsError, EndCause, Fetched, FleetNode,
    FleetPlan, FleetSchedule, FromNode, Heartbeat, LatePolicy, LeaseAnswer, LeaseValue, LossPolicy, NodeCommand,
    NodeEvent, NodeHealth, NodeName, NodeSettings, OperatorRequest, PromisedStarts, Pulse, PutAnswer, Readiness,
    Record, Refused, RunId, RunStage, RunState, SECOND, Sender, Steering, StopCause, StopOrder, Time, ToNode,
    write_message,
};

#[derive(Clone, Debug)]
struct Starts(u64);

impl Counts for Starts {
    fn add(&mut self, other: &Self) {
        self.0 = self.0.saturating_add(other.0);
    }
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_le_bytes());
    }
    fn read(&self, bytes: &[u8]) -> Result<Self, CountsError> {
        let bytes = bytes.try_into().map_err(|_| CountsError("a length".into()))?;
        Ok(Self(u64::from_le_bytes(bytes)))
    }
    fn is_empty(&self) -> bool {
        self.0 == 0
    }
    fn starts(&self) -> PromisedStarts {
        PromisedStarts { fired: self.0, dropped: self.0 }
    }
    fn difference(&self, sum: &Self) -> Option<String> {
        (self.0 != sum.0).then(|| "another sum".into())
    }
}

struct EverySecond;

impl FleetSchedule for EverySecond {
    fn due(&self, _: u32, from: Time, to: Time, _: &[Steering]) -> u64 {
        (to - from) / SECOND
    }
}

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..4_u64, 2 => Just(u64::MAX), 1 => Just(30 * SECOND), 2 => 0..90 * SECOND, 1 => any::<u64>()]
}

fn short() -> impl Strategy<Value = u32> {
    prop_oneof![6 => 0..4_u32, 1 => Just(u32::MAX), 1 => any::<u32>()]
}

fn node_name() -> impl Strategy<Value = NodeName> {
    prop::sample::select(vec!["a", "b", "c", "me"]).prop_map(name)
}

fn sender() -> impl Strategy<Value = Sender> {
    (node_name(), short(), number()).prop_map(|(node, segment, epoch)| Sender { node, segment, epoch })
}

fn stage() -> impl Strategy<Value = RunStage> {
    prop::sample::select(vec![RunStage::Gathering, RunStage::Started, RunStage::Started, RunStage::Finished])
}

fn stop() -> impl Strategy<Value = Option<StopOrder>> {
    prop_oneof![5 => Just(None), 1 => number().prop_map(|at| Some(StopOrder { at, cause: StopCause::Operator }))]
}

fn steering() -> impl Strategy<Value = Steering> {
    (short(), number(), short(), any::<bool>()).prop_map(|(number, at, scale_permille, is_paused)| Steering {
        number,
        at,
        scale_permille,
        is_paused,
    })
}

prop_compose! {
    fn parcel()(
        sender in sender(),
        kind in prop::sample::select(vec![ParcelKind::Frame, ParcelKind::Frame, ParcelKind::Snapshot, ParcelKind::Final]),
        (term, seq_from, more, until, age) in (number(), number(), number(), number(), number()),
        (second_from, seconds) in (short(), short()),
        body in prop_oneof![4 => number().prop_map(|count| count.to_le_bytes().to_vec()), 1 => Just(vec![1])],
    ) -> Vec<u8> {
        let head = ParcelHead {
            kind,
            run: RunId::new("run").unwrap(),
            sender,
            term,
            seq_from: seq_from.max(1),
            seq_to: seq_from.max(1).saturating_add(more),
            second_from,
            second_end: second_from.saturating_add(seconds),
            until,
            age,
            end: EndCause::Planned,
        };
        encode(&head, &body).unwrap().remove(0)
    }
}

fn state() -> impl Strategy<Value = Vec<u8>> {
    let parts = (number(), node_name(), stage(), stop(), prop::collection::vec(steering(), 0..2), short());
    parts.prop_map(|(term, coordinator, stage, stop, steering, segment)| {
        write_message(&RunState { term, coordinator, stage, present: vec![segment, 1], stop, steering })
    })
}

fn fetched(value: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Fetched> {
    prop_oneof![
        4 => (number(), value).prop_map(|(revision, value)| Fetched::Found { revision, value }),
        2 => Just(Fetched::Absent),
        1 => Just(Fetched::Failed),
        1 => prop::collection::vec(any::<u8>(), 0..9).prop_map(|value| Fetched::Found { revision: 1, value }),
    ]
}

fn lease_value() -> impl Strategy<Value = Vec<u8>> {
    node_name().prop_map(|holder| write_message(&LeaseValue { holder }))
}

fn lease() -> impl Strategy<Value = LeaseAnswer> {
    prop_oneof![
        6 => number().prop_map(|revision| LeaseAnswer::Held { revision }),
        1 => (number(), lease_value()).prop_map(|(revision, value)| LeaseAnswer::Taken { revision, value }),
        1 => Just(LeaseAnswer::Absent),
        1 => Just(LeaseAnswer::Failed),
    ]
}

fn to_node() -> impl Strategy<Value = ToNode> {
    let pulse = (number(), stage(), prop::option::of(number()), stop(), prop::option::of(steering()));
    let pulse = pulse.prop_map(|(term, stage, start, stop, steering)| Pulse { term, stage, start, stop, steering });
    prop_oneof![
        4 => pulse.prop_map(ToNode::Pulse),
        6 => (number(), 0..40_u32, number()).prop_map(|(term, number, time)| ToNode::ProbeReply { term, number, time }),
        3 => (number(), short()).prop_map(|(term, from_second)| ToNode::Admitted { term, from_second }),
        2 => (number(), number()).prop_map(|(term, seq)| ToNode::Ack { term, seq }),
        1 => number().prop_map(|term| ToNode::WantSnapshot { term }),
        1 => number().prop_map(|term| ToNode::Fenced { term }),
        1 => number().prop_map(|term| ToNode::Refused { term, reason: Refused::Late }),
    ]
}

fn counted() -> impl Strategy<Value = NodeEvent<Starts>> {
    (short(), number(), number())
        .prop_map(|(second, until, count)| NodeEvent::Counted(CountedSecond { second, until, counts: Starts(count) }))
}

fn plan() -> FleetPlan {
    let mut plan = FleetPlan::new(RunId::new("run").unwrap(), 3, 20_000);
    (plan.is_open, plan.loss, plan.late) = (true, LossPolicy::Respawn, LatePolicy::Join);
    plan.barrier.quorum = 1;
    plan.barrier.timeout_ms = 5_000;
    plan
}

fn node_event() -> impl Strategy<Value = NodeEvent<Starts>> {
    prop_oneof![
        2 => fetched(Just(plan().to_bytes())).prop_map(|fetched| NodeEvent::Got(Record::Plan, fetched)),
        3 => fetched(state()).prop_map(|fetched| NodeEvent::Got(Record::State, fetched)),
        1 => fetched(lease_value()).prop_map(|fetched| NodeEvent::Got(Record::CoordinatorLease, fetched)),
        4 => lease().prop_map(NodeEvent::Lease),
        2 => Just(NodeEvent::Prepared { digest: String::new() }),
        12 => to_node().prop_map(|message| NodeEvent::Message(write_message(&message))),
        4 => counted(),
        1 => Just(NodeEvent::Ended),
        2 => Just(NodeEvent::Stored),
        1 => Just(NodeEvent::NotStored),
        1 => Just(NodeEvent::Reconnected),
        8 => Just(NodeEvent::Timer),
    ]
}

fn from_node() -> impl Strategy<Value = (NodeName, FromNode)> {
    let health = NodeHealth { cpu_permille: u32::MAX, memory: u64::MAX, lag: u64::MAX, in_flight: u64::MAX };
    let ready = (sender(), number(), number()).prop_map(|(sender, clock_bound, term)| {
        let (version, digest) = (String::new(), String::new());
        FromNode::Ready(Readiness { sender, version, digest, clock_bound, term })
    });
    let beat =
        (sender(), any::<bool>(), short(), any::<i64>()).prop_map(move |(sender, is_running, steered, drift)| {
            FromNode::Heartbeat(Heartbeat { sender, is_running, steered, drift, queued: 1, health })
        });
    let probe = (node_name(), short()).prop_map(|(node, number)| FromNode::Probe { node, number });
    prop_oneof![3 => ready, 3 => beat, 1 => probe].prop_map(|message| {
        let node = match &message {
            FromNode::Probe { node, .. } => node.clone(),
            FromNode::Ready(ready) => ready.sender.node.clone(),
            FromNode::Heartbeat(beat) => beat.sender.node.clone(),
        };
        (node, message)
    })
}

fn coordinator_event() -> impl Strategy<Value = CoordinatorEvent> {
    let requests = [
        OperatorRequest::Status,
        OperatorRequest::Stop,
        OperatorRequest::Scale(u32::MAX),
        OperatorRequest::Scale(2_000),
        OperatorRequest::Pause,
        OperatorRequest::Resume,
    ];
    let ask = (node_name(), prop::sample::select(requests.to_vec())).prop_map(|(from, request)| {
        let payload = write_message(&Ask { from: from.clone(), request });
        CoordinatorEvent::Message { channel: Channel::Ask, from, payload }
    });
    let counts = (node_name(), parcel(), any::<bool>()).prop_map(|(other, payload, is_right)| {
        let sender = stampede_fleet::frame::ParcelPart::decode(&payload).map(|part| part.head.sender.node.clone());
        let from = if is_right { sender.unwrap_or(other) } else { other };
        CoordinatorEvent::Message { channel: Channel::Counts, from, payload }
    });
    let put = prop_oneof![
        8 => number().prop_map(|revision| PutAnswer::Written { revision }),
        1 => Just(PutAnswer::Conflict),
        1 => Just(PutAnswer::Failed),
    ];
    prop_oneof![
        4 => lease().prop_map(CoordinatorEvent::Lease),
        3 => fetched(state()).prop_map(CoordinatorEvent::GotState),
        4 => put.prop_map(CoordinatorEvent::StatePut),
        2 => (short(), fetched(lease_value()))
            .prop_map(|(segment, lease)| CoordinatorEvent::SegmentLease { segment, lease }),
        10 => from_node().prop_map(|(from, message)| {
            CoordinatorEvent::Message { channel: Channel::Ready, from, payload: write_message(&message) }
        }),
        10 => counts,
        2 => ask,
        1 => Just(CoordinatorEvent::Stop(StopCause::Threshold)),
        1 => Just(CoordinatorEvent::Reconnected),
        8 => Just(CoordinatorEvent::Timer),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_node_keeps_its_promises_in_every_order(events in prop::collection::vec((node_event(), 0..3 * SECOND), 1..200)) {
        let run = RunId::new("run").unwrap();
        let settings = NodeSettings { run, name: name("me"), segment: None, version: String::new(), patience: 60 * SECOND };
        let mut node = FleetNode::new(settings, Starts(0));
        let (mut now, mut out, mut asked, mut timer) = (0, Vec::new(), 0_i64, None);
        for (event, wait) in [(NodeEvent::Start, 0)].into_iter().chain(events) {
            // A timer comes when it is due; everything else at any moment.
            now = if matches!(event, NodeEvent::Timer) { timer.take().unwrap_or(now) } else { now + wait }.max(now);
            out.clear();
            node.step(now, event, &mut out);
            prop_assert!(out.len() < 60, "few commands follow from an event: {}", out.len());
            for command in &out {
                match command {
                    NodeCommand::WakeAt(at) => timer = Some(*at),
                    NodeCommand::Get(_) | NodeCommand::Claim { .. } | NodeCommand::Prepare { .. } => asked += 1,
                    _ => {}
                }
            }
            if matches!(out.last(), Some(NodeCommand::Finish(_))) {
                node.step(now + SECOND, NodeEvent::Timer, &mut out);
                prop_assert!(matches!(out.last(), Some(NodeCommand::Finish(_))), "nothing follows on the end");
                break;
            }
            prop_assert!(timer.is_some() || asked > 0, "something is waited for");
        }
    }

    #[test]
    fn a_coordinator_keeps_its_promises_in_every_order(
        events in prop::collection::vec((coordinator_event(), 0..3 * SECOND), 1..300),
    ) {
        let mut coordinator = Coordinator::new(plan(), name("me"), EverySecond, Starts(0));
        let (mut now, mut out, mut timer, mut reports) = (0, Vec::new(), None, 0);
        for (event, wait) in [(CoordinatorEvent::Start, 0)].into_iter().chain(events) {
            now = if matches!(event, CoordinatorEvent::Timer) { timer.take().unwrap_or(now) } else { now + wait }.max(now);
            out.clear();
            coordinator.step(now, event, &mut out);
            prop_assert!(out.len() < 60, "few commands follow from an event: {}", out.len());
            let _ = coordinator.status();
            for command in &out {
                match command {
                    CoordinatorCommand::WakeAt(at) => timer = Some(*at),
                    CoordinatorCommand::Report(report) => {
                        reports += 1;
                        let _ = report.verdict(true);
                    }
                    _ => {}
                }
            }
            prop_assert!(reports <= 1, "a run is reported once");
            if matches!(out.last(), Some(CoordinatorCommand::Finish(_))) {
                break;
            }
        }
    }
}
