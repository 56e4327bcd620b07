//! `fleet run`: a run whose load other machines make.

use std::sync::Arc;
use std::time::Duration;

use stampede_fleet::RunId;

use super::run_name::{random_id, run_id};
use crate::cli::{BusArgs, FleetDivisionArgs, FleetRunArgs, RunArgs};
use crate::command::definition::definition;
use crate::command::run::{RunParts, plan_script, run_plan};
use crate::command::{compare, source};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::machines::{Bundle, FleetOptions, FleetRun, travelling};
use crate::script;
use crate::sinks::threads::QUEUE_SECONDS;
use crate::sinks::{self, SINKS};
use crate::stderr;

/// The wait for machines if none is given.
const WAIT: Duration = Duration::from_secs(300);

/// Runs a script on the machines that come for it.
///
/// # Errors
/// All errors found before the run, or those of its outputs.
pub(super) fn run(args: &FleetRunArgs) -> Result<Exit, Diagnostics> {
    let id = match &args.id {
        Some(id) => run_id(id)?,
        None => random_id()?,
    };
    if !args.run.quiet {
        let (name, bus) = (crate::cli::NAME, args.bus.nats.as_deref().map(|url| format!(" --nats {url}")));
        stderr::print_line(format_args!(
            "waiting for {} machines: {name} fleet node{} --run {id}",
            args.division.nodes,
            bus.unwrap_or_default()
        ));
    }
    lead(&args.run, &args.division, args.bus.clone(), id)
}

/// Plans a run as for one machine, and leads it.
///
/// # Errors
/// As [`run`].
pub(super) fn lead(args: &RunArgs, division: &FleetDivisionArgs, bus: BusArgs, id: RunId) -> Result<Exit, Diagnostics> {
    if args.division.segment.is_some() {
        let error = Diagnostic::new("usage::fleet", "a fleet divides the run itself, and takes no `--segment`");
        return Err(error.help("machines take it: `stampede-shooter fleet node --segment 2/3`").into());
    }
    let source = source::of_run(args)?;
    let script = script::parse(&source)?;
    let mut args = args.clone();
    let mut flags = typed_flags()?;
    // All machines draw from the same seed.
    if args.seed.is_some() || script.settings.seed.is_none() {
        let seed = *args.seed.get_or_insert_with(rand::random);
        flags.push(format!("--seed={seed}"));
    }
    let plan = Arc::new(plan_script(&args, &script)?);
    let bundle = Bundle::collect(&source, &args, flags)?;
    let sinks = sinks::open(SINKS, &args, &plan)?;
    let baseline = args.baseline.as_deref().map(|path| compare::read_baseline(path, &plan)).transpose()?;
    let options = FleetOptions {
        bus,
        run: id,
        nodes: division.nodes,
        wait: division.wait.unwrap_or(WAIT),
        tolerated_loss: division.tolerate_loss,
        needs_precise_clocks: !division.any_clock,
        is_quiet: args.quiet,
    };
    let led = Arc::clone(&plan);
    let fleet = Box::new(move |control| FleetRun::start(options, &led, bundle, control));
    let parts = RunParts { baseline: baseline.as_ref(), sinks, queue_seconds: QUEUE_SECONDS, fleet: Some(fleet) };
    run_plan(&args, &plan, parts)
}

/// Returns the flags of this process that shape the load.
fn typed_flags() -> Result<Vec<String>, Diagnostic> {
    let mut definition = definition();
    let matches = definition.clone().get_matches();
    let mut matches = &matches;
    // They are those of `fleet run` or `fleet local`.
    definition.build();
    let mut command = &definition;
    while let Some((name, inner)) = matches.subcommand() {
        let Some(found) = command.find_subcommand(name) else { break };
        (command, matches) = (found, inner);
    }
    travelling(command, matches)
}
