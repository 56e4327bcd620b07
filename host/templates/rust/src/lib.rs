//! The `{{action}}` action: fetches a page and expects a status and a text.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::{Options, Request};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The step's own keys. `stampede-shooter plugins --script script.yml` shows their comments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The page, absolute or relative to the script's `base_url`.
    url: Template,
    /// The expected status; 200 if absent.
    #[serde(default = "ok")]
    status: u16,
    /// The text that the page must contain.
    text: Template,
}

fn ok() -> u16 {
    200
}

/// One configured step; all virtual users of a thread share it.
pub struct Page {
    request: Request,
    status: u16,
    text: Template,
}

impl Action for Page {
    const NAME: &'static str = "{{action}}";
    const SUMMARY: &'static str = "fetches a page and expects a text in it";
    type Params = Params;

    /// Checks the parameters, once per step, before the run.
    fn configure(params: Params) -> Result<Self, ConfigError> {
        if !(100..=599).contains(&params.status) {
            let error = ConfigError::new(format!(
                "`status` must be from 100 to 599, got {}",
                params.status
            ));
            return Err(error.at("/status"));
        }
        // The body is kept because `run` searches it.
        let options = Options {
            keep_body: true,
            ..Options::default()
        };
        let request = Request::get(params.url).options(options).prepare()?;
        Ok(Self {
            request,
            status: params.status,
            text: params.text,
        })
    }

    /// Runs the step for one user. `?` passes on a failure that the load runner found, such as a refused connection.
    async fn run(&self, task: &Task) -> Outcome {
        let text = self.text.render(task);
        let reply = self.request.send(task).await?;
        if reply.status != self.status {
            return Err(Failure::status(format!(
                "expected status {}, got {}",
                self.status, reply.status
            )));
        }
        if !reply.text().contains(&text) {
            return Err(Failure::check(format!("expected `{text}` in the page")));
        }
        Ok(())
    }
}

plugin!(Page);

#[cfg(test)]
mod tests {
    use stampede_plugin::testing::{Host, Reply, Run, json};

    use super::*;

    /// Runs the step once against a reply.
    fn page(reply: Reply) -> Run {
        let host = Host::new().variable("who", "Ann").reply(reply);
        host.run::<Page>(json!({"url": "/hello", "text": "hello {{var who}}"}))
            .expect("the parameters are right")
    }

    #[test]
    fn a_page_with_the_text_passes() {
        let run = page(Reply::new(200).body("<p>hello Ann</p>"));
        assert_eq!(run.requests[0].url, "/hello");
        assert_eq!(run.failure, None);
    }

    #[test]
    fn another_text_or_status_fails() {
        let other = page(Reply::new(200).body("<p>hello Bob</p>"));
        assert_eq!(
            other.failure,
            Some(Failure::check("expected `hello Ann` in the page"))
        );
        assert_eq!(
            page(Reply::new(404)).failure,
            Some(Failure::status("expected status 200, got 404"))
        );
    }

    #[test]
    fn an_invalid_status_is_rejected() {
        let error = Host::new()
            .run::<Page>(json!({"url": "/", "text": "", "status": 42}))
            .expect_err("no status");
        assert_eq!(
            (error.pointer.as_str(), error.message.as_str()),
            ("/status", "`status` must be from 100 to 599, got 42")
        );
    }
}
