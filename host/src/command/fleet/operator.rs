//! `fleet status|stop|scale|pause|resume`: requests to a run that another process leads.

use stampede_fleet::{OperatorAnswer, OperatorRequest, RunStage};

use super::run_name::run_id;
use crate::cli::{FleetAskArgs, FleetScaleArgs};
use crate::command::output::print;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::exit::Exit;
use crate::machines;

/// The greatest scale.
const MAX_SCALE: f64 = 10.0;

/// Asks a run for something, and prints the answer as a line of JSON.
///
/// # Errors
/// The run does not answer, or does not do it.
pub(super) fn ask(args: &FleetAskArgs, request: OperatorRequest) -> Result<Exit, Diagnostics> {
    let answer = machines::ask(&args.bus, run_id(&args.id)?, request)?;
    print(format!("{}\n", shown(&answer)).as_bytes())
}

/// Asks a run for another load.
///
/// # Errors
/// As [`ask`], or there is no such load.
pub(super) fn scale(args: &FleetScaleArgs) -> Result<Exit, Diagnostics> {
    if !(0.0..=MAX_SCALE).contains(&args.scale) {
        return Err(Diagnostic::new("usage::fleet", format!("a scale is from 0 to {MAX_SCALE}")).into());
    }
    ask(&args.ask, OperatorRequest::Scale((args.scale * 1_000.0).round() as u32))
}

fn shown(answer: &OperatorAnswer) -> serde_json::Value {
    let seconds = |time: u64| time as f64 / 1e9;
    match answer {
        OperatorAnswer::Status(status) => serde_json::json!({
            "stage": match status.stage {
                RunStage::Gathering => "gathering",
                RunStage::Started => "started",
                RunStage::Finished => "finished",
            },
            "elapsed_s": status.age.map(seconds),
            "end_s": seconds(status.end),
            "segments": status.segments,
            "ready": status.ready,
            "running": status.running,
            "lost": status.lost,
            "ended": status.ended,
            "missing": status.missing.iter().map(|segment| segment + 1).collect::<Vec<_>>(),
            "refused": status.refused.iter().map(|it| format!("{}: {}", it.node, it.reason)).collect::<Vec<_>>(),
            "scale": status.steering.map_or(1.0, |steering| f64::from(steering.scale_permille) / 1_000.0),
            "paused": status.steering.is_some_and(|steering| steering.is_paused),
            "in_flight": status.in_flight,
            "drift_us": status.drift / 1_000,
        }),
        OperatorAnswer::Done { at } => serde_json::json!({"at_s": seconds(*at)}),
        OperatorAnswer::Refused(reason) => serde_json::json!({"error": reason}),
    }
}
