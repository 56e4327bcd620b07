//! A session that lasts: it reloads a playlist, loads what is new in it, leaves what comes too slowly, and counts
//! itself when the user's time ends.

use std::pin::pin;
use std::time::Duration;

use stampede_plugin::future::{Either, select};
use stampede_plugin::http::{DynamicRequest, Options, ReportRow};
use stampede_plugin::metric::{Counter, Trend};
use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, lifetime, plugin};

/// The time between two loads of the playlist.
const RELOAD: Duration = Duration::from_secs(2);
/// The time after which a segment must have begun to arrive.
const PATIENCE: Duration = Duration::from_secs(1);

/// The parameters of `watch`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// The playlist: a URL on each line.
    url: Template,
    /// The length of a session in seconds.
    seconds: u64,
}

struct Watch {
    url: Template,
    duration: Duration,
    playlist: ReportRow,
    segment: ReportRow,
    left: ReportRow,
    watched: Trend<Duration>,
    unchanged: Counter,
}

impl Action for Watch {
    const NAME: &'static str = "watch";
    const SUMMARY: &'static str = "watches a playlist for some time";
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        let duration = Duration::from_secs(params.seconds);
        lifetime::lasts(duration);
        Ok(Self {
            url: params.url,
            duration,
            playlist: ReportRow::new("playlist")?,
            segment: ReportRow::new("segment")?,
            // The time after which something is left is the player's own decision.
            left: ReportRow::by_design("left")?,
            watched: Trend::time("watched")?,
            unchanged: Counter::new("unchanged")?,
        })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let begin = task.now();
        let outcome = match select(pin!(self.watch(task)), task.ending()).await {
            Either::Left((outcome, _)) => outcome,
            // The session is dropped here, which leaves what it had under way. It counts all the same.
            Either::Right(_) => Ok(()),
        };
        self.watched.add(task, task.now() - begin);
        outcome
    }
}

impl Watch {
    async fn watch(&self, task: &Task) -> Outcome {
        let (url, end) = (self.url.render(task), task.now() + self.duration);
        let (mut seen, mut loaded) = (0, Vec::new());
        loop {
            let options = Options { keep_body: true, compression: true, ..Options::default() };
            let request = DynamicRequest { options, ..DynamicRequest::get(url.clone()) };
            let list = request.begin(task, self.playlist).left_in(self.left).await?;
            if list.status != 200 {
                return Err(Failure::status(format!("expected status 200, got {}", list.status)));
            }
            if list.fingerprint() == seen {
                self.unchanged.add(task, 1);
            } else {
                seen = list.fingerprint();
                for segment in list.text().lines().map(str::to_owned) {
                    if !loaded.contains(&segment) {
                        self.load(&segment, task).await?;
                        loaded.push(segment);
                    }
                }
            }
            let Some(left) = end.checked_sub(task.now()).filter(|left| !left.is_zero()) else { return Ok(()) };
            task.sleep(left.min(RELOAD)).await;
        }
    }

    /// Loads a segment, or leaves it if it does not begin to arrive in time.
    async fn load(&self, url: &str, task: &Task) -> Outcome {
        let mut transfer = DynamicRequest::get(url).begin(task, self.segment).left_in(self.left);
        if let Either::Left((reply, _)) = select(&mut transfer, task.sleep(PATIENCE)).await {
            return reply.map(drop);
        }
        match transfer.progress() {
            Some(progress) if progress.headed.is_none() => Ok(()),
            _ => transfer.await.map(drop),
        }
    }
}

plugin!(Watch);

#[cfg(test)]
mod tests {
    use stampede_plugin::testing::{DeclaredLifetime, GivenUp, Host, Reply, Run, json};

    use super::*;

    fn watched(host: Host, seconds: u64) -> Run {
        host.run::<Watch>(json!({"url": "/live", "seconds": seconds})).expect("the parameters are right")
    }

    fn rows(run: &Run) -> Vec<(&str, &str, bool)> {
        run.transfers.iter().map(|one| (one.url.as_str(), one.row.as_str(), one.is_left)).collect()
    }

    #[test]
    fn new_segments_are_loaded_once() {
        let host = Host::new()
            .reply(Reply::new(200).body("/a"))
            .reply(Reply::new(200).after(Duration::from_millis(300)))
            .reply(Reply::new(200).body("/a"))
            .reply(Reply::new(200).body("/a\n/b"))
            .reply(Reply::new(200));
        let run = watched(host, 4);
        let live = ("/live", "playlist", false);
        assert_eq!(rows(&run), [live, ("/a", "segment", false), live, live, ("/b", "segment", false)]);
        assert_eq!((run.metric("unchanged"), run.metric("watched")), (vec![1.0], vec![4e9]));
        assert!(run.passed());
    }

    #[test]
    fn a_segment_that_does_not_begin_is_left_and_a_slow_one_is_not() {
        let slow = Reply::new(200).body("x".repeat(1000)).after(Duration::from_secs(5));
        for (head, row, is_left, took) in [(4_000, "left", true, 1), (500, "segment", false, 5)] {
            let slow = slow.clone().head_after(Duration::from_millis(head));
            let run = watched(Host::new().reply(Reply::new(200).body("/a")).reply(slow), 0);
            assert_eq!(rows(&run)[1], ("/a", row, is_left), "head after {head} ms");
            assert_eq!(run.elapsed, Duration::from_secs(took), "head after {head} ms");
            assert!(run.passed() && !run.given_up.contains(&GivenUp::Exchange));
        }
    }

    #[test]
    fn a_session_that_the_end_of_the_run_cuts_short_is_counted() {
        let host = Host::new()
            .reply(Reply::new(200).body("/a"))
            .reply(Reply::new(200).body("x".repeat(1000)).head_after(Duration::ZERO).after(Duration::from_secs(60)))
            .ends_after(Duration::from_secs(10));
        let run = watched(host, 600);
        assert_eq!(rows(&run)[1], ("/a", "left", true));
        assert_eq!((run.metric("watched"), run.passed()), (vec![1e10], true));
    }

    #[test]
    fn the_length_is_declared() {
        let mut session = Host::new().session();
        session.configure::<Watch>(json!({"url": "/live", "seconds": 600})).expect("the parameters are right");
        let expected = DeclaredLifetime { lasts: Some(Duration::from_secs(600)), connections: None };
        assert_eq!(session.declared_lifetime(), expected);
    }
}
