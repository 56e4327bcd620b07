//! The `http` action: one request, and a check of its reply. The host sends, times and counts; this crate implements
//! the parameters of a step. This folder's `README.md` lists them, with an example.

mod redirects;

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::{Options, Reply, Request, RequestBuilder};
use stampede_plugin::parameters::{Auth, BodyParameters, ExpectStatus, HttpVersion, Search};
use stampede_plugin::{Action, ConfigError, Failure, Fields, JsonTemplate, Outcome, Task, Template, plugin};

use redirects::FollowRedirects;

/// The parameters of `http`.
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
    /// The status codes to accept: a code such as `201`, a class such as `2xx`, or a list of these; from 200 to 399 if
    /// absent.
    #[serde(default)]
    expect_status: ExpectStatus,
    /// A condition on the reply's body: a text in it, or `{regex: …}`.
    expect_body: Option<Search>,
    /// `true` or `false`, or the number of redirects to follow (0 to 20); up to 10 if absent.
    #[serde(default)]
    follow_redirects: FollowRedirects,
    /// `1.1`, `2` or `auto` (HTTP/2 if the server picks it); `auto` if absent.
    #[serde(default)]
    http_version: HttpVersion,
    /// `true` to ask for a compressed reply; `false` if absent. A compressed reply is decoded in any case.
    #[serde(default)]
    compression: bool,
    /// Credentials: `{basic: {user: …, password: …}}` or `{bearer: …}`.
    auth: Option<Auth>,
}

fn get() -> String {
    "GET".to_owned()
}

/// One configured step.
pub struct Http {
    request: Request,
    expect_status: ExpectStatus,
    expect_body: Option<Search>,
}

impl Action for Http {
    const NAME: &'static str = "http";
    const SUMMARY: &'static str = "sends one HTTP request and checks the reply";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/http.json"));
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        Ok(Self {
            request: builder(&params)?.prepare().map_err(|error| error.at(culprit(&params)))?,
            expect_status: params.expect_status,
            expect_body: params.expect_body,
        })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let reply = self.request.send(task).await?;
        self.check(&reply)
    }
}

impl Http {
    /// Checks the reply. The status comes first: a wrong one explains a wrong body.
    fn check(&self, reply: &Reply<'_>) -> Outcome {
        if !self.expect_status.accepts(reply.status) {
            return Err(Failure::status(format!("expected status {}, got {}", self.expect_status, reply.status)));
        }
        match &self.expect_body {
            Some(expected) if !expected.accepts(&reply.text()) => {
                Err(Failure::check(format!("expected the body to {expected}{}", coding(reply))))
            }
            _ => Ok(()),
        }
    }
}

/// Returns the end of a message about a body that may not be decoded: the host decodes the usual codings.
fn coding(reply: &Reply<'_>) -> String {
    match reply.header("content-encoding").filter(|coding| !coding.is_empty()) {
        Some(coding) => format!("; its content-encoding is `{coding}`"),
        None => String::new(),
    }
}

/// Builds the request of the parameters.
fn builder(params: &Params) -> Result<RequestBuilder, ConfigError> {
    let body = BodyParameters {
        json_body: params.json_body,
        form_body: params.form_body.clone(),
        body: params.body,
        body_file: params.body_file.clone(),
    };
    let request = Request::builder(params.method.to_ascii_uppercase(), params.url)
        .query(params.query.clone())
        .headers(params.headers.clone())
        .body(body.choose()?)
        .options(Options {
            version: params.http_version.0,
            max_redirects: params.follow_redirects.0,
            compression: params.compression,
            keep_body: params.expect_body.is_some(),
        });
    Ok(match params.auth {
        Some(Auth(credentials)) => request.credentials(credentials),
        None => request,
    })
}

/// Returns the pointer to the parameter for which the host rejects a request. The host gives the reason and not the
/// place, so it is asked again with more and more of the request; none of these is ever sent.
fn culprit(params: &Params) -> &'static str {
    let with_method = Request::builder(params.method.to_ascii_uppercase(), params.url);
    if Request::get(params.url).prepare().is_err() {
        "/url"
    } else if with_method.clone().prepare().is_err() {
        "/method"
    } else if with_method.headers(params.headers.clone()).prepare().is_err() {
        "/headers"
    } else {
        "/body_file"
    }
}

plugin!(Http);

#[cfg(test)]
mod tests;
