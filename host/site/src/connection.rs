//! One connection with HTTP/1.1 or HTTP/2: each request is received, routed to its page, counted and answered.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;

use super::abortable_stream::{AbortCell, AbortMode, AbortableStream};
use super::body::{BodySource, CountedBody};
use super::counted_exchange::{BodyTooLarge, CountedExchange, NoReply};
use super::page_outcome::{PageOutcome, empty, error_reply, json_value};
use super::page_request::PageRequest;
use super::route::Route;
use super::shared::SiteState;
use super::stats::SiteStats;
use super::{pages, websocket};

/// State that the requests of one connection share.
struct SiteConnection {
    shared: Arc<SiteState>,
    abort: AbortCell,
    /// Set once a page has accepted a WebSocket, which takes over when HTTP is done.
    upgrade: Mutex<Option<OnUpgrade>>,
}

/// Serves a connection until either side ends it.
pub(crate) async fn serve(shared: Arc<SiteState>, stream: TcpStream) {
    shared.stats.connection_opened();
    let connection = Arc::new(SiteConnection { shared, abort: AbortCell::default(), upgrade: Mutex::default() });
    let io = TokioIo::new(AbortableStream::new(stream, connection.abort.clone()));
    let requests = Arc::clone(&connection);
    let service = service_fn(move |request| answer(Arc::clone(&requests), request));
    let builder = auto::Builder::new(TokioExecutor::new());
    // The client reports errors of the connection.
    let _ = builder.serve_connection_with_upgrades(io, service).await;
    let upgrade = connection.upgrade.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(upgrade) = upgrade {
        websocket::echo(upgrade).await;
    }
}

async fn answer(connection: Arc<SiteConnection>, request: Request<Incoming>) -> Result<Response<CountedBody>, NoReply> {
    let (mut parts, content) = request.into_parts();
    let shared = &connection.shared;
    if let Some(reply) = stats_reply(&shared.stats, &parts) {
        return Ok(reply.map(CountedBody::uncounted));
    }
    let route = Route::of_path(parts.uri.path());
    let mut exchange = CountedExchange::begin(&shared.stats, route);
    let body = if content.is_end_stream() { Ok(Bytes::new()) } else { exchange.receive(content).await? };
    let reply = match body {
        Err(BodyTooLarge) => error_reply(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB"),
        Ok(body) => {
            let request = PageRequest { shared, parts: &parts, route, body };
            loop {
                match pages::answer(&request) {
                    PageOutcome::Reply(reply) => break reply,
                    PageOutcome::Delayed(delay, reply) => {
                        shared.timer.after(delay).await;
                        break reply;
                    }
                    PageOutcome::Again(due) => shared.timer.at(due).await,
                    PageOutcome::WebSocket(reply) => {
                        let upgrade = parts.extensions.remove::<OnUpgrade>();
                        *connection.upgrade.lock().unwrap_or_else(PoisonError::into_inner) = upgrade;
                        break reply;
                    }
                    PageOutcome::Abort(mode) => return connection.abort(mode, parts.version),
                }
            }
        }
    };
    exchange.count_status(reply.status());
    Ok(reply.map(|source| CountedBody::counted(source, exchange)))
}

/// Answers `/stats` and its reset, which are not counted.
fn stats_reply(stats: &SiteStats, parts: &Parts) -> Option<Response<BodySource>> {
    match parts.uri.path() {
        "/stats" if parts.method == Method::GET => Some(json_value(&stats.snapshot())),
        "/stats/reset" if parts.method == Method::POST => {
            stats.reset();
            Some(empty(StatusCode::NO_CONTENT))
        }
        "/stats" | "/stats/reset" => {
            Some(error_reply(StatusCode::METHOD_NOT_ALLOWED, "GET `/stats` or POST `/stats/reset`"))
        }
        _ => None,
    }
}

impl SiteConnection {
    /// Ends without a reply. HTTP/2 shares its connection among streams, so there only the stream ends.
    fn abort(&self, mode: AbortMode, version: Version) -> Result<Response<CountedBody>, NoReply> {
        if version == Version::HTTP_2 {
            return Err(NoReply);
        }
        self.abort.set(mode);
        match mode {
            // hyper must try to write a reply, in whose place the socket writes the malformed bytes.
            AbortMode::Garble => Ok(empty(StatusCode::OK).map(CountedBody::uncounted)),
            AbortMode::Close | AbortMode::Reset => Err(NoReply),
        }
    }
}
