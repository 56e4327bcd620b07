//! Opens a TCP connection: resolves the name and tries its addresses in the user's order, the next one when one has
//! failed or is slow (RFC 8305). A name whose addresses all fail or are slow is looked up again, since its host may
//! have moved.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpSocket, TcpStream};

use super::address_order;
use super::connector::Connector;
use super::dns;
use super::failure::Failure;
use super::grants::{Reach, not_granted};
use super::meter::{ExchangeStage, Meter};
use super::origin::Origin;

/// Time for which an address may take to answer before the next is tried (RFC 8305 section 8).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Time that a name may take to be looked up again after all of its addresses have been tried.
const MAX_RENEWAL: Duration = Duration::from_secs(1);

/// The other end of a connection that a user asks for.
#[derive(Clone, Copy)]
pub(super) struct Peer<'a> {
    /// Its name or address.
    pub host: &'a str,
    /// Its TCP port.
    pub port: u16,
    /// Addresses that the name may resolve to.
    pub reach: &'a Reach,
    /// The user that asks.
    pub owner: ConnectionOwner,
}

/// The user that a connection is for.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionOwner {
    /// Its number, by which one of several addresses is chosen.
    pub user: u32,
    /// The size of the receive buffer, in bytes, if the user has a link; otherwise that of the system.
    pub receive_buffer: Option<u32>,
}

impl<'a> Peer<'a> {
    /// Returns the host of an origin.
    pub(super) fn of(origin: &'a Origin, owner: ConnectionOwner) -> Self {
        Self { host: origin.host(), port: origin.port(), reach: origin.reach(), owner }
    }
}

/// Resolves the name, unless it is an address, and connects to an address within reach.
///
/// # Errors
/// The name does not resolve or resolves to no address within reach, or no address accepts.
pub(super) async fn connect(connector: &Connector, to: Peer<'_>, meter: &Meter) -> Result<TcpStream, Failure> {
    let (addresses, is_name) = match to.host.parse() {
        Ok(address) => (Rc::from([address]), false),
        Err(_) => (resolve(connector, to.host, meter).await?, true),
    };
    let attempts = Attempts { connector, to };
    let granted = attempts.in_order(&addresses);
    if let (Some(address), []) = (addresses.first(), granted.as_slice()) {
        let address = not_granted(&address.to_string(), to.port);
        return Err(Failure::network(format!("{} resolves to {address}", to.host)));
    }
    let begun = connector.now();
    meter.update(|measured| measured.stage = ExchangeStage::Connecting);
    let tcp = attempts.run(granted, is_name).await.map_err(|error| Failure::of_io(&error))?;
    meter.update(|measured| {
        measured.ends.connect = connector.now();
        measured.phases.connect = Some(measured.ends.connect - begun);
        measured.stage = ExchangeStage::Connected;
    });
    Ok(tcp)
}

/// Returns the addresses of a host. A cached answer takes no time and is not a phase.
async fn resolve(connector: &Connector, host: &str, meter: &Meter) -> Result<Rc<[IpAddr]>, Failure> {
    let begun = connector.now();
    meter.update(|measured| measured.stage = ExchangeStage::Resolving);
    let resolved = connector.names.resolve(host, connector.clock, dns::system_lookup).await;
    if resolved.waited {
        meter.update(|measured| {
            measured.ends.dns = connector.now();
            measured.phases.dns = Some(measured.ends.dns - begun);
        });
    }
    resolved.addresses.ok_or_else(|| Failure::network(format!("name does not resolve: {host}")))
}

/// The attempts to connect to one of a host's addresses.
struct Attempts<'a> {
    connector: &'a Connector,
    to: Peer<'a>,
}

/// A step on the way to a connection.
enum AttemptStep {
    /// Connects to an address.
    Connect(IpAddr),
    /// Looks the name up again.
    LookUp,
}

/// The result of an [`AttemptStep`].
enum AttemptOutcome {
    /// The address has accepted, or the attempt failed.
    Connected(IpAddr, io::Result<TcpStream>),
    /// The addresses that the name has now.
    LookedUp(Vec<IpAddr>),
}

impl Attempts<'_> {
    /// Returns the granted addresses in the order in which the user tries them.
    fn in_order(&self, addresses: &[IpAddr]) -> Vec<IpAddr> {
        let granted: Vec<_> =
            addresses.iter().copied().filter(|one| self.to.reach.covers(*one, self.to.port)).collect();
        let ordered =
            address_order::in_turn(&granted, self.connector.first_turn.wrapping_add(self.to.owner.user.into()));
        self.connector.slow_addresses.put_last(&ordered, self.connector.now())
    }

    /// Connects to the first address that accepts. One that has not answered after [`ATTEMPT_DELAY`] stays under way
    /// while the next is tried (RFC 8305 section 5); if another is faster, it comes last for a while. A name is looked
    /// up again after its last address. Returns the error of the last address if none accepts.
    async fn run(&self, addresses: Vec<IpAddr>, is_name: bool) -> io::Result<TcpStream> {
        let steps = addresses.iter().copied().map(AttemptStep::Connect);
        let mut left: VecDeque<_> = steps.chain(is_name.then_some(AttemptStep::LookUp)).collect();
        let (mut under_way, mut waiting) = (FuturesUnordered::new(), Vec::new());
        let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
        let tcp = loop {
            match left.pop_front() {
                Some(step) => {
                    waiting.extend(step.address());
                    under_way.push(self.perform(step));
                }
                None if under_way.is_empty() => return Err(error),
                None => {}
            }
            let next_step = tokio::time::sleep(ATTEMPT_DELAY);
            tokio::select! {
                Some(outcome) = under_way.next() => match outcome {
                    AttemptOutcome::Connected(address, outcome) => {
                        waiting.retain(|waiting| *waiting != address);
                        match outcome {
                            Ok(tcp) => break tcp,
                            Err(failed) => error = failed,
                        }
                    }
                    AttemptOutcome::LookedUp(now) => {
                        left.extend(now.into_iter().filter(|one| !addresses.contains(one)).map(AttemptStep::Connect));
                    }
                },
                () = next_step, if !left.is_empty() => {}
            }
        };
        self.connector.slow_addresses.add(&waiting, self.connector.now());
        // Requests are written whole, so waiting for more to send (Nagle) would only add to the latency.
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    async fn connect_to(&self, address: IpAddr) -> io::Result<TcpStream> {
        let address = SocketAddr::new(address, self.to.port);
        let Some(receive_buffer) = self.to.owner.receive_buffer else { return TcpStream::connect(address).await };
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Before connecting, because the window is scaled by it.
        socket.set_recv_buffer_size(receive_buffer)?;
        socket.connect(address).await
    }

    async fn perform(&self, step: AttemptStep) -> AttemptOutcome {
        match step {
            AttemptStep::Connect(address) => AttemptOutcome::Connected(address, self.connect_to(address).await),
            AttemptStep::LookUp => {
                let Connector { names, clock, .. } = self.connector;
                let renewal = names.renew(self.to.host, *clock, dns::system_lookup);
                // A name server that does not answer must not delay a refusal.
                let renewed = tokio::time::timeout(MAX_RENEWAL, renewal).await.ok().flatten();
                AttemptOutcome::LookedUp(renewed.map(|addresses| self.in_order(&addresses)).unwrap_or_default())
            }
        }
    }
}

impl AttemptStep {
    const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Connect(address) => Some(*address),
            Self::LookUp => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use socket2::{Domain, Socket, Type};
    use stampede_time::Clock;
    use tokio::net::TcpListener;

    use super::super::connector::NetworkOptions;
    use super::super::tls::{Tls, Trust};
    use super::*;

    /// Returns a socket at this address that drops what asks for a connection: its queue is full.
    fn black_hole(address: SocketAddr) -> (Socket, Vec<Socket>) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&address.into()).expect("a free address");
        listener.listen(0).expect("a queue");
        let queued = (0..4).map(|_| {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            client.set_nonblocking(true).expect("a socket that does not block");
            // Under way or queued; the ones that find no room stay under way.
            let _ = client.connect(&address.into());
            client
        });
        let queued = queued.collect();
        (listener, queued)
    }

    /// Returns the addresses of two hosts, the second of which has a server, and the port of both.
    async fn with_server() -> (IpAddr, IpAddr, TcpListener, u16) {
        let (other, good) = (IpAddr::from([127, 0, 0, 2]), IpAddr::from(Ipv4Addr::LOCALHOST));
        let server = TcpListener::bind((good, 0)).await.expect("a free port");
        let port = server.local_addr().expect("a bound address").port();
        (other, good, server, port)
    }

    fn connector() -> Connector {
        let tls = Tls::load(Trust::Anything).expect("no file to read");
        let options = NetworkOptions { tls, dial: None, dns_ttl: 0, seed: 0 };
        Connector::new(options, Clock::start())
    }

    fn peer(port: u16) -> Peer<'static> {
        let owner = ConnectionOwner { user: 0, receive_buffer: None };
        Peer { host: "localhost", port, reach: &Reach::Anywhere, owner }
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_is_passed_over_and_then_comes_last() {
        let (dead, good, _server, port) = with_server().await;
        let _hole = black_hole(SocketAddr::new(dead, port));
        let connector = connector();
        let attempts = Attempts { connector: &connector, to: peer(port) };
        for _ in 0..2 {
            let tcp = attempts.run(vec![dead, good], false).await.expect("one of them answers");
            assert_eq!(tcp.peer_addr().expect("connected").ip(), good);
        }
        assert_eq!(connector.slow_addresses.put_last(&[dead, good], connector.now()), [good, dead]);
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_passed_over_at_once_and_stays_in_its_place() {
        let (refusing, good, server, port) = with_server().await;
        let bound = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        bound.bind(&SocketAddr::new(refusing, port).into()).expect("a free address");
        let connector = connector();
        let attempts = Attempts { connector: &connector, to: peer(port) };
        assert!(attempts.run(vec![refusing, good], false).await.is_ok());
        assert_eq!(connector.slow_addresses.put_last(&[refusing, good], connector.now()), [refusing, good]);
        drop(server);
        let error = attempts.run(vec![refusing, good], false).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_name_whose_addresses_fail_is_looked_up_again() {
        for is_silent in [false, true] {
            let (dead, good, _server, port) = with_server().await;
            let _hole = is_silent.then(|| black_hole(SocketAddr::new(dead, port)));
            let connector = connector();
            let attempts = Attempts { connector: &connector, to: peer(port) };
            let tcp = attempts.run(vec![dead], true).await.expect("the name has another address");
            assert_eq!(tcp.peer_addr().expect("connected").ip(), good);
        }
    }
}
