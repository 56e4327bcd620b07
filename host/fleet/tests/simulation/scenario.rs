//! The meaning of a seed: the plan, the network, and everything that goes wrong until it is healed.

use stampede_fleet::{FleetPlan, LatePolicy, LossPolicy, MILLISECOND, RunId, SECOND, StopCause, Time};

use crate::counts::SimSchedule;
use crate::random::Random;

/// A run and its troubles.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) plan: FleetPlan,
    pub(crate) schedule: SimSchedule,
    /// Lost and duplicated messages, in thousandths.
    pub(crate) loss: u64,
    pub(crate) duplicates: u64,
    /// The greatest delay of a message.
    pub(crate) delay: Time,
    /// Parts in a million by which clocks run fast or slow.
    pub(crate) drift: u64,
    /// The instant from which nothing goes wrong any more.
    pub(crate) healed: Time,
    pub(crate) troubles: Vec<Trouble>,
    /// Nodes of another version.
    pub(crate) strangers: u32,
    /// Processes that claim an index that others have.
    pub(crate) doubles: u32,
    /// Nodes that do not come.
    pub(crate) absent: u32,
    /// `true` if nodes take any free segment.
    pub(crate) any_segment: bool,
    /// `true` if load generators never say that they have ended.
    pub(crate) hangs: bool,
    /// The times that counts are written into a body.
    pub(crate) copies: usize,
}

/// Something that goes wrong, or that an operator wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) at: Time,
    pub(crate) kind: TroubleKind,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum TroubleKind {
    /// A node dies, and another process takes its index after a while, if there is one.
    CrashNode {
        restart: Option<Time>,
    },
    CrashCoordinator {
        restart: Time,
    },
    /// The coordinator stands still, and another one is started.
    DoubleCoordinator {
        pause: Time,
    },
    PauseNode {
        length: Time,
    },
    PauseCoordinator {
        length: Time,
    },
    PartNode {
        length: Time,
    },
    PartCoordinator {
        length: Time,
    },
    PartAll {
        length: Time,
    },
    /// The server is started again, and loses its memory.
    RestartServer,
    StepClock {
        by: i64,
    },
    InterruptNode,
    Stop(StopCause),
    Scale(u32),
    Pause,
    Resume,
    Status,
}

/// Returns a run without any trouble.
pub(crate) fn calm(segments: u32, seconds: u64) -> Scenario {
    let mut plan = FleetPlan::new(RunId::new("sim").unwrap(), segments, seconds * 1_000);
    (plan.version, plan.digest, plan.is_open) = ("1.0".into(), "abc".into(), true);
    (plan.grace_ms, plan.barrier.timeout_ms) = (4_000, 20_000);
    Scenario {
        plan,
        schedule: SimSchedule { segments, gap: SECOND / (u64::from(segments) * 5 + 3) },
        loss: 0,
        duplicates: 0,
        delay: 2 * MILLISECOND,
        drift: 20,
        healed: Time::MAX,
        troubles: Vec::new(),
        strangers: 0,
        doubles: 0,
        absent: 0,
        any_segment: false,
        hangs: false,
        copies: 1,
    }
}

/// Returns the run of a seed.
pub(crate) fn of_seed(seed: u64) -> Scenario {
    let random = &mut Random::new(seed);
    let segments = match seed % 250 {
        249 => 1_000,
        item if item % 25 == 24 => random.range(30, 120) as u32,
        _ => random.range(3, 12) as u32,
    };
    let is_long = segments < 30 && random.chance(120);
    let seconds = match segments {
        1_000 => 6,
        _ if is_long => random.range(45, 70),
        _ => random.range(6, 26),
    };
    let mut scenario = calm(segments, seconds);
    policies(&mut scenario, random);
    if is_long {
        // Nodes wait for so long that their frames are merged.
        scenario.plan.orphan_after_ms = 120_000;
        let length = random.range(30, 50) * SECOND;
        let kind = match random.range(0, 3) {
            0 => TroubleKind::CrashCoordinator { restart: length },
            1 => TroubleKind::PartCoordinator { length },
            _ => TroubleKind::PartNode { length },
        };
        scenario.troubles.push(Trouble { at: random.range(9, 25) * SECOND, kind });
    }
    if random.chance(80) {
        // Nothing goes wrong.
        return scenario;
    }
    if random.chance(600) {
        (scenario.loss, scenario.duplicates) = (random.range(0, 150), random.range(0, 200));
        scenario.delay = [5, 100, 1_500][random.range(0, 3) as usize] * MILLISECOND;
    }
    scenario.drift = random.range(0, 200);
    scenario.healed = random.range(8, seconds + 16) * SECOND;
    scenario.strangers = if random.chance(80) { 1 } else { 0 };
    scenario.doubles = if random.chance(200) { random.range(1, 3) as u32 } else { 0 };
    scenario.absent = if random.chance(60) { 1 } else { 0 };
    scenario.any_segment = random.chance(300);
    let most = if random.chance(150) { 16 } else { 7 };
    for _ in 0..random.range(0, most) {
        // The load begins after nine seconds or so.
        let from = if random.chance(200) { 0 } else { 8 * SECOND };
        let at = random.range(from, scenario.healed + 1);
        scenario.troubles.push(Trouble { at, kind: trouble(random) });
    }
    scenario.troubles.sort_by_key(|trouble| trouble.at);
    scenario
}

fn policies(scenario: &mut Scenario, random: &mut Random) {
    let plan = &mut scenario.plan;
    plan.loss = match random.range(0, 10) {
        0..3 => LossPolicy::Fail,
        3..7 => LossPolicy::Tolerate(random.range(0, 500_000) as u32),
        _ => LossPolicy::Respawn,
    };
    plan.late = if random.chance(300) { LatePolicy::Join } else { LatePolicy::Refuse };
    plan.coverage_tolerance_ppm = [0, 10_000, 300_000][random.range(0, 3) as usize];
    plan.barrier.quorum = if random.chance(300) { (plan.segments * 3 / 4).max(1) } else { plan.segments };
    plan.clock.is_strict = random.chance(300);
    plan.orphan_after_ms = if random.chance(500) { 10_000 } else { 30_000 };
}

fn trouble(random: &mut Random) -> TroubleKind {
    let mut length = |most: u64| random.range(SECOND / 10, most * SECOND);
    let (short, long) = (length(4), length(20));
    let restart = random.chance(700).then_some(short * 2);
    match random.range(0, 24) {
        0..4 => TroubleKind::CrashNode { restart },
        4..7 => TroubleKind::CrashCoordinator { restart: long / 2 },
        7 => TroubleKind::DoubleCoordinator { pause: long },
        8 => TroubleKind::PauseNode { length: short },
        9 => TroubleKind::PauseNode { length: long },
        10 => TroubleKind::PauseCoordinator { length: short },
        11..13 => TroubleKind::PartNode { length: long },
        13 => TroubleKind::PartNode { length: short },
        14 => TroubleKind::PartCoordinator { length: long },
        15 => TroubleKind::PartAll { length: long },
        16 => TroubleKind::RestartServer,
        17 => TroubleKind::StepClock { by: random.range(0, 8 * SECOND) as i64 - 4 * SECOND as i64 },
        18 => TroubleKind::InterruptNode,
        19 => TroubleKind::Stop(if random.chance(500) { StopCause::Operator } else { StopCause::Threshold }),
        20 => TroubleKind::Scale(random.range(0, 3_000) as u32),
        21 => TroubleKind::Pause,
        22 => TroubleKind::Resume,
        _ => TroubleKind::Status,
    }
}
