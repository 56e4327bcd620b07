//! Two requests at once, as a browser loads a page and its data.

use stampede_plugin::future::try_join;
use stampede_plugin::http::{Reply, Request};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The step's own keys.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The page.
    page: Template,
    /// The data that the page loads meanwhile.
    data: Template,
}

struct Visit {
    page: Request,
    data: Request,
}

impl Action for Visit {
    const NAME: &'static str = "visit";
    const SUMMARY: &'static str = "loads a page and its data at once";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Ok(Self { page: Request::get(params.page).prepare()?, data: Request::get(params.data).prepare()? })
    }

    async fn run(&self, task: &Task) -> Outcome {
        // Both are in flight before the first reply arrives.
        try_join(load(&self.page, task), load(&self.data, task)).await?;
        Ok(())
    }
}

/// Loads a resource, and tries once more if it is not ready yet (status 202).
async fn load<'t>(request: &Request, task: &'t Task) -> Result<Reply<'t>, Failure> {
    let mut reply = request.send(task).await?;
    if reply.status == 202 {
        reply = request.send(task).await?;
    }
    match reply.status {
        200 => Ok(reply),
        status => Err(Failure::status(format!("expected status 200, got {status}"))),
    }
}

plugin!(Visit);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stampede_plugin::testing::{GivenUp, Host, Reply, Run, json};

    use super::*;

    const MOMENT: Duration = Duration::from_millis(10);

    fn visit(host: Host) -> Run {
        host.run::<Visit>(json!({"page": "/page", "data": "/data"})).expect("the parameters are right")
    }

    #[test]
    fn both_take_no_longer_than_the_longer_one() {
        let page = Reply::new(200).after(5 * MOMENT);
        let (later, data) = (Reply::new(202).after(MOMENT), Reply::new(200).after(MOMENT));
        let run = visit(Host::new().reply(page).reply(later).reply(data));
        let urls: Vec<_> = run.requests.iter().map(|request| request.url.as_str()).collect();
        assert_eq!(urls, ["/page", "/data", "/data"]);
        assert_eq!((run.failure, run.elapsed), (None, 5 * MOMENT));
    }

    #[test]
    fn the_first_failure_gives_the_other_request_up() {
        let run = visit(Host::new().reply(Reply::new(200).after(5 * MOMENT)).reply(Reply::new(500).after(MOMENT)));
        assert_eq!(run.failure, Some(Failure::status("expected status 200, got 500")));
        assert_eq!((run.given_up, run.elapsed), (vec![GivenUp::Exchange], MOMENT));
    }
}
