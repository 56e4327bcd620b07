//! A time limit, and a race: a second mirror is asked when the first one takes too long, and the faster one wins.

use std::time::Duration;

use stampede_plugin::future::{Either, select};
use stampede_plugin::http::{Reply, Request};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The time after which the second mirror is asked.
const PATIENCE: Duration = Duration::from_millis(100);

/// The time limit of both together.
const LIMIT: Duration = Duration::from_secs(1);

/// The step's own keys.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The mirror to ask first.
    mirror: Template,
    /// The mirror to ask if the first one is slow.
    other: Template,
}

struct Hedge {
    mirror: Request,
    other: Request,
}

impl Action for Hedge {
    const NAME: &'static str = "hedge";
    const SUMMARY: &'static str = "asks a second mirror when the first is slow";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Ok(Self { mirror: Request::get(params.mirror).prepare()?, other: Request::get(params.other).prepare()? })
    }

    async fn run(&self, task: &Task) -> Outcome {
        // The first `?` is about the time, the second about the exchange.
        let reply = task.timeout(LIMIT, self.faster(task)).await??;
        match reply.status {
            200 => Ok(()),
            status => Err(Failure::status(format!("expected status 200, got {status}"))),
        }
    }
}

impl Hedge {
    async fn faster<'t>(&self, task: &'t Task) -> Result<Reply<'t>, Failure> {
        // A sleep that loses is dropped, which gives it up; an exchange that loses goes on.
        let first = match select(self.mirror.send(task), task.sleep(PATIENCE)).await {
            Either::Left((reply, _)) => return reply,
            Either::Right(((), first)) => first,
        };
        match select(first, self.other.send(task)).await {
            Either::Left((reply, _)) | Either::Right((reply, _)) => reply,
        }
    }
}

plugin!(Hedge);

#[cfg(test)]
mod tests {
    use stampede_plugin::testing::{GivenUp, Host, Reply, Run, json};

    use super::*;

    /// Runs a step whose two mirrors take these milliseconds.
    fn hedge(mirror: u64, other: u64) -> Run {
        let after = |milliseconds| Reply::new(200).after(Duration::from_millis(milliseconds));
        let host = Host::new().reply(after(mirror)).reply(after(other));
        host.run::<Hedge>(json!({"mirror": "/a", "other": "/b"})).expect("the parameters are right")
    }

    #[test]
    fn the_faster_one_wins_and_the_slower_one_is_given_up() {
        let cases = [
            ((50, 10), 1, 50, vec![GivenUp::Sleep, GivenUp::Sleep]),
            ((150, 200), 2, 150, vec![GivenUp::Exchange, GivenUp::Sleep]),
            ((300, 20), 2, 120, vec![GivenUp::Exchange, GivenUp::Sleep]),
        ];
        for ((mirror, other), requests, elapsed, given_up) in cases {
            let run = hedge(mirror, other);
            assert_eq!((run.requests.len(), run.elapsed), (requests, Duration::from_millis(elapsed)));
            assert_eq!((run.failure, run.given_up), (None, given_up));
        }
    }

    #[test]
    fn both_together_have_a_second() {
        let run = hedge(5000, 5000);
        assert_eq!(run.failure.as_ref().map(Failure::detail), Some("expected a result within 1s, got none"));
        assert_eq!(run.given_up, [GivenUp::Exchange, GivenUp::Exchange]);
    }
}
