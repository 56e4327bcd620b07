//! Lines in datagrams, for outputs over UDP. A datagram that is lost on the way is lost; one that this machine refuses
//! to send is counted.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};

use crate::diagnostic::io_reason;

/// The size of a datagram: what fits an Ethernet frame on every usual path, with IPv6 and a tunnel.
const MAX_BYTES: usize = 1_400;

/// A socket that sends lines to one address.
pub(super) struct Datagrams {
    socket: UdpSocket,
    /// The lines of the next datagram.
    waiting: String,
    sent: u64,
    lost: u64,
    last_error: Option<String>,
}

impl Datagrams {
    /// Creates a socket for an address, `host:port`. Its name is looked up once.
    ///
    /// # Errors
    /// The name is not known, or the system has no sockets left.
    pub(super) fn open(address: &str) -> io::Result<Self> {
        let not_found = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let addresses: Vec<_> = address.to_socket_addrs()?.collect();
        // Of a name such as `localhost`, most servers listen on the address of IPv4.
        let preferred = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
        let address = *preferred.ok_or_else(not_found)?;
        let own: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(own)?;
        socket.connect(address)?;
        // A full queue of the system must not hold the sink up.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, waiting: String::new(), sent: 0, lost: 0, last_error: None })
    }

    /// Adds a line. It is sent together with others; one that fits no datagram is lost.
    pub(super) fn line(&mut self, line: &str) {
        if self.waiting.len() + line.len() + 1 > MAX_BYTES {
            self.send();
        }
        if line.len() > MAX_BYTES {
            self.lost += 1;
            self.last_error = Some(format!("a line is longer than {MAX_BYTES} bytes"));
            return;
        }
        if !self.waiting.is_empty() {
            self.waiting.push('\n');
        }
        self.waiting.push_str(line);
    }

    /// Sends the lines that wait.
    pub(super) fn send(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        // An error may be that of the datagram before, which the other machine refused; this one is then not sent.
        match self.socket.send(self.waiting.as_bytes()) {
            Ok(_) => self.sent += 1,
            Err(error) => {
                self.lost += 1;
                self.last_error = Some(io_reason(&error));
            }
        }
        self.waiting.clear();
    }

    /// Returns what was lost, in words; `None` if nothing was.
    pub(super) fn loss(&self) -> Option<String> {
        let error = self.last_error.as_ref()?;
        Some(format!("it lost {} of {} datagrams: {error}", self.lost, self.lost + self.sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_packed_and_every_one_arrives() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut datagrams = Datagrams::open(&receiver.local_addr().unwrap().to_string()).unwrap();
        let lines: Vec<_> = (0..100).map(|n| format!("{n}:{}", "x".repeat(n))).collect();
        lines.iter().for_each(|line| datagrams.line(line));
        datagrams.line(&"y".repeat(MAX_BYTES + 1));
        datagrams.send();
        let (mut received, mut packets) = (Vec::new(), 0);
        while received.len() < lines.len() {
            let mut packet = [0; 65_536];
            let length = receiver.recv(&mut packet).unwrap();
            assert!(length <= MAX_BYTES, "{length}");
            packets += 1;
            received.extend(std::str::from_utf8(&packet[..length]).unwrap().lines().map(str::to_owned));
        }
        assert_eq!(received, lines);
        assert!(packets < 10, "{packets}");
        assert_eq!(
            datagrams.loss(),
            Some(format!("it lost 1 of {} datagrams: a line is longer than 1400 bytes", packets + 1))
        );
    }
}
