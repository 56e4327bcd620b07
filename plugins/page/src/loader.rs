//! Fetches the resources of one page, several at once, and records their outcomes.

use std::collections::{HashSet, VecDeque};
use std::future::{Future, poll_fn};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use stampede_plugin::http::{DynamicRequest, Exchange, Reply};
use stampede_plugin::{Failure, Outcome, Task};
use url::Url;

use crate::Page;
use crate::cache::lifetime;
use crate::markup;

/// The resources of one page in flight.
pub(crate) struct ResourceLoader<'t> {
    step: &'t Page,
    task: &'t Task,
    /// The page's own URL, and the fields that go to its origin.
    page: Url,
    headers: Vec<(String, String)>,
    /// Bytes transferred of the resources' contents.
    pub bytes: u64,
    /// The first failure.
    failure: Option<Failure>,
}

impl<'t> ResourceLoader<'t> {
    /// Begins with a page that was received, and the header fields of its request.
    pub(crate) fn new(step: &'t Page, task: &'t Task, page: Url, headers: Vec<(String, String)>) -> Self {
        Self { step, task, page, headers, bytes: 0, failure: None }
    }

    /// Fetches the resources, to the last one.
    pub(crate) async fn fetch(&mut self, mut wanted: VecDeque<Url>) -> Outcome {
        let mut under_way: Vec<(Url, Exchange<'t>)> = Vec::new();
        loop {
            while under_way.len() < usize::from(self.step.params.at_once)
                && let Some(url) = wanted.pop_front()
            {
                let exchange = self.send(&url);
                under_way.push((url, exchange));
            }
            if under_way.is_empty() {
                break;
            }
            // Each is checked before the next one is announced: a failure marks the exchange announced last.
            let (url, result) = poll_fn(|context| {
                for index in 0..under_way.len() {
                    if let Poll::Ready(result) = Pin::new(&mut under_way[index].1).poll(context) {
                        return Poll::Ready((under_way.swap_remove(index).0, result));
                    }
                }
                Poll::Pending
            })
            .await;
            self.take(&url, result);
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Returns the resources of a page to fetch, each once; counts the others.
    pub(crate) async fn choose(&self, html: &[u8]) -> VecDeque<Url> {
        let (step, task) = (self.step, self.task);
        // Of a hundred thousand URLs the hashes alone are kept.
        let (mut known, mut wanted, mut skipped) = (HashSet::new(), VecDeque::new(), 0);
        let each = |url: Url| {
            if !known.insert(hash(&url)) {
                return;
            }
            let is_allowed = url.origin() == self.page.origin() || step.hosts.include(&url);
            if is_allowed && step.params.cache && step.cache.with(task, |cache| cache.has(&url, task.now())) {
                step.metrics.cached.add(task, 1);
            } else if is_allowed && wanted.len() < usize::from(step.params.most) {
                wanted.push_back(url);
            } else {
                skipped += 1;
            }
        };
        // A call of the host ends this one, and with it the processor time that is counted.
        markup::resources(html, &self.page, each, async || task.sleep(Duration::ZERO).await).await;
        if skipped > 0 {
            step.metrics.skipped.add(task, skipped);
        }
        wanted
    }

    fn send(&self, url: &Url) -> Exchange<'t> {
        self.step.metrics.resources.add(self.task, 1);
        let is_own = url.origin() == self.page.origin();
        let headers = if is_own { self.headers.clone() } else { Vec::new() };
        let options = self.step.options(false);
        DynamicRequest { headers, options, ..DynamicRequest::get(url.as_str()) }.send(self.task)
    }

    /// Checks the reply for a resource.
    fn take(&mut self, url: &Url, result: Result<Reply<'_>, Failure>) {
        let failure = match result {
            Ok(reply) if (200..400).contains(&reply.status) => {
                self.bytes += reply.body_bytes;
                self.keep(url, &reply);
                return;
            }
            Ok(reply) => {
                self.bytes += reply.body_bytes;
                // Without the query, which may hold anything.
                let text = format!("expected status 200 to 399 of the resource `{}`, got {}", url.path(), reply.status);
                Failure::status(text).report(self.task)
            }
            // The host has counted it.
            Err(failure) => failure,
        };
        if !self.step.params.ignore_failures {
            self.failure.get_or_insert(failure);
        }
    }

    fn keep(&self, url: &Url, reply: &Reply<'_>) {
        if !self.step.params.cache {
            return;
        }
        if let Some(lifetime) = reply.header("cache-control").as_deref().and_then(lifetime) {
            let until = self.task.now().saturating_add(lifetime);
            self.step.cache.with(self.task, |cache| cache.keep(url, until));
        }
    }
}

fn hash(url: &Url) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.as_str().hash(&mut hasher);
    hasher.finish()
}
