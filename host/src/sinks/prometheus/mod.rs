//! `--prometheus`: the numbers of the run for Prometheus to read, at an HTTP endpoint. The sums are added up here once
//! a second and written when they are read, both away from the workers.

mod exposition;
mod protobuf;
mod scrapes;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{ACCEPT, HeaderMap};
use hyper::{Method, Request, Response, StatusCode};
use stampede_time::Clock;

use super::http_endpoint::{EndpointBody, HttpEndpoint, reply, reply_text};
use super::run_info::RunInfo;
use super::sink::Sink;
use super::sums::RunSums;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::Plan;
use crate::report::Report;
use crate::run::observer::SecondSnapshot;
use crate::stderr;
use exposition::Exposition;
use scrapes::ScrapeTimes;

/// The path of the metrics.
const PATH: &str = "/metrics";

/// The sink, and the endpoint that shows its sums.
struct PrometheusSink {
    endpoint: HttpEndpoint,
    sums: Arc<Mutex<RunSums>>,
    scrapes: Arc<Mutex<ScrapeTimes>>,
    /// The time of `--linger`.
    linger: Option<Duration>,
    is_quiet: bool,
}

/// Opens the sink if `--prometheus` was given.
///
/// # Errors
/// The address cannot be listened on.
pub(super) fn open(args: &RunArgs, _: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    let Some(address) = args.prometheus else { return Ok(Vec::new()) };
    let (sums, scrapes) = (Arc::default(), Arc::<Mutex<ScrapeTimes>>::default());
    let (shown, noted, clock) = (Arc::clone(&sums), Arc::clone(&scrapes), Clock::start());
    let handler = move |request: Request<Bytes>| {
        let reply = answer(&request, &shown);
        if reply.status() == StatusCode::OK {
            noted.lock().unwrap_or_else(PoisonError::into_inner).note(clock.now());
        }
        reply
    };
    let endpoint = HttpEndpoint::open(address, "--prometheus", Arc::new(handler))?;
    let sink = PrometheusSink { endpoint, sums, scrapes, linger: args.linger, is_quiet: args.quiet };
    Ok(vec![Box::new(sink)])
}

impl Sink for PrometheusSink {
    fn begin(&mut self, run: &RunInfo) {
        *self.lock() = RunSums::new(run);
        if !self.is_quiet {
            stderr::print_line(format_args!("metrics for Prometheus: {}{PATH}", self.endpoint.base_url()));
        }
    }

    fn second(&mut self, second: &SecondSnapshot) {
        self.lock().add(second);
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        self.lock().finish(report);
        Ok(())
    }

    fn linger(&self) -> Option<Duration> {
        let seen = self.scrapes.lock().unwrap_or_else(PoisonError::into_inner).linger();
        self.linger.or(seen)
    }
}

impl PrometheusSink {
    fn lock(&self) -> std::sync::MutexGuard<'_, RunSums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(request: &Request<Bytes>, sums: &Arc<Mutex<RunSums>>) -> Response<EndpointBody> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return reply_text(StatusCode::METHOD_NOT_ALLOWED, "the metrics can only be read\n");
    }
    if request.uri().path() != PATH {
        return reply_text(StatusCode::NOT_FOUND, "the metrics are at /metrics\n");
    }
    let form = Exposition::negotiate(&accept(request.headers()));
    reply(StatusCode::OK, form.content_type(), form.write(sums))
}

/// Returns all `accept` fields as one.
fn accept(headers: &HeaderMap) -> String {
    let fields: Vec<_> = headers.get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok()).collect();
    fields.join(",")
}
