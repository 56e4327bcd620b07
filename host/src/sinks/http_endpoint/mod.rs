//! An HTTP/1.1 endpoint for sinks that are read rather than written: on one thread of its own, so that a client costs
//! no worker anything. It is bound before the run, so that an address in use is an error like any other.
//!
//! A client can hold little: [`MAX_CLIENTS`] connections, each with one request of at most [`MAX_HEAD_BYTES`] and
//! [`MAX_BODY_BYTES`], which must come within [`REQUEST_TIME`].

mod body;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::cli::ListenAddress;
use crate::diagnostic::{Diagnostic, io_reason};

pub(super) use body::EndpointBody;

/// The maximum number of connections at once.
const MAX_CLIENTS: usize = 64;
/// The maximum size of a request's head, in bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// The maximum size of a request's body, in bytes.
const MAX_BODY_BYTES: usize = 64 << 10;
/// The time that a client has for its next request, and for the body of it.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// The time that replies in progress may take once the endpoint is to end.
const CLOSE_TIME: Duration = Duration::from_secs(1);
/// The delay before the next attempt to accept connections after one has failed.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_secs(1);
/// The answer to a connection that is one too many.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Answers a request. It is called on the endpoint's thread, so it must not wait.
pub(super) type EndpointHandler = Arc<dyn Fn(Request<Bytes>) -> Response<EndpointBody> + Send + Sync>;

/// An endpoint that is being served. Dropping it ends replies in progress after [`CLOSE_TIME`], and frees the port.
pub(super) struct HttpEndpoint {
    address: SocketAddr,
    /// The sender that ends the thread when dropped; `None` while it ends.
    running: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpEndpoint {
    /// Listens on the address, and serves it. `flag` is the one that gave the address.
    ///
    /// # Errors
    /// The address cannot be listened on, or the system has no more threads.
    pub(super) fn open(address: ListenAddress, flag: &str, handler: EndpointHandler) -> Result<Self, Diagnostic> {
        Self::start(address, handler).map_err(|error| {
            Diagnostic::new("usage::addr", format!("cannot listen on {address}: {}", io_reason(&error)))
                .help(format!("name another address with `{flag}`, for example `{flag} 127.0.0.1:0` for a free port"))
        })
    }

    /// Returns the address on which it listens, with the port that was picked.
    #[cfg(test)]
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns `http://` and an address that reaches it from this machine.
    pub(super) fn base_url(&self) -> String {
        let is_any = self.address.ip().is_unspecified();
        let host = if is_any { "localhost".to_owned() } else { self.address.ip().to_string() };
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        format!("http://{host}:{}", self.address.port())
    }

    fn start(address: ListenAddress, handler: EndpointHandler) -> io::Result<Self> {
        let listener = address.listen()?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (running, ended) = watch::channel(());
        let serving = async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => serve(listener, handler, ended).await,
                Err(error) => tracing::error!("{address} cannot be served: {error}"),
            }
        };
        let thread = std::thread::Builder::new().name("endpoint".into()).spawn(move || runtime.block_on(serving))?;
        Ok(Self { address, running: Some(running), thread: Some(thread) })
    }
}

impl Drop for HttpEndpoint {
    fn drop(&mut self) {
        self.running = None;
        if let Some(thread) = self.thread.take() {
            // A panic was printed by its own thread.
            let _ = thread.join();
        }
    }
}

/// Serves connections until the sender of `ended` is gone. Nothing is ever sent.
async fn serve(listener: TcpListener, handler: EndpointHandler, mut ended: watch::Receiver<()>) {
    let (free, mut connections, end) = (Arc::new(Semaphore::new(MAX_CLIENTS)), JoinSet::new(), ended.clone());
    loop {
        tokio::select! {
            _ = ended.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (permit, handler, end) = (Arc::clone(&free).try_acquire_owned(), Arc::clone(&handler), end.clone());
                    connections.spawn(async move {
                        match permit {
                            Ok(_permit) => serve_connection(stream, handler, end).await,
                            Err(_) => refuse_connection(stream).await,
                        }
                    });
                }
                // For example, no file descriptor is left.
                Err(error) => {
                    tracing::warn!("the HTTP endpoint: {error}");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            },
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // The connections that are left are dropped.
    let _ = timeout(CLOSE_TIME, all_ended).await;
}

/// Answers without reading, so that a client that sends nothing holds nothing.
async fn refuse_connection(mut stream: TcpStream) {
    // If this fails, the client has gone away and needs no answer.
    let _ = timeout(CLOSE_TIME, stream.write_all(TOO_MANY)).await;
}

/// Serves one connection until the client closes it, breaks a limit, or the endpoint ends.
async fn serve_connection(stream: TcpStream, handler: EndpointHandler, mut ended: watch::Receiver<()>) {
    // Without it a small reply may wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, hyper::Error>(answer(request, &handler).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIME)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A client that breaks the protocol or goes away is its own business.
    let _ = tokio::select! {
        result = &mut connection => result,
        _ = ended.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
}

async fn answer(request: Request<Incoming>, handler: &EndpointHandler) -> Response<EndpointBody> {
    let (head, body) = request.into_parts();
    match timeout(REQUEST_TIME, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => handler(Request::from_parts(head, body.to_bytes())),
        Ok(Err(_)) => reply_text(StatusCode::PAYLOAD_TOO_LARGE, "the body of the request is too large\n"),
        Err(_) => reply_text(StatusCode::REQUEST_TIMEOUT, "the body of the request did not come\n"),
    }
}

/// Creates a reply.
pub(super) fn reply(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<EndpointBody>,
) -> Response<EndpointBody> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Creates a reply of plain text, a line for a person.
pub(super) fn reply_text(status: StatusCode, line: &'static str) -> Response<EndpointBody> {
    reply(status, "text/plain; charset=utf-8", line)
}
