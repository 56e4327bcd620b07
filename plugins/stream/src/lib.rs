//! The `stream` action: a viewer of HLS and DASH. It fetches what a player would fetch, when a player would, plays it
//! against the clock without decoding it, and reports what the person before the screen would have seen. This folder's
//! `README.md` lists the parameters, with an example.
//!
//! ```text
//! Params ─▶ Settings ─▶ Session ─▶ Viewer (viewer-core) ─▶ Command
//!                          ▲                                  │
//!                          └── Event ◀── replies, timers ◀────┘
//! ```

mod hosts;
mod metrics;
mod params;
mod reader;
mod rows;
mod session;
mod span;

use std::rc::Rc;

use stampede_plugin::http::{DynamicRequest, Options, Request};
use stampede_plugin::{Action, ConfigError, Outcome, Task, lifetime, plugin};
use viewer_core::{self as core, SessionSpec, Settings};

pub use params::Params;

use metrics::Metrics;
use reader::Reader;
use rows::Rows;
use session::Session;
use span::micros;

/// The exchanges that a viewer has under way at once to one host: pictures, sound, and a playlist.
const AT_ONCE: u16 = 3;

/// The redirects that are followed.
const MOST_REDIRECTS: u8 = 10;

/// One configured step.
pub struct Stream {
    params: Params,
    settings: Rc<Settings>,
    rows: Rows,
    metrics: Metrics,
    reader: Reader,
}

impl Action for Stream {
    const NAME: &'static str = "stream";
    const SUMMARY: &'static str = "watches HLS or DASH as a player would, and measures what a viewer sees";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/stream.json"));
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        let settings = Rc::new(params.settings()?);
        // Never sent: the manifest's URL is rendered for each session. The host program checks it, and grants its host.
        Request::get(params.url).prepare().map_err(|error| error.at("/url"))?;
        Request::get(params.url).headers(params.headers.clone()).prepare().map_err(|error| error.at("/headers"))?;
        hosts::grant(&params.hosts)?;
        lifetime::lasts(params.watch.to);
        lifetime::connections(AT_ONCE);
        let metrics = Metrics::new(params.label.as_deref()).map_err(|error| error.at("/label"))?;
        Ok(Self { settings, rows: Rows::new()?, metrics, reader: Reader::default(), params })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let user = task.user();
        let mut ending = task.ending();
        let begin = micros(task.now());
        let watch = self.params.watch.uniform();
        let watch = watch.from + (user.random() % (watch.to - watch.from + 1).unsigned_abs()).cast_signed();
        loop {
            let left = watch - (micros(task.now()) - begin);
            let spec = SessionSpec { url: self.params.url.render(task), watch: left, seed: user.random() };
            match Session::new(self, task, &spec).play(&mut ending).await? {
                core::Outcome::Zapped => {}
                _ => return Ok(()),
            }
        }
    }
}

impl Stream {
    /// Returns a request for a URL, as all of a session's requests are.
    fn request(&self, task: &Task, url: String, keep_body: bool) -> DynamicRequest {
        let fields = self.params.headers.iter();
        DynamicRequest {
            headers: fields.map(|(name, value)| (name.to_owned(), value.render(task))).collect(),
            options: Options {
                version: self.params.http_version.0,
                max_redirects: MOST_REDIRECTS,
                // Media is compressed already; manifests are asked for compressed, as by players.
                compression: keep_body,
                keep_body,
            },
            ..DynamicRequest::get(url)
        }
    }
}

plugin!(Stream);

#[cfg(test)]
mod tests;
