//! Those who watch a run while it lasts: a tab that follows its page, a scraper of its metrics, and a collector that
//! takes what it sends. They do nothing with what they get.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// The time between two scrapes, and between two looks for a page's link.
const INTERVAL: Duration = Duration::from_secs(1);

/// The text before the link of a page.
const LINK: &str = "page of the run: http://";

/// Watchers of all runs of a section, until they are dropped.
pub(crate) struct Watchers {
    /// The URL of the collector.
    pub(crate) collector: String,
    /// The port at which the metrics are scraped.
    pub(crate) metrics_port: u16,
    state: Arc<WatchState>,
}

/// The state that the watchers share.
#[derive(Default)]
struct WatchState {
    is_over: AtomicBool,
    /// Messages that the collector got.
    messages: AtomicUsize,
    /// Scrapes that were answered.
    scrapes: AtomicUsize,
    /// Events that the tabs got.
    events: AtomicUsize,
}

/// Counts of what the watchers got.
pub(crate) struct Watched {
    /// Messages of the collector.
    pub(crate) messages: usize,
    /// Scrapes that were answered.
    pub(crate) scrapes: usize,
    /// Events of the page.
    pub(crate) events: usize,
}

impl Watchers {
    /// Starts them. `log` is the file to which each run writes its standard error, with the link of its page.
    pub(crate) fn start(log: &Path) -> Result<Self> {
        let listen = || TcpListener::bind("127.0.0.1:0").context("cannot listen on 127.0.0.1");
        let collector = listen()?;
        let url = format!("http://{}", collector.local_addr()?);
        // Free once it is closed again; nothing else here takes ports meanwhile.
        let metrics_port = listen()?.local_addr()?.port();
        let state = Arc::new(WatchState::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || collect(&collector, &shared));
        let shared = Arc::clone(&state);
        thread::spawn(move || scrape(metrics_port, &shared));
        let (shared, log) = (Arc::clone(&state), log.to_owned());
        thread::spawn(move || follow_pages(&log, &shared));
        Ok(Self { collector: url, metrics_port, state })
    }

    /// Returns what they got so far.
    pub(crate) fn watched(&self) -> Watched {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let WatchState { messages, scrapes, events, .. } = &*self.state;
        Watched { messages: count(messages), scrapes: count(scrapes), events: count(events) }
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
    }
}

/// Answers each request on each connection with an empty success, in a form that OTLP takes for one.
fn collect(listener: &TcpListener, state: &Arc<WatchState>) {
    for stream in listener.incoming().flatten() {
        let state = Arc::clone(state);
        thread::spawn(move || answer(stream, &state));
    }
}

fn answer(mut stream: TcpStream, state: &WatchState) -> Option<()> {
    let mut requests = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if requests.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        std::io::copy(&mut requests.by_ref().take(length), &mut std::io::sink()).ok()?;
        state.messages.fetch_add(1, Ordering::Relaxed);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n")
            .ok()?;
    }
}

fn scrape(port: u16, state: &WatchState) {
    while !state.is_over.load(Ordering::Relaxed) {
        let text = get(&format!("127.0.0.1:{port}"), "/metrics").map(|mut reply| {
            let mut text = Vec::new();
            reply.read_to_end(&mut text).map(|_| text)
        });
        if matches!(text, Some(Ok(text)) if !text.is_empty()) {
            state.scrapes.fetch_add(1, Ordering::Relaxed);
        }
        thread::sleep(INTERVAL);
    }
}

/// Follows the page of each run whose link appears in the log, to its end.
fn follow_pages(log: &Path, state: &WatchState) {
    let mut last = String::new();
    while !state.is_over.load(Ordering::Relaxed) {
        let link = link(&log.to_path_buf()).filter(|link| *link != last);
        if let Some(link) = link {
            let (host, path) = link.split_once('/').unwrap_or((&link, ""));
            let events = get(host, &format!("/{path}events")).map(|reply| BufReader::new(reply).lines());
            for line in events.into_iter().flatten().map_while(Result::ok) {
                state.events.fetch_add(usize::from(line.starts_with("data:")), Ordering::Relaxed);
            }
            last = link;
        }
        thread::sleep(INTERVAL / 10);
    }
}

/// Returns the link in a log, without its scheme.
fn link(log: &PathBuf) -> Option<String> {
    let text = fs::read_to_string(log).ok()?;
    let (_, after) = text.split_once(LINK)?;
    after.split_once('\n').map(|(link, _)| link.trim().to_owned())
}

fn get(host: &str, path: &str) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(host).ok()?;
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: text/event-stream, */*\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    Some(stream)
}
