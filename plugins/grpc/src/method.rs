//! The method that a step calls: known once the step is configured, or learned from the server by the first users.

use prost_reflect::{MessageDescriptor, MethodDescriptor};
use stampede_plugin::{ConfigError, Failure, Task};

use crate::outgoing::{Drafts, Outgoing};
use crate::reflection::Reflected;

/// What a call must know of its method.
pub struct Method {
    /// What is sent.
    pub outgoing: Vec<Outgoing>,
    /// Whether it takes a stream.
    pub streams_out: bool,
    /// Whether it gives one.
    pub streams_in: bool,
    /// What it gives.
    pub output: MessageDescriptor,
}

impl Method {
    /// Holds the step's messages against what the method takes.
    pub fn new(descriptor: &MethodDescriptor, drafts: &Drafts) -> Result<Self, ConfigError> {
        Ok(Self {
            outgoing: drafts.encode(descriptor)?,
            streams_out: descriptor.is_client_streaming(),
            streams_in: descriptor.is_server_streaming(),
            output: descriptor.output(),
        })
    }
}

/// Where a step has its method from.
pub enum Schema {
    /// The step's files.
    Known(Method),
    /// The server.
    Reflected(Reflected),
}

impl Schema {
    /// The method; the server is asked if it must be.
    pub async fn method(&self, task: &Task) -> Result<&Method, Failure> {
        match self {
            Self::Known(method) => Ok(method),
            Self::Reflected(reflected) => reflected.method(task).await,
        }
    }
}
