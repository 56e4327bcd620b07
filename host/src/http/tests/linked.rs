//! Replies that come over a link, in virtual time and so to the nanosecond: a site in this thread, whose connection
//! takes no time.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http2 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use stampede_time::{Nanos, Timers};
use tokio::io::DuplexStream;

use super::super::client::LocalTasks;
use super::super::http2::{Http2, Http2Outcome};
use super::super::message::OutgoingRequest;
use super::*;
use crate::net::{Dial, Link, LinkProfile, LinkSpeed, LinkTrace, TraceInterval, Transport};

const MS: Nanos = 1_000_000;
/// The bytes that the connection buffers.
const BUFFER: usize = 64 * 1024;

/// The way in which the site sends its content.
#[derive(Clone, Copy)]
enum Sending {
    /// With a length, all at once.
    Whole(usize),
    /// In chunks, all at once.
    Chunked(usize),
    /// With the end of the connection as its end.
    UntilClosed(usize),
    /// A number of pieces, and the bytes of each; one every 100 ms.
    Slow(usize, usize),
}

struct Site(Sending);

impl Dial for Site {
    fn dial(self: Arc<Self>) -> DuplexStream {
        let (near, far) = tokio::io::duplex(BUFFER);
        spawn_local(answer(far, self.0));
        near
    }
}

async fn answer(mut connection: DuplexStream, sending: Sending) {
    let mut request = [0; 4096];
    while connection.read(&mut request).await.is_ok_and(|read| read > 0) {
        let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes();
        let sent = match sending {
            Sending::Whole(size) => [head(&format!("content-length: {size}\r\n")), vec![b'x'; size]].concat(),
            Sending::Chunked(size) => {
                let chunk = [format!("{:x}\r\n", size / 10).into_bytes(), vec![b'x'; size / 10], b"\r\n".to_vec()];
                [head("transfer-encoding: chunked\r\n"), chunk.concat().repeat(10), b"0\r\n\r\n".to_vec()].concat()
            }
            Sending::UntilClosed(size) => [head(""), vec![b'x'; size]].concat(),
            Sending::Slow(pieces, size) => head(&format!("content-length: {}\r\n", pieces * size)),
        };
        // The user may leave.
        let _ = connection.write_all(&sent).await;
        match sending {
            Sending::UntilClosed(_) => return,
            Sending::Slow(pieces, size) => {
                for _ in 0..pieces {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    let _ = connection.write_all(&vec![b'x'; size]).await;
                }
            }
            Sending::Whole(_) | Sending::Chunked(_) => {}
        }
    }
}

/// A user whose link has this rate and round trip.
struct LinkedUser {
    client: Client,
    session: HttpSession,
    meters: [Meter; 2],
}

impl LinkedUser {
    fn new(sending: Sending, rate: u64, rtt: Nanos) -> Self {
        Self::with_profile(sending, LinkProfile { speed: LinkSpeed::Constant(rate), rtt })
    }

    /// Must be called where tasks run.
    fn with_profile(sending: Sending, profile: LinkProfile) -> Self {
        let dial: Option<Arc<dyn Dial>> = Some(Arc::new(Site(sending)));
        let network = NetworkOptions { tls: Tls::load(Trust::Anything).unwrap(), dial, dns_ttl: SECOND, seed: 0 };
        let options = ClientOptions { network, max_body_kept: LIMIT, body_budget: BodyBudget::new(BUDGET) };
        let clock = Clock::start_virtual();
        let timers = Rc::new(Timers::new(clock).unwrap());
        let session = HttpSession::new(0);
        session.set_link(Link::new(profile), &timers);
        spawn_local(async move { timers.run(clock).await });
        Self { client: Client::new(options, clock), session, meters: Default::default() }
    }

    async fn load_with(&self, meter: &Meter, scheme: &str) -> Measurements {
        meter.begin(self.client.now(), 0);
        let request = Request { keep_body: None, ..get(&format!("{scheme}://site/")) };
        exchange(&self.client, &self.session, meter, &request).await.unwrap();
        *meter.read()
    }

    async fn load(&self) -> Measurements {
        self.load_with(&self.meters[0], "http").await
    }
}

/// Runs a test where tasks can be local and time is virtual.
async fn run<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

fn took(measured: &Measurements) -> Nanos {
    measured.end.unwrap() - measured.start
}

#[tokio::test(start_paused = true)]
async fn content_takes_as_long_as_the_rate_says_however_it_is_framed() {
    run(async {
        for sending in [Sending::Whole(1_000_000), Sending::Chunked(1_000_000), Sending::UntilClosed(1_000_000)] {
            let measured = LinkedUser::new(sending, 8_000_000, 0).load().await;
            assert!(took(&measured).abs_diff(SECOND) < 1_000, "{measured:?}");
            assert_eq!((measured.body_bytes_in, measured.phases.first_byte), (1_000_000, Some(0)));
            assert_eq!(measured.phases.receive, Some(took(&measured)));
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn slow_and_fast_links_are_as_exact() {
    run(async {
        // A wait in virtual time takes whole milliseconds, which is too coarse for faster links.
        for rate in [64_000, 400_000, 2_000_000, 25_000_000] {
            let measured = LinkedUser::new(Sending::Whole(1_000_000), rate, 0).load().await;
            let expected = 8_000_000 * SECOND / rate;
            // Each piece is rounded up to a nanosecond.
            assert!((0..200).contains(&(took(&measured) - expected)), "{rate}: {measured:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_comes_a_round_trip_later_and_the_first_of_a_connection_after_its_handshakes() {
    run(async {
        let user = LinkedUser::new(Sending::Whole(100_000), 8_000_000, 40 * MS);
        let [first, second] = [user.load().await, user.load().await];
        assert_eq!([took(&first), took(&second)], [180 * MS, 140 * MS]);
        assert_eq!([first.link_delay, second.link_delay], [40 * MS; 2]);
        assert_eq!((first.phases.first_byte, first.phases.connect), (Some(0), Some(0)), "the site's own times");
        let secured = user.load_with(&user.meters[1], "https").await;
        assert_eq!(took(&secured), 220 * MS);
        let empty = LinkedUser::new(Sending::Whole(0), 8_000_000, 40 * MS);
        assert_eq!([took(&empty.load().await), took(&empty.load().await)], [80 * MS, 40 * MS]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn exchanges_at_once_share_the_link() {
    run(async {
        let user = LinkedUser::new(Sending::Whole(1_000_000), 8_000_000, 0);
        let [one, other] = &user.meters;
        let (one, other) = tokio::join!(user.load_with(one, "http"), user.load_with(other, "http"));
        assert_eq!(took(&one).max(took(&other)), 2 * SECOND);
        assert!(took(&one).abs_diff(took(&other)) <= 20 * MS, "{} {}", took(&one), took(&other));
        // The link is free again.
        assert_eq!(took(&user.load().await), SECOND);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_slower_than_the_link_is_only_delayed() {
    run(async {
        let user = LinkedUser::new(Sending::Slow(5, 10_000), 8_000_000, 40 * MS);
        user.load().await;
        // The last piece is sent after 500 ms, comes 40 ms later, and takes 10 ms.
        assert_eq!(took(&user.load().await), 550 * MS);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_trace_changes_the_rate() {
    run(async {
        let intervals = [(0, 8_000_000), (SECOND, 0), (3 * SECOND, 800_000)];
        let intervals = intervals.map(|(from, rate)| TraceInterval { from, rate });
        let trace = LinkTrace::new(intervals.to_vec(), 10 * SECOND).unwrap();
        let profile = LinkProfile { speed: LinkSpeed::Trace(trace.into()), rtt: 0 };
        let user = LinkedUser::with_profile(Sending::Whole(1_200_000), profile);
        // 1 MB in the first second, nothing in the next two, 100 kB in each of those after them.
        assert!(took(&user.load().await).abs_diff(5 * SECOND) < 1_000);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_is_left_has_what_has_passed() {
    run(async {
        let user = LinkedUser::new(Sending::Whole(1_000_000), 8_000_000, 40 * MS);
        let left = tokio::time::timeout(Duration::from_millis(580), user.load()).await;
        assert!(left.is_err());
        let passed = user.meters[0].read().body_bytes_in;
        // 500 ms of it are content, and the last 20 ms are still on the link.
        assert!((480_000..=500_000).contains(&passed), "{passed}");
        let next = LinkedUser::new(Sending::Whole(1_000), 8_000_000, 0);
        assert_eq!(took(&next.load().await), MS);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_streamed_reply_is_handed_on_as_it_passes() {
    run(async {
        let user = LinkedUser::new(Sending::Whole(300_000), 8_000_000, 40 * MS);
        let channel = Rc::new(BodyChannel::new(&Allowance::new(Cell::new(1 << 20)), false));
        let request = Request { keep_body: None, channel: Some(Rc::clone(&channel)), ..get("http://site/") };
        let clock = user.client.connector.clock;
        user.meters[0].begin(clock.now(), 0);
        let mut exchange = Box::pin(exchange(&user.client, &user.session, &user.meters[0], &request));
        let (mut received, mut headed, mut is_over) = (0_u64, None, false);
        let begun = clock.now();
        poll_fn(|cx| {
            is_over = is_over || exchange.as_mut().poll(cx).is_ready();
            let elapsed = clock.now() - begun;
            headed = headed.or_else(|| channel.has_head().then_some(elapsed));
            while let Poll::Ready(Ok(content)) = channel.poll_read(1 << 20)
                && !content.is_empty()
            {
                received += content.len() as u64;
                assert!(received * 8 * SECOND <= 8_000_000 * (elapsed - 80 * MS), "{received} after {elapsed}");
            }
            if is_over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        assert_eq!((received, clock.now() - begun), (300_000, 380 * MS));
        assert!((80 * MS..=100 * MS).contains(&headed.unwrap()), "{headed:?}");
    })
    .await;
}

/// Loads a megabyte over HTTP/2 `times` times at once. Returns how long each took.
async fn load_over_http2(user: &LinkedUser, times: usize) -> Vec<Nanos> {
    let (near, far) = tokio::io::duplex(BUFFER);
    let service = service_fn(async |_: hyper::Request<Incoming>| {
        Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from(vec![b'x'; 1_000_000]))))
    });
    spawn_local(server::Builder::new(LocalTasks).serve_connection(TokioIo::new(far), service));
    let connection = Http2::start(&user.client, Transport::InProcess(near), Some(32 * 1024)).await.unwrap();
    let loads = (0..times).map(|_| {
        let mut connection = connection.clone();
        async move {
            let (meter, request) = (Meter::default(), Request { keep_body: None, ..get("http://site/") });
            let begun = user.client.now();
            meter.begin(begun, 0);
            let link = user.session.connections.link();
            let outgoing = OutgoingRequest {
                request: &request,
                cookie: None,
                user_agent: None,
                is_last: false,
                trace: None,
                link,
            };
            let outcome = connection.exchange(&user.client, &meter, outgoing, begun).await;
            assert!(matches!(outcome, Http2Outcome::Done(Ok(_))));
            assert_eq!(meter.read().body_bytes_in, 1_000_000);
            took(&meter.read())
        }
    });
    futures_util::future::join_all(loads).await
}

#[tokio::test(start_paused = true)]
async fn http2_is_as_slow_as_the_link_and_its_streams_share_it() {
    run(async {
        let user = LinkedUser::new(Sending::Whole(0), 8_000_000, 40 * MS);
        let alone = load_over_http2(&user, 1).await;
        assert!(alone[0].abs_diff(SECOND + 40 * MS) < 1_000, "{alone:?}");
        let three = load_over_http2(&user, 3).await;
        assert!(three.iter().max().unwrap().abs_diff(3 * SECOND + 40 * MS) < 1_000, "{three:?}");
        assert!(three.iter().all(|took| *took > 2 * SECOND + 900 * MS), "{three:?}");
    })
    .await;
}
