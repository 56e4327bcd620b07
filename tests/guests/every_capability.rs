//! Does nothing wrong, and uses every function of the contract. Built once for each version of it, it is kept as
//! `tests/fixtures/contract-VERSION.wasm`, which every later host must still run.

use std::cell::Cell;

use stampede_guests::{
    ConfigError, FailureKind, Misbehaviour, Progress, guest, http, log, number, operations, report, sockets, templates,
    text, timer, user,
};

/// The guest.
pub struct EveryCapability;

thread_local! {
    /// The template and the request that `configure` made of `url`.
    static PREPARED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    /// Where the sockets lead.
    static PORT: Cell<u16> = const { Cell::new(0) };
    /// A counter and a trend.
    static METRICS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    /// The socket of the task under way; the test has one user for each worker.
    static SOCKET: Cell<u32> = const { Cell::new(0) };
}

/// Nothing but the body is asked for.
const OPTIONS: http::RequestOptions =
    http::RequestOptions { version: http::Version::Http1, max_redirects: 0, compression: false, keep_body: true };

impl Misbehaviour for EveryCapability {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        let refused = |message| ConfigError { pointer: "/url".into(), message, help: None };
        let url = templates::compile(text(params, "url")).map_err(|error| refused(error.message))?;
        let (body, query) = (http::RequestBody::None, Vec::new());
        let headers = vec![("accept".into(), templates::compile("*/*").map_err(|error| refused(error.message))?)];
        let request = http::RequestTemplate {
            method: "GET".into(),
            url,
            query,
            headers,
            body,
            credentials: None,
            options: OPTIONS,
        };
        PREPARED.set((url, http::prepare(&request).map_err(refused)?));
        PORT.set(number(params, "port") as u16);
        let (counter, trend) = (report::MetricKind::Counter, report::MetricKind::Trend);
        let read = report::define("read", counter, report::MetricUnit::Bytes).map_err(refused)?;
        let trip = report::define("trip", trend, report::MetricUnit::Nanoseconds).map_err(refused)?;
        METRICS.set((read, trip));
        Ok(0)
    }

    /// Operation 0 is a wait.
    fn start(_: u32, _: u32) -> Progress {
        user::set_variable("walk", &user::iteration().to_string());
        user::set_header("x-user", &user::id().to_string()).expect("that is a header");
        log::write(log::Level::Debug, &format!("drew {}", user::random()));
        timer::sleep(1_000_000);
        Progress::Pending
    }

    /// Operation 1 is the prepared request, operation 2 the one made up here; operations 3 to 5 connect, write and read.
    fn resume(_: u32, operation: u32) -> Progress {
        let (url, request) = PREPARED.get();
        match operation {
            0 => {
                http::send(request);
                Progress::Pending
            }
            1 if user::variable("walk").is_none() || timer::now() < 1_000_000 => failed("the wait was none"),
            1 => {
                let (method, url) = ("GET".into(), templates::render(url));
                let request =
                    http::DynamicRequest { method, url, headers: Vec::new(), body: Vec::new(), options: OPTIONS };
                http::send_dynamic(&request);
                Progress::Pending
            }
            2 => judge(operation),
            _ => on_socket(operation),
        }
    }
}

/// A request by hand.
const REQUEST: &[u8] = b"GET /api/v1/catalog HTTP/1.1\r\nhost: site\r\n\r\n";

fn on_socket(operation: u32) -> Progress {
    match operation {
        3 => match sockets::connected(operation) {
            Ok(socket) if sockets::protocol(socket).is_none() => {
                SOCKET.set(socket);
                sockets::write(socket, REQUEST);
                Progress::Pending
            }
            _ => failed("no connection"),
        },
        4 if sockets::written(operation).is_err() => failed("nothing was written"),
        4 => {
            sockets::read(SOCKET.get(), 1 << 16);
            operations::cancel(timer::sleep(3_600_000_000_000));
            Progress::Pending
        }
        _ => match sockets::received(operation) {
            Ok(bytes) if bytes.starts_with(b"HTTP/1.1 200 ") => {
                let (read, trip) = METRICS.get();
                report::add(read, bytes.len() as f64);
                report::add(trip, timer::now() as f64);
                sockets::close(SOCKET.get());
                Progress::Passed
            }
            _ => failed("that is no reply on the socket"),
        },
    }
}

fn judge(operation: u32) -> Progress {
    let body = http::body(operation).len() as u64;
    match http::reply(operation) {
        Ok(reply) if reply.status == 200 && reply.body_bytes == body && reply.duration > 0 => {
            match http::header(operation, "content-type") {
                Some(_) => {
                    sockets::connect(&sockets::Address { host: "127.0.0.1".into(), port: PORT.get(), tls: None });
                    Progress::Pending
                }
                None => failed("no `content-type`"),
            }
        }
        _ => failed("that is no reply"),
    }
}

fn failed(why: &str) -> Progress {
    report::fail(FailureKind::Check, why);
    Progress::Failed
}

guest!(EveryCapability);
