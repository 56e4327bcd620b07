//! A gRPC server, built on tonic, that counts the messages it receives and sends.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status, Streaming, async_trait};

use proto::echo_server::{Echo, EchoServer};
use proto::{Order, Said};

/// Code that the build script generates from `protos/`.
mod proto {
    #![allow(missing_docs, unreachable_pub, clippy::pedantic, reason = "generated")]

    tonic::include_proto!("stampede.test");
}

/// Returns the compiled schemas of the server's services: its own, and tonic's health service.
pub const fn descriptors() -> [&'static [u8]; 2] {
    [include_bytes!(concat!(env!("OUT_DIR"), "/echo.bin")), tonic_health::pb::FILE_DESCRIPTOR_SET]
}

/// The reflection service with which a server publishes its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reflection {
    /// None.
    None,
    /// The current one, `grpc.reflection.v1`.
    V1,
    /// Its predecessor, `grpc.reflection.v1alpha`.
    V1Alpha,
}

/// A gRPC server that runs until the tests end.
pub struct GrpcServer {
    addr: SocketAddr,
    counted: Arc<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    came: AtomicU64,
    went: AtomicU64,
    asked: AtomicU64,
}

impl GrpcServer {
    /// Listens on a free port and serves `protos/echo.proto` and `grpc.health.v1.Health`, without reflection.
    pub fn start() -> Self {
        Self::reflecting(Reflection::None)
    }

    /// Listens on a free port, as [`Self::start`] does, and serves a reflection service as well.
    pub fn reflecting(reflection: Reflection) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let counted = Arc::new(Counted::default());
        let service = Service(Arc::clone(&counted));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener).expect("a listener"));
                serve(service, reflection, incoming).await.expect("a server");
            });
        });
        Self { addr, counted }
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Returns the number of messages received.
    pub fn came(&self) -> u64 {
        self.counted.came.load(Ordering::Relaxed)
    }

    /// Returns the number of calls to the reflection service.
    pub fn asked(&self) -> u64 {
        self.counted.asked.load(Ordering::Relaxed)
    }

    /// Returns the number of messages sent, with those whose sending has begun.
    pub fn went(&self) -> u64 {
        self.counted.went.load(Ordering::Relaxed)
    }
}

async fn serve(
    service: Service,
    reflection: Reflection,
    incoming: TcpIncoming,
) -> Result<(), Box<dyn std::error::Error>> {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<EchoServer<Service>>().await;
    let asked = Arc::clone(&service.0);
    let count = move |request: Request<()>| {
        asked.asked.fetch_add(1, Ordering::Relaxed);
        Ok(request)
    };
    let schemas = || {
        let builder = tonic_reflection::server::Builder::configure();
        descriptors().into_iter().fold(builder, |builder, set| builder.register_encoded_file_descriptor_set(set))
    };
    let router = Server::builder().add_service(EchoServer::new(service)).add_service(health);
    let router = match reflection {
        Reflection::None => router,
        Reflection::V1 => router.add_service(InterceptedService::new(schemas().build_v1()?, count)),
        Reflection::V1Alpha => router.add_service(InterceptedService::new(schemas().build_v1alpha()?, count)),
    };
    Ok(router.serve_with_incoming(incoming).await?)
}

struct Service(Arc<Counted>);

type SaidStream = Pin<Box<dyn Stream<Item = Result<Said, Status>> + Send>>;

impl Counted {
    fn came(&self) {
        self.came.fetch_add(1, Ordering::Relaxed);
    }

    fn went(&self) {
        self.went.fetch_add(1, Ordering::Relaxed);
    }
}

fn ended(order: &Order) -> Result<(), Status> {
    match order.code {
        0 => Ok(()),
        code => Err(Status::new(Code::from(code), "as ordered: é%")),
    }
}

fn text(order: &Order) -> String {
    "a".repeat(usize::try_from(order.size).unwrap_or(usize::MAX))
}

#[async_trait]
impl Echo for Service {
    async fn say(&self, request: Request<Said>) -> Result<Response<Said>, Status> {
        self.0.came();
        let token =
            request.metadata().get("x-token").and_then(|token| token.to_str().ok()).unwrap_or_default().to_owned();
        self.0.went();
        Ok(Response::new(Said { token, ..request.into_inner() }))
    }

    async fn serve(&self, request: Request<Order>) -> Result<Response<Said>, Status> {
        self.0.came();
        let order = request.into_inner();
        tokio::time::sleep(Duration::from_millis(order.pause_ms)).await;
        ended(&order)?;
        self.0.went();
        Ok(Response::new(Said { text: text(&order), ..Said::default() }))
    }

    type HearStream = SaidStream;

    async fn hear(&self, request: Request<Order>) -> Result<Response<SaidStream>, Status> {
        self.0.came();
        let (order, counted) = (request.into_inner(), Arc::clone(&self.0));
        let said = Said { text: text(&order), ..Said::default() };
        let messages = stream::iter(1..=order.count).map(move |number| {
            counted.went();
            Ok(Said { number, ..said.clone() })
        });
        let end = stream::iter(ended(&order).err().map(Err));
        Ok(Response::new(Box::pin(messages.chain(end))))
    }

    async fn tell(&self, request: Request<Streaming<Said>>) -> Result<Response<Order>, Status> {
        let (mut messages, mut count, mut size) = (request.into_inner(), 0, 0);
        while let Some(said) = messages.message().await? {
            self.0.came();
            count += 1;
            size += said.text.len() as u64;
        }
        self.0.went();
        Ok(Response::new(Order { count, size, ..Order::default() }))
    }

    type TalkStream = SaidStream;

    async fn talk(&self, request: Request<Streaming<Said>>) -> Result<Response<SaidStream>, Status> {
        let counted = Arc::clone(&self.0);
        let echoed = request.into_inner().map(move |said| {
            counted.came();
            counted.went();
            said.and_then(|said| if said.text == "stop" { Err(Status::aborted("stopped")) } else { Ok(said) })
        });
        Ok(Response::new(Box::pin(echoed)))
    }
}
