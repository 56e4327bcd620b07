//! The promises that hold when a run is over, whatever went wrong. Everything is compared with what the nodes handed
//! over, which the simulation keeps, and not with what the protocol believes.

use std::collections::{BTreeMap, BTreeSet};

use stampede_fleet::frame::{ParcelKind, ParcelPart};
use stampede_fleet::{
    CoordinatorExit, Counts, FleetReport, FleetSchedule, FleetVerdict, MILLION, NodeExit, SECOND, Steering, Time,
};

use crate::counts::SimCounts;
use crate::process::{CoordinatorRole, NodeRole};
use crate::world::World;

/// Returns the coordinator that reported last.
pub(crate) fn reporter(world: &World) -> Option<&CoordinatorRole> {
    let mut roles = world.processes.iter().rev().filter_map(|process| process.coordinator());
    roles.find(|role| role.report.is_some())
}

/// Checks everything that must hold.
pub(crate) fn check(world: &World, is_over: bool) {
    let alive = world.processes.iter().filter(|process| process.is_alive);
    assert!(is_over, "every run ends; these do not: {:?}", alive.map(|process| &process.name).collect::<Vec<_>>());
    let Some(role) = reporter(world) else {
        let exits: Vec<_> = world.processes.iter().filter_map(|it| it.coordinator()).map(|it| it.exit).collect();
        panic!("no coordinator has reported: {exits:?}");
    };
    let report = role.report.as_ref().expect("it reported");
    accounts(report);
    exact(world, role, report);
    acknowledged(world, role, report);
    covered(world, role, report);
}

/// Checks that planned = fired + dropped + missing, for each segment and all together.
fn accounts(report: &FleetReport) {
    let (mut planned, mut due, mut missing) = (0, 0, 0);
    for segment in &report.segments {
        let account = &segment.accounting;
        let starts: u64 = segment.shares.iter().map(|share| share.starts.due()).sum();
        assert_eq!(account.starts.due(), starts);
        if !report.is_steered && !segment.has_overlap {
            assert_eq!(account.deviation(), 0, "segment {}: {segment:?}", segment.segment);
        }
        (planned, due, missing) = (planned + account.planned, due + starts, missing + account.missing);
    }
    let total = &report.accounting;
    assert_eq!((total.planned, total.starts.due(), total.missing), (planned, due, missing));
}

/// Checks that the counts of a node are the sum of its first frames, and that those add up to what was shown.
fn exact(world: &World, role: &CoordinatorRole, report: &FleetReport) {
    let nodes = nodes(world);
    for segment in &report.segments {
        let mut counted = SimCounts::default();
        let mut seen = BTreeSet::new();
        for share in &segment.shares {
            assert!(seen.insert(&share.node), "a node has one share");
            let node = nodes[share.node.as_str()];
            let prefix = node.prefix(share.seq);
            assert!(share.seq <= node.handed.len() as u64);
            assert_eq!(share.starts, prefix.starts(), "segment {}: {share:?}", segment.segment);
            assert_eq!(share.difference, None, "the sum of the frames is what was handed over");
            counted.add(&prefix);
        }
        let shown = role.shown.get(&segment.segment).cloned().unwrap_or_default();
        assert_eq!(shown.difference(&counted), None, "segment {}: {:?}", segment.segment, segment.shares);
    }
}

fn nodes(world: &World) -> BTreeMap<&str, &NodeRole> {
    let nodes = world.processes.iter().filter_map(|process| Some((process.name.as_str(), process.node()?)));
    nodes.collect()
}

/// Checks that everything that was acknowledged is counted, and everything that a node stored at its end.
fn acknowledged(world: &World, role: &CoordinatorRole, report: &FleetReport) {
    let shares: BTreeMap<_, _> =
        report.segments.iter().flat_map(|it| &it.shares).map(|share| (share.node.as_str(), share)).collect();
    // A node whose place another has taken is no longer listened to.
    let last: BTreeSet<_> =
        report.segments.iter().filter_map(|it| it.shares.last()).map(|it| it.node.as_str()).collect();
    let given = &world.bus.finals[..role.finals_read];
    let given: BTreeMap<_, _> = given.iter().map(|stored| (stored.from.as_str(), &stored.payload)).collect();
    let term = role.coordinator.status().term;
    for (name, node) in nodes(world) {
        let counted = shares.get(name).map_or(0, |share| share.seq);
        if node.acknowledged.0 == term {
            assert!(node.acknowledged.1 <= counted, "{name}: what is acknowledged is counted");
        }
        let Some(share) = shares.get(name) else { continue };
        let part = given.get(name).and_then(|payload| ParcelPart::decode(payload).ok());
        if part.is_some_and(|part| part.head.kind == ParcelKind::Final) && last.contains(name) {
            assert!(share.end.is_some(), "{name}: final counts are taken: {share:?}");
            assert_eq!(share.seq, node.handed.len() as u64, "{name}: everything that was stored is counted");
        }
    }
}

/// Checks that no verdict passes on less than the plan demands, by the counts of the simulation itself.
fn covered(world: &World, role: &CoordinatorRole, report: &FleetReport) {
    let nodes = nodes(world);
    let end = u32::try_from(report.end.div_ceil(SECOND)).unwrap();
    let (mut seconds, mut doubled) = (BTreeSet::new(), false);
    for segment in &report.segments {
        for share in segment.shares.iter().filter(|share| share.seq > 0) {
            let handed = &nodes[share.node.as_str()].handed[..share.seq as usize];
            for (second, counts) in handed.iter().filter(|(second, _)| *second < end) {
                let is_new = seconds.insert((segment.segment, *second));
                // A stretch that was stopped in the middle of a second is gone on with after it.
                doubled |= !is_new && counts.starts().due() > 0;
            }
        }
    }
    if report.verdict(true) != FleetVerdict::Passed {
        return;
    }
    assert!(report.has_started && !doubled, "no second of a segment is counted twice");
    let part = |part: u64, whole: u64| part * u64::from(MILLION) / whole.max(1);
    let least = u64::from(MILLION - world.scenario.plan.coverage_tolerance_ppm);
    let all = u64::from(end) * u64::from(world.scenario.plan.segments);
    assert!(part(seconds.len() as u64, all) >= least, "a verdict passed on {} of {all} seconds", seconds.len());
    if !report.is_steered {
        let none: [Steering; 0] = [];
        let due = |segment: u32| world.scenario.schedule.due(segment, 0, report.end, &none);
        let due: u64 = (0..world.scenario.plan.segments).map(due).sum();
        let counted: u64 = role.shown.values().map(|counts| counts.starts().due()).sum();
        assert!(part(counted, due) >= least, "a verdict passed on {counted} of {due} starts");
    }
}

/// Checks a run in which nothing went wrong.
pub(crate) fn check_calm(world: &World) {
    let role = reporter(world).expect("it is reported");
    let report = role.report.as_ref().expect("it is reported");
    assert_eq!(role.exit, Some(CoordinatorExit::Reported));
    assert_eq!(report.verdict(true), FleetVerdict::Passed, "{report:?}");
    assert_eq!((report.accounting.missing, report.coverage.millionths()), (0, MILLION));
    assert!(report.lost.is_empty() && report.absent.is_empty() && !report.is_resumed);
    for process in world.processes.iter().filter(|process| process.node().is_some()) {
        assert_eq!(process.node().and_then(|role| role.exit.clone()), Some(NodeExit::Done));
    }
    assert!(skew(world) <= 4_000_000, "{}", skew(world));
}

/// Returns the greatest distance of a node's start from the coordinator's, beyond the bound of its clock.
fn skew(world: &World) -> Time {
    let coordinators = world.processes.iter().filter(|process| process.coordinator().is_some());
    let start = |process: &crate::process::Process| {
        Some(process.clock.global(process.coordinator()?.coordinator.load_start()?))
    };
    let start = coordinators.filter_map(start).next().expect("it started");
    let starts = world.processes.iter().filter_map(|process| process.node()?.started);
    starts.map(|(at, bound)| at.abs_diff(start).saturating_sub(bound)).max().unwrap_or(0)
}
