//! The `greet` action: asks a site to greet someone, and expects the name in the answer.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::{DynamicRequest, Options};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The parameters of `greet`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The page that greets; `?name=…` is appended.
    url: Template,
    /// The name to greet.
    who: Template,
}

/// One configured step.
pub struct Greet(Params);

impl Action for Greet {
    const NAME: &'static str = "greet";
    const SUMMARY: &'static str = "asks for a greeting and expects the name in it";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Ok(Self(params))
    }

    async fn run(&self, task: &Task) -> Outcome {
        // Rendered once: `{{pick names}}` would name someone else the second time.
        let who = self.0.who.render(task);
        let url = format!("{}?name={}", self.0.url.render(task), percent_encoded(&who));
        let options = Options { keep_body: true, ..Options::default() };
        let reply = DynamicRequest { options, ..DynamicRequest::get(url) }.send(task).await?;
        match reply.status {
            200 if reply.text().contains(&who) => Ok(()),
            200 => Err(Failure::check(format!("expected a greeting for `{who}`"))),
            status => Err(Failure::status(format!("expected status 200, got {status}"))),
        }
    }
}

/// Percent-encodes all but the unreserved characters (RFC 3986 section 2.1).
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

plugin!(Greet);

#[cfg(test)]
mod tests {
    use stampede_plugin::FailureKind;
    use stampede_plugin::testing::{Host, Reply, Run, json};

    use super::*;

    fn greet(reply: Reply) -> Run {
        let host = Host::new().renders("pick names", &["Ann Lee", "Bob"]).reply(reply);
        host.run::<Greet>(json!({"url": "/hello", "who": "{{pick names}}"})).expect("the parameters are right")
    }

    #[test]
    fn the_name_goes_out_and_comes_back() {
        let run = greet(Reply::new(200).body("hello Ann Lee"));
        assert_eq!(run.requests[0].url, "/hello?name=Ann%20Lee");
        assert!(run.passed());
    }

    #[test]
    fn another_name_fails_the_check() {
        let run = greet(Reply::new(200).body("hello Bob"));
        assert_eq!(run.failure, Some(Failure::check("expected a greeting for `Ann Lee`")));
    }

    #[test]
    fn another_status_fails_too() {
        assert_eq!(greet(Reply::new(500)).failure.map(|failure| failure.kind()), Some(FailureKind::Status));
    }
}
