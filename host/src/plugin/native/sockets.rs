//! Sockets for native plugins.

use super::abi::{stampede_address, stampede_bytes, stampede_host, stampede_text};
use super::bridge::{call, call_fallible, call_unit};
use super::pointer_reader::{PointerReader, flag};
use crate::plugin::contract::bindings::sockets::{Address, Host, TlsOptions};

/// `sockets.connect`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn connect(
    host: *const stampede_host,
    address: *const stampede_address,
    operation: *mut u32,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        call(host, operation, |bridge, reader| {
            let to = destination(reader.one(address)?, reader)?;
            bridge.state.connect(to)
        })
    }
}

/// `sockets.connected`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn connected(
    host: *const stampede_host,
    operation: u32,
    socket: *mut u32,
    kind: *mut u32,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        call_fallible(host, socket, kind, |bridge, _| {
            Ok(bridge.state.connected(operation)?.map_err(|kind| kind as u32))
        })
    }
}

/// `sockets.protocol`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn protocol(host: *const stampede_host, socket: u32, protocol: *mut stampede_text) -> u32 {
    // SAFETY: as above.
    unsafe {
        call(host, protocol, |bridge, _| {
            let name = bridge.state.protocol(socket)?;
            Ok(bridge.optional_text(name))
        })
    }
}

/// `sockets.write`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn write(
    host: *const stampede_host,
    socket: u32,
    bytes: stampede_bytes,
    operation: *mut u32,
) -> u32 {
    // SAFETY: as above.
    unsafe { call(host, operation, |bridge, reader| bridge.state.write(socket, reader.bytes(bytes)?)) }
}

/// `sockets.written`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn written(host: *const stampede_host, operation: u32, kind: *mut u32) -> u32 {
    // SAFETY: as above.
    unsafe {
        let mut nothing = ();
        call_fallible(host, &raw mut nothing, kind, |bridge, _| {
            Ok(bridge.state.written(operation)?.map_err(|kind| kind as u32))
        })
    }
}

/// `sockets.read`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn read(host: *const stampede_host, socket: u32, most: u32, operation: *mut u32) -> u32 {
    // SAFETY: as above.
    unsafe { call(host, operation, |bridge, _| bridge.state.read(socket, most)) }
}

/// `sockets.received`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn received(
    host: *const stampede_host,
    operation: u32,
    bytes: *mut stampede_bytes,
    kind: *mut u32,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        call_fallible(host, bytes, kind, |bridge, _| {
            let result = bridge.state.received(operation)?;
            Ok(result.map(|bytes| bridge.bytes(bytes)).map_err(|kind| kind as u32))
        })
    }
}

/// `sockets.close`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn close(host: *const stampede_host, socket: u32) -> u32 {
    // SAFETY: as above.
    unsafe { call_unit(host, |bridge, _| bridge.state.close(socket)) }
}

unsafe fn destination(address: &stampede_address, reader: &mut PointerReader) -> wasmtime::Result<Address> {
    // SAFETY: data given by a library is valid until the host returns.
    unsafe {
        let tls = if flag(address.tls)? {
            let server_name = reader.optional_text(address.server_name)?;
            let names = reader.list(address.alpn, address.alpn_count)?.iter();
            Some(TlsOptions {
                server_name,
                alpn: names.map(|name| reader.text(*name)).collect::<wasmtime::Result<_>>()?,
            })
        } else {
            None
        };
        Ok(Address { host: reader.text(address.host)?, port: address.port, tls })
    }
}
