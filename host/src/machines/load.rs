//! The load of a node: an ordinary run of one segment, which begins when the fleet does and hands over each of its
//! seconds. It knows no bus.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use stampede_fleet::frame::CountedSecond;
use stampede_fleet::{FleetSchedule, NodeEvent, NodeExit, NodeHealth, PromisedStarts, SECOND, Time};
use stampede_time::Nanos;
use tokio::sync::mpsc;

use super::bundle::Bundle;
use super::counts::{FleetCounts, SignIns};
use super::flags;
use super::job::{LoadJob, NodeShared};
use super::node::{NodeRequest, drive};
use super::schedule::PlanSchedule;
use super::shape::shape_of;
use crate::cli::DataArg;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText, io_reason, render};
use crate::metrics::aggregate::Aggregate;
use crate::metrics::interval::Interval;
use crate::plan::{self, Plan};
use crate::run::observer::{RunObserver, SecondSnapshot};
use crate::run::remote::RunWorkers;
use crate::run::{self, EndReason, RunOutcome, SectionKind};
use crate::script;
use crate::segment::Segment;

/// The options that each machine has for its own load.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeOptions {
    /// The file with its variables.
    pub env_file: Option<PathBuf>,
    /// `true` to load plugins outside the sandbox.
    pub allow_native: bool,
}

/// Carries out a segment of a run, from the wait for it to its stored counts.
///
/// # Errors
/// NATS cannot be reached, or a thread cannot be started.
pub(crate) fn run_node(request: NodeRequest, options: &NodeOptions) -> Result<NodeExit, Diagnostics> {
    let (events, incoming) = mpsc::unbounded_channel();
    let (jobs, work) = std::sync::mpsc::channel();
    let load_end = Arc::new(u64::MAX.into());
    let shared = NodeShared { events: events.clone(), shape: Arc::default(), load_end };
    let failed = |error: std::io::Error| Diagnostic::new("internal::run", error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let driver = std::thread::Builder::new().name("fleet".into());
    let driver = driver.spawn(move || runtime.block_on(drive(request, shared, incoming, jobs))).map_err(failed)?;
    while let Ok(job) = work.recv() {
        if let Err(reason) = carry_out(job, options) {
            // The driver may have ended by now.
            let _ = events.send(NodeEvent::Unprepared { reason });
        }
    }
    // A panic has been reported by the thread.
    Ok(driver.join().unwrap_or(Err(Diagnostic::new("internal::run", "the thread of the fleet died")))?)
}

/// Builds the plan of a segment and runs it.
fn carry_out(job: LoadJob, options: &NodeOptions) -> Result<(), String> {
    let LoadJob { bundle, plan: fleet, segment, gate, controller, shared } = job;
    let folder = tempfile::Builder::new().prefix("stampede-fleet-").tempdir().map_err(|error| io_reason(&error))?;
    let part = Segment::new(segment + 1, fleet.segments).ok_or("the plan has no such segment")?;
    let plan = Arc::new(plan_of(&bundle, folder.path(), part, options)?);
    let shape = shape_of(&plan);
    // A second load of the same process has the same plan.
    let _ = shared.shape.set(shape);
    shared.load_end.store(plan.end().unwrap_or(u64::MAX), Ordering::Relaxed);
    let schedule = PlanSchedule::new(&plan, fleet.segments);
    let mut feed = NodeFeed {
        shared,
        schedule,
        segment,
        length: fleet.length(),
        next: 0,
        until: 0,
        told: PromisedStarts::default(),
        counted: PromisedStarts::default(),
        open: 0,
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let outcome = runtime.block_on(run::execute_on(RunWorkers::Gated(gate), &plan, controller, &mut feed))?;
    feed.finish(&outcome);
    Ok(())
}

/// Builds the plan of a segment from the files that have travelled. The verdict is the coordinator's.
///
/// # Errors
/// Something is missing on this machine; the text says what.
pub(super) fn plan_of(bundle: &Bundle, folder: &Path, part: Segment, options: &NodeOptions) -> Result<Plan, String> {
    let settings = bundle.unpack(folder)?;
    let mut args = flags::read(&settings.flags)?;
    args.data = settings.data.into_iter().map(|(name, file)| DataArg { name, file: folder.join(file) }).collect();
    args.cacert = settings.cacert.map(|file| folder.join(file));
    args.division.segment = Some(part);
    args.env_file.clone_from(&options.env_file);
    args.native.allow_native = options.allow_native;
    args.quiet = true;
    let path = folder.join(settings.script);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("no script: {}", io_reason(&error)))?;
    let source = Arc::new(SourceText { name: path.display().to_string(), text });
    let shown = |diagnostics: Diagnostics| {
        let folder = format!("{}/", folder.display());
        render(&diagnostics, false).trim_end().replace(&folder, "")
    };
    let mut plan = script::parse(&source).and_then(|script| plan::build(&args, &script)).map_err(shown)?;
    plan.thresholds.clear();
    Ok(plan)
}

/// Hands the seconds of the load to the driver.
struct NodeFeed {
    shared: NodeShared,
    schedule: PlanSchedule,
    segment: u32,
    /// The length of the load by the plan.
    length: Time,
    /// The second after the last one that was handed over.
    next: u32,
    /// The instant before which everything that was due was handed over.
    until: Time,
    /// The promised starts that were handed over, and those that were counted.
    told: PromisedStarts,
    counted: PromisedStarts,
    /// Requests under way.
    open: u64,
}

impl NodeFeed {
    /// Hands the counts of a second over, and empty ones for those before it that the program stood still in.
    fn hand_over(&mut self, second: u32, until: Time, interval: &Interval) {
        while self.next < second {
            let (next, until) = (self.next, Time::from(self.next + 1) * SECOND);
            self.count(next, until.min(self.load_end()), FleetCounts::empty(Arc::clone(&self.shared.shape)));
        }
        let until = until.min(self.load_end()).max(self.until);
        let counted = self.schedule.counted(interval);
        self.counted.add(counted);
        // Iterations are counted when they end: until then, what was due counts as begun.
        let due = self.schedule.due(self.segment, self.until, until, &[]);
        let starts = PromisedStarts { fired: due.saturating_sub(counted.dropped), dropped: counted.dropped.min(due) };
        self.told.add(starts);
        let counts = FleetCounts::new(Arc::clone(&self.shared.shape), starts, Box::new(interval.clone()));
        self.count(second, until, counts);
    }

    fn count(&mut self, second: u32, until: Time, counts: FleetCounts) {
        (self.next, self.until) = (second.saturating_add(1), until.max(self.until));
        let counted = CountedSecond { second, until: self.until, counts };
        // The driver may have ended by now.
        let _ = self.shared.events.send(NodeEvent::Counted(counted));
    }

    fn load_end(&self) -> Time {
        self.shared.load_end.load(Ordering::Relaxed)
    }

    /// Hands over what is known at the end alone: the promised starts that are left, and the users that signed in.
    fn finish(mut self, outcome: &RunOutcome) {
        let is_over = matches!(outcome.end_reason, EndReason::Duration | EndReason::Iterations | EndReason::Data);
        let until = if is_over { self.length } else { self.until.max(self.load_end().min(outcome.load_end)) };
        let left = |counted: u64, told: u64| counted.saturating_sub(told);
        let starts = PromisedStarts {
            fired: left(self.counted.fired, self.told.fired),
            dropped: left(self.counted.dropped, self.told.dropped),
        };
        let sign_ins = SignIns { signed_in: outcome.signed_in, gave_up: outcome.gave_up };
        let counts = FleetCounts::empty(Arc::clone(&self.shared.shape)).at_end(starts, sign_ins);
        self.count(self.next, until, counts);
        let _ = self.shared.events.send(NodeEvent::Ended);
    }

    /// Tells the state of the machine.
    fn tell_health(&mut self, second: &SecondSnapshot) {
        let counts = &second.merged.counts;
        for row in &counts.rows {
            let tasks = &row.tasks;
            let ended = tasks.passed + tasks.failed + tasks.cancelled + tasks.dropped;
            self.open = (self.open + tasks.started).saturating_sub(ended);
        }
        let health = NodeHealth {
            cpu_permille: u32::try_from(counts.health.cpu / 1_000_000).unwrap_or(u32::MAX),
            memory: second.process.memory.unwrap_or(0),
            lag: counts.health.loop_lag_max,
            in_flight: self.open,
        };
        let _ = self.shared.events.send(NodeEvent::Health(health));
    }
}

impl RunObserver for NodeFeed {
    fn second(&mut self, second: &Arc<SecondSnapshot>, _: &Aggregate) -> Option<EndReason> {
        if second.section == SectionKind::Load {
            self.tell_health(second);
            let end = Nanos::from(second.merged.second + 1) * SECOND;
            self.hand_over(second.merged.second.max(self.next), end, &second.merged.counts);
        }
        None
    }

    fn reads_counts(&self) -> bool {
        true
    }
}
