//! The `sse` action: reads an event stream for a number of events or a time, and measures the arrival of each event.
//! This folder's `README.md` lists the parameters, with an example.

mod event_stream;
mod metrics;
mod reader;

use std::num::NonZeroU64;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::{Options, Request, RequestBuilder, Stream};
use stampede_plugin::parameters::{Auth, BodyParameters, HttpVersion, Search, TimeSpan};
use stampede_plugin::{Action, ConfigError, Failure, Fields, JsonTemplate, Outcome, Task, Template, plugin};

use metrics::Metrics;
use reader::EventReader;

/// The parameters of `sse`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The request method, such as `POST`; `GET` if absent.
    #[serde(default = "get")]
    method: String,
    /// An absolute URL, or one relative to the script's `base_url`.
    url: Template,
    /// Header fields; they win over those that every request of the user carries.
    #[serde(default)]
    headers: Fields,
    /// Parameters appended to the URL, percent-encoded.
    #[serde(default)]
    query: Fields,
    /// A JSON body: its text, or the mapping or list itself.
    json_body: Option<JsonTemplate>,
    /// A form: names and values, sent as `application/x-www-form-urlencoded`.
    form_body: Option<Fields>,
    /// A body as plain text, without a `content-type`.
    body: Option<Template>,
    /// The path of a file whose contents are the body, relative to the script.
    body_file: Option<String>,
    /// `1.1`, `2` or `auto` (HTTP/2 if the server picks it); `auto` if absent.
    #[serde(default)]
    http_version: HttpVersion,
    /// Credentials: `{basic: {user: …, password: …}}` or `{bearer: …}`.
    auth: Option<Auth>,
    /// The number of events after which the step is done.
    events: Option<NonZeroU64>,
    /// The time after which the step is done, from the reply's head on.
    r#for: Option<TimeSpan>,
    /// A condition on the data of one of the events: a text in it, or `{regex: …}`.
    expect: Option<Search>,
}

fn get() -> String {
    "GET".to_owned()
}

/// One configured step.
pub struct Sse {
    request: Request,
    events: Option<NonZeroU64>,
    time: Option<Duration>,
    expect: Option<Search>,
    metrics: Metrics,
}

impl Action for Sse {
    const NAME: &'static str = "sse";
    const SUMMARY: &'static str = "reads an event stream and measures the arrival of its events";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/sse.json"));
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Ok(Self {
            request: builder(&params)?.prepare()?,
            events: params.events,
            time: params.r#for.map(|span| span.0),
            expect: params.expect,
            metrics: Metrics::new()?,
        })
    }

    async fn run(&self, task: &Task) -> Outcome {
        // The times of events and `for` leave out the wait for the user's turn.
        task.turn().await;
        let start = task.now();
        let stream = self.request.open(task, &[]);
        accept(&stream).await?;
        EventReader::new(self, start, task).run(stream).await
    }
}

/// Builds the request of the parameters.
fn builder(params: &Params) -> Result<RequestBuilder, ConfigError> {
    let mut headers = params.headers.clone();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
        headers.0.push(("accept".to_owned(), Template::compile("text/event-stream")?));
    }
    let body = BodyParameters {
        json_body: params.json_body,
        form_body: params.form_body.clone(),
        body: params.body,
        body_file: params.body_file.clone(),
    };
    let request = Request::builder(params.method.to_ascii_uppercase(), params.url)
        .query(params.query.clone())
        .headers(headers)
        .body(body.choose()?)
        .options(Options { version: params.http_version.0, ..Options::default() });
    Ok(match params.auth {
        Some(Auth(credentials)) => request.credentials(credentials),
        None => request,
    })
}

/// Fails unless the reply is an event stream.
async fn accept(stream: &Stream<'_>) -> Outcome {
    let status = stream.head().await?;
    if status != 200 {
        return Err(Failure::status(format!("expected status 200, got {status}")));
    }
    let found = stream.header("content-type");
    let essence = found.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/event-stream") {
        return decoded(stream);
    }
    let found = if found.is_some() { format!("`{essence}`") } else { "none".to_owned() };
    Err(Failure::protocol(format!("expected the content type `text/event-stream`, got {found}")))
}

/// Fails if the stream is compressed: the host hands streams over as they were sent.
fn decoded(stream: &Stream<'_>) -> Outcome {
    match stream.header("content-encoding").filter(|coding| !coding.is_empty() && coding != "identity") {
        Some(coding) => {
            let text = format!(
                "the stream is `{coding}`, which is not decoded; ask for none with `accept-encoding: identity`"
            );
            Err(Failure::protocol(text))
        }
        None => Ok(()),
    }
}

plugin!(Sse);

#[cfg(test)]
mod tests;
