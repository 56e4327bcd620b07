//! The body of a reply: whole, or in pieces that come from a channel for as long as the sink likes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::Receiver;

/// The body of a reply.
#[derive(Debug)]
pub(in crate::sinks) struct EndpointBody(Content);

#[derive(Debug)]
enum Content {
    /// The whole of it; `None` once it has been sent.
    Whole(Option<Bytes>),
    /// Pieces, until the sender is gone. While the client does not read, none is taken from the channel.
    Pieces(Receiver<Bytes>),
}

impl EndpointBody {
    /// Creates a body of pieces, each sent as soon as the channel has it. It ends when the sender is dropped; the
    /// sender is closed when the client has gone.
    pub(in crate::sinks) const fn pieces(receiver: Receiver<Bytes>) -> Self {
        Self(Content::Pieces(receiver))
    }
}

impl<T: Into<Bytes>> From<T> for EndpointBody {
    fn from(whole: T) -> Self {
        Self(Content::Whole(Some(whole.into())))
    }
}

impl Body for EndpointBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.0 {
            Content::Whole(bytes) => Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty())),
            Content::Pieces(receiver) => receiver.poll_recv(cx),
        };
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Content::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Pieces(_) => SizeHint::default(),
        }
    }
}
