//! One connection of one user: the library's codec above bytes in memory, and the socket that the bytes go over.

use std::io::ErrorKind;
use std::time::Duration;

use stampede_plugin::socket::Socket;
use stampede_plugin::{Failure, PerUser, Task};
use tungstenite::handshake::HandshakeError;
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use crate::metrics::Metrics;
use crate::mishap;
use crate::pipe::Pipe;
use crate::target::Target;

/// What one read asks for.
const CHUNK: usize = 64 << 10;

/// The most that one write takes.
const WRITE: usize = 16 << 20;

/// What the codec reads at once. It keeps a buffer of that size for each connection, idle ones included.
const BUFFER: usize = 1 << 10;

/// How long the server may take to end the connection after both sides have said goodbye. Then this side does.
const LINGER: Duration = Duration::from_secs(1);

/// An open connection.
pub struct Connection {
    socket: Socket,
    codec: WebSocket<Pipe>,
    metrics: Metrics,
    /// When this step has sent its message, if what it expects has not come yet.
    sent: Option<Duration>,
}

impl Connection {
    /// Connects and shakes hands. The host sends the request and receives the reply, for it adds what only it knows; the
    /// library is shown both, and checks the one against the other.
    pub async fn open(target: &Target, metrics: Metrics, task: &Task) -> Result<Self, Failure> {
        let (handshake, request) = target.render(task)?;
        let reply = request.upgrade(task).await?;
        let Some(socket) = reply.socket else { return Err(mishap::status(reply.status)) };
        let mut pipe = Pipe::default();
        pipe.add(switching(&reply.headers));
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .max_message_size(Some(target.most))
            .max_frame_size(Some(target.most));
        let started = ClientHandshake::start(pipe, handshake, Some(config));
        let mut codec = match started.map_err(|error| mishap::failure(&error))?.handshake() {
            Ok((codec, _)) => codec,
            Err(HandshakeError::Failure(error)) => return Err(mishap::failure(&error)),
            Err(HandshakeError::Interrupted(_)) => return Err(mishap::no_http()),
        };
        // The request, which the host has sent.
        codec.get_mut().take_outgoing();
        metrics.handshake.add(task, reply.duration);
        Ok(Self { socket, codec, metrics, sent: None })
    }

    /// The one that `websocket.open` has left, taken out: a step that fails on the way closes it.
    pub fn of_user(open: &PerUser<Self>, task: &Task) -> Result<Self, Failure> {
        open.take(task).ok_or_else(|| Failure::check("the user has no open connection"))
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Message, task: &Task) -> Result<(), Failure> {
        let counts = is_data(&message);
        let queued = self.codec.send(message);
        queued.map_err(|error| mishap::failure(&error))?;
        write(&self.socket, self.codec.get_mut(), task).await?;
        // Not before: the write has waited for the user's turn.
        self.sent = Some(task.now());
        if counts {
            self.metrics.messages_out.add(task, 1);
        }
        Ok(())
    }

    /// Begins a step that may find its message here already. It takes the user's turn and is a sample all the same, so
    /// that the count of requests does not depend on how the bytes arrived.
    pub async fn begin(&mut self, task: &Task) -> Result<(), Failure> {
        // What another step has sent: the time since is the script's own.
        self.sent = None;
        write(&self.socket, self.codec.get_mut(), task).await
    }

    /// Waits for the next message, control frames included. Pings and close frames are answered.
    pub async fn next(&mut self, task: &Task) -> Result<Message, Failure> {
        loop {
            match self.codec.read() {
                Ok(message) => {
                    if is_data(&message) {
                        self.metrics.messages_in.add(task, 1);
                    } else if self.codec.flush().is_ok() {
                        send_queued(&self.socket, self.codec.get_mut(), task).await?;
                    }
                    return Ok(message);
                }
                Err(error) if would_block(&error) => exchange(&self.socket, self.codec.get_mut(), task).await?,
                Err(error) => {
                    self.say_goodbye(&error, task).await;
                    return Err(mishap::failure(&error));
                }
            }
        }
    }

    /// What was expected has come.
    pub fn came(&mut self, task: &Task) {
        if let Some(sent) = self.sent.take() {
            self.metrics.round_trip.add(task, task.now() - sent);
        }
    }

    /// Says goodbye and waits for the answer; what the server says in it.
    pub async fn close(mut self, frame: CloseFrame, task: &Task) -> Result<Option<CloseFrame>, Failure> {
        self.codec.close(Some(frame)).map_err(|error| mishap::failure(&error))?;
        loop {
            if let Message::Close(answer) = self.next(task).await? {
                self.end(task).await;
                return Ok(answer);
            }
        }
    }

    /// Both sides have said goodbye. The server ends the connection first (RFC 6455, section 7.1.1), unless it takes too
    /// long.
    pub async fn end(mut self, task: &Task) {
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
        // Late or not, the connection is closed here.
        let _ = task.timeout(LINGER, ended).await;
    }

    /// Tells the server what it did wrong, as far as it still listens.
    async fn say_goodbye(&mut self, error: &Error, task: &Task) {
        if let Some(frame) = mishap::goodbye(error)
            && self.codec.close(Some(frame)).is_ok()
        {
            let _ = write(&self.socket, self.codec.get_mut(), task).await;
        }
    }
}

/// The reply to a handshake as it came over the wire.
fn switching(fields: &[(String, String)]) -> Vec<u8> {
    let mut head = "HTTP/1.1 101 Switching Protocols\r\n".to_owned();
    fields.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head.push_str("\r\n");
    head.into_bytes()
}

/// Sends what the codec has written, and waits for the server's next bytes.
async fn exchange(socket: &Socket, pipe: &mut Pipe, task: &Task) -> Result<(), Failure> {
    send_queued(socket, pipe, task).await?;
    pipe.add(socket.read(task, CHUNK).await?);
    Ok(())
}

/// Sends what the codec has written, if there is anything.
async fn send_queued(socket: &Socket, pipe: &mut Pipe, task: &Task) -> Result<(), Failure> {
    if pipe.has_outgoing() { write(socket, pipe, task).await } else { Ok(()) }
}

/// Sends what the codec has written, be it nothing.
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

/// Whether it is a message of the application, and no control frame.
fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}
