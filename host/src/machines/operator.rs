//! Requests of a person to a run that another process leads.

use std::time::Duration;

use futures_util::StreamExt;
use stampede_fleet::{
    Ask, Channel, MAX_ANSWER, NodeName, OperatorAnswer, OperatorRequest, RunId, read_message, write_message,
};
use tokio::time::timeout;

use super::bus::Bus;
use super::machine::machine_name;
use crate::cli::BusArgs;
use crate::diagnostic::Diagnostic;

/// The number of times that a request is sent, and the wait for each answer.
const TRIES: usize = 5;
const WAIT: Duration = Duration::from_secs(1);

/// Asks the coordinator of a run for something.
///
/// # Errors
/// NATS cannot be reached, no coordinator answers, or it does not do it.
pub(crate) fn ask(args: &BusArgs, run: RunId, request: OperatorRequest) -> Result<OperatorAnswer, Diagnostic> {
    let failed = |error: std::io::Error| Diagnostic::new("internal::run", error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let name = run.to_string();
        let bus = Bus::connect(args, run, || {}).await?;
        let own = NodeName::of_process(&machine_name(), rand::random());
        let mut answers = bus.subscribe(bus.subjects.to(&own)).await?;
        // The server must know of the subscription before the request comes to it.
        bus.flush().await;
        let subject = bus.subjects.from(Channel::Ask, &own);
        let payload = write_message(&Ask { from: own, request });
        for _ in 0..TRIES {
            bus.publish(subject.clone(), payload.clone());
            let Ok(Some(answer)) = timeout(WAIT, answers.next()).await else { continue };
            return match read_message(&answer.payload, MAX_ANSWER) {
                Ok(OperatorAnswer::Refused(reason)) => {
                    Err(Diagnostic::new("usage::fleet", format!("not done by the run `{name}`: {reason}")))
                }
                Ok(answer) => Ok(answer),
                Err(error) => Err(Diagnostic::new("fleet::coordinator", error.to_string())),
            };
        }
        Err(Diagnostic::new("fleet::coordinator", format!("no coordinator of the run `{name}` answers"))
            .help("it answers from `fleet run` on, until its report is made"))
    })
}
