//! Metrics that only the plugin knows: the questions asked, the time of the whole job, the share of jobs that got done.

use std::time::Duration;

use stampede_plugin::http::{Options, Request};
use stampede_plugin::metric::{Counter, Rate, Trend};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, plugin};

/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(200);

/// The step's own keys.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The URL of the job, whose body is `done` when the job is.
    url: Template,
    /// The most questions to ask; 10 if absent.
    #[serde(default = "ten")]
    questions: u32,
}

fn ten() -> u32 {
    10
}

struct Await {
    job: Request,
    questions: u32,
    asked: Counter,
    /// The time of the whole job, without the waits for the user's turns. The host measures each exchange.
    took: Trend<Duration>,
    done: Rate,
}

impl Action for Await {
    const NAME: &'static str = "await-job";
    const SUMMARY: &'static str = "asks until a job is done";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        let options = Options { keep_body: true, ..Options::default() };
        Ok(Self {
            job: Request::get(params.url).options(options).prepare()?,
            questions: params.questions,
            asked: Counter::new("job.questions")?,
            took: Trend::time("job.took")?,
            done: Rate::new("job.done")?,
        })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let began = task.active_time();
        for _ in 0..self.questions {
            self.asked.add(task, 1);
            if self.job.send(task).await?.text() == "done" {
                self.done.add(task, true);
                self.took.add(task, task.active_time() - began);
                return Ok(());
            }
            task.sleep(PAUSE).await;
        }
        self.done.add(task, false);
        Err(Failure::check(format!("expected `done`, asked {} times", self.questions)))
    }
}

plugin!(Await);

#[cfg(test)]
mod tests {
    use stampede_plugin::testing::{Host, Reply, Run, json};

    use super::*;

    fn job(questions: u32) -> Run {
        let host = Host::new().reply(Reply::new(200).body("busy")).reply(Reply::new(200).body("done"));
        host.run::<Await>(json!({"url": "/job", "questions": questions})).expect("the parameters are right")
    }

    #[test]
    fn a_finished_job_is_measured() {
        let run = job(2);
        assert!(run.passed());
        assert_eq!(run.metric("job.questions"), [1.0, 1.0]);
        assert_eq!(run.metric("job.took"), [200_000_000.0]);
        assert_eq!(run.metric("job.done"), [1.0]);
    }

    #[test]
    fn an_unfinished_job_is_counted() {
        let run = job(1);
        assert_eq!(run.failure, Some(Failure::check("expected `done`, asked 1 times")));
        assert_eq!((run.metric("job.took"), run.metric("job.done")), (vec![], vec![0.0]));
    }
}
