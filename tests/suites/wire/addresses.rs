//! Names with several addresses, and names whose addresses change during a run. A run of these has a hosts file of its
//! own, in a mount namespace.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use stampede_tests::{Run, wait_for};

use crate::{BINARY, TARGET_TMP};

/// Puts the hosts file of the run's folder in the place of the system's.
const WITH_HOSTS: &str = "mount --bind hosts /etc/hosts && exec \"$0\" \"$@\"";

/// Returns a call of the real binary with this hosts file; `None` where there are no mount namespaces.
fn shooter_with_hosts(hosts: &str) -> Option<Run> {
    let program = ["unshare", "--mount", "--map-root-user", "true"];
    let works = Command::new(program[0]).args(&program[1..]).stderr(Stdio::null()).status();
    if !works.is_ok_and(|status| status.success()) {
        eprintln!("left out: `{}` does not work here", program.join(" "));
        return None;
    }
    let run = Run::new(program[0], TARGET_TMP).args("--mount --map-root-user sh -c").arg(WITH_HOSTS);
    Some(run.arg(BINARY).file("hosts", hosts))
}

/// A server on several addresses of this machine, with the same port, that counts connections and requests by address.
struct ManyAddresses {
    port: u16,
    connections: Arc<Mutex<BTreeMap<IpAddr, u64>>>,
    requests: Arc<AtomicU64>,
}

impl ManyAddresses {
    fn start(last_bytes: &[u8]) -> Self {
        Self::closing(last_bytes, u64::MAX)
    }

    /// Starts a server whose first address refuses connections after a number of them.
    fn closing(last_bytes: &[u8], after: u64) -> Self {
        let address = |last: u8| Ipv4Addr::new(127, 0, 0, last);
        // The port of the first is free on the others too, or another one is tried.
        let listeners = (0..100).find_map(|_| {
            let first = TcpListener::bind((address(last_bytes[0]), 0)).ok()?;
            let port = first.local_addr().ok()?.port();
            let others = last_bytes[1..].iter().map(|last| TcpListener::bind((address(*last), port)).ok());
            let others = others.collect::<Option<Vec<_>>>()?;
            Some((port, [first].into_iter().chain(others).collect::<Vec<_>>()))
        });
        let (port, listeners) = listeners.expect("a port that is free on all addresses");
        let server = Self { port, connections: Arc::default(), requests: Arc::default() };
        for listener in listeners {
            let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
            let ip = listener.local_addr().expect("a bound address").ip();
            let most =
                if ip == address(last_bytes[0]) { usize::try_from(after).unwrap_or(usize::MAX) } else { usize::MAX };
            thread::spawn(move || {
                for mut stream in listener.incoming().flatten().take(most) {
                    *connections.lock().unwrap_or_else(PoisonError::into_inner).entry(ip).or_default() += 1;
                    let requests = Arc::clone(&requests);
                    thread::spawn(move || {
                        let mut request = [0; 4096];
                        // A request arrives in one piece.
                        while stream.read(&mut request).is_ok_and(|length| length > 0) {
                            requests.fetch_add(1, Ordering::SeqCst);
                            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
                        }
                    });
                }
            });
        }
        server
    }

    fn url(&self) -> String {
        format!("http://many.test:{}/", self.port)
    }

    /// Returns the number of connections to each address, by its last byte.
    fn connections(&self) -> BTreeMap<u8, u64> {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let last = |ip: &IpAddr| match ip {
            IpAddr::V4(ip) => ip.octets()[3],
            IpAddr::V6(_) => 0,
        };
        connections.iter().map(|(ip, count)| (last(ip), *count)).collect()
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

const THREE: &str = "127.0.0.1 many.test\n127.0.0.2 many.test\n127.0.0.3 many.test\n";

#[test]
fn users_are_spread_evenly_over_the_addresses_of_a_name() {
    for (case, settings, each) in [
        ("one connection for each user", "users: 9\niterations: 4\n", 3),
        ("several workers", "users: 9\niterations: 4\nconnections: keep\n", 3),
        ("a connection for each request", "users: 60\niterations: 4\nconnections: request\n", 80),
    ] {
        let server = ManyAddresses::start(&[1, 2, 3]);
        let Some(run) = shooter_with_hosts(THREE) else { return };
        let script = format!("{settings}steps: [{{name: Page, url: '{}'}}]\n", server.url());
        let run = run.script(&script).args("--workers 2").report().finish().exits(0);
        assert_eq!(server.connections(), BTreeMap::from([(1, each), (2, each), (3, each)]), "{case}");
        assert_eq!(run.report().totals().total(), server.requests(), "{case}");
    }
}

#[test]
fn the_seed_says_which_user_goes_where() {
    let first = |seed: &str| {
        let server = ManyAddresses::start(&[1, 2, 3]);
        let run = shooter_with_hosts(THREE)?;
        let script = format!("[{{name: Page, url: '{}'}}]\n", server.url());
        run.script(&script).args("--users 1 --iterations 3 --seed").arg(seed).finish().exits(0);
        Some(server.connections())
    };
    let Some(one) = first("1") else { return };
    assert_eq!(one.len(), 1, "a user stays with its address");
    assert_eq!(first("1"), Some(one));
    let others: Vec<_> = (2..12).filter_map(|seed: u32| first(&seed.to_string())).collect();
    assert!(others.iter().any(|connections| *connections != others[0]), "seeds lead to different addresses");
}

#[test]
fn sockets_are_spread_as_requests_are() {
    let server = ManyAddresses::start(&[1, 2, 3]);
    let Some(run) = shooter_with_hosts(THREE) else { return };
    let script = format!(
        "users: 6\niterations: 1\nsteps: [{{name: Say, action: tcp, address: 'many.test:{}', send: hello, expect: ok}}]\n",
        server.port
    );
    run.script(&script).finish().exits(0);
    assert_eq!(server.connections(), BTreeMap::from([(1, 2), (2, 2), (3, 2)]));
}

/// Runs until the target has received some requests, then moves the name from 127.0.0.2 to 127.0.0.3, and runs until it
/// has received as many again.
fn moved(server: &ManyAddresses, more: &str) -> Option<stampede_tests::Finished> {
    let run = shooter_with_hosts("127.0.0.2 many.test\n")?;
    let script = format!(
        "users: 2\nduration: 1h\nconnections: request\nthink: 5ms\n{more}steps: [{{name: Page, url: '{}'}}]\n",
        server.url()
    );
    let running = run.script(&script).report().spawn();
    wait_for("requests to the first address", || server.connections().get(&2).is_some_and(|count| *count > 20));
    rewrite(&running.path("hosts"), "127.0.0.3 many.test\n");
    wait_for("requests to the second address", || server.connections().get(&3).is_some_and(|count| *count > 20));
    running.signal(stampede_tests::Signal::Interrupt);
    Some(running.finish())
}

/// Writes over a file, which keeps its place in the mount namespace.
fn rewrite(file: &Path, text: &str) {
    std::fs::write(file, text).expect("the hosts file can be written");
}

#[test]
fn a_name_that_moves_is_followed_when_its_addresses_expire() {
    let server = ManyAddresses::start(&[2, 3]);
    let Some(run) = moved(&server, "dns_ttl: 100ms\n") else { return };
    assert_eq!(run.report().totals().errors().get("network"), None, "{}", run.stdout);
}

#[test]
fn a_name_whose_address_fails_is_looked_up_again_before_it_expires() {
    let server = ManyAddresses::closing(&[2, 3], 25);
    let Some(run) = moved(&server, "dns_ttl: 1h\n") else { return };
    assert!(run.report().totals().ok() > 40, "{}", run.stdout);
}

#[test]
fn a_target_that_refuses_is_not_looked_up_for_each_request() {
    let server = ManyAddresses::closing(&[2], 0);
    let Some(run) = shooter_with_hosts("127.0.0.2 many.test\n") else { return };
    let script = format!("iterations: 50\nsteps: [{{name: Page, url: '{}'}}]\n", server.url());
    let run = run.script(&script).report().finish().exits(5);
    let report = run.report();
    assert_eq!(report.row("Page").errors(), BTreeMap::from([("network", 50)]));
    assert_eq!(report.row("Page").example("network"), "connection refused");
}
