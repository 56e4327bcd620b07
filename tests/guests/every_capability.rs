//! Does nothing wrong, and uses every function of the contract. A build for each version of the contract is kept as
//! `tests/fixtures/contract-VERSION.wasm`, which every later host must still run.

use std::cell::Cell;

use stampede_guests::{
    ConfigError, FailureKind, Misbehaviour, Progress, files, get, guest, http, lifetime, log, number, operations,
    report, sockets, streams, task, templates, text, timer, transfers, user,
};

/// The guest.
pub struct EveryCapability;

thread_local! {
    /// The template and the request that `configure` prepared from `url`.
    static PREPARED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    /// The address of the sockets.
    static PORT: Cell<u16> = const { Cell::new(0) };
    /// A counter and a trend.
    static METRICS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    /// The socket of the current task; the test has one user for each worker.
    static SOCKET: Cell<u32> = const { Cell::new(0) };
    /// The request of the streamed exchange, if the step names a file: then the task goes on with the functions of
    /// 0.1.2.
    static STREAMED: Cell<Option<u32>> = const { Cell::new(None) };
    /// Two rows below that of the step.
    static ROWS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    /// The number of operations of the streamed exchange that have completed.
    static ENDED: Cell<u32> = const { Cell::new(0) };
}

/// Options that keep the body.
const OPTIONS: http::RequestOptions =
    http::RequestOptions { version: http::Version::Http1, max_redirects: 0, compression: false, keep_body: true };

impl Misbehaviour for EveryCapability {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        let rejected = |message| ConfigError { pointer: "/url".into(), message, help: None };
        let url = templates::compile(text(params, "url")).map_err(|error| rejected(error.message))?;
        let (body, query) = (http::RequestBody::None, Vec::new());
        let headers = vec![("accept".into(), templates::compile("*/*").map_err(|error| rejected(error.message))?)];
        let request = http::RequestTemplate {
            method: "GET".into(),
            url,
            query,
            headers,
            body,
            credentials: None,
            options: OPTIONS,
        };
        PREPARED.set((url, http::prepare(&request).map_err(rejected)?));
        PORT.set(number(params, "port") as u16);
        let file = text(params, "file");
        if !file.is_empty() {
            files::read(file).map_err(rejected)?;
            let options = http::RequestOptions { version: http::Version::Http2, ..OPTIONS };
            let url = templates::compile("/echo").map_err(|error| rejected(error.message))?;
            let streamed =
                http::RequestTemplate { method: "POST".into(), url, headers: Vec::new(), options, ..request };
            STREAMED.set(Some(http::prepare(&streamed).map_err(rejected)?));
            let segment = transfers::define_row("segment", transfers::RowTimes::Counted).map_err(rejected)?;
            let left = transfers::define_row("left", transfers::RowTimes::ByDesign).map_err(rejected)?;
            ROWS.set((segment, left));
            lifetime::lasts(60_000_000_000);
            lifetime::connections(2);
        }
        let (counter, trend) = (report::MetricKind::Counter, report::MetricKind::Trend);
        let read = report::define("read", counter, report::MetricUnit::Bytes).map_err(rejected)?;
        let trip = report::define("trip", trend, report::MetricUnit::Nanoseconds).map_err(rejected)?;
        METRICS.set((read, trip));
        Ok(0)
    }

    /// Submits operation 0, a wait.
    fn start(_: u32, _: u32) -> Progress {
        user::set_variable("walk", &user::iteration().to_string());
        user::set_header("x-user", &user::id().to_string()).expect("that is a header");
        log::write(log::Level::Debug, &format!("drew {}", user::random()));
        timer::sleep(1_000_000);
        Progress::Pending
    }

    /// Goes on to operation 1, the prepared request, and operation 2, one decided here; operations 3 to 5 connect,
    /// write and read.
    fn resume(_: u32, operation: u32) -> Progress {
        let (url, request) = PREPARED.get();
        match operation {
            0 => {
                http::send(request);
                Progress::Pending
            }
            1 if user::variable("walk").is_none() || timer::now() < 1_000_000 => failed("the wait was none"),
            1 if task::turn().is_some() || task::active_time() < 1_000_000 => failed("no limit makes the user wait"),
            1 => {
                let (method, url) = ("GET".into(), templates::render(url));
                let request =
                    http::DynamicRequest { method, url, headers: Vec::new(), body: Vec::new(), options: OPTIONS };
                http::send_dynamic(&request);
                Progress::Pending
            }
            2 => judge(operation),
            3..=5 => on_socket(operation),
            7..=10 => streamed(operation),
            11..=14 => upgraded(operation),
            _ => transferred(operation),
        }
    }
}

/// The bytes of an HTTP request.
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
                STREAMED.get().map_or(Progress::Passed, stream)
            }
            _ => failed("unexpected reply on the socket"),
        },
    }
}

/// Goes on to operation 7, a streamed exchange (6 was given up); 8 writes to it, 9 waits for its head and 10 for
/// content.
fn stream(request: u32) -> Progress {
    ENDED.set(0);
    streams::open(request, b"one, ", true);
    streams::write(7, b"two");
    Progress::Pending
}

fn streamed(operation: u32) -> Progress {
    let as_it_should = match operation {
        8 => {
            streams::finish(7);
            streams::head(7);
            streams::written(operation).is_ok()
        }
        9 => {
            streams::read(7);
            streams::arrived(operation) == Ok(200) && streams::header(7, "content-type").is_some()
        }
        10 => {
            let content = streams::received(operation).unwrap_or_default();
            streams::trailer(7, "none").is_none() && content.windows(8).any(|some| some == b"one, two")
        }
        _ => http::reply(operation).is_ok_and(|reply| reply.status == 200),
    };
    if !as_it_should {
        return failed("unexpected stream");
    }
    ENDED.set(ENDED.get() + 1);
    if ENDED.get() == 4 {
        let headers = HANDSHAKE.map(|(name, value)| (name.into(), value.into())).into();
        sockets::upgrade(&http::DynamicRequest { headers, ..get("/ws") });
    }
    Progress::Pending
}

/// A key and its answer, from RFC 6455 section 1.3.
const HANDSHAKE: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];
const ANSWER: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Goes on to operation 11, the upgrade; 12 writes a frame, 13 reads the server's answer, and 14 begins TLS too late.
fn upgraded(operation: u32) -> Progress {
    let as_it_should = match operation {
        11 => sockets::upgraded(operation).is_ok_and(|reply| {
            SOCKET.set(reply.socket.unwrap_or(u32::MAX));
            sockets::write(SOCKET.get(), b"\x81\x82\0\0\0\0hi");
            reply.status == 101 && reply.duration > 0 && reply.headers.iter().any(|(_, value)| value == ANSWER)
        }),
        12 => {
            sockets::read(SOCKET.get(), 100);
            sockets::written(operation).is_ok()
        }
        13 => {
            sockets::close(SOCKET.get());
            sockets::secure(SOCKET.get(), &sockets::TlsOptions { server_name: None, alpn: Vec::new() });
            sockets::received(operation).is_ok_and(|bytes| bytes == b"\x81\x02hi")
        }
        // A socket that is closed cannot begin TLS.
        _ => {
            transfers::begin(&get("/api/v1/catalog"), ROWS.get().0);
            sockets::secured(operation).is_err()
        }
    };
    if as_it_should { Progress::Pending } else { failed("unexpected upgrade") }
}

/// Operation 15 is a transfer; 16 waits for the end of the user's time, and 17 is left before it has begun.
fn transferred(operation: u32) -> Progress {
    let (segment, left) = ROWS.get();
    let ending = lifetime::ending();
    let next = transfers::begin(&get("/api/v1/catalog"), segment);
    let before = transfers::progress(next);
    transfers::leave(next, left);
    operations::cancel(ending);
    let (progress, times, body) = (transfers::progress(operation), transfers::times(operation), http::body(operation));
    let in_order = times.start <= times.headed && times.headed <= times.end && progress.headed == Some(times.headed);
    let is_complete = progress.content == body.len() as u64 && transfers::fingerprint(operation) != 0;
    let is_silent = before.headed.is_none() && before.content == 0;
    if in_order && is_complete && is_silent { Progress::Passed } else { failed("unexpected transfer") }
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
        _ => failed("unexpected reply"),
    }
}

fn failed(why: &str) -> Progress {
    report::fail(FailureKind::Check, why);
    Progress::Failed
}

guest!(EveryCapability);
