//! The simulated fleet: nodes and coordinators over a bus in memory, in virtual time, with everything that can go
//! wrong. A seed gives a run; the same seed gives the same run. `STAMPEDE_FLEET_SEEDS=from..to` chooses the seeds, a
//! failure names its own, and `STAMPEDE_FLEET_TRACE=1` prints what happened.

mod bus;
mod checks;
mod counts;
mod generator;
mod process;
mod random;
mod request;
mod scenario;
mod stories;
mod trace;
mod troubles;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use stampede_fleet::FleetVerdict;

use scenario::{calm, of_seed};
use world::World;

/// Returns the seeds to run: a thousand, unless `STAMPEDE_FLEET_SEEDS` says otherwise.
fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("STAMPEDE_FLEET_SEEDS") else { return 0..1_000 };
    let (from, to) = text.split_once("..").unwrap_or(("0", &text));
    from.parse().expect("a number")..to.parse().expect("a number")
}

/// Runs a seed and checks it.
fn run(seed: u64, keeps_lines: bool) -> World {
    let mut world = World::new(seed, of_seed(seed), keeps_lines);
    let is_over = world.run();
    if std::env::var_os("STAMPEDE_FLEET_TRACE").is_some() {
        println!("{:#?}", world.scenario);
        world.trace.lines.iter().flatten().for_each(|line| println!("{line}"));
    }
    checks::check(&world, is_over);
    if world.scenario.healed == u64::MAX {
        checks::check_calm(&world);
    }
    world
}

/// Runs every `step`th seed from `first` on, and returns the verdicts by their number.
fn sweep(first: u64, step: usize) -> BTreeMap<String, u32> {
    let mut verdicts = BTreeMap::new();
    let mut failed = Vec::new();
    for seed in seeds().skip(first as usize).step_by(step) {
        let keeps_lines = std::env::var_os("STAMPEDE_FLEET_TRACE").is_some();
        match catch_unwind(AssertUnwindSafe(|| run(seed, keeps_lines))) {
            Ok(world) => {
                let report = checks::reporter(&world).and_then(|role| role.report.as_ref());
                let verdict = report.map(|report| report.verdict(true)).unwrap_or(FleetVerdict::Passed);
                let cause = report.and_then(|report| report.stop).map(|stop| stop.cause);
                *verdicts.entry(format!("{verdict:?} {cause:?}")).or_default() += 1;
            }
            Err(_) => failed.push(seed),
        }
    }
    assert!(failed.is_empty(), "{} seeds failed: {failed:?}", failed.len());
    verdicts
}

#[test]
fn even_seeds_keep_all_promises() {
    println!("{:?}", sweep(0, 2));
}

#[test]
fn odd_seeds_keep_all_promises() {
    println!("{:?}", sweep(1, 2));
}

#[test]
fn a_calm_run_passes() {
    for segments in [1, 3, 40] {
        let mut world = World::new(u64::from(segments), calm(segments, 10), false);
        let is_over = world.run();
        checks::check(&world, is_over);
        checks::check_calm(&world);
    }
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for seed in [1, 2, 3, 5, 8, 13, 24] {
        let (first, second) = (run(seed, true), run(seed, true));
        assert_eq!(first.trace.lines, second.trace.lines, "seed {seed}");
        assert_eq!(first.trace.hash(), second.trace.hash());
        assert!(first.trace.events > 1_000);
    }
    assert_ne!(run(1, false).trace.hash(), run(2, false).trace.hash());
}
