//! One request, prepared before the run, and a check of its reply.

use stampede_plugin::http::Request;
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The step's own keys.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The URL to fetch.
    url: Template,
}

struct Ping(Request);

impl Action for Ping {
    const NAME: &'static str = "ping";
    const SUMMARY: &'static str = "fetches a page and expects status 200";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Request::get(params.url).prepare().map(Self)
    }

    async fn run(&self, task: &Task) -> Outcome {
        match self.0.send(task).await?.status {
            200 => Ok(()),
            status => Err(Failure::status(format!("expected status 200, got {status}"))),
        }
    }
}

plugin!(Ping);

#[cfg(test)]
mod tests {
    use stampede_plugin::testing::{Host, Reply, json};

    use super::*;

    #[test]
    fn the_page_is_fetched_and_its_status_checked() {
        for (status, failure) in [(200, None), (404, Some(Failure::status("expected status 200, got 404")))] {
            let host = Host::new().variable("page", "7").reply(Reply::new(status));
            let run = host.run::<Ping>(json!({"url": "https://site/{{var page}}"})).expect("the parameters are right");
            assert_eq!(run.requests[0].url, "https://site/7");
            assert_eq!(run.failure, failure);
        }
    }
}
