//! The `get-rust` action: one prepared request, and a check of its status. The rest of its cost is that of the
//! language.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::Request;
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The parameters of a step.
#[derive(Deserialize, JsonSchema)]
pub struct Params {
    url: Template,
}

/// One configured step.
pub struct Get(Request);

impl Action for Get {
    const NAME: &'static str = "get-rust";
    const SUMMARY: &'static str = "sends a request";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Ok(Self(Request::get(params.url).prepare()?))
    }

    async fn run(&self, task: &Task) -> Outcome {
        match self.0.send(task).await?.status {
            200 => Ok(()),
            status => Err(Failure::status(format!("expected status 200, got {status}"))),
        }
    }
}

plugin!(Get);
