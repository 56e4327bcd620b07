//! The `{{action}}` action: reads a reply as it arrives, such as an event stream, until a text is in it.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::Request;
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The most bytes that are searched.
const LONGEST: usize = 1 << 20;

/// The step's own keys. `stampede-shooter plugins --script script.yml` shows their comments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The stream, absolute or relative to the script's `base_url`.
    url: Template,
    /// The text that ends the step.
    until: Template,
}

/// One configured step; all virtual users of a thread share it.
pub struct Watch {
    request: Request,
    until: Template,
}

impl Action for Watch {
    const NAME: &'static str = "{{action}}";
    const SUMMARY: &'static str = "reads a stream until a text comes";
    type Params = Params;

    /// Checks the parameters, once per step, before the run.
    fn configure(params: Params) -> Result<Self, ConfigError> {
        Ok(Self {
            request: Request::get(params.url).prepare()?,
            until: params.until,
        })
    }

    /// Runs the step for one user. `?` passes on a failure that the load runner found, such as a refused connection.
    /// A stream without an end is cut off when it is dropped.
    async fn run(&self, task: &Task) -> Outcome {
        let until = self.until.render(task);
        let stream = self.request.open(task, &[]);
        let status = stream.head().await?;
        if status != 200 {
            return Err(Failure::status(format!("expected status 200, got {status}")));
        }
        let mut content = Vec::new();
        loop {
            let piece = stream.read().await?;
            let is_over = piece.is_empty() || content.len() > LONGEST;
            content.extend(piece);
            if String::from_utf8_lossy(&content).contains(&until) {
                return Ok(());
            }
            if is_over {
                return Err(Failure::check(format!("the stream ended without `{until}`")));
            }
        }
    }
}

plugin!(Watch);

#[cfg(test)]
mod tests {
    use stampede_plugin::testing::{Host, Reply, Run, json};

    use super::*;

    /// Runs the step once against a reply.
    fn watch(reply: Reply) -> Run {
        let params = json!({"url": "/events", "until": "tick"});
        let host = Host::new().reply(reply);
        host.run::<Watch>(params).expect("the parameters are right")
    }

    #[test]
    fn the_text_ends_the_step() {
        let run = watch(Reply::new(200).body("data: tick\n\n"));
        assert_eq!(run.failure, None);
    }

    #[test]
    fn an_end_or_another_status_fails() {
        let ended = watch(Reply::new(200).body("data: tock\n\n"));
        let expected = Failure::check("the stream ended without `tick`");
        assert_eq!(ended.failure, Some(expected));
        let missing = watch(Reply::new(404)).failure;
        assert_eq!(
            missing,
            Some(Failure::status("expected status 200, got 404"))
        );
    }
}
