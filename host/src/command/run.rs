//! `stampede-shooter`: runs a script and reports. All errors are found before the first request.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use super::compare::{self, Baseline};
use super::source;
use crate::cli::RunArgs;
use crate::command::output::{announce, is_colored, print, print_errors, warn_about_native};
use crate::control::{ControlSocket, TerminalKeys, restore_terminal_after_crashes};
use crate::data::{DataSet, DataSets};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::exit::Exit;
use crate::machines::FleetRun;
use crate::metrics::sample::FailureKind;
use crate::metrics::sample_tap::SampleTaps;
use crate::plan::requirements::Requirements;
use crate::plan::{self, Plan, viewers};
use crate::report::model::{ChangeReport, ExhaustedDataSet, SamplesReport};
use crate::report::settings::RunSegments;
use crate::report::{self, Report, RunSettings, RunSummary, RunVerdict};
use crate::run::load_controller::{ControlSender, LoadChangeKind, LoadController};
use crate::run::remote::{RemoteWorkers, RunWorkers};
use crate::run::signals::{self, ExitOnSignal};
use crate::run::{self, EndReason, RunOutcome};
use crate::script;
use crate::script::model::{FailOn, Script};
use crate::sinks::threads::{QUEUE_SECONDS, SinkResults};
use crate::sinks::{self, MissedSeconds, NamedSink, RunInfo, SINKS, Sink, SinkThreads, run_settings};
use crate::stderr;

/// Runs the script that the arguments name.
///
/// # Errors
/// Returns all errors found before the run; or those of its outputs, if nothing else fails it.
pub(super) fn run(args: &RunArgs) -> Result<Exit, Diagnostics> {
    let source = source::of_run(args)?;
    run_source(args, &source, 1)
}

/// Runs a script that has been read already. `files_each` is the number of this process's files that a connection
/// takes.
///
/// # Errors
/// As [`run()`].
pub(super) fn run_source(args: &RunArgs, source: &Arc<SourceText>, files_each: u64) -> Result<Exit, Diagnostics> {
    // Before an engine is created.
    restore_terminal_after_crashes();
    let plan = Arc::new(build_plan(args, source)?);
    let sinks = sinks::open(SINKS, args, &plan)?;
    let baseline = args.baseline.as_deref().map(|path| compare::read_baseline(path, &plan)).transpose()?;
    Requirements::of_plan(&plan, files_each).check_limits()?;
    run_plan(args, &plan, RunParts { baseline: baseline.as_ref(), sinks, queue_seconds: QUEUE_SECONDS, fleet: None })
}

/// Starts a fleet, given the sending end of requests to the run.
pub(super) type StartFleet = Box<dyn FnOnce(ControlSender) -> Result<(RemoteWorkers, FleetRun), Diagnostic>>;

/// The parts of a run beside its plan.
pub(super) struct RunParts<'a> {
    /// The report that it is compared with.
    pub(super) baseline: Option<&'a Baseline>,
    /// Its outputs.
    pub(super) sinks: Vec<NamedSink>,
    /// The length of the queue of each.
    pub(super) queue_seconds: usize,
    /// The machines that make its load, if this one does not.
    pub(super) fleet: Option<StartFleet>,
}

/// Runs a plan with its outputs, and compares it with the baseline.
pub(super) fn run_plan(args: &RunArgs, plan: &Arc<Plan>, parts: RunParts<'_>) -> Result<Exit, Diagnostics> {
    let RunParts { baseline, mut sinks, queue_seconds, fleet } = parts;
    if plan.insecure_tls {
        stderr::print_line(format_args!(
            "warning: any TLS certificate is accepted (`--insecure-tls`): the target may be anyone"
        ));
    }
    let (sender, controller) = LoadController::new();
    let has_reader = sinks.iter_mut().fold(false, |any, named| named.sink.accept_control(&sender) | any);
    let control = RunControl { sender, controller, has_reader };
    let info = RunInfo::of_plan(plan);
    let id = info.id;
    let mut sinks = SinkThreads::start(sinks, info, queue_seconds)?;
    let result = execute(args, plan, &mut sinks, LoadSource { control, fleet });
    let signals = signals::exit_on_next_signal();
    let finished = match result {
        Ok(finished) => finished,
        Err(diagnostics) => {
            sinks.abandon();
            return Err(diagnostics);
        }
    };
    let percentiles = args.times.percentiles.clone().unwrap_or_default().0;
    let latency_of = args.times.latency_of.unwrap_or_default();
    let settings = RunSettings { percentiles, latency_of, ..settings_of(plan, &finished) };
    let verdict = verdict_of(&finished, plan.fail_on);
    let summary = run_summary(plan, &finished, id, verdict);
    let built = Report::build(settings, &finished.aggregate, &summary, &finished.verdicts);
    let report = Arc::new(Report {
        data: exhausted_data_sets(&plan.runtime.script_context.data),
        changes: change_reports(&finished),
        samples: plan.runtime.sample_taps.get().map(samples_report),
        ..built
    });
    let mut results = sinks.finish(&report);
    let serving = std::mem::take(&mut results.serving);
    let concluded = conclude(args, &report, results, baseline, exit_of(verdict));
    linger(args, &serving, signals);
    concluded
}

/// Waits while sinks that are still read serve what they have.
fn linger(args: &RunArgs, serving: &[Box<dyn Sink>], signals: ExitOnSignal) {
    let longest = serving.iter().filter_map(|sink| sink.linger()).max();
    let Some(time) = longest.filter(|time| !time.is_zero()) else { return };
    if !args.quiet {
        let time = humantime::format_duration(Duration::from_millis(time.as_millis() as u64));
        stderr::print_line(format_args!("the last values stay readable for {time}; Ctrl-C ends the wait"));
    }
    signals.wait(time);
}

/// Shows the report of a run that is over, and returns the exit code. An output that failed hides neither the report
/// nor a run that failed: its errors decide the exit code only of a run without another.
fn conclude(
    args: &RunArgs,
    report: &Report,
    results: SinkResults,
    baseline: Option<&Baseline>,
    mut exit: Exit,
) -> Result<Exit, Diagnostics> {
    let SinkResults { missed, mut diagnostics, .. } = results;
    let show = |text: &str| if args.quiet { Ok(Exit::Success) } else { print(text.as_bytes()) };
    diagnostics.absorb(show(&report::table(report, args.times.latency.unwrap_or_default())));
    if args.verbose {
        diagnostics.absorb(show(&report::exchange_text::failed(report)));
    }
    for MissedSeconds { sink, missed, seconds } in missed {
        stderr::print_line(format_args!(
            "warning: the output `{sink}` was too slow: it missed {missed} of {seconds} seconds"
        ));
    }
    let compared =
        baseline.map(|baseline| compare::compare_with_base(baseline, report, args.times.latency_of, args.tolerance));
    let compared = compared.map(|comparison| comparison.map_err(Diagnostics::from));
    if let Some(comparison) = compared.and_then(|comparison| diagnostics.absorb(comparison)) {
        diagnostics.absorb(show(&comparison.text));
        // A worse run outranks failed requests.
        if comparison.exit != Exit::Success && matches!(exit, Exit::Success | Exit::RequestsFailed) {
            exit = comparison.exit;
        }
    }
    if exit == Exit::Success {
        return diagnostics.into_result(exit);
    }
    print_errors(&diagnostics, is_colored(&args.console));
    Ok(if exit == Exit::Interrupted { exit } else { announce(exit) })
}

/// Builds the plan of the script.
///
/// # Errors
/// Returns all errors in it.
pub(super) fn build_plan(args: &RunArgs, source: &Arc<SourceText>) -> Result<Plan, Diagnostics> {
    plan_script(args, &script::parse(source)?)
}

/// Builds the plan of a script that has been parsed.
///
/// # Errors
/// Returns all errors in it.
pub(super) fn plan_script(args: &RunArgs, script: &Script) -> Result<Plan, Diagnostics> {
    let plan = plan::build(args, script)?;
    warn_about_native(plan.native.iter().map(String::as_str));
    warn_about_dropped_path(&plan);
    viewers::warnings(&plan).iter().for_each(|warning| eprintln!("warning: {warning}"));
    Ok(plan)
}

/// Warns if relative URLs do not lead below the base URL's path: they replace it as a browser's links do, where other
/// tools put the two together.
fn warn_about_dropped_path(plan: &Plan) {
    let steps = plan.login.iter().chain(&plan.steps);
    let mut dropped = steps.filter_map(|step| Some((step.row, step.request.as_ref()?.dropped_path.as_ref()?)));
    let Some((row, path)) = dropped.next() else { return };
    let (name, more) = (&plan.rows[row as usize].name, dropped.count());
    let others = if more > 0 { format!(", nor are those of {more} more") } else { String::new() };
    eprintln!(
        "warning: the URL of `{name}` is not below the path `{path}` of the base URL{others}: end the base URL with `/`, and \
         begin URLs below it without one"
    );
}

/// Returns the settings of a run for its report. The workers of a fleet are its machines.
fn settings_of(plan: &Plan, run: &RunOutcome) -> RunSettings {
    let settings = run_settings(plan);
    match &run.remote {
        None => settings,
        Some(remote) => RunSettings {
            workers: remote.segments as usize,
            segments: Some(RunSegments { of: remote.segments, included: remote.complete.clone() }),
            ..settings
        },
    }
}

/// The makers of a run's load, and the way to change it.
struct LoadSource {
    control: RunControl,
    fleet: Option<StartFleet>,
}

/// Both ends of the requests to a run.
struct RunControl {
    sender: ControlSender,
    controller: LoadController,
    /// `true` if a sink may send some.
    has_reader: bool,
}

fn execute(
    args: &RunArgs,
    plan: &Arc<Plan>,
    sinks: &mut SinkThreads,
    source: LoadSource,
) -> Result<RunOutcome, Diagnostics> {
    let RunControl { sender, controller, has_reader } = source.control;
    let (workers, fleet) = match source.fleet {
        None => (RunWorkers::Threads, None),
        Some(start) => {
            let (remote, fleet) = start(sender.clone())?;
            (RunWorkers::Remote(remote), Some(fleet))
        }
    };
    let socket = args.control.as_deref().map(ControlSocket::create).transpose()?;
    let terminal = std::io::stderr().is_terminal();
    let is_shown = args.verbose && !args.quiet;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let finished = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        // Keys are read where their effect is shown, unless the script is read from standard input.
        let is_script = args.script_or_url().is_some_and(|path| path.as_os_str() == "-");
        let keys = (terminal && is_shown && !is_script).then(|| TerminalKeys::listen(sender.clone())).flatten();
        if keys.is_some() {
            stderr::print_line(format_args!("keys: `+` and `-` change the load by a tenth, `p` pauses, `q` stops"));
        }
        let is_controlled = keys.is_some() || socket.is_some() || has_reader || fleet.is_some();
        let control = if is_controlled { controller } else { LoadController::default() };
        let run = run::execute_on(workers, plan, control, sinks);
        runtime.block_on(async {
            match &socket {
                Some(socket) => tokio::select! {
                    finished = run => finished,
                    never = socket.serve(sender) => match never {},
                },
                None => run.await,
            }
        })
    });
    let finished = finished.map_err(|reason| Diagnostic::new("internal::run", reason))?;
    if let Some(fleet) = fleet {
        fleet.finish()?;
    }
    if let Some(doubt) = finished.remote.as_ref().and_then(|remote| remote.doubt.as_ref()) {
        stderr::print_line(format_args!("warning: the result is not conclusive: {doubt}"));
    }
    Ok(finished)
}

/// Returns the data sets that ran out of rows.
fn exhausted_data_sets(data: &DataSets) -> Vec<ExhaustedDataSet> {
    let exhausted = data.iter().filter(|set| set.exhausted_users() > 0);
    let report = |set: &DataSet| ExhaustedDataSet {
        name: set.name().into(),
        rows: set.rows() as u64,
        users: set.exhausted_users(),
    };
    exhausted.map(report).collect()
}

/// Returns the counts of a file of samples. The workers have ended, so that nothing is added to them.
fn samples_report(taps: &SampleTaps) -> SamplesReport {
    SamplesReport { share: taps.share.part(), taken: taps.counts.taken(), lost: taps.counts.lost() }
}

/// Returns the changes of the load during the run.
fn change_reports(run: &RunOutcome) -> Vec<ChangeReport> {
    let change = |change: &run::load_controller::LoadChange| {
        let (what, scale, scenario) = match &change.kind {
            LoadChangeKind::Scale(scale, scenario) => ("scale", Some(*scale), scenario.clone()),
            LoadChangeKind::Paused => ("pause", None, None),
            LoadChangeKind::Resumed => ("resume", None, None),
            LoadChangeKind::Stopped => ("stop", None, None),
        };
        ChangeReport { at_us: change.at / 1000, what: what.into(), scale, scenario }
    };
    run.changes.iter().map(change).collect()
}

fn run_summary(plan: &Plan, run: &RunOutcome, id: u64, verdict: RunVerdict) -> RunSummary {
    RunSummary {
        id,
        started_at: run.clock.wall(0),
        elapsed: run.elapsed,
        load_end: run.load_end,
        cpu_limits: run.cpu_limits,
        end_reason: run.end_reason,
        verdict,
        users_signed_in: if plan.login.is_some() { run.signed_in } else { 0 },
        users_given_up: run.gave_up,
    }
}

const fn exit_of(verdict: RunVerdict) -> Exit {
    match verdict {
        RunVerdict::Passed => Exit::Success,
        RunVerdict::Inconclusive => Exit::Inconclusive,
        RunVerdict::RequestsFailed => Exit::RequestsFailed,
        RunVerdict::SetupFailed => Exit::SetupFailed,
        RunVerdict::SignInFailed => Exit::SignInFailed,
        RunVerdict::TargetUnreached => Exit::TargetUnreached,
        RunVerdict::ThresholdsFailed => Exit::ThresholdsFailed,
        RunVerdict::Interrupted => Exit::Interrupted,
        RunVerdict::WorkerLost => Exit::Internal,
    }
}

/// Returns the verdict on a run. A failed threshold outranks everything that the report shows without it.
fn verdict_of(run: &RunOutcome, fail_on: FailOn) -> RunVerdict {
    let total = run.aggregate.total();
    let errors = total.failures() - total.err[FailureKind::Cancelled as usize];
    let fails = match fail_on {
        FailOn::Never => false,
        FailOn::AllFailed => errors > 0 && total.ok == 0,
        FailOn::AnyError => errors > 0,
    };
    let unanswered = [FailureKind::Network, FailureKind::Timeout, FailureKind::Unfinished];
    let failed = unanswered.map(|kind| total.err[kind as usize]).iter().sum::<u64>();
    match run.end_reason {
        _ if run.worker_died => RunVerdict::WorkerLost,
        EndReason::Interrupted => RunVerdict::Interrupted,
        _ if run.verdicts.iter().any(|verdict| !verdict.passed) => RunVerdict::ThresholdsFailed,
        _ if run.remote.as_ref().is_some_and(|remote| remote.doubt.is_some()) => RunVerdict::Inconclusive,
        _ if total.bytes.out == 0 && total.ok == 0 && failed > 0 => RunVerdict::TargetUnreached,
        EndReason::NoUserSignedIn => RunVerdict::SignInFailed,
        EndReason::SetupFailed => RunVerdict::SetupFailed,
        _ if fails => RunVerdict::RequestsFailed,
        EndReason::Duration | EndReason::Iterations | EndReason::Data => RunVerdict::Passed,
        EndReason::Threshold | EndReason::Stopped => RunVerdict::Passed,
    }
}

#[cfg(test)]
mod tests;
