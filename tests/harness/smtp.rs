//! A mail server (RFC 5321) that begins in clear and goes on over TLS (RFC 3207), or does something else instead.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The server's answer to STARTTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTls {
    /// It agrees and makes the handshake.
    Agrees,
    /// It agrees, and a reply that belongs to the time after the handshake comes with it in clear.
    Injects,
    /// It declines.
    Declines,
    /// It agrees, and never answers the handshake.
    FallsSilent,
}

/// Commands that a server has got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmtpCommands {
    /// Those in clear.
    pub clear: Vec<String>,
    /// Those over TLS.
    pub secure: Vec<String>,
}

/// A mail server on a free port of 127.0.0.1, until the tests end.
pub struct SmtpServer {
    addr: SocketAddr,
    commands: Arc<Mutex<SmtpCommands>>,
}

impl SmtpServer {
    /// Listens on a free port.
    pub fn start(tls: Arc<ServerConfig>, answer: StartTls) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let commands = Arc::new(Mutex::new(SmtpCommands::default()));
        let noted = Arc::clone(&commands);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, commands) = (Arc::clone(&tls), Arc::clone(&noted));
                // A client that disconnects ends its session and nothing else.
                thread::spawn(move || serve(&stream, tls, answer, &commands).unwrap_or_default());
            }
        });
        Self { addr, commands }
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Returns the commands so far.
    pub fn commands(&self) -> SmtpCommands {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    mut stream: &TcpStream,
    tls: Arc<ServerConfig>,
    answer: StartTls,
    commands: &Mutex<SmtpCommands>,
) -> io::Result<()> {
    stream.write_all(b"220 mail.test ready\r\n")?;
    let note = |pick: fn(&mut SmtpCommands) -> &mut Vec<String>, command: &str| {
        pick(&mut commands.lock().unwrap_or_else(PoisonError::into_inner)).push(command.to_owned());
    };
    loop {
        let command = read_line(stream)?;
        note(|commands| &mut commands.clear, &command);
        match command.as_str() {
            "STARTTLS" => break,
            command => stream.write_all(reply(command, "250-mail.test\r\n250 STARTTLS\r\n"))?,
        }
    }
    match answer {
        StartTls::Agrees => stream.write_all(b"220 go ahead\r\n")?,
        StartTls::Injects => stream.write_all(b"220 go ahead\r\n250 injected\r\n")?,
        StartTls::Declines => return stream.write_all(b"454 TLS not available\r\n"),
        StartTls::FallsSilent => {
            stream.write_all(b"220 go ahead\r\n")?;
            return io::copy(&mut stream, &mut io::sink()).map(drop);
        }
    }
    let session = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut secured = BufReader::new(StreamOwned::new(session, stream));
    loop {
        let mut command = String::new();
        if secured.read_line(&mut command)? == 0 {
            return Ok(());
        }
        note(|commands| &mut commands.secure, command.trim_end());
        secured.get_mut().write_all(reply(command.trim_end(), "250 mail.test\r\n"))?;
    }
}

fn reply<'a>(command: &str, greeting: &'a str) -> &'a [u8] {
    match command {
        "QUIT" => b"221 bye\r\n",
        _ if command.starts_with("EHLO ") => greeting.as_bytes(),
        _ => b"500 what?\r\n",
    }
}

/// Reads a line byte by byte: what follows the last one is TLS.
fn read_line(mut stream: &TcpStream) -> io::Result<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
