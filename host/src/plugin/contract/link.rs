//! The imports that a component may have: the capabilities of the contract, and the inert part of WASI.

use wasmtime::component::{HasSelf, Linker};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::sync::io::{poll, streams};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sockets, sync};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};

use super::bindings::Plugin;
use super::state::StoreData;
use super::wasi::{NonBlockingStreams, WasiIo, WasiIoError};
use super::wasi_sockets::{NoSockets, SocketRefusal};

/// Links the capabilities of the contract.
///
/// # Errors
/// Only if two interfaces clash, which is a bug.
pub(crate) fn capabilities(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<StoreData, HasSelf<StoreData>>(linker, |state| state)
}

/// Links the inert part of WASI.
///
/// # Errors
/// Only if two interfaces clash, which is a bug.
pub(crate) fn wasi(linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
    let l = linker;
    clocks::wall_clock::add_to_linker::<StoreData, WasiClocks>(l, StoreData::clocks)?;
    clocks::monotonic_clock::add_to_linker::<StoreData, WasiClocks>(l, StoreData::clocks)?;
    filesystem::preopens::add_to_linker::<StoreData, WasiFilesystem>(l, StoreData::filesystem)?;
    sync::filesystem::types::add_to_linker::<StoreData, WasiFilesystem>(l, StoreData::filesystem)?;
    random::random::add_to_linker::<StoreData, WasiRandom>(l, StoreData::random)?;
    random::insecure::add_to_linker::<StoreData, WasiRandom>(l, StoreData::random)?;
    random::insecure_seed::add_to_linker::<StoreData, WasiRandom>(l, StoreData::random)?;
    cli::exit::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::environment::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::stdin::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::stdout::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::stderr::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_input::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_output::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_stdin::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_stdout::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    cli::terminal_stderr::add_to_linker::<StoreData, WasiCli>(l, StoreData::cli)?;
    sockets::network::add_to_linker::<StoreData, WasiSockets>(l, &Default::default(), StoreData::sockets)?;
    sockets::instance_network::add_to_linker::<StoreData, WasiSockets>(l, StoreData::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<StoreData, WasiSockets>(l, StoreData::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<StoreData, NoSockets>(l, |state| SocketRefusal(state))?;
    sync::sockets::tcp::add_to_linker::<StoreData, WasiSockets>(l, StoreData::sockets)?;
    sync::sockets::udp_create_socket::add_to_linker::<StoreData, NoSockets>(l, |state| SocketRefusal(state))?;
    sync::sockets::udp::add_to_linker::<StoreData, WasiSockets>(l, StoreData::sockets)?;
    sync::io::error::add_to_linker::<StoreData, WasiIoError>(l, StoreData::resources)?;
    poll::add_to_linker::<StoreData, WasiIo>(l, |state| NonBlockingStreams(state.resources()))?;
    streams::add_to_linker::<StoreData, WasiIo>(l, |state| NonBlockingStreams(state.resources()))?;
    Ok(())
}
