//! The part of WASI 0.2 that guests with a standard library import, made inert: no files, no environment, no arguments,
//! no sockets; standard output and error become log lines. A call that would make the guest wait traps, because one
//! waiting guest would stop every user of its worker; guests wait with `timer.sleep`.
//!
//! A refusal, such as that of opening a file or creating a socket, is an error that the guest's language can handle. An
//! interpreter serves all users of a worker, and a trap would end it for all of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use stampede_time::{Clock, Nanos};
use tokio::io::AsyncWrite;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::clocks::{HostMonotonicClock, HostWallClock};
use wasmtime_wasi::p2::bindings::sync::io::{poll, streams};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, OutputStream, Pollable, StreamError, StreamResult,
};

use crate::plugin::instance::limits::{self, PRINTED};

/// Creates a context that grants nothing. Standard output and error go to `printed`, and the time is the run's.
pub(crate) fn context(printed: &GuestOutput, time: &GuestClock) -> WasiCtx {
    let mut builder = WasiCtx::builder();
    builder.stdout(printed.clone()).stderr(printed.clone()).max_random_size(limits::RANDOM);
    builder.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    builder.monotonic_clock(time.clone()).wall_clock(time.clone()).build()
}

/// WASI's clocks: the run's clock, rounded down to a millisecond, since `timer.now` is the clock for measuring. They
/// are virtual where the run's clock is, and stand still until a task of the instance has begun.
#[derive(Clone, Debug, Default)]
pub(crate) struct GuestClock(Arc<OnceLock<Clock>>);

/// Resolution of the clocks.
const RESOLUTION: Nanos = 1_000_000;

impl GuestClock {
    /// Makes the clocks follow the run's clock from now on.
    pub(crate) fn follow(&self, clock: Clock) {
        // Every call has the same clock, so a second `set` may fail.
        let _ = self.0.set(clock);
    }

    fn coarse(&self) -> Nanos {
        self.0.get().map_or(0, |clock| clock.now() / RESOLUTION * RESOLUTION)
    }
}

impl HostMonotonicClock for GuestClock {
    fn resolution(&self) -> u64 {
        RESOLUTION
    }

    fn now(&self) -> u64 {
        self.coarse()
    }
}

impl HostWallClock for GuestClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(RESOLUTION)
    }

    fn now(&self) -> Duration {
        self.0.get().map_or(Duration::ZERO, |clock| clock.wall(self.coarse()))
    }
}

/// The interfaces of streams and polls.
pub(crate) struct WasiIo;

impl HasData for WasiIo {
    type Data<'a> = NonBlockingStreams<'a>;
}

/// The interface of errors.
pub(crate) struct WasiIoError;

impl HasData for WasiIoError {
    type Data<'a> = &'a mut ResourceTable;
}

/// Streams and polls that never wait. Those of `wasmtime-wasi` block on the tokio runtime, inside which a worker runs.
/// A guest may subscribe, since C libraries do so before they print anything; waiting for the pollable traps.
pub(crate) struct NonBlockingStreams<'a>(pub &'a mut ResourceTable);

fn would_wait() -> wasmtime::Error {
    wasmtime::format_err!("a plugin must not wait: use the contract's `timer.sleep`")
}

impl poll::Host for NonBlockingStreams<'_> {
    fn poll(&mut self, _: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        Err(would_wait())
    }
}

impl poll::HostPollable for NonBlockingStreams<'_> {
    fn ready(&mut self, _: Resource<DynPollable>) -> wasmtime::Result<bool> {
        Err(would_wait())
    }

    fn block(&mut self, _: Resource<DynPollable>) -> wasmtime::Result<()> {
        Err(would_wait())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(self.0, pollable)
    }
}

impl streams::Host for NonBlockingStreams<'_> {
    fn convert_stream_error(&mut self, error: StreamError) -> wasmtime::Result<streams::StreamError> {
        streams::Host::convert_stream_error(self.0, error)
    }
}

impl streams::HostInputStream for NonBlockingStreams<'_> {
    fn read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        streams::HostInputStream::read(self.0, stream, length.min(PRINTED))
    }

    fn blocking_read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        self.read(stream, length)
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        streams::HostInputStream::skip(self.0, stream, length.min(PRINTED))
    }

    fn blocking_skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        self.skip(stream, length)
    }

    fn subscribe(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        streams::HostInputStream::subscribe(self.0, stream)
    }

    fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        self.0.delete(stream)?;
        Ok(())
    }
}

impl streams::HostOutputStream for NonBlockingStreams<'_> {
    fn check_write(&mut self, _: Resource<DynOutputStream>) -> StreamResult<u64> {
        Ok(PRINTED)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.0.get_mut(&stream)?.write(bytes.into())
    }

    fn blocking_write_and_flush(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.write(stream, bytes)
    }

    fn blocking_write_zeroes_and_flush(&mut self, stream: Resource<DynOutputStream>, length: u64) -> StreamResult<()> {
        self.write_zeroes(stream, length)
    }

    fn subscribe(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        streams::HostOutputStream::subscribe(self.0, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, length: u64) -> StreamResult<()> {
        self.write(stream, vec![0; length.min(PRINTED) as usize])
    }

    fn flush(&mut self, _: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(())
    }

    fn blocking_flush(&mut self, _: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(())
    }

    fn splice(&mut self, _: Resource<DynOutputStream>, _: Resource<DynInputStream>, _: u64) -> StreamResult<u64> {
        Err(StreamError::Trap(would_wait()))
    }

    fn blocking_splice(
        &mut self,
        output: Resource<DynOutputStream>,
        input: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        self.splice(output, input, length)
    }

    fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        self.0.delete(stream)?;
        Ok(())
    }
}

/// Output that a guest has printed and that is not logged yet. The store's owner takes it after each call, because only
/// the owner knows whose secrets must be redacted.
#[derive(Clone, Default)]
pub struct GuestOutput(Arc<OutputBuffer>);

#[derive(Default)]
struct OutputBuffer {
    has_text: AtomicBool,
    text: Mutex<Vec<u8>>,
}

impl GuestOutput {
    /// Takes the text printed since the last call; `None`, at almost no cost, if there is none.
    pub fn take(&self) -> Option<String> {
        if !self.0.has_text.load(Ordering::Relaxed) {
            return None;
        }
        self.0.has_text.store(false, Ordering::Relaxed);
        let bytes = std::mem::take(&mut *self.0.text.lock().unwrap_or_else(PoisonError::into_inner));
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn add(&self, bytes: &[u8]) {
        let mut text = self.0.text.lock().unwrap_or_else(PoisonError::into_inner);
        let room = (PRINTED as usize).saturating_sub(text.len()).min(bytes.len());
        text.extend_from_slice(&bytes[..room]);
        self.0.has_text.store(true, Ordering::Relaxed);
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.add(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PRINTED as usize)
    }
}
