//! Byte streams over TCP and TLS, on the current user's own sockets.

use std::rc::Rc;

use super::convert;
use crate::net::{Destination, Failure, StreamTls};
use crate::plugin::contract::bindings::sockets::{Address, DynamicRequest, Host, Switched, TlsOptions};
use crate::plugin::contract::bindings::types::FailureKind as GuestKind;
use crate::plugin::contract::request;
use crate::plugin::contract::state::StoreData;
use crate::plugin::instance::limits;
use crate::user::{Completion, OperationKind, Reservation, SocketUpgrade, plugin_fault, socket_operations};

impl Host for StoreData {
    fn connect(&mut self, address: Address) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        let to = address
            .tls
            .map(stream_tls)
            .transpose()
            .and_then(|tls| Destination::granted(&address.host, address.port, tls, &guest.worker_plugin.grants));
        Ok(session
            .task
            .operations
            .submit(OperationKind::Socket, |_| socket_operations::connect(Rc::clone(session), guest.instance, to)))
    }

    fn connected(&mut self, operation: u32) -> wasmtime::Result<Result<u32, GuestKind>> {
        let connected = convert::take_completion(self, operation, |ended| match ended {
            Completion::Connected(result) => Some(result),
            _ => None,
        })?;
        if let Ok(socket) = connected {
            self.guest().session()?.sockets.hand_over(socket);
        }
        Ok(connected)
    }

    fn upgrade(&mut self, request: DynamicRequest) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        let built = if request.body.is_empty() {
            request::build_dynamic(request, session, &guest.worker_plugin)
        } else {
            Err(plugin_fault("an upgrade request has no body"))
        };
        Ok(session
            .task
            .operations
            .submit(OperationKind::Socket, |_| socket_operations::upgrade(Rc::clone(session), guest.instance, built)))
    }

    fn upgraded(&mut self, operation: u32) -> wasmtime::Result<Result<Switched, GuestKind>> {
        let upgraded = convert::take_completion(self, operation, |ended| match ended {
            Completion::Upgraded(result) => Some(result.map(switched)),
            _ => None,
        })?;
        if let Ok(Switched { socket: Some(socket), .. }) = &upgraded {
            self.guest().session()?.sockets.hand_over(*socket);
        }
        Ok(upgraded)
    }

    fn protocol(&mut self, socket: u32) -> wasmtime::Result<Option<String>> {
        let guest = self.guest();
        let session = guest.session()?;
        Ok(session.sockets.get(guest.instance, socket).and_then(|socket| socket.protocol()))
    }

    fn secure(&mut self, socket: u32, options: TlsOptions) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        let (socket, tls) = (session.sockets.get(guest.instance, socket), stream_tls(options));
        Ok(session
            .task
            .operations
            .submit(OperationKind::Socket, |_| socket_operations::secure(Rc::clone(session), socket, tls)))
    }

    fn secured(&mut self, operation: u32) -> wasmtime::Result<Result<(), GuestKind>> {
        convert::take_completion(self, operation, |ended| match ended {
            Completion::Secured(result) => Some(result),
            _ => None,
        })
    }

    fn write(&mut self, socket: u32, bytes: Vec<u8>) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        let max = limits::WRITE;
        wasmtime::ensure!(bytes.len() <= max, "one write may have {max} bytes");
        let held = Reservation::new(&session.task.allowance, bytes.len());
        let socket = session.sockets.get(guest.instance, socket);
        Ok(session
            .task
            .operations
            .submit(OperationKind::Socket, |_| socket_operations::write(Rc::clone(session), socket, bytes, held)))
    }

    fn written(&mut self, operation: u32) -> wasmtime::Result<Result<(), GuestKind>> {
        convert::take_completion(self, operation, |ended| match ended {
            Completion::Written(result) => Some(result),
            _ => None,
        })
    }

    fn read(&mut self, socket: u32, max_bytes: u32) -> wasmtime::Result<u32> {
        let guest = self.guest();
        let session = guest.session()?;
        guest.check_operation_count(session)?;
        let socket = session.sockets.get(guest.instance, socket);
        Ok(session
            .task
            .operations
            .submit(OperationKind::Socket, |_| socket_operations::read(Rc::clone(session), socket, max_bytes)))
    }

    fn received(&mut self, operation: u32) -> wasmtime::Result<Result<Vec<u8>, GuestKind>> {
        convert::take_completion(self, operation, |ended| match ended {
            Completion::Read(result) => Some(result.map(|read| read.bytes)),
            _ => None,
        })
    }

    fn close(&mut self, socket: u32) -> wasmtime::Result<()> {
        let guest = self.guest();
        guest.current_user()?.sockets.close(guest.instance, socket);
        Ok(())
    }
}

fn switched(upgraded: SocketUpgrade) -> Switched {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let headers = upgraded.headers.fields().map(|(name, value)| (text(name), text(value))).collect();
    Switched { status: upgraded.status, headers, socket: upgraded.socket, duration: upgraded.duration }
}

fn stream_tls(TlsOptions { server_name, alpn }: TlsOptions) -> Result<StreamTls, Failure> {
    let fits = alpn.len() <= limits::PROTOCOLS && alpn.iter().all(|name| (1..=255).contains(&name.len()));
    if !fits {
        return Err(plugin_fault("at most 16 protocols may be offered, each of 1 to 255 bytes"));
    }
    let protocols = alpn.into_iter().map(String::into_bytes).collect();
    Ok(StreamTls { server_name, protocols })
}
