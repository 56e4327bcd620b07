//! The fake host itself, through an action that uses all of it.

use std::time::Duration;

use super::{GivenUp, Host, Reply, json};
use crate::http::{DynamicRequest, Options, Request};
use crate::metric::{Counter, Gauge, Rate, Trend};
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
fn time_advances_to_the_next_completion_and_everything_is_recorded() {
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

/// Waits forever, with nothing in flight.
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

/// Sends one request with a time limit, and drops another.
struct Hurry(Request);

impl Action for Hurry {
    const NAME: &'static str = "hurry";
    const SUMMARY: &'static str = "waits no longer than a second";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Request::get(params.url).prepare().map(Self)
    }

    async fn run(&self, task: &Task) -> Outcome {
        drop(self.0.send(task));
        task.timeout(Duration::from_secs(1), self.0.send(task)).await??;
        Ok(())
    }
}

fn hurry(after: Duration) -> super::Run {
    let host = Host::new().reply(Reply::new(200).after(after)).reply(Reply::new(200).after(after));
    host.run::<Hurry>(json!({"url": "/"})).expect("configured")
}

#[test]
fn a_late_exchange_is_given_up_and_so_is_the_timer_of_one_in_time() {
    let in_time = hurry(Duration::from_secs(1));
    assert_eq!((in_time.failure, in_time.elapsed), (None, Duration::from_secs(1)));
    assert_eq!(in_time.given_up, [GivenUp::Exchange, GivenUp::Sleep]);
    let late = hurry(Duration::from_millis(1001));
    let expected = Failure::new(FailureKind::Timeout, "expected a result within 1s, got none");
    assert_eq!((late.failure, late.elapsed), (Some(expected), Duration::from_secs(1)));
    assert_eq!(late.given_up, [GivenUp::Exchange, GivenUp::Exchange]);
}

/// Adds to every kind of metric.
struct Measure(Counter, Counter, Gauge, Rate, Trend, Trend<Duration>, Trend<u64>);

impl Action for Measure {
    const NAME: &'static str = "measure";
    const SUMMARY: &'static str = "adds to every kind of metric";
    type Params = String;

    fn configure(name: String) -> Result<Self, ConfigError> {
        let (count, bytes, depth, hit) =
            (Counter::new("count")?, Counter::bytes("bytes")?, Gauge::new("depth")?, Rate::new("hit")?);
        Ok(Self(count, bytes, depth, hit, Trend::new(&name)?, Trend::time("time")?, Trend::bytes("size")?))
    }

    async fn run(&self, task: &Task) -> Outcome {
        self.0.add(task, 2);
        self.1.add(task, 3);
        self.2.add(task, -0.5);
        self.3.add(task, true);
        self.4.add(task, 1.5);
        self.5.add(task, Duration::from_micros(1));
        self.6.add(task, 7);
        self.0.add(task, 1);
        Ok(())
    }
}

#[test]
fn metrics_are_defined_once_and_take_their_values() {
    let run = Host::new().run::<Measure>(json!("own")).expect("configured");
    let value = |name| run.metric(name)[0];
    assert_eq!(run.metric("count"), [2.0, 1.0]);
    assert_eq!(["bytes", "depth", "hit", "own", "time", "size"].map(value), [3.0, -0.5, 1.0, 1.5, 1000.0, 7.0]);
    let error = |name: &str| Host::new().run::<Measure>(json!(name)).expect_err(name).message;
    assert_eq!(error("count"), "metric `count` is defined with another kind or unit");
    assert_eq!(error("Own"), "`Own` is not a valid metric name");
}
