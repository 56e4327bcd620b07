//! An address to listen on, as flags take it.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

/// An address to listen on: a port on this machine alone, on all interfaces, or on one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    interfaces: Interfaces,
    port: u16,
}

/// The interfaces of the machine that accept connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interfaces {
    /// All of them, over IPv6 and IPv4.
    All,
    /// The one with this address.
    One(IpAddr),
}

impl ListenAddress {
    /// Creates an address that only this machine reaches.
    pub const fn loopback(port: u16) -> Self {
        Self { interfaces: Interfaces::One(IpAddr::V4(Ipv4Addr::LOCALHOST)), port }
    }

    /// Listens. All interfaces are one socket where the system has IPv6, and only those of IPv4 elsewhere.
    ///
    /// # Errors
    /// The address belongs to another machine, is in use, or is not allowed.
    pub fn listen(self) -> io::Result<TcpListener> {
        match self.interfaces {
            Interfaces::One(ip) => TcpListener::bind((ip, self.port)),
            Interfaces::All => match TcpListener::bind((Ipv6Addr::UNSPECIFIED, self.port)) {
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                    TcpListener::bind((Ipv4Addr::UNSPECIFIED, self.port))
                }
                listener => listener,
            },
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interfaces {
            Interfaces::All => write!(formatter, ":{}", self.port),
            Interfaces::One(ip) => SocketAddr::new(ip, self.port).fmt(formatter),
        }
    }
}

/// Parses `PORT` (this machine alone), `:PORT` (all interfaces), or an address with a port.
pub(super) fn listen_address(text: &str) -> Result<ListenAddress, &'static str> {
    const FORMS: &str = "it must be a port, `:PORT`, or an address with a port such as 127.0.0.1:9100 or [::1]:9100";
    let port = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse::<u16>().map_err(|_| FORMS) } else { Err(FORMS) }
    };
    match text.rsplit_once(':') {
        None => port(text).map(ListenAddress::loopback),
        Some(("", digits)) => Ok(ListenAddress { interfaces: Interfaces::All, port: port(digits)? }),
        Some(("localhost", digits)) => port(digits).map(ListenAddress::loopback),
        Some(_) => {
            let address: SocketAddr = text.parse().map_err(|_| FORMS)?;
            Ok(ListenAddress { interfaces: Interfaces::One(address.ip()), port: address.port() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_address() {
        for (text, address) in [
            ("9100", Ok("127.0.0.1:9100")),
            ("localhost:0", Ok("127.0.0.1:0")),
            (":9100", Ok(":9100")),
            ("127.0.0.1:9100", Ok("127.0.0.1:9100")),
            ("0.0.0.0:1", Ok("0.0.0.0:1")),
            ("[::1]:9100", Ok("[::1]:9100")),
            ("", Err(())),
            (":", Err(())),
            ("::1", Err(())),
            ("65536", Err(())),
            ("+80", Err(())),
            ("example.com:80", Err(())),
            ("127.0.0.1", Err(())),
        ] {
            assert_eq!(
                listen_address(text).map(|it| it.to_string()).map_err(drop),
                address.map(str::to_owned),
                "{text}"
            );
        }
    }

    #[test]
    fn all_interfaces_include_this_machine() {
        let listener = listen_address(":0").and_then(|it| it.listen().map_err(|_| "cannot listen")).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
}
