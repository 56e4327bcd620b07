//! HTTP/2 (RFC 9113), by hyper: a connection serves several exchanges of its user at once and is driven by a task of
//! its own.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http2::SendRequest;
use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, COOKIE, HOST, HeaderValue, TRANSFER_ENCODING, USER_AGENT};
use hyper::http::uri::Authority;
use hyper_util::rt::TokioIo;
use stampede_time::Nanos;

use super::body::{self, BodyCollector, KeptBody};
use super::body_channel::BodyChannel;
use super::client::Client;
use super::header_section::HeaderSection;
use super::http2_progress::{StreamProgress, WatchedStream};
use super::message::{OutgoingRequest, Reply, TRACEPARENT, has_payload};
use super::passage::Passage;
use crate::metrics::sample::FailureKind;
use crate::net::{Failure, Meter, MeteredStream, Traffic, TrafficGuard, Transport};

type HyperRequest = hyper::Request<RequestContent>;

/// Content of a request, which notes when the request is given a stream.
struct RequestContent {
    form: ContentForm,
    /// The progress of the request's connection, until it is given a stream.
    progress: Cell<Option<Rc<StreamProgress>>>,
}

/// The forms of content.
enum ContentForm {
    /// Content known from the start.
    Whole(Full<Bytes>),
    /// The beginning of the content, and the channel that the rest is written to.
    Pieces(Bytes, Rc<BodyChannel>),
}

impl Body for RequestContent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.form {
            ContentForm::Whole(whole) => Pin::new(whole).poll_frame(cx),
            ContentForm::Pieces(first, _) if !first.is_empty() => Poll::Ready(Some(Ok(Frame::data(mem::take(first))))),
            ContentForm::Pieces(_, channel) => {
                channel.poll_send(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    /// hyper asks first when it opens the stream of the request.
    fn is_end_stream(&self) -> bool {
        if let Some(progress) = self.progress.take() {
            progress.assign();
        }
        match &self.form {
            ContentForm::Whole(whole) => whole.is_end_stream(),
            ContentForm::Pieces(..) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.form {
            ContentForm::Whole(whole) => whole.size_hint(),
            ContentForm::Pieces(..) => SizeHint::default(),
        }
    }
}

/// The end of an exchange.
pub(super) enum Http2Outcome {
    /// A reply, or a failure for good.
    Done(Result<Reply, Failure>),
    /// Nothing of the request was written before the connection ended; the failure if it is not sent again.
    Unsent(Failure),
    /// The peer has not processed the request, by its own account; the failure if it is not sent again.
    Unprocessed(Failure),
}

/// An open connection. It ends with the last clone.
#[derive(Clone)]
pub(super) struct Http2 {
    sender: SendRequest<RequestContent>,
    traffic: Rc<Traffic>,
    progress: Rc<StreamProgress>,
    /// The error that has ended the connection.
    broken: Rc<RefCell<Option<Failure>>>,
}

/// The smallest window of a stream, in bytes, which is also that of every stream until the peer knows another.
const MIN_WINDOW: u32 = 65_535;
/// Streams whose windows that of the connection has room for: content that a user does not take must not stop another
/// stream.
const WINDOWS: u32 = 4;

impl Http2 {
    /// Starts the protocol on a stream. With a `receive_buffer`, which users with a link have, a server sends no more
    /// ahead than fits into it.
    pub(super) async fn start(
        client: &Client,
        transport: Transport,
        receive_buffer: Option<u32>,
    ) -> Result<Self, Failure> {
        let traffic = Rc::new(Traffic::default());
        let progress = Rc::new(StreamProgress::default());
        let metered = MeteredStream::new(transport, Rc::clone(&traffic));
        let io = TokioIo::new(WatchedStream::new(metered, Rc::clone(&progress)));
        let mut settings = Cow::Borrowed(&client.http2);
        if let Some(buffer) = receive_buffer {
            let window = buffer.clamp(MIN_WINDOW, i32::MAX as u32 / WINDOWS);
            let windows = settings.to_mut().initial_stream_window_size(window);
            windows.initial_connection_window_size(window * WINDOWS);
        }
        let (sender, driver) = settings.handshake(io).await.map_err(|error| Failure::of_exchange(&error, false))?;
        let broken = Rc::new(RefCell::new(None));
        let noted = Rc::clone(&broken);
        tokio::task::spawn_local(async move {
            if let Err(error) = driver.await {
                *noted.borrow_mut() = Some(Failure::of_exchange(&error, false));
            }
        });
        Ok(Self { sender, traffic, progress, broken })
    }

    /// Returns `true` if it takes no more requests.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Returns `true` if the peer has announced its end.
    pub(super) fn is_going_away(&self) -> bool {
        self.progress.is_going_away()
    }

    /// Returns `true` if both are one connection.
    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.traffic, &other.traffic)
    }

    /// Sends a request and receives its reply.
    pub(super) async fn exchange(
        &mut self,
        client: &Client,
        meter: &Meter,
        outgoing: OutgoingRequest<'_>,
        begun: Nanos,
    ) -> Http2Outcome {
        let request = outgoing.request;
        let passage = outgoing.link.map(|link| Passage::new(client, link));
        let _charge = TrafficGuard { meter, traffic: Rc::clone(&self.traffic) };
        // Others may be given a stream first.
        let lowest = self.progress.next();
        let response = match self.sender.try_send_request(message(outgoing, Rc::clone(&self.progress))).await {
            Ok(response) => response,
            Err(mut error) => {
                return match error.take_message() {
                    Some(_) => Http2Outcome::Unsent(Failure::network("connection closed before the request")),
                    None => self.failed(error.error(), lowest),
                };
            }
        };
        let headed = client.now();
        meter.update(|measured| {
            measured.status = response.status().as_u16();
            measured.phases.first_byte = Some(headed.saturating_sub(begun));
            measured.ends.first_byte = headed;
        });
        let mut kept = BodyCollector::of(request.keep_body.as_ref(), request.optional_body, client);
        if kept.is_none() && request.channel.is_none() && client.wants_excerpt(response.status()) {
            kept = Some(BodyCollector::excerpt(client));
        }
        let mut receipt = Receipt { client, meter, kept, channel: request.channel.as_deref(), passage };
        let reply = receipt.receive(response).await;
        if reply.is_ok() {
            let end = receipt.passage.map_or_else(|| client.now(), |passage| passage.ends_at());
            meter.update(|measured| {
                measured.phases.receive = Some(end.saturating_sub(headed));
                measured.end = Some(end);
            });
        }
        Http2Outcome::Done(reply.unwrap_or_else(|error| Err(Failure::of_exchange(&error, true))))
    }
}

impl Http2 {
    /// Decides about a request that failed before its reply. `lowest` is the lowest stream that it can have had.
    fn failed(&self, error: &hyper::Error, lowest: u32) -> Http2Outcome {
        // The connection receives settings before any reply, so bytes that arrived do not mean a reply has begun.
        let failure = Failure::of_exchange(error, false);
        // When a connection ends, hyper gives up the request that waits for its stream to be opened, the last one that
        // was given one, and does not say why.
        let (failure, stream) = match error.is_user() {
            true => (self.broken.borrow().clone().unwrap_or(failure), self.progress.newest()),
            false => (failure, lowest),
        };
        if failure.kind == FailureKind::Protocol || !Failure::ends_connection(error) {
            return match Failure::is_unprocessed(error) {
                true => Http2Outcome::Unprocessed(failure),
                false => Http2Outcome::Done(Err(failure)),
            };
        }
        match (self.progress.is_unwritten(stream), self.progress.is_excluded(stream)) {
            (true, _) => Http2Outcome::Unsent(failure),
            (false, true) => Http2Outcome::Unprocessed(failure),
            (false, false) if Failure::is_unprocessed(error) => Http2Outcome::Unprocessed(failure),
            (false, false) => Http2Outcome::Done(Err(failure)),
        }
    }
}

/// The receipt of a reply.
struct Receipt<'a> {
    client: &'a Client,
    meter: &'a Meter,
    kept: Option<BodyCollector>,
    channel: Option<&'a BodyChannel>,
    /// The passage over the user's link, if it has one.
    passage: Option<Passage<'a>>,
}

impl Receipt<'_> {
    /// Waits for the next frame, and until the channel, and the link if there is one, have room for it.
    async fn next_frame(&mut self, body: &mut Incoming) -> Option<hyper::Result<Frame<Bytes>>> {
        poll_fn(|cx| {
            if let Some(passage) = &mut self.passage {
                passage.deliver(self.client.now(), self.meter, self.channel);
                ready!(passage.poll_free(cx));
            }
            let polled = match self.channel {
                Some(channel) if channel.is_full() => Poll::Pending,
                _ => Pin::new(&mut *body).poll_frame(cx),
            };
            if let (true, Some(passage)) = (polled.is_pending(), &mut self.passage) {
                passage.note_wait();
            }
            polled
        })
        .await
    }

    /// Waits until everything that is on the link has arrived.
    async fn drain(&mut self) {
        let Some(passage) = &mut self.passage else { return };
        poll_fn(|cx| {
            if passage.deliver(self.client.now(), self.meter, self.channel) {
                return Poll::Ready(());
            }
            passage.wake_when_more_arrives(cx);
            Poll::Pending
        })
        .await;
    }

    /// Takes content that has arrived from the site.
    fn take(&mut self, data: Bytes) {
        let size = data.len() as u64;
        if let Some(kept) = &mut self.kept {
            kept.push(&data);
        }
        if let Some(passage) = &mut self.passage {
            let content = if self.channel.is_some() { vec![data] } else { Vec::new() };
            return passage.put(self.client.now(), size, content);
        }
        self.meter.update(|measured| measured.body_bytes_in += size);
        if let Some(channel) = self.channel {
            channel.push(data);
        }
    }

    /// Receives the content to its last byte. Content that is not kept is dropped as it arrives.
    async fn receive(&mut self, response: Response<Incoming>) -> hyper::Result<Result<Reply, Failure>> {
        let (head, mut body) = response.into_parts();
        let headers = HeaderSection::of_map(&head.headers);
        if let Some(passage) = &mut self.passage {
            passage.begin_content(self.client.now(), self.meter);
        }
        if let Some(channel) = self.channel {
            self.drain().await;
            channel.push_head(head.status, headers.clone());
        }
        while let Some(frame) = self.next_frame(&mut body).await {
            match (frame?.into_data(), self.channel) {
                (Ok(data), _) => self.take(data),
                (Err(frame), Some(channel)) => {
                    self.drain().await;
                    channel.push_trailers(
                        frame.into_trailers().map(|trailers| HeaderSection::of_map(&trailers)).unwrap_or_default(),
                    );
                }
                (Err(_), None) => {}
            }
        }
        self.drain().await;
        // hyper takes a stream that was reset with NO_ERROR or CANCEL for one that has ended (RFC 9113 section 8.1).
        if !body.is_end_stream() {
            return Ok(Err(Failure::truncated()));
        }
        let kept = self.kept.take().map_or_else(|| Ok(KeptBody::default()), BodyCollector::finish);
        Ok(kept.map(|KeptBody { content: body, excerpt, held }| Reply {
            status: head.status,
            version: head.version,
            headers,
            body,
            excerpt,
            fingerprint: 0,
            is_encoded: false,
            is_deferred: false,
            held,
        }))
    }
}

/// Converts a request to hyper's form, for a connection with this progress.
fn message(outgoing: OutgoingRequest<'_>, progress: Rc<StreamProgress>) -> HyperRequest {
    let OutgoingRequest { request, cookie, user_agent, trace, .. } = outgoing;
    let streamed = request.channel.as_ref().filter(|channel| channel.has_request_content());
    let form = match streamed {
        Some(channel) => ContentForm::Pieces(request.body.clone(), Rc::clone(channel)),
        None => ContentForm::Whole(Full::new(request.body.clone())),
    };
    let mut message = HyperRequest::new(RequestContent { form, progress: Cell::new(Some(progress)) });
    let mut headers = request.headers.to_map();
    headers.remove(TRANSFER_ENCODING);
    if streamed.is_some() {
        headers.remove(CONTENT_LENGTH);
    } else if !request.body.is_empty() || has_payload(&request.method) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(request.body.len()));
    } else {
        headers.remove(CONTENT_LENGTH);
    }
    if request.decode && !headers.contains_key(ACCEPT_ENCODING) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(body::ACCEPTED_CODINGS));
    }
    match (headers.get(USER_AGENT).map(HeaderValue::is_empty), user_agent) {
        (None, Some(user_agent)) => drop(headers.insert(USER_AGENT, HeaderValue::from_static(user_agent))),
        (Some(true), _) => drop(headers.remove(USER_AGENT)),
        _ => {}
    }
    if let Some(cookie) = cookie.filter(|_| !headers.contains_key(COOKIE)) {
        headers.insert(COOKIE, cookie);
    }
    if let Some(trace) = trace.filter(|_| !headers.contains_key(TRACEPARENT))
        && let Ok(value) = HeaderValue::from_bytes(&trace.header_value())
    {
        headers.insert(TRACEPARENT, value);
    }
    let host = headers.remove(HOST);
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = request.origin.absolute(authority, request.target.clone());
    *message.headers_mut() = headers;
    message
}
