//! The `challenge-rust` action: asks for a nonce, and answers with its checksum under a shared key.

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::{DynamicRequest, Options, Request};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The parameters of a step.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The URL that gives the nonce (GET) and takes the answer (POST).
    url: Template,
    /// The shared key.
    key: Template,
    /// The number of digits of the checksum to send, 1 to 8; all if absent.
    #[serde(default = "all")]
    digits: usize,
}

fn all() -> usize {
    8
}

/// One configured step.
pub struct Challenge {
    params: Params,
    ask: Request,
}

impl Action for Challenge {
    const NAME: &'static str = "challenge-rust";
    const SUMMARY: &'static str = "answers a challenge, in Rust";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        if !(1..=8).contains(&params.digits) {
            let message = format!("`digits` must be from 1 to 8, got {}", params.digits);
            return Err(ConfigError::new(message).at("/digits"));
        }
        let options = Options { keep_body: true, ..Options::default() };
        let ask = Request::get(params.url).options(options).prepare()?;
        Ok(Self { params, ask })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let asked = self.ask.send(task).await?;
        if asked.status != 200 {
            return Err(Failure::status(format!("expected a nonce with status 200, got {}", asked.status)));
        }
        let nonce = asked.text();
        if nonce.is_empty() {
            return Err(Failure::protocol("the nonce is empty"));
        }
        let sum = format!("{:08x}", checksum(format!("{nonce}{}", self.params.key.render(task)).as_bytes()));
        let body = format!("{nonce} {}", &sum[..self.params.digits]).into_bytes();
        let (method, url) = ("POST".to_owned(), self.params.url.render(task));
        let answer = DynamicRequest { method, url, body, ..DynamicRequest::default() };
        match answer.send(task).await?.status {
            204 => Ok(()),
            403 => Err(Failure::check("the answer was refused")),
            status => Err(Failure::status(format!("expected status 204, got {status}"))),
        }
    }
}

/// Computes FNV-1a (32 bits).
fn checksum(data: &[u8]) -> u32 {
    data.iter().fold(0x811c_9dc5, |value, byte| (value ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

plugin!(Challenge);
