//! `stampede-shooter`: runs a script and reports. Everything that can be wrong is found before the first request.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::compare;
use crate::cli::RunArgs;
use crate::control::{Keys, Socket};
use crate::data::{DataSet, DataSets};
use crate::diagnostic::{Diagnostic, Diagnostics, Source, reason};
use crate::exit::Exit;
use crate::metrics::sample::FailureKind;
use crate::plan::needs::Needs;
use crate::plan::{self, Plan, Scenario};
use crate::report::model::{Change, DataEnd};
use crate::report::settings::Load;
use crate::report::{self, Outcome, Output, Progress, Report, Settings};
use crate::run::control::{Changed, Control};
use crate::run::{self, EndReason, Run, shutdown};
use crate::script;
use crate::script::model::FailOn;

/// Largest script, in bytes. A script is typed by people.
const LARGEST: u64 = 16 << 20;

/// Runs the script that the arguments name.
///
/// # Errors
/// Everything that is wrong before the run, or a report that cannot be written after it.
pub fn run(args: &RunArgs) -> Result<Exit, Diagnostics> {
    let source = read(args.script.as_deref())?;
    run_source(args, &source, 1)
}

/// Runs a script that has been read already. `files_each` is how many files of this process a connection takes.
///
/// # Errors
/// As [`run`].
pub fn run_source(args: &RunArgs, source: &Arc<Source>, files_each: u64) -> Result<Exit, Diagnostics> {
    let plan = Arc::new(plan(args, source)?);
    let outputs = open(args)?;
    let baseline = match args.baseline.as_deref() {
        Some(path) => Some((path, compare::baseline(path, &plan)?)),
        None => None,
    };
    Needs::of(&plan, files_each).check()?;
    if plan.insecure_tls {
        eprintln!("warning: any TLS certificate is accepted (`--insecure-tls`): the target may be anyone");
    }
    let finished = execute(args, &plan)?;
    shutdown::end_soon();
    let built = Report::build(settings(&plan), &finished.aggregate, &outcome(&plan, &finished), &finished.verdicts);
    let report = Report { data: data_ends(&plan.scripting.data), changes: changes(&finished), ..built };
    // The table is shown even if the files cannot be written: nothing else is left of the run then.
    let written = write(outputs, &report);
    if !args.quiet {
        super::print(report::table(&report, args.latency.unwrap_or_default()).as_bytes())?;
    }
    written?;
    let mut exit = exit(&finished, plan.fail_on);
    if let Some((path, base)) = baseline {
        let (text, compared) = compare::against((path, &base), &report, args.tolerance)?;
        if !args.quiet {
            super::print(text.as_bytes())?;
        }
        // That the run was worse says more than that its requests failed.
        if compared != Exit::Done && matches!(exit, Exit::Done | Exit::Failed) {
            exit = compared;
        }
    }
    if !matches!(exit, Exit::Done | Exit::Interrupted) {
        eprintln!("error: {} (exit code {})", exit.meaning(), exit.code());
    }
    Ok(exit)
}

/// The plan of the script.
///
/// # Errors
/// Everything that is wrong with it.
pub fn plan(args: &RunArgs, source: &Arc<Source>) -> Result<Plan, Diagnostics> {
    let script = script::parse(source)?;
    let plan = plan::build(args, &script)?;
    super::warn_of_native(plan.native.iter().map(String::as_str));
    Ok(plan)
}

/// Reads a script from a file, or from standard input if it is `-`.
///
/// # Errors
/// No script was named, or it cannot be read.
pub fn read(path: Option<&Path>) -> Result<Arc<Source>, Diagnostic> {
    let path = path.ok_or_else(|| {
        Diagnostic::new("usage::script", "no script was given")
            .help("name one with `--script FILE`, or try `stampede-shooter demo`")
    })?;
    let name = path.display().to_string();
    let unreadable = |why: String| Diagnostic::new("usage::script", format!("cannot read `{name}`: {why}"));
    let reader: Box<dyn Read> = if name == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(|error| unreadable(reason(&error)))?)
    };
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(reason(&error)))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable(format!("it is not UTF-8 (at its byte {})", error.utf8_error().valid_up_to())))?;
    Ok(Arc::new(Source { name, text }))
}

/// Gets the files of `--out` ready.
///
/// # Errors
/// All that cannot be written.
pub fn open(args: &RunArgs) -> Result<Vec<Output>, Diagnostics> {
    let mut found = Diagnostics::default();
    let outputs =
        args.out.iter().filter_map(|out| found.absorb(Output::open(out).map_err(Diagnostics::from))).collect();
    found.into_result(outputs)
}

fn execute(args: &RunArgs, plan: &Arc<Plan>) -> Result<Run, Diagnostics> {
    let socket = args.control.as_deref().map(Socket::create).transpose()?;
    let terminal = std::io::stderr().is_terminal();
    let is_shown = args.verbose && !args.quiet;
    let progress = Progress::new(terminal, plan.end(), !is_shown);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let finished = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        let (asks, control) = Control::new();
        // Who sees what comes of keys may press them, unless what is typed is the script.
        let is_script = args.script.as_deref().is_some_and(|path| path.as_os_str() == "-");
        let keys = (terminal && is_shown && !is_script).then(|| Keys::listen(asks.clone())).flatten();
        if keys.is_some() {
            eprintln!("keys: `+` and `-` change the load by a tenth, `p` pauses, `q` stops");
        }
        let control = if keys.is_some() || socket.is_some() { control } else { Control::default() };
        let run = run::execute(plan, control, |snapshot, load| progress.update(snapshot, load));
        runtime.block_on(async {
            match &socket {
                Some(socket) => tokio::select! {
                    finished = run => finished,
                    never = socket.serve(asks) => match never {},
                },
                None => run.await,
            }
        })
    });
    progress.finish();
    finished.map_err(|reason| Diagnostic::new("internal::run", reason).into())
}

fn write(outputs: Vec<Output>, report: &Report) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::default();
    for output in outputs {
        if let Err(mistake) = output.write(report) {
            found.push(mistake);
        }
    }
    found.into_result(())
}

fn settings(plan: &Plan) -> Settings {
    Settings {
        script: plan.script.clone(),
        users: plan.users(),
        rps_total: plan.rps_total,
        warm_up: plan.warm_up,
        scenarios: plan.scenarios.iter().map(load).collect(),
        timeout: Duration::from_nanos(plan.timeout),
        workers: plan.workers,
        seed: plan.seed,
        insecure_tls: plan.insecure_tls,
        base_url: plan.scripting.base_url.as_ref().map(ToString::to_string),
        plugins: plan.plugin_names(),
        tool_version: env!("CARGO_PKG_VERSION").into(),
    }
}

fn load(scenario: &Scenario) -> Load {
    let workload = &scenario.workload;
    Load {
        name: scenario.name.clone(),
        model: workload.model.name().into(),
        load: plan::describe::load(workload),
        users: workload.users(),
        rps: workload.rps,
        start: workload.start,
        end: workload.end().map(Duration::from_nanos),
        graceful_stop: workload.graceful_stop,
    }
}

/// The data sets that ran out.
fn data_ends(data: &DataSets) -> Vec<DataEnd> {
    let ended = data.iter().filter(|set| set.users_ended() > 0);
    let end = |set: &DataSet| DataEnd { name: set.name().into(), rows: set.rows() as u64, users: set.users_ended() };
    ended.map(end).collect()
}

/// What was changed while it ran.
fn changes(run: &Run) -> Vec<Change> {
    let change = |change: &run::control::Change| {
        let (what, scale, scenario) = match &change.what {
            Changed::Scale(scale, scenario) => ("scale", Some(*scale), scenario.clone()),
            Changed::Paused => ("pause", None, None),
            Changed::Resumed => ("resume", None, None),
            Changed::Stopped => ("stop", None, None),
        };
        Change { at_us: change.at / 1000, what: what.into(), scale, scenario }
    };
    run.changes.iter().map(change).collect()
}

fn outcome(plan: &Plan, run: &Run) -> Outcome {
    Outcome {
        started_at: run.clock.wall(0),
        elapsed: run.elapsed,
        ended: run.ended,
        users_signed_in: if plan.login.is_some() { run.walked } else { 0 },
        users_given_up: run.gave_up,
    }
}

/// How the process ends. What a threshold says comes before what the report says anyway.
fn exit(run: &Run, fail_on: FailOn) -> Exit {
    let total = run.aggregate.total();
    let errors = total.failures() - total.err[FailureKind::Cancelled as usize];
    let fails = match fail_on {
        FailOn::Never => false,
        FailOn::AllFailed => errors > 0 && total.ok == 0,
        FailOn::AnyError => errors > 0,
    };
    let failed = [FailureKind::Network, FailureKind::Timeout].map(|kind| total.err[kind as usize]).iter().sum::<u64>();
    match run.ended {
        _ if run.broken => Exit::Internal,
        EndReason::Interrupted => Exit::Interrupted,
        _ if run.verdicts.iter().any(|verdict| !verdict.passed) => Exit::Thresholds,
        _ if total.bytes.out == 0 && total.ok == 0 && failed > 0 => Exit::Unreached,
        EndReason::NoUserSignedIn => Exit::NoLogin,
        EndReason::SetupFailed => Exit::Setup,
        _ if fails => Exit::Failed,
        EndReason::Duration | EndReason::Iterations | EndReason::Data => Exit::Done,
        EndReason::Threshold | EndReason::Stopped => Exit::Done,
    }
}
