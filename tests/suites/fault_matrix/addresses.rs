//! Names and addresses that need no name server.

use std::collections::BTreeMap;

use stampede_tests::{RawServer, Refusing};

use crate::shooter;

const FLAGS: &str = "--users 3 --iterations 2 --timeout 20s";

#[test]
fn each_form_of_a_loopback_address_reaches_the_server() {
    let target = RawServer::recording();
    let base = target.base_url();
    let port = base.rsplit(':').next().expect("a port");
    let hosts = ["localhost", "LOCALHOST", "127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"];
    let steps = hosts.map(|host| format!("- {{name: '{host}', url: 'http://{host}:{port}/'}}\n")).concat();
    let run = shooter().script(&steps).args(FLAGS).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    for host in hosts {
        assert_eq!((report.row(host).ok(), report.row(host).err()), (6, 0), "{host}\n{}", run.stdout);
    }
    assert_eq!(target.take().len(), 6 * hosts.len());
}

/// `localhost` may be an address of IPv6 first, on which the server does not listen.
#[test]
fn a_name_with_an_address_that_refuses_is_reached_at_its_other_address_by_every_protocol() {
    let target = RawServer::start(|_| {
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9\r\n\r\ndata: a\n\n".to_vec()
    });
    let base = target.base_url();
    let port = base.rsplit(':').next().expect("a port");
    let script = format!(
        "
- {{name: http, url: 'http://localhost:{port}/'}}
- {{name: page, action: page, url: 'http://localhost:{port}/'}}
- {{name: sse, action: sse, url: 'http://localhost:{port}/', events: 1}}
- {{name: tcp, action: tcp, address: 'localhost:{port}', send: \"GET / HTTP/1.1\\r\\n\\r\\n\", expect: 'data: a'}}
"
    );
    let report = shooter().script(&script).args(FLAGS).report().finish().exits(0).report();
    report.assert_consistent();
    assert_eq!((report.totals().ok(), report.totals().err()), (24, 0));
    assert_eq!(target.take().len(), 24);
}

#[test]
fn every_protocol_says_that_a_connection_was_refused() {
    let target = Refusing::bind();
    let base = target.base_url();
    let address = base.trim_start_matches("http://");
    for action in [
        format!("url: '{base}/'"),
        format!("url: 'https://{address}/'"),
        format!("url: '{base}/', http_version: 2"),
        format!("action: page, url: '{base}/'"),
        format!("action: sse, url: '{base}/'"),
        format!("action: websocket, url: 'ws://{address}/', send: x"),
        format!("action: tcp, address: '{address}', send: x"),
        format!("action: tcp, address: '{address}', send: x, tls: true"),
    ] {
        let run = shooter().script(&format!("- {{name: Page, {action}}}\n")).args(FLAGS).report().finish().exits(5);
        let report = run.report();
        report.assert_consistent();
        assert_eq!(report.totals().errors(), BTreeMap::from([("network", 6)]), "{action}");
        assert!(report.row("Page").example("network").contains("refused"), "{action}: {}", run.stdout);
    }
}
