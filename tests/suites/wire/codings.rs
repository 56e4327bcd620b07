//! Replies that are compressed although the script did not ask for it, or asked with a field of its own: captures,
//! checks and conditions see what was compressed.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use stampede_tests::RawServer;

use super::ran;

const JSON: &[u8] = br#"{"token": "t-1"}"#;

/// `{"token": "t-1"}` as a Zstandard frame with one raw block.
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x20\x10\x81\x00\x00{\"token\": \"t-1\"}";

fn gzip() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(JSON).and_then(|()| encoder.finish()).expect("memory")
}

fn zlib() -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(JSON).and_then(|()| encoder.finish()).expect("memory")
}

/// Answers in the coding that the path names.
fn server() -> RawServer {
    RawServer::start(|request| {
        let coding = request.line.split(['/', ' ']).nth(2).unwrap_or_default();
        let content = match coding {
            "gzip" => gzip(),
            "deflate" => zlib(),
            "zstd" => ZSTD.to_vec(),
            // Not in the coding that the reply names.
            _ => JSON.to_vec(),
        };
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n", content.len());
        [head.into_bytes(), content].concat()
    })
}

#[test]
fn every_way_to_look_at_a_body_decodes_it() {
    for headers in ["", "headers: {accept-encoding: 'gzip, deflate, br, zstd'}\n"] {
        for coding in ["gzip", "deflate", "zstd", "identity"] {
            let server = server();
            let script = format!(
                "{headers}steps:
- {{name: Capture, url: /{coding}, capture: {{token: {{json: $.token}}}}}}
- {{name: Regex, url: /{coding}, capture: {{other: {{regex: 't-(.)'}}}}}}
- {{name: Body, url: /{coding}, expect_body: token}}
- {{name: Check, url: /{coding}, checks: {{has token: {{json: $.token}}}}}}
- {{name: Condition, url: '/{coding}?{{{{var token}}}}{{{{var other}}}}', when: 'reply.json.token == \"t-1\"'}}
"
            );
            let (run, report) = ran(&script, "--iterations 2", &server.base_url());
            for name in ["Capture", "Regex", "Body", "Check", "Condition"] {
                assert_eq!((report.row(name).tasks("passed"), report.row(name).total()), (2, 2), "{coding}, {name}");
            }
            assert!(run.stdout.contains("has token"), "{}", run.stdout);
            assert_eq!(report.at("/checks/0/share"), 1.0, "{coding}: {}", report.at("/checks"));
            let last = server.take().pop().expect("requests");
            assert_eq!(last.line, format!("GET /{coding}?t-11 HTTP/1.1"));
            assert_eq!(last.header("accept-encoding").is_empty(), headers.is_empty());
        }
    }
}

#[test]
fn a_body_that_is_not_decoded_says_its_coding() {
    let server = server();
    let script = "
- {name: Capture, url: /compress, capture: {token: {json: $.nothing}}}
- {name: Body, url: /compress, expect_body: nothing}
- {name: Wrong, url: /br, capture: {token: {json: $.nothing}}}
- {name: Fine, url: /br, capture: {token: {json: $.token}}}
";
    let (_, report) = ran(script, "--iterations 1", &server.base_url());
    for (name, text) in [
        ("Capture", "capture `token`: nothing in the body at `$.nothing`; the body is compress, and is not decoded"),
        ("Body", "expected the body to contain `nothing`; its content-encoding is `compress`"),
        ("Wrong", "capture `token`: nothing in the body at `$.nothing`; the body is br, and is not decoded"),
    ] {
        assert_eq!(report.row(name).example("check"), text);
    }
    assert_eq!(report.row("Fine").errors(), BTreeMap::new(), "a label that is wrong does no harm");
}

#[test]
fn an_event_stream_that_is_compressed_is_a_failure_that_says_so() {
    let server = RawServer::hanging_up(|_| {
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08".to_vec()
    });
    let script = "headers: {accept-encoding: 'gzip, br'}\nsteps: [{name: Events, action: sse, url: /}]\n";
    let (_, report) = ran(script, "--iterations 1", &server.base_url());
    let text = "the stream is `gzip`, which is not decoded; ask for none with `accept-encoding: identity`";
    assert_eq!(report.row("Events").example("protocol"), text);
}
