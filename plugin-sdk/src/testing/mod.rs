//! A fake host for native unit tests of plugins: no network, no real time, no WebAssembly. A test scripts the host's
//! answers, runs a step once, and checks what the action did.
//!
//! ```
//! use stampede_plugin::testing::{Host, Reply, json};
//! # use stampede_plugin::{Action, ConfigError, Failure, Outcome, Task, Template, http::Request};
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # struct Params { url: Template }
//! # struct Ping(Request);
//! # impl Action for Ping {
//! #     const NAME: &'static str = "ping";
//! #     const SUMMARY: &'static str = "";
//! #     type Params = Params;
//! #     fn configure(params: Params) -> Result<Self, ConfigError> { Request::get(params.url).prepare().map(Self) }
//! #     async fn run(&self, task: &Task) -> Outcome {
//! #         match self.0.send(task).await?.status {
//! #             200 => Ok(()),
//! #             status => Err(Failure::status(format!("expected status 200, got {status}"))),
//! #         }
//! #     }
//! # }
//! let host = Host::new().variable("page", "7").reply(Reply::new(503));
//! let run = host.run::<Ping>(json!({"url": "https://site/{{var page}}"})).expect("the parameters are right");
//! assert_eq!(run.requests[0].url, "https://site/7");
//! assert_eq!(run.failure.expect("503 is no success").detail(), "expected status 200, got 503");
//! ```
//!
//! Time is virtual: it advances to the operation that completes next. Each test thread has its own host.

pub(crate) mod imports;
pub(crate) mod long_tasks;
mod peer;
mod record;
mod session;
mod socket;
mod state;
mod template;

use std::time::Duration;

pub use peer::Peer;
pub use record::{Connection, DeclaredLifetime, GivenUp, Run, SentBody, SentCredentials, SentRequest, TransferRecord};
pub use serde_json::json;
pub use session::{Session, Step};

use crate::{Action, ConfigError, FailureKind, glue};

/// A fake host, with the answers that the test scripts.
#[derive(Debug, Default)]
pub struct Host {
    script: state::Script,
}

impl Host {
    /// Creates a host without answers, whose users have no variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the reply to the next request that has none yet, in the order sent.
    #[must_use]
    pub fn reply(mut self, reply: Reply) -> Self {
        self.script.replies.push_back(reply);
        self
    }

    /// Adds the peer of the next connect that has none yet, in the order submitted. A request for a connection takes a
    /// reply, and a peer as well if the reply's status is 101.
    #[must_use]
    pub fn peer(mut self, peer: Peer) -> Self {
        self.script.peers.push_back(peer);
        self
    }

    /// Sets a variable of every user before the run.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.script.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Scripts the texts that a helper renders: one per rendering, the last one for all later renderings. The call is
    /// written as between the braces: `.renders("randInt 1 20", &["7", "3"])`. `{{var name}}` needs no script.
    #[must_use]
    pub fn renders(mut self, call: &str, texts: &[&str]) -> Self {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.script.helpers.push((call.to_owned(), texts));
        self
    }

    /// Ends the users' time after this long, since the session began: [`Task::ending`](crate::Task::ending) is ready
    /// then. Otherwise it never is.
    #[must_use]
    pub fn ends_after(mut self, duration: Duration) -> Self {
        self.script.ends_at = u64::try_from(duration.as_nanos()).ok();
        self
    }

    /// Configures a step and runs it once for user 0, to its end. The parameters are JSON: a text, or a value of
    /// [`json!`]; only the text keeps its order.
    ///
    /// A task that waits for bytes that never arrive ends with [`FailureKind::Timeout`], as at the end of the step's
    /// `timeout`.
    ///
    /// # Panics
    /// As [`Session::run`] does.
    pub fn run<A: Action>(self, params: impl ToString) -> Result<Run, ConfigError> {
        let mut session = self.session();
        let step = session.configure::<A>(params)?;
        Ok(session.run(step, 0))
    }

    /// Begins a session, to run several steps, for several users or several times.
    pub fn session(self) -> Session {
        Session::new(self.script)
    }
}

/// Returns the JSON Schema of the parameters as the host gets it.
pub fn schema<A: Action>() -> serde_json::Value {
    serde_json::from_str(&glue::schema::<A>()).expect("a schema is JSON")
}

/// Checks that [`Action::PARAMS_SCHEMA`] is the schema of the type of the parameters. With `BLESS=1` in the environment
/// it writes the file that the constant includes instead; `file` is its path within the package.
///
/// # Panics
/// The schemas differ, or the file cannot be written.
#[track_caller]
pub fn written_schema<A: Action>(file: &str) {
    let mut schema = glue::schema_of_type::<A>();
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        schema.sort_all_objects();
        // Tests run in the folder of their package.
        std::fs::write(file, format!("{schema:#}\n")).expect("the schema can be written");
        return;
    }
    let written = A::PARAMS_SCHEMA.and_then(|text| serde_json::from_str(text).ok());
    assert_eq!(written, Some(schema), "{file} is not the schema of the parameters: run the test again with `BLESS=1`");
}

/// The reply to a request: by default immediate, without fields and content.
#[derive(Clone, Debug)]
pub struct Reply {
    outcome: Result<u16, FailureKind>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    trailers: Vec<(String, String)>,
    captures: Vec<(String, String)>,
    after: Duration,
    /// The time to the end of the head; `after` if `None`.
    head_after: Option<Duration>,
    /// The URL that it comes from; the request's own if `None`.
    url: Option<String>,
}

impl Reply {
    /// Creates a reply with this status.
    pub fn new(status: u16) -> Self {
        Self::of(Ok(status))
    }

    /// Lets the request fail for this reason.
    pub fn failed(kind: FailureKind) -> Self {
        Self::of(Err(kind))
    }

    fn of(outcome: Result<u16, FailureKind>) -> Self {
        let (headers, trailers, captures) = Default::default();
        let (body, after) = (Vec::new(), Duration::ZERO);
        Self { outcome, headers, body, trailers, captures, after, head_after: None, url: None }
    }

    /// Sets the content, decoded. A streamed exchange receives it in one piece.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a trailer field, for a streamed exchange.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a variable that the step's `capture:` takes from the reply: set before the action goes on.
    #[must_use]
    pub fn captures(mut self, variable: &str, value: &str) -> Self {
        self.captures.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// Sets the URL that it comes from, if a redirect or a `base_url` led elsewhere than the request's own URL.
    #[must_use]
    pub fn url(mut self, url: &str) -> Self {
        self.url = Some(url.to_owned());
        self
    }

    /// Sets the time that it takes.
    #[must_use]
    pub fn after(mut self, duration: Duration) -> Self {
        self.after = duration;
        self
    }

    /// Sets the time that its head takes: the content arrives evenly from then on. Otherwise all comes at the end.
    #[must_use]
    pub fn head_after(mut self, duration: Duration) -> Self {
        self.head_after = Some(duration);
        self
    }
}

#[cfg(test)]
mod tests;
