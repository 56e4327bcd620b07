//! A fake host for native unit tests of plugins: no network, no time, no WebAssembly. A test says what the host would
//! answer, runs a step once, and looks at what the action did.
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
//! Time is virtual: it goes forward to whatever completes next. Each test thread has its own host.

pub(crate) mod imports;
mod peer;
mod record;
mod session;
mod socket;
mod state;
mod template;

use std::time::Duration;

pub use peer::Peer;
pub use record::{Connection, GivenUp, Run, SentBody, SentCredentials, SentRequest};
pub use serde_json::json;
pub use session::{Session, Step};

use crate::{Action, ConfigError, FailureKind, glue};

/// What the host would answer.
#[derive(Debug, Default)]
pub struct Host {
    script: state::Script,
}

impl Host {
    /// A host whose users have no variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// What comes back for the next request that has no reply yet: in the order sent.
    #[must_use]
    pub fn reply(mut self, reply: Reply) -> Self {
        self.script.replies.push_back(reply);
        self
    }

    /// What the next connect that has no peer yet finds: in the order submitted. A request for a connection takes a reply,
    /// and a peer as well if the reply's status is 101.
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

    /// What a helper renders to: one text per rendering, the last one for all that follow. The call is named as it
    /// stands between the braces: `.renders("randInt 1 20", &["7", "3"])`. `{{var name}}` works without.
    #[must_use]
    pub fn renders(mut self, call: &str, texts: &[&str]) -> Self {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.script.helpers.push((call.to_owned(), texts));
        self
    }

    /// Configures a step and runs it once for user 0, to its end. The parameters are JSON: a text, or what [`json!`]
    /// makes; only the text keeps its order.
    ///
    /// What waits for bytes that never come ends with [`FailureKind::Timeout`], as it would when the step's time is
    /// over.
    ///
    /// # Panics
    /// As [`Session::run`] does.
    pub fn run<A: Action>(self, params: impl ToString) -> Result<Run, ConfigError> {
        let mut session = self.session();
        let step = session.configure::<A>(params)?;
        Ok(session.run(step, 0))
    }

    /// For several steps, several users or several times.
    pub fn session(self) -> Session {
        Session::new(self.script)
    }
}

/// The parameters' JSON Schema as the host gets it.
pub fn schema<A: Action>() -> serde_json::Value {
    serde_json::from_str(&glue::schema::<A>()).expect("a schema is JSON")
}

/// Checks that [`Action::PARAMS_SCHEMA`] says what the type of the parameters says. With `BLESS=1` in the environment it
/// writes the file instead that the constant includes, named by its path within the package.
///
/// # Panics
/// If the schema is another one, or the file cannot be written.
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
    assert_eq!(written, Some(schema), "{file} is not the schema of the parameters: test once more with `BLESS=1`");
}

/// What comes back for a request: by default at once, without fields and content.
#[derive(Clone, Debug)]
pub struct Reply {
    outcome: Result<u16, FailureKind>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    trailers: Vec<(String, String)>,
    captures: Vec<(String, String)>,
    after: Duration,
    /// Where it came from; if not said, that is where the request went.
    url: Option<String>,
}

impl Reply {
    /// A reply with this status.
    pub fn new(status: u16) -> Self {
        Self::of(Ok(status))
    }

    /// No reply, for this reason.
    pub fn failed(kind: FailureKind) -> Self {
        Self::of(Err(kind))
    }

    fn of(outcome: Result<u16, FailureKind>) -> Self {
        let (headers, trailers, captures) = Default::default();
        Self { outcome, headers, body: Vec::new(), trailers, captures, after: Duration::ZERO, url: None }
    }

    /// The content, decoded. A streamed exchange gives it as one piece.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// A header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A trailer field, for a streamed exchange.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What the step's `capture:` takes from the reply: set before the action goes on.
    #[must_use]
    pub fn captures(mut self, variable: &str, value: &str) -> Self {
        self.captures.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// Where it came from, if a redirect or a `base_url` has led elsewhere than the request's own URL.
    #[must_use]
    pub fn url(mut self, url: &str) -> Self {
        self.url = Some(url.to_owned());
        self
    }

    /// How long it takes.
    #[must_use]
    pub fn after(mut self, duration: Duration) -> Self {
        self.after = duration;
        self
    }
}

#[cfg(test)]
mod tests;
