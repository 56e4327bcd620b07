//! Overrides the load of a script with flags.

use crate::cli::RunArgs;
use crate::script::model::{LoadSpec, Setting};

/// Overrides the keys of a script with the flags. A flag that selects another model than the script removes the keys of
/// the script's model: `--users 5 --duration 10s` tries out a script with stages.
pub(crate) fn with_flags(mut spec: LoadSpec, args: &RunArgs) -> LoadSpec {
    if args.users.is_some() || args.iterations.is_some() {
        spec.retain(&["users", "duration", "iterations", "shared_iterations", "ramp_up"]);
    }
    if args.iterations.is_some() {
        spec.shared_iterations = None;
    }
    if args.arrival_rate.is_some() {
        spec.retain(&["arrival_rate", "duration", "arrivals", "max_users", "max_wait"]);
    }
    if args.stages.is_some() {
        spec.retain(&["stages"]);
    }
    if args.duration.is_some() {
        spec.stages = None;
    }
    put(&mut spec.users, args.users);
    put(&mut spec.duration, args.duration);
    put(&mut spec.iterations, args.iterations);
    put(&mut spec.ramp_up, args.ramp_up);
    put(&mut spec.stages, args.stages.as_ref().map(|stages| stages.0.clone()));
    put(&mut spec.arrival_rate, args.arrival_rate);
    put(&mut spec.max_users, args.max_users);
    spec
}

fn put<T>(setting: &mut Option<Setting<T>>, flag: Option<T>) {
    if let Some(value) = flag {
        *setting = Some(Setting { value, span: None });
    }
}

/// Returns the first flag that sets how much load there is.
pub(crate) fn load_flag(args: &RunArgs) -> Option<&'static str> {
    let flags = [
        ("--users", args.users.is_some()),
        ("--iterations", args.iterations.is_some()),
        ("--ramp-up", args.ramp_up.is_some()),
        ("--stages", args.stages.is_some()),
        ("--arrival-rate", args.arrival_rate.is_some()),
        ("--max-users", args.max_users.is_some()),
    ];
    flags.into_iter().find_map(|(name, is_given)| is_given.then_some(name))
}
