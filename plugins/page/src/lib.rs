//! The `page` action: loads a page and its resources, as a browser would. This folder's `README.md` lists the
//! parameters, with an example.

mod cache;
mod hosts;
mod loader;
mod markup;
mod metrics;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use stampede_plugin::http::{DynamicRequest, Options, Reply, Request};
use stampede_plugin::parameters::{ExpectStatus, HttpVersion, Search};
use stampede_plugin::{Action, ConfigError, Failure, Fields, Outcome, PerUser, Task, Template, lifetime, plugin};
use url::Url;

use cache::Cache;
use hosts::Hosts;
use loader::ResourceLoader;
use metrics::Metrics;

/// The largest page that is scanned for resources, in bytes: scanning one takes a tenth of a second of the worker's
/// time.
const MOST_MARKUP: usize = 4 << 20;

/// The parameters of `page`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The page: an absolute URL, or one relative to the script's `base_url`.
    url: Template,
    /// Header fields of the page's request, and of the requests for resources of its own origin.
    #[serde(default)]
    headers: Fields,
    /// The status codes to accept for the page: a code such as `201`, a class such as `2xx`, or a list of these; from
    /// 200 to 399 if absent.
    #[serde(default)]
    expect_status: ExpectStatus,
    /// A condition on the page: a text in it, or `{regex: …}`.
    expect_body: Option<Search>,
    /// `1.1`, `2` or `auto` (HTTP/2 if the server picks it); `auto` if absent.
    #[serde(default)]
    http_version: HttpVersion,
    /// `true` to ask for compressed replies; `true` if absent.
    #[serde(default = "yes")]
    compression: bool,
    /// Other hosts, such as `cdn.site` or `cdn.site:8443`, whose resources are fetched as well.
    #[serde(default)]
    hosts: Vec<String>,
    /// The most resources to fetch, 0 to 1000; 100 if absent.
    #[serde(default = "hundred")]
    most: u16,
    /// The most requests for resources in flight at once, 1 to 64; 6 if absent.
    #[serde(default = "six")]
    at_once: u8,
    /// `true` if a user fetches a resource once, as long as the reply's `cache-control` allows; `false` if absent.
    #[serde(default)]
    cache: bool,
    /// `true` if the step passes although a resource could not be fetched; `false` if absent.
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
        // Never sent: resources need the rendered texts as well. The host program checks both, and grants their host.
        Request::get(params.url).prepare().map_err(|error| error.at("/url"))?;
        Request::get(params.url).headers(params.headers.clone()).prepare().map_err(|error| error.at("/headers"))?;
        lifetime::connections(params.at_once.into());
        Ok(Self { hosts: Hosts::new(&params.hosts)?, cache: PerUser::shared(), metrics: Metrics::new()?, params })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let start = task.active_time();
        let fields = self.params.headers.iter();
        let headers: Vec<_> = fields.map(|(name, value)| (name.to_owned(), value.render(task))).collect();
        let page = DynamicRequest { headers: headers.clone(), ..DynamicRequest::get(self.params.url.render(task)) };
        let reply = DynamicRequest { options: self.options(true), ..page }.send(task).await?;
        let content = self.check(&reply)?;
        let Ok(page) = Url::parse(&reply.url()) else {
            return Err(Failure::check("the page's URL is invalid"));
        };
        let bytes = reply.body_bytes;
        drop(reply);
        let mut loader = ResourceLoader::new(self, task, page, headers);
        let wanted = loader.choose(content.as_deref().unwrap_or_default()).await;
        drop(content);
        let outcome = loader.fetch(wanted).await;
        self.finish(task, start, bytes + loader.bytes);
        outcome
    }
}

impl Page {
    fn options(&self, keep_body: bool) -> Options {
        let (version, compression) = (self.params.http_version.0, self.params.compression);
        Options { version, max_redirects: 10, compression, keep_body }
    }

    /// Checks the page, and returns its content if that is HTML.
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
        self.metrics.load_time.add(task, task.active_time() - start);
        self.metrics.bytes.add(task, bytes);
    }
}

plugin!(Page);

#[cfg(test)]
mod tests;
