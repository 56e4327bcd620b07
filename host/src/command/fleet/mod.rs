//! `fleet`: many machines as one run.

mod local;
mod manifest;
mod node;
mod operator;
mod run;
mod run_name;

use stampede_fleet::OperatorRequest;

use crate::cli::{FleetArgs, FleetCommand};
use crate::diagnostic::Diagnostics;
use crate::exit::Exit;

/// Carries out a command about fleets.
///
/// # Errors
/// Those of the command.
pub(super) fn fleet(args: &FleetArgs) -> Result<Exit, Diagnostics> {
    match &args.command {
        FleetCommand::Run(args) => run::run(args),
        FleetCommand::Node(args) => node::node(args),
        FleetCommand::Local(args) => local::local(args),
        FleetCommand::Status(args) => operator::ask(args, OperatorRequest::Status),
        FleetCommand::Stop(args) => operator::ask(args, OperatorRequest::Stop),
        FleetCommand::Pause(args) => operator::ask(args, OperatorRequest::Pause),
        FleetCommand::Resume(args) => operator::ask(args, OperatorRequest::Resume),
        FleetCommand::Scale(args) => operator::scale(args),
        FleetCommand::Manifest(args) => manifest::manifest(args),
    }
}
