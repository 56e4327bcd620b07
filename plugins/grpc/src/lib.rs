//! The `grpc` action: one call of any of the four kinds, as the method's descriptor determines. The host speaks HTTP/2;
//! this crate handles schemas, messages and statuses. This folder's `README.md` lists the parameters, with an example.

mod expect;
mod frames;
mod incoming;
mod json;
mod method;
mod metrics;
mod outgoing;
mod params;
mod reflection;
mod schema;
mod status;

use std::pin::pin;
use std::time::Duration;

use stampede_plugin::future::{Either, select};
use stampede_plugin::http::{Options, Request, Stream, Version};
use stampede_plugin::parameters::Save;
use stampede_plugin::{Action, ConfigError, Failure, FailureKind, Outcome, Task, Template, plugin};

use expect::Conditions;
use incoming::Incoming;
use method::{Method, MethodSource};
use metrics::Metrics;
use params::Params;
use status::{Code, Status};

/// The bytes of messages that are collected before they are written.
const CHUNK: usize = 32 << 10;

/// One configured step.
pub(crate) struct Grpc {
    request: Request,
    method: MethodSource,
    deadline: Option<Duration>,
    expect_status: Code,
    expect: Option<Conditions>,
    save: Option<Save>,
    max_message: usize,
    metrics: Metrics,
}

impl Action for Grpc {
    const NAME: &'static str = "grpc";
    const SUMMARY: &'static str = "makes one gRPC call and checks its status and messages";
    const PARAMS_SCHEMA: Option<&'static str> = Some(include_str!("../schema/grpc.json"));
    const SETS_VARIABLES: bool = true;
    type Params = Params;

    fn configure(params: Params) -> Result<Self, ConfigError> {
        let deadline = params.deadline.as_ref().map(|span| span.0);
        Ok(Self {
            method: params.method_source()?,
            request: request(&params, &params.method, deadline)?,
            deadline,
            expect_status: params.expect_status,
            expect: params.expect.map(|expect| expect.0),
            save: (!params.save.is_empty()).then_some(params.save),
            max_message: params.max_message,
            metrics: Metrics::new()?,
        })
    }

    async fn run(&self, task: &Task) -> Outcome {
        let method = self.method.method(task).await?;
        // Neither the time of the first message nor the deadline includes the wait for the user's turn.
        task.turn().await;
        let mut incoming = Incoming::new(self, method, task);
        let stream = self.open(method, task)?;
        let call = self.call(method, &stream, &mut incoming, task);
        let status = match self.deadline {
            None => call.await?,
            Some(deadline) => match task.timeout(deadline, call).await {
                Ok(status) => status?,
                Err(_) => Status { code: Code::DEADLINE_EXCEEDED, message: String::new() },
            },
        };
        self.judge(&status)?;
        incoming.verdict()?;
        // The exchange may end here even without a reply: the step may expect the deadline to pass.
        stream.leave();
        Ok(())
    }
}

impl Grpc {
    /// Begins the call.
    fn open<'t>(&self, method: &Method, task: &'t Task) -> Result<Stream<'t>, Failure> {
        if method.streams_out {
            return Ok(self.request.open_for_writing(task, &[]));
        }
        let frame = method.outgoing[0].frame(task)?;
        self.metrics.messages_out.add(task, 1);
        Ok(self.request.open(task, &frame))
    }

    /// Sends and reads, and returns the status of the call.
    async fn call(
        &self,
        method: &Method,
        stream: &Stream<'_>,
        incoming: &mut Incoming<'_>,
        task: &Task,
    ) -> Result<Status, Failure> {
        let reply = pin!(read(stream, incoming));
        if !method.streams_out {
            return reply.await;
        }
        match select(reply, pin!(self.write(method, stream, task))).await {
            Either::Left((status, _)) => status,
            // A server may end a call before it has read everything: then its status counts.
            Either::Right((Ok(()), reply)) => reply.await,
            Either::Right((Err(failure), reply)) if failure.detail().is_empty() => reply.await,
            Either::Right((Err(failure), _)) => Err(failure),
        }
    }

    /// Sends all messages.
    async fn write(&self, method: &Method, stream: &Stream<'_>, task: &Task) -> Outcome {
        let (mut chunk, mut count) = (Vec::new(), 0);
        for outgoing in &method.outgoing {
            for _ in 0..outgoing.times {
                chunk.extend(outgoing.frame(task)?);
                count += 1;
                if chunk.len() >= CHUNK {
                    stream.write(&std::mem::take(&mut chunk)).await?;
                    self.metrics.messages_out.add(task, std::mem::take(&mut count));
                }
            }
        }
        if !chunk.is_empty() {
            stream.write(&chunk).await?;
        }
        self.metrics.messages_out.add(task, count);
        stream.finish();
        Ok(())
    }

    /// Fails if the call has another status than expected.
    fn judge(&self, status: &Status) -> Outcome {
        if status.code == self.expect_status {
            return Ok(());
        }
        let kind = match self.deadline {
            Some(_) if status.code == Code::DEADLINE_EXCEEDED => FailureKind::Timeout,
            _ => FailureKind::Status,
        };
        Err(Failure::new(kind, format!("expected status {}, got {status}", self.expect_status)))
    }

    /// Returns `true` if the call must succeed.
    fn is_ok_expected(&self) -> bool {
        self.expect_status == Code::default()
    }
}

/// Reads a reply to its end.
async fn read(stream: &Stream<'_>, incoming: &mut Incoming<'_>) -> Result<Status, Failure> {
    status::accept(stream).await?;
    incoming.read(stream).await?;
    Status::of(stream)
}

/// Prepares the request for the calls of a method, with the step's metadata.
fn request(params: &Params, method: &str, deadline: Option<Duration>) -> Result<Request, ConfigError> {
    let url = Template::compile(&format!("{}/{method}", params.url.trim_end_matches('/')));
    let url = url.map_err(|error| error.at("/url"))?;
    let mut headers = params.metadata.clone();
    let mut field = |name: &str, value: &str| {
        headers.0.push((name.to_owned(), Template::compile(value)?));
        Ok::<_, ConfigError>(())
    };
    field("content-type", "application/grpc")?;
    field("te", "trailers")?;
    if let Some(deadline) = deadline {
        field("grpc-timeout", &timeout(deadline))?;
    }
    Request::builder("POST", url)
        .headers(headers)
        .options(Options { version: Version::Http2, ..Options::default() })
        .prepare()
}

/// Formats a deadline for `grpc-timeout`: eight digits at most, and a unit.
fn timeout(deadline: Duration) -> String {
    const MOST: u128 = 99_999_999;
    let (millis, seconds) = (deadline.as_millis(), u128::from(deadline.as_secs()));
    if millis <= MOST { format!("{}m", millis.max(1)) } else { format!("{}S", seconds.min(MOST)) }
}

plugin!(Grpc);

#[cfg(test)]
mod tests;
