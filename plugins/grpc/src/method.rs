//! The method that a step calls: known once the step is configured, or learned from the server by the first users.

use prost_reflect::{MessageDescriptor, MethodDescriptor};
use stampede_plugin::{ConfigError, Failure, Task};

use crate::outgoing::{Drafts, Outgoing};
use crate::reflection::ServerMethod;

/// A method, with the messages of the step.
pub(crate) struct Method {
    /// The messages to send.
    pub outgoing: Vec<Outgoing>,
    /// `true` if it takes a stream.
    pub streams_out: bool,
    /// `true` if it returns a stream.
    pub streams_in: bool,
    /// The type that it returns.
    pub output: MessageDescriptor,
}

impl Method {
    /// Checks the step's messages against the type that the method takes.
    pub(crate) fn new(descriptor: &MethodDescriptor, drafts: &Drafts) -> Result<Self, ConfigError> {
        Ok(Self {
            outgoing: drafts.encode(descriptor)?,
            streams_out: descriptor.is_client_streaming(),
            streams_in: descriptor.is_server_streaming(),
            output: descriptor.output(),
        })
    }
}

/// The source of a step's method.
pub(crate) enum MethodSource {
    /// The step's files.
    Files(Method),
    /// The server's reflection.
    Server(ServerMethod),
}

impl MethodSource {
    /// Returns the method, and asks the server for it if necessary.
    pub(crate) async fn method(&self, task: &Task) -> Result<&Method, Failure> {
        match self {
            Self::Files(method) => Ok(method),
            Self::Server(method) => method.method(task).await,
        }
    }
}
