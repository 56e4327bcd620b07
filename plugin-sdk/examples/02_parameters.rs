//! Parameters of several kinds, and a value that is rejected at its place in the script before the run begins.

use stampede_plugin::http::{Body, Request};
use stampede_plugin::{Action, ConfigError, Failure, Fields, JsonTemplate, Outcome, Task, Template, plugin};

/// The step's own keys.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The URL to send orders to.
    url: Template,
    /// Header fields.
    #[serde(default)]
    headers: Fields,
    /// The order.
    order: JsonTemplate,
    /// The number of times to send the order, 1 to 50; once if absent.
    #[serde(default = "once")]
    times: u8,
    /// The expected answer; `accepted` if absent.
    #[serde(default)]
    expect: Answer,
}

fn once() -> u8 {
    1
}

/// The answer to an order.
#[derive(Clone, Copy, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Answer {
    #[default]
    Accepted,
    Refused,
}

struct Order {
    request: Request,
    times: u8,
    status: u16,
}

impl Action for Order {
    const NAME: &'static str = "order";
    const SUMMARY: &'static str = "sends an order";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        if !(1..=50).contains(&params.times) {
            let error = ConfigError::new(format!("`times` must be from 1 to 50, got {}", params.times));
            return Err(error.at("/times").help("repeat the step to send more"));
        }
        let request = Request::builder("POST", params.url).headers(params.headers).body(Body::Json(params.order));
        let status = match params.expect {
            Answer::Accepted => 201,
            Answer::Refused => 422,
        };
        Ok(Self { request: request.prepare()?, times: params.times, status })
    }

    async fn run(&self, task: &Task) -> Outcome {
        for _ in 0..self.times {
            let status = self.request.send(task).await?.status;
            if status != self.status {
                return Err(Failure::status(format!("expected status {}, got {status}", self.status)));
            }
        }
        Ok(())
    }
}

plugin!(Order);

#[cfg(test)]
mod tests {
    use stampede_plugin::testing::{Host, Reply, SentBody, json};

    use super::*;

    #[test]
    fn the_order_is_sent_the_given_number_of_times() {
        let host =
            Host::new().renders("pick movies", &["alien", "brazil"]).reply(Reply::new(422)).reply(Reply::new(422));
        let params = json!({"url": "/", "order": {"movie": "{{pick movies}}"}, "times": 2, "expect": "refused"});
        let run = host.run::<Order>(params).expect("the parameters are right");
        let bodies: Vec<_> = run.requests.iter().map(|request| request.body.clone()).collect();
        let body = |movie: &str| SentBody::Json(format!(r#"{{"movie":"{movie}"}}"#));
        assert_eq!(bodies, [body("alien"), body("brazil")]);
        assert!(run.passed());
    }

    #[test]
    fn errors_are_reported_at_their_place() {
        let error = |params| Host::new().run::<Order>(params).expect_err("an error");
        let many = error(json!({"url": "/", "order": "{}", "times": 51}));
        assert_eq!((many.pointer.as_str(), many.message.as_str()), ("/times", "`times` must be from 1 to 50, got 51"));
        let odd = error(json!({"url": "/", "order": "{}", "expect": "maybe"}));
        assert_eq!((odd.pointer.as_str(), odd.message.as_str()), ("/expect", "unknown value `maybe`"));
    }
}
