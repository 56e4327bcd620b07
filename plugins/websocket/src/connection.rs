//! A connection of one user: the library's codec above bytes in memory, and the socket that carries the bytes.

use std::io::ErrorKind;
use std::time::Duration;

use stampede_plugin::socket::Socket;
use stampede_plugin::{Failure, PerUser, Task};
use tungstenite::error::CapacityError;
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use crate::failures;
use crate::metrics::Metrics;
use crate::pipe::Pipe;
use crate::target::Target;

/// The bytes that one read asks for.
const CHUNK: usize = 64 << 10;

/// The most bytes of one write.
const WRITE: usize = 16 << 20;

/// The bytes that the codec reads at once. It keeps a buffer of that size for each connection, idle ones included.
const BUFFER: usize = 1 << 10;

/// The time in which the server may end the connection after both sides have sent a close frame. Then this side does.
const LINGER: Duration = Duration::from_secs(1);

/// An open connection.
pub(crate) struct Connection {
    socket: Socket,
    codec: WebSocket<Pipe>,
    metrics: Metrics,
    /// The time at which this step sent its message, until the expected answer arrives.
    sent: Option<Duration>,
}

impl Connection {
    /// Connects and shakes hands. The host sends the request, to which it adds fields that only it knows, and receives
    /// the reply; the library is given both, and checks the reply against the request.
    pub(crate) async fn open(target: &Target, metrics: Metrics, task: &Task) -> Result<Self, Failure> {
        let (handshake, request) = target.render(task)?;
        let reply = request.upgrade(task).await?;
        let Some(socket) = reply.socket else { return Err(failures::status(reply.status)) };
        let pipe = Pipe::with_head(switching(&reply.headers));
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .max_message_size(Some(target.most))
            .max_frame_size(Some(target.most));
        let started = ClientHandshake::start(pipe, handshake, Some(config));
        let mut codec = match started.map_err(|error| failures::failure(&error))?.handshake() {
            Ok((codec, _)) => codec,
            Err(HandshakeError::Failure(error)) => return Err(failures::failure(&error)),
            Err(HandshakeError::Interrupted(_)) => return Err(failures::not_http()),
        };
        // Discards the request, which the host has sent.
        codec.get_mut().take_outgoing();
        metrics.handshake.add(task, reply.duration);
        Ok(Self { socket, codec, metrics, sent: None })
    }

    /// Takes out the connection that `websocket.open` has left: a step that fails closes it.
    pub(crate) fn of_user(open: &PerUser<Self>, task: &Task) -> Result<Self, Failure> {
        open.take(task).ok_or_else(|| Failure::check("the user has no open connection"))
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, message: Message, task: &Task) -> Result<(), Failure> {
        let counts = is_data(&message);
        let queued = self.codec.send(message);
        queued.map_err(|error| failures::failure(&error))?;
        write(&self.socket, self.codec.get_mut(), task).await?;
        // Read after the write, which has waited for the user's turn.
        self.sent = Some(task.now());
        if counts {
            self.metrics.messages_out.add(task, 1);
        }
        Ok(())
    }

    /// Begins a step whose message may have arrived already. Such a step takes the user's turn and is a sample too, so
    /// that the count of requests does not depend on the timing of the bytes.
    pub(crate) async fn begin(&mut self, task: &Task) -> Result<(), Failure> {
        // A message of another step is no round trip: the time since includes other steps of the script.
        self.sent = None;
        write(&self.socket, self.codec.get_mut(), task).await
    }

    /// Waits for the next message, control frames included. Pings and close frames are answered.
    pub(crate) async fn next(&mut self, task: &Task) -> Result<Message, Failure> {
        loop {
            match self.codec.read() {
                Ok(message) => {
                    if is_data(&message) {
                        self.metrics.messages_in.add(task, 1);
                    } else if self.codec.flush().is_ok() {
                        send_queued(&self.socket, self.codec.get_mut(), task).await?;
                    }
                    return Ok(match message {
                        Message::Close(frame) => Message::Close(self.codec.get_ref().frames.closed(frame)),
                        other => other,
                    });
                }
                Err(error) if would_block(&error) => exchange(&self.socket, self.codec.get_mut(), task).await?,
                Err(error) => {
                    self.send_close_frame(&error, task).await;
                    return Err(match error {
                        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
                            failures::too_long(self.codec.get_ref().frames.length_of(size), max_size)
                        }
                        error => failures::failure(&error),
                    });
                }
            }
        }
    }

    /// Measures the round trip, on the expected answer.
    pub(crate) fn record_round_trip(&mut self, task: &Task) {
        if let Some(sent) = self.sent.take() {
            self.metrics.round_trip.add(task, task.now() - sent);
        }
    }

    /// Sends a close frame and waits for the answer, which it returns.
    pub(crate) async fn close(mut self, frame: CloseFrame, task: &Task) -> Result<Option<CloseFrame>, Failure> {
        self.codec.close(Some(frame)).map_err(|error| failures::failure(&error))?;
        loop {
            if let Message::Close(answer) = self.next(task).await? {
                self.end(task).await;
                return Ok(answer);
            }
        }
    }

    /// Ends the connection after both sides have sent a close frame. The server ends it first (RFC 6455, section
    /// 7.1.1), unless it takes too long.
    pub(crate) async fn end(mut self, task: &Task) {
        let ended = async {
            loop {
                match self.codec.read() {
                    Ok(_) => {}
                    Err(error) if would_block(&error) => {
                        if exchange(&self.socket, self.codec.get_mut(), task).await.is_err() {
                            return;
                        }
                    }
                    Err(_) => return,
                }
            }
        };
        // In either case the connection is closed here.
        let _ = task.timeout(LINGER, ended).await;
    }

    /// Sends the server a close frame with the code of its error. A failure to send it is ignored.
    async fn send_close_frame(&mut self, error: &Error, task: &Task) {
        if let Some(frame) = failures::close_frame(error)
            && self.codec.close(Some(frame)).is_ok()
        {
            let _ = write(&self.socket, self.codec.get_mut(), task).await;
        }
    }
}

/// Rebuilds the head of the reply to a handshake, as far as the library looks at it. It takes `connection` for one
/// token, which is a list (RFC 9110 section 7.6.1).
fn switching(fields: &[(String, String)]) -> Vec<u8> {
    let mut head = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
    let is = |name: &str, known: &str| name.eq_ignore_ascii_case(known);
    let connection = fields.iter().filter(|(name, _)| is(name, "connection")).flat_map(|(_, list)| list.split(','));
    if connection.into_iter().any(|token| is(token.trim(), "upgrade")) {
        head.push_str("connection: Upgrade\r\n");
    }
    for (name, value) in fields {
        if is(name, "upgrade") || name.to_ascii_lowercase().starts_with("sec-websocket-") {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Sends the codec's output, and waits for the server's next bytes.
async fn exchange(socket: &Socket, pipe: &mut Pipe, task: &Task) -> Result<(), Failure> {
    send_queued(socket, pipe, task).await?;
    pipe.add(socket.read(task, CHUNK).await?);
    Ok(())
}

/// Sends the codec's output, if there is any.
async fn send_queued(socket: &Socket, pipe: &mut Pipe, task: &Task) -> Result<(), Failure> {
    if pipe.has_outgoing() { write(socket, pipe, task).await } else { Ok(()) }
}

/// Sends the codec's output, even if it is empty.
async fn write(socket: &Socket, pipe: &mut Pipe, task: &Task) -> Result<(), Failure> {
    let bytes = pipe.take_outgoing();
    let (first, rest) = bytes.split_at(bytes.len().min(WRITE));
    socket.write(task, first).await?;
    for chunk in rest.chunks(WRITE) {
        socket.write(task, chunk).await?;
    }
    Ok(())
}

fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == ErrorKind::WouldBlock)
}

/// Returns `true` for a message of the application, and `false` for a control frame.
fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}
