//! Reads replies for the player. Thousands of viewers fetch the same playlist every few seconds: its content is decoded
//! and parsed once for all viewers of an instance, which share what was read.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use stampede_plugin::http::TransferReply;
use stampede_plugin::log;
use viewer_core::{Content, FetchId, Micros, Playlist, Presentation, Viewer, What};
use viewer_manifest::{
    Manifest, ManifestError, PlaylistContext, WithWarnings, read_index, read_instant, read_manifest, read_playlist,
    read_steering,
};

/// The contents that are kept: those of all renditions of a few channels.
const MOST_KEPT: usize = 256;

/// The distinct warnings that a step logs.
const MOST_WARNINGS: usize = 32;

/// A reply whose content was kept.
#[derive(Clone, Copy)]
pub(crate) struct KeptReply<'r> {
    /// The fetch.
    pub(crate) id: FetchId,
    /// The kind of thing that was fetched.
    pub(crate) what: What,
    /// The URL that answered.
    pub(crate) url: &'r str,
    /// The reply.
    pub(crate) reply: &'r TransferReply<'r>,
}

/// Reads replies, and keeps what was read lately.
#[derive(Default)]
pub(crate) struct Reader {
    /// The latest last.
    kept: RefCell<VecDeque<Kept>>,
    warned: RefCell<BTreeSet<String>>,
}

/// Content that was read.
struct Kept {
    url: String,
    fingerprint: u64,
    previous: Previous,
    content: Content,
}

/// The content below other content: a delta update is read on top of a playlist, a refresh on top of a manifest.
#[derive(Clone)]
enum Previous {
    Nothing,
    Playlist(Rc<Playlist>),
    Presentation(Rc<Presentation>),
}

impl Previous {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Playlist(own), Self::Playlist(other)) => Rc::ptr_eq(own, other),
            (Self::Presentation(own), Self::Presentation(other)) => Rc::ptr_eq(own, other),
            _ => false,
        }
    }
}

impl Reader {
    /// Reads a reply to a fetch of the viewer.
    pub(crate) fn read(&self, viewer: &Viewer, reply: &KeptReply<'_>) -> Content {
        let KeptReply { id, what, url, .. } = *reply;
        let previous = match what {
            What::Manifest => viewer.presentation().cloned().map_or(Previous::Nothing, Previous::Presentation),
            What::Playlist(_) | What::Reload(_) => {
                viewer.previous_list(id).cloned().map_or(Previous::Nothing, Previous::Playlist)
            }
            _ => Previous::Nothing,
        };
        let fingerprint = reply.reply.fingerprint();
        if let Some(content) = self.find(url, fingerprint, &previous) {
            return content;
        }
        let content = self.parse(viewer, reply).unwrap_or_else(|error| {
            if error.needs_whole {
                return Content::Unmergeable;
            }
            self.warn(format!("{}: {error}", without_query(url)));
            Content::Malformed
        });
        self.keep(Kept { url: url.to_owned(), fingerprint, previous, content: content.clone() });
        content
    }

    fn parse(&self, viewer: &Viewer, reply: &KeptReply<'_>) -> Result<Content, ManifestError> {
        let KeptReply { id, what, url, reply } = *reply;
        let body = reply.body();
        match what {
            What::Manifest => {
                let read = self.noted(url, read_manifest(&body, url, viewer.presentation())?);
                let Manifest { presentation, entry } = read;
                let presentation = Rc::new(presentation);
                Ok(match entry {
                    Some(entry) => Content::Entry(presentation, Rc::new(entry)),
                    None => Content::Presentation(presentation),
                })
            }
            What::Playlist(_) | What::Reload(_) => {
                let variables = viewer.presentation().map_or(&[][..], |presentation| &presentation.variables);
                let previous = viewer.previous_list(id).map(Rc::as_ref);
                let read = read_playlist(&body, &PlaylistContext { url, variables, previous })?;
                Ok(Content::Playlist(Rc::new(self.noted(url, read))))
            }
            What::Index(_) => {
                let Some(indexed) = viewer.indexed(id) else { return Ok(Content::Malformed) };
                let offset = indexed.index.map_or(0, |range| range.start);
                Ok(Content::Playlist(Rc::new(read_index(&body, offset, indexed)?)))
            }
            What::Clock => {
                Ok(read_instant(&String::from_utf8_lossy(&body)).map_or(Content::Malformed, Content::Instant))
            }
            What::Steering => Ok(Content::Steering(Rc::new(read_steering(&body, url)?))),
            What::Init(_) | What::Segment(_) | What::Part(_) | What::Key => Ok(Content::Dropped),
        }
    }

    fn find(&self, url: &str, fingerprint: u64, previous: &Previous) -> Option<Content> {
        let mut kept = self.kept.borrow_mut();
        let is_it = |known: &Kept| known.fingerprint == fingerprint && known.url == url && known.previous.is(previous);
        let place = kept.iter().rposition(is_it)?;
        let found = kept.remove(place)?;
        let content = found.content.clone();
        kept.push_back(found);
        Some(content)
    }

    fn keep(&self, content: Kept) {
        let mut kept = self.kept.borrow_mut();
        if kept.len() == MOST_KEPT {
            kept.pop_front();
        }
        kept.push_back(content);
    }

    /// Logs what a reader has noted, each text once.
    fn noted<T>(&self, url: &str, noted: WithWarnings<T>) -> T {
        for warning in noted.warnings {
            self.warn(format!("{}:{}: {}", without_query(url), warning.line, warning.text));
        }
        noted.value
    }

    fn warn(&self, text: String) {
        let mut warned = self.warned.borrow_mut();
        if warned.len() < MOST_WARNINGS && !warned.contains(&text) {
            log::warn(&text);
            warned.insert(text);
        }
    }
}

/// Returns a URL without its query, which may hold anything.
fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

/// Reads a date of HTTP, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7), to an instant since 1970.
pub(crate) fn date(value: &str) -> Option<Micros> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut fields = value.split_ascii_whitespace().skip(1);
    let (day, month, year, time) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    read_instant(&format!("{year}-{month:02}-{day}T{time}Z"))
}
