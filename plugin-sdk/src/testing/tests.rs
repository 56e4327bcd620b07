//! The fake host itself, through an action that uses all of it.

use std::time::Duration;

use super::{Host, Reply, json};
use crate::http::{DynamicRequest, Options, Request};
use crate::{Action, ConfigError, Failure, FailureKind, Outcome, Task, Template, UserId, log};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Params {
    /// Fetched twice at once.
    url: Template,
}

struct Tour {
    url: Template,
    request: Request,
}

impl Action for Tour {
    const NAME: &'static str = "tour";
    const SUMMARY: &'static str = "uses every capability";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        let options = Options { keep_body: true, ..Options::default() };
        Ok(Self { url: params.url, request: Request::get(params.url).options(options).prepare()? })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let user = task.user();
        let (slow, fast) = (self.request.send(task), self.request.send(task));
        let slow = slow.await?;
        user.set_variable("slow", &format!("{} {} {:?}", slow.status, slow.text(), slow.duration));
        let fast = fast.await?;
        user.set_variable("fast", &fast.header("X-Kind").unwrap_or_default());
        task.sleep(Duration::from_secs(1)).await;
        let next = format!("{}/{}/{}/{}", self.url.render(task), user.id(), user.iteration(), user.random());
        DynamicRequest::get(next).send(task).await?;
        user.set_header("authorization", &user.variable("token").unwrap_or_default())?;
        log::info(&format!("{:?}", task.now()));
        Err(Failure::protocol("the end"))
    }

    fn forget_user(&self, _user: UserId) {}
}

#[test]
fn time_goes_to_what_completes_next_and_everything_is_recorded() {
    let host = Host::new()
        .renders("uuid", &["a", "b", "c"])
        .reply(Reply::new(200).body("hello").after(Duration::from_millis(30)))
        .reply(Reply::new(201).header("x-kind", "quick").after(Duration::from_millis(10)))
        .reply(Reply::new(204).captures("token", "t"));
    let run = host.run::<Tour>(json!({"url": "/{{uuid}}"})).expect("configured");
    let urls: Vec<_> = run.requests.iter().map(|request| request.url.as_str()).collect();
    assert_eq!(urls, ["/a", "/b", "/c/0/0/0"]);
    assert_eq!(run.variable("slow"), Some("200 hello 30ms"));
    assert_eq!(run.variable("fast"), Some("quick"));
    assert_eq!(run.user_headers, [("authorization".to_owned(), "t".to_owned())]);
    assert_eq!(run.log, ["1.03s"]);
    assert_eq!(run.elapsed, Duration::from_millis(1030));
    assert_eq!(run.failure, Some(Failure::protocol("the end")));
}

#[test]
fn a_failed_exchange_ends_the_task_by_the_question_mark() {
    let host = Host::new().reply(Reply::failed(FailureKind::Network)).reply(Reply::new(200));
    let run = host.run::<Tour>(json!({"url": "/"})).expect("configured");
    assert_eq!(run.failure.expect("no reply").kind(), FailureKind::Network);
    assert_eq!(run.requests.len(), 2);
}

/// Waits for something that never comes.
struct Stuck;

impl Action for Stuck {
    const NAME: &'static str = "stuck";
    const SUMMARY: &'static str = "waits for ever";
    type Params = Option<u8>;

    fn configure(_: Option<u8>) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    async fn run(&self, _: &Task) -> Outcome {
        std::future::pending().await
    }
}

#[test]
fn waiting_with_nothing_in_flight_is_the_plugins_fault() {
    let run = Host::new().run::<Stuck>("null").expect("configured");
    assert_eq!(run.failure.expect("stuck").kind(), FailureKind::Plugin);
}
