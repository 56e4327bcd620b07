//! One thing goes wrong at a time, and the report says it.

use stampede_fleet::{
    Doubt, EndCause, FleetReport, FleetVerdict, LossPolicy, MILLION, NodeExit, OperatorAnswer, Refused, RunFailure,
    SECOND, StopCause,
};

use crate::checks;
use crate::scenario::{Scenario, Trouble, TroubleKind, calm};
use crate::world::World;

/// An instant in the middle of the load, which begins after ten seconds and lasts twenty.
const MIDDLE: u64 = 18 * SECOND;

/// Runs a scenario with eight segments and checks what always holds.
fn play(change: impl Fn(&mut Scenario), kinds: &[TroubleKind]) -> (World, FleetReport) {
    let mut scenario = calm(8, 20);
    change(&mut scenario);
    for (place, kind) in kinds.iter().enumerate() {
        scenario.troubles.push(Trouble { at: MIDDLE + place as u64 * SECOND, kind: *kind });
    }
    let mut world = World::new(7, scenario, false);
    let is_over = world.run();
    checks::check(&world, is_over);
    let report = checks::reporter(&world).and_then(|role| role.report.clone()).expect("it is reported");
    (world, report)
}

fn assert_complete(report: &FleetReport) {
    assert_eq!(report.verdict(true), FleetVerdict::Passed, "{report:#?}");
    assert_eq!((report.accounting.missing, report.coverage.millionths()), (0, MILLION));
}

#[test]
fn a_node_of_another_version_is_refused_by_name() {
    let (_, report) = play(|scenario| scenario.strangers = 1, &[]);
    assert_complete(&report);
    let reasons: Vec<_> = report.refused.iter().map(|refused| refused.reason.clone()).collect();
    assert_eq!(reasons, [Refused::Version("0.9".into())]);
    assert_eq!(reasons[0].to_string(), "it has version 0.9");
}

#[test]
fn a_run_without_all_nodes_does_not_start_and_names_the_missing() {
    let (world, report) = play(|scenario| scenario.absent = 2, &[]);
    assert_eq!(report.verdict(true), FleetVerdict::Failed(RunFailure::NotStarted));
    assert_eq!((report.absent, report.stop.map(|stop| stop.cause)), (vec![6, 7], Some(StopCause::Barrier)));
    let exits = world.processes.iter().filter_map(|process| process.node()?.exit.clone());
    assert_eq!(exits.collect::<Vec<_>>(), vec![NodeExit::NotNeeded; 6]);
}

#[test]
fn a_run_with_a_quorum_starts_and_does_not_pass_without_the_coverage() {
    let start = |scenario: &mut Scenario| (scenario.absent, scenario.plan.barrier.quorum) = (2, 6);
    let (_, report) = play(start, &[]);
    assert_eq!(report.verdict(true), FleetVerdict::Inconclusive(Doubt::Coverage));
    assert_eq!((&report.absent[..], report.coverage.millionths() / 1_000), (&[6, 7][..], 750));
    let account = &report.accounting;
    assert_eq!(account.planned, account.starts.due() + account.missing);
    let tolerant = |scenario: &mut Scenario| {
        start(scenario);
        scenario.plan.coverage_tolerance_ppm = 260_000;
    };
    let (_, report) = play(tolerant, &[]);
    assert_eq!(report.verdict(true), FleetVerdict::Passed);
    assert_eq!(report.verdict(false), FleetVerdict::Failed(RunFailure::Threshold));
}

#[test]
fn a_coordinator_that_is_started_again_goes_on_and_nothing_is_missing() {
    let crash = TroubleKind::CrashCoordinator { restart: 3 * SECOND };
    let (_, report) = play(|_| {}, &[crash]);
    assert!(report.is_resumed);
    assert_complete(&report);
}

#[test]
fn a_coordinator_that_comes_back_to_a_finished_run_reads_the_final_counts() {
    let crash = TroubleKind::CrashCoordinator { restart: 40 * SECOND };
    let (_, report) = play(|scenario| scenario.plan.orphan_after_ms = 100_000, &[crash]);
    assert!(report.is_resumed);
    assert_complete(&report);
    assert!(report.segments.iter().all(|segment| segment.shares[0].end == Some(EndCause::Planned)));
}

#[test]
fn a_coordinator_that_was_replaced_is_not_listened_to() {
    let (world, report) = play(|_| {}, &[TroubleKind::DoubleCoordinator { pause: 9 * SECOND }]);
    assert!(report.is_resumed);
    assert_complete(&report);
    let exits = world.processes.iter().filter_map(|process| process.coordinator()?.exit);
    use stampede_fleet::CoordinatorExit::{Reported, Superseded};
    assert_eq!(exits.collect::<Vec<_>>(), [Superseded, Reported]);
}

#[test]
fn a_lost_node_ends_the_run_unless_the_plan_tolerates_it() {
    let (_, report) = play(|_| {}, &[TroubleKind::CrashNode { restart: None }]);
    assert_eq!(report.verdict(true), FleetVerdict::Failed(RunFailure::Loss));
    assert_eq!((report.lost.len(), report.stop.map(|stop| stop.cause)), (1, Some(StopCause::Loss)));
    let tolerant = |scenario: &mut Scenario| scenario.plan.loss = LossPolicy::Tolerate(130_000);
    let (_, report) = play(tolerant, &[TroubleKind::CrashNode { restart: None }]);
    assert_eq!((report.lost.len(), report.stop), (1, None));
    assert_eq!(report.verdict(true), FleetVerdict::Inconclusive(Doubt::Coverage), "it is covered too little");
    assert!(report.accounting.missing > 0);
}

#[test]
fn another_node_carries_a_lost_segment_on_from_the_current_second() {
    let respawn = |scenario: &mut Scenario| {
        (scenario.plan.loss, scenario.plan.coverage_tolerance_ppm) = (LossPolicy::Respawn, 100_000);
    };
    let (_, report) = play(respawn, &[TroubleKind::CrashNode { restart: Some(SECOND) }]);
    assert_eq!(report.verdict(true), FleetVerdict::Passed, "{report:#?}");
    let carried = report.segments.iter().find(|segment| segment.shares.len() == 2).expect("a segment has two nodes");
    let (first, second) = (&carried.shares[0], &carried.shares[1]);
    assert!(first.until < second.from && first.end.is_none() && second.end == Some(EndCause::Planned));
    assert!(carried.accounting.missing > 0 && !carried.is_lost);
}

#[test]
fn a_partition_that_heals_loses_nothing() {
    let tolerant = |scenario: &mut Scenario| scenario.plan.loss = LossPolicy::Tolerate(130_000);
    let (_, report) = play(tolerant, &[TroubleKind::PartNode { length: 8 * SECOND }]);
    assert_complete(&report);
}

#[test]
fn a_coordinator_without_a_connection_loses_no_node() {
    let (_, report) = play(|_| {}, &[TroubleKind::PartCoordinator { length: 8 * SECOND }]);
    assert_complete(&report);
    assert!(!report.is_resumed, "nodes whose lease is there are not lost");
}

#[test]
fn nodes_merge_frames_while_nothing_is_collected() {
    let long = |scenario: &mut Scenario| {
        scenario.plan.length_ms = 60_000;
        scenario.plan.orphan_after_ms = 90_000;
    };
    let (world, report) = play(long, &[TroubleKind::PauseCoordinator { length: 45 * SECOND }]);
    assert_complete(&report);
    assert!(world.processes.iter().filter_map(|process| process.node()).all(|role| role.handed.len() >= 60));
}

#[test]
fn counts_of_several_messages_arrive_as_one() {
    let large = |scenario: &mut Scenario| {
        (scenario.copies, scenario.loss, scenario.duplicates, scenario.healed) = (30_000, 100, 100, 22 * SECOND);
        scenario.plan = stampede_fleet::FleetPlan { segments: 2, length_ms: 8_000, ..scenario.plan.clone() };
        (scenario.plan.barrier.quorum, scenario.schedule.segments) = (2, 2);
    };
    let (world, report) = play(large, &[]);
    assert_complete(&report);
    let longest = world.bus.finals.iter().map(|stored| stored.payload.len()).max();
    assert!(
        longest.is_some_and(|bytes| bytes > stampede_fleet::frame::MAX_PAYLOAD - 1_000) && world.bus.finals.len() > 4
    );
}

#[test]
fn a_load_generator_that_hangs_is_given_up_at_the_hard_end() {
    let (_, report) = play(|scenario| scenario.hangs = true, &[]);
    assert_complete(&report);
    assert!(report.segments.iter().all(|segment| segment.shares[0].end == Some(EndCause::HardEnd)));
}

#[test]
fn a_server_that_forgets_its_leases_ends_nothing() {
    let (_, report) = play(|_| {}, &[TroubleKind::RestartServer]);
    assert_complete(&report);
    assert!(!report.is_resumed);
}

#[test]
fn a_second_process_of_an_index_does_no_harm() {
    let (world, report) = play(|scenario| scenario.doubles = 3, &[]);
    assert_complete(&report);
    let exits: Vec<_> = world.processes.iter().filter_map(|process| process.node()?.exit.clone()).collect();
    assert_eq!(exits.iter().filter(|exit| **exit == NodeExit::Done).count(), 8, "{exits:?}");
}

#[test]
fn an_operator_stops_all_nodes_in_one_second() {
    let (_, report) = play(|_| {}, &[TroubleKind::Stop(StopCause::Operator)]);
    assert_complete(&report);
    let stop = report.stop.expect("it was stopped");
    assert_eq!((stop.cause, report.end, stop.at % SECOND), (StopCause::Operator, stop.at, 0));
    let shares = report.segments.iter().flat_map(|segment| &segment.shares);
    assert!(shares.clone().all(|share| (share.until, share.end) == (stop.at, Some(EndCause::Stopped))));
}

#[test]
fn an_operator_scales_all_nodes_in_one_second_and_the_plan_follows() {
    let changes = [TroubleKind::Scale(500), TroubleKind::Pause, TroubleKind::Resume, TroubleKind::Status];
    let (world, report) = play(|_| {}, &changes);
    assert_complete(&report);
    assert!(report.is_steered && report.segments.iter().all(|segment| segment.accounting.deviation() == 0));
    let answers = &checks::reporter(&world).expect("it is reported").answers;
    let [OperatorAnswer::Done { at }, _, _, OperatorAnswer::Status(status)] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert_eq!((at % SECOND, status.running, status.segments), (0, 8, 8));
    assert!(status.steering.is_some_and(|last| (last.number, last.scale_permille, last.is_paused) == (3, 500, false)));
    let (_, whole) = play(|_| {}, &[]);
    assert!(report.accounting.planned < whole.accounting.planned);
}

#[test]
fn nodes_without_a_coordinator_stop_by_themselves() {
    let orphans = |scenario: &mut Scenario| scenario.plan.orphan_after_ms = 10_000;
    let crash = TroubleKind::CrashCoordinator { restart: 30 * SECOND };
    let long = |scenario: &mut Scenario| {
        orphans(scenario);
        scenario.plan.length_ms = 60_000;
    };
    let (_, report) = play(long, &[crash]);
    assert!(report.segments.iter().all(|segment| segment.shares[0].end == Some(EndCause::Orphaned)), "{report:#?}");
    assert_eq!(report.verdict(true), FleetVerdict::Failed(RunFailure::Loss));
    assert!(report.accounting.missing > 0);
}
