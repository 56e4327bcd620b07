//! `--page`: a page that shows the run while it lasts; and files of `--out` that end in `.html`, which are the same
//! page with the log of the run inside. The log is kept here, bounded however long the run is, and read by tabs on the
//! endpoint's thread; no worker knows of them.

mod collector;
mod event_log;
mod ladder;
mod server;

use std::sync::Arc;
use std::time::Duration;

use super::http_endpoint::HttpEndpoint;
use super::run_info::RunInfo;
use super::sink::Sink;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::metrics::aggregate::label;
use crate::plan::Plan;
use crate::report::page::{HelloEvent, NO_PAGE, RowName, end_event, is_page, template};
use crate::report::{Report, ReportFile};
use crate::run::load_controller::ControlSender;
use crate::run::observer::SecondSnapshot;
use crate::stderr;
use collector::TickCollector;
use event_log::SharedLog;
use server::PageServer;

/// The sink: the log, the tabs that read it, and the files that it is written to.
struct PageSink {
    log: Arc<SharedLog>,
    collector: Option<TickCollector>,
    server: Option<(HttpEndpoint, PageServer)>,
    files: Vec<ReportFile>,
    /// `--linger`.
    linger: Option<Duration>,
}

/// Opens the sink if `--page` or a file that ends in `.html` was given.
///
/// # Errors
/// The build has no page, the address cannot be listened on, or a file cannot be written.
pub(super) fn open(args: &RunArgs, _: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    let paths: Vec<_> = args.out.iter().filter(|path| is_page(path)).cloned().collect();
    let files = ReportFile::open_all(&paths)?;
    let log = Arc::new(SharedLog::default());
    let server = match (args.live_page.page, template()) {
        (None, _) => None,
        (Some(_), None) => {
            return Err(Diagnostic::new("usage::page", NO_PAGE).help("install npm and build again").into());
        }
        (Some(address), Some(page)) => {
            let server = PageServer::new(page, Arc::clone(&log), args.live_page.page_control);
            Some((HttpEndpoint::open(address, "--page", server.handler())?, server))
        }
    };
    if server.is_none() && files.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Box::new(PageSink { log, collector: None, server, files, linger: args.linger })])
}

impl PageSink {
    fn is_controlled(&self) -> bool {
        self.server.as_ref().is_some_and(|(_, server)| server.is_controlled())
    }
}

impl Sink for PageSink {
    fn accept_control(&mut self, requests: &ControlSender) -> bool {
        self.server.as_ref().is_some_and(|(_, server)| server.accept_control(requests))
    }

    fn begin(&mut self, run: &RunInfo) {
        self.collector = Some(TickCollector::new(run));
        if let Ok(hello) = serde_json::to_string(&hello(run).with_control(self.is_controlled())) {
            self.log.begin(hello);
        }
        // The link has the token, without which the page cannot be opened, so it is shown even with `--quiet`.
        if let Some((endpoint, server)) = &self.server {
            stderr::print_line(format_args!("page of the run: {}{}", endpoint.base_url(), server.path()));
        }
    }

    fn second(&mut self, second: &SecondSnapshot) {
        if let Some(collector) = &mut self.collector {
            self.log.push(collector.tick(second));
        }
    }

    fn linger(&self) -> Option<Duration> {
        self.linger.filter(|_| self.server.is_some())
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        match end_event(report) {
            Ok(end) => self.log.end(end),
            Err(error) => return Err(Diagnostic::new("internal::sink", format!("the report is not JSON: {error}"))),
        }
        self.files.drain(..).try_for_each(|file| file.write_with(|out| self.log.write_page(out)))
    }
}

fn hello(run: &RunInfo) -> HelloEvent {
    let rows = run.rows.iter().map(|row| RowName {
        label: label(row.scenario.as_deref(), &row.name),
        action: row.action.clone(),
        part: row.part.is_some(),
        by_design: row.is_by_design(),
        rows: None,
    });
    let thresholds =
        run.thresholds.iter().map(|it| [it.metric.clone(), it.expression.clone(), it.quantity.name().to_owned()]);
    HelloEvent::new(&run.settings, run.started_at)
        .with_rows(rows)
        .with_thresholds(thresholds)
        .with_max_open_files(rlimit::Resource::NOFILE.get_soft().ok())
}
