//! The interfaces of WASI that create sockets, which refuse. An interpreter's standard library imports them, whether
//! its plugin opens a socket or not; one that does gets an error that its language can handle.

use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket;
use wasmtime_wasi::p2::bindings::sync::sockets::udp_create_socket;
use wasmtime_wasi::p2::{SocketError, SocketResult, TcpSocket, UdpSocket};

use super::state::StoreData;

/// The interfaces that create sockets.
pub(crate) struct NoSockets;

impl HasData for NoSockets {
    type Data<'a> = SocketRefusal<'a>;
}

/// Creates no socket, and logs the reason: the error that a guest's language makes of it does not say what to do. The
/// implementation of `wasmtime-wasi` runs a future on the tokio runtime for that, inside which a worker runs.
pub(crate) struct SocketRefusal<'a>(pub &'a mut StoreData);

impl SocketRefusal<'_> {
    fn refuse<T>(&mut self) -> SocketResult<T> {
        let text =
            "the plugin opens network connections itself, which is refused: use the contract's `http` or `sockets`";
        self.0.guest().log(tracing::Level::ERROR, text);
        Err(ErrorCode::AccessDenied.into())
    }
}

impl network::Host for SocketRefusal<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, _: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(None)
    }
}

impl network::HostNetwork for SocketRefusal<'_> {
    fn drop(&mut self, network: Resource<network::Network>) -> wasmtime::Result<()> {
        self.0.resources().delete(network)?;
        Ok(())
    }
}

impl tcp_create_socket::Host for SocketRefusal<'_> {
    fn create_tcp_socket(&mut self, _: network::IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        self.refuse()
    }
}

impl udp_create_socket::Host for SocketRefusal<'_> {
    fn create_udp_socket(&mut self, _: network::IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        self.refuse()
    }
}
