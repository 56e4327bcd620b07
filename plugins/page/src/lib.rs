//! The `page` action: loads a page and what it refers to, as a browser would. The parameters are listed, with an example,
//! in this folder's `README.md`.

mod cache;
mod hosts;
mod loading;
mod markup;
mod metrics;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::{DynamicRequest, Options, Reply, Request};
use stampede_plugin::parameters::{ExpectStatus, HttpVersion, Search};
use stampede_plugin::{Action, ConfigError, Failure, Fields, Outcome, PerUser, Task, Template, plugin};
use url::Url;

use cache::Cache;
use hosts::Hosts;
use loading::Loading;
use metrics::Metrics;

/// The largest page that is read for resources, in bytes: reading one takes milliseconds of the worker's time.
const MOST_MARKUP: usize = 4 << 20;

/// What a step may say.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The page: an absolute URL, or one relative to the script's `base_url`.
    url: Template,
    /// Header fields of the page's request, and of those for resources of its own origin.
    #[serde(default)]
    headers: Fields,
    /// Which status codes of the page are right: a code such as `201`, a class such as `2xx`, or a list of these; from 200
    /// to 399 if absent.
    #[serde(default)]
    expect_status: ExpectStatus,
    /// What the page must contain: a text, or `{regex: …}`.
    expect_body: Option<Search>,
    /// `1.1`, `2` or `auto` (HTTP/2 if the server picks it); `auto` if absent.
    #[serde(default)]
    http_version: HttpVersion,
    /// Whether to ask for compressed replies; `true` if absent.
    #[serde(default = "yes")]
    compression: bool,
    /// Other hosts, such as `cdn.site` or `cdn.site:8443`, whose resources are fetched as well.
    #[serde(default)]
    hosts: Vec<String>,
    /// The most resources that are fetched, 0 to 1000; 100 if absent.
    #[serde(default = "hundred")]
    most: u16,
    /// How many requests for resources are under way at once, 1 to 64; 6 if absent.
    #[serde(default = "six")]
    at_once: u8,
    /// Whether a user fetches a resource once as long as the reply's `cache-control` lets it keep it; `false` if absent.
    #[serde(default)]
    cache: bool,
    /// Whether the step passes although a resource could not be fetched; `false` if absent.
    #[serde(default)]
    ignore_failures: bool,
}

fn yes() -> bool {
    true
}

fn hundred() -> u16 {
    100
}

fn six() -> u8 {
    6
}

/// One configured step.
pub struct Page {
    params: Params,
    hosts: Hosts,
    cache: PerUser<Cache>,
    metrics: Metrics,
}

impl Action for Page {
    const NAME: &'static str = "page";
    const SUMMARY: &'static str = "loads a page with its resources, as a browser would";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/page.json"));
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        if params.most > 1000 {
            return Err(ConfigError::new("`most` must be from 0 to 1000").at("/most"));
        }
        if !(1..=64).contains(&params.at_once) {
            return Err(ConfigError::new("`at_once` must be from 1 to 64").at("/at_once"));
        }
        // Never sent: resources need the rendered texts as well. It has the host check both, and tells it where they go.
        Request::get(params.url).prepare().map_err(|error| error.at("/url"))?;
        Request::get(params.url).headers(params.headers.clone()).prepare().map_err(|error| error.at("/headers"))?;
        Ok(Self { hosts: Hosts::new(&params.hosts)?, cache: PerUser::shared(), metrics: Metrics::new()?, params })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let start = task.now();
        let fields = self.params.headers.iter();
        let headers: Vec<_> = fields.map(|(name, value)| (name.to_owned(), value.render(task))).collect();
        let page = DynamicRequest { headers: headers.clone(), ..DynamicRequest::get(self.params.url.render(task)) };
        let reply = DynamicRequest { options: self.options(true), ..page }.send(task).await?;
        let content = self.check(&reply)?;
        let Ok(page) = Url::parse(&reply.url()) else {
            return Err(Failure::check("the page's URL is none"));
        };
        let bytes = reply.body_bytes;
        drop(reply);
        let found = content.map(|content| markup::resources(&content, &page)).unwrap_or_default();
        let mut loading = Loading::new(self, task, (page, headers));
        let outcome = loading.fetch(found).await;
        self.finish(task, start, bytes + loading.bytes);
        outcome
    }
}

impl Page {
    fn options(&self, keep_body: bool) -> Options {
        let (version, compression) = (self.params.http_version.0, self.params.compression);
        Options { version, max_redirects: 10, compression, keep_body }
    }

    /// Whether the page is what the step expects; its content, if that is HTML.
    fn check(&self, reply: &Reply<'_>) -> Result<Option<Vec<u8>>, Failure> {
        let expected = &self.params.expect_status;
        if !expected.accepts(reply.status) {
            return Err(Failure::status(format!("expected status {expected}, got {}", reply.status)));
        }
        let content = reply.body();
        if let Some(expected) = &self.params.expect_body
            && !expected.accepts(&String::from_utf8_lossy(&content))
        {
            return Err(Failure::check(format!("expected the body to {expected}")));
        }
        let is_html = reply.header("content-type").is_none_or(|kind| kind.to_ascii_lowercase().contains("html"));
        if is_html && content.len() > MOST_MARKUP {
            return Err(Failure::protocol(format!("the page has more than {MOST_MARKUP} bytes")));
        }
        Ok(is_html.then_some(content))
    }

    fn finish(&self, task: &Task, start: Duration, bytes: u64) {
        self.metrics.load_time.add(task, task.now() - start);
        self.metrics.bytes.add(task, bytes);
    }
}

plugin!(Page);

#[cfg(test)]
mod tests;
