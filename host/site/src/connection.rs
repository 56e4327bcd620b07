//! One connection: HTTP/1.1 or HTTP/2 on it, each request received, decided, counted and answered.

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

use super::ask::Ask;
use super::body::{Body, Source};
use super::exchange::{Exchange, TooLarge, Unanswered};
use super::outcome::{Outcome, empty, refuse, serialized};
use super::route::Route;
use super::shared::Shared;
use super::stats::Stats;
use super::wire::{Fate, FateCell, Wire};
use super::{pages, websocket};

/// What the requests of one connection share.
struct Connection {
    shared: Arc<Shared>,
    fate: FateCell,
    /// Set once a page has agreed to a WebSocket, which takes over when HTTP is done.
    upgrade: Mutex<Option<OnUpgrade>>,
}

/// Serves until either side is done with it.
pub async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    shared.stats.connected();
    let connection = Arc::new(Connection { shared, fate: FateCell::default(), upgrade: Mutex::default() });
    let io = TokioIo::new(Wire::new(stream, connection.fate.clone()));
    let requests = Arc::clone(&connection);
    let service = service_fn(move |request| answer(Arc::clone(&requests), request));
    let builder = auto::Builder::new(TokioExecutor::new());
    // What goes wrong here is the client's to report.
    let _ = builder.serve_connection_with_upgrades(io, service).await;
    let upgrade = connection.upgrade.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(upgrade) = upgrade {
        websocket::echo(upgrade).await;
    }
}

async fn answer(connection: Arc<Connection>, request: Request<Incoming>) -> Result<Response<Body>, Unanswered> {
    let (mut parts, content) = request.into_parts();
    let shared = &connection.shared;
    if let Some(reply) = account(&shared.stats, &parts) {
        return Ok(reply.map(Body::uncounted));
    }
    let route = Route::find(parts.uri.path());
    let mut exchange = Exchange::begin(&shared.stats, route);
    let body = if content.is_end_stream() { Ok(Bytes::new()) } else { exchange.receive(content).await? };
    let outcome = match body {
        Ok(body) => pages::answer(&Ask { shared, parts: &parts, route, body }),
        Err(TooLarge) => refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB").into(),
    };
    let reply = match outcome {
        Outcome::Reply(reply) => reply,
        Outcome::After(delay, reply) => {
            shared.timer.after(delay).await;
            reply
        }
        Outcome::WebSocket(reply) => {
            let upgrade = parts.extensions.remove::<OnUpgrade>();
            *connection.upgrade.lock().unwrap_or_else(PoisonError::into_inner) = upgrade;
            reply
        }
        Outcome::Nothing(fate) => return connection.leave(fate, parts.version),
    };
    exchange.answered(reply.status());
    Ok(reply.map(|source| Body::counted(source, exchange)))
}

/// `/stats` and its reset, which count nowhere.
fn account(stats: &Stats, parts: &Parts) -> Option<Response<Source>> {
    match parts.uri.path() {
        "/stats" if parts.method == Method::GET => Some(serialized(&stats.snapshot())),
        "/stats/reset" if parts.method == Method::POST => {
            stats.reset();
            Some(empty(StatusCode::NO_CONTENT))
        }
        "/stats" | "/stats/reset" => {
            Some(refuse(StatusCode::METHOD_NOT_ALLOWED, "GET `/stats` or POST `/stats/reset`"))
        }
        _ => None,
    }
}

impl Connection {
    /// No reply. HTTP/2 shares its connection among streams, so there only the stream ends.
    fn leave(&self, fate: Fate, version: Version) -> Result<Response<Body>, Unanswered> {
        if version == Version::HTTP_2 {
            return Err(Unanswered);
        }
        self.fate.set(fate);
        match fate {
            // hyper must try to write a reply for the wire to put the garbage in its place.
            Fate::Garble => Ok(empty(StatusCode::OK).map(Body::uncounted)),
            Fate::Close | Fate::Reset => Err(Unanswered),
        }
    }
}
