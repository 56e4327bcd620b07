//! `--influx`: counts and percentiles of each second in InfluxDB's line protocol, over HTTP or UDP. A server that is
//! down costs nothing but its lines: what is lost is counted and named at the end.

mod lines;

use std::env;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;

use super::datagrams::Datagrams;
use super::http_sender::{HttpSender, SendTarget};
use super::run_info::RunInfo;
use super::sink::Sink;
use super::sums::{RunSums, SecondSums};
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics, io_reason};
use crate::plan::Plan;
use crate::report::Report;
use crate::run::observer::SecondSnapshot;
use crate::stderr;
use lines::lines;

/// The variable with InfluxDB's token, as its own tools call it.
const TOKEN: &str = "INFLUX_TOKEN";

/// The time that a request may take.
const REQUEST_TIME: Duration = Duration::from_secs(5);

/// The sink.
struct InfluxSink {
    transport: InfluxTransport,
    sums: RunSums,
}

/// The way of the lines.
enum InfluxTransport {
    Http(Box<HttpSender>),
    Udp(Datagrams),
}

/// Opens the sink if `--influx` was given.
///
/// # Errors
/// The URL is not one that lines can be written to.
pub(super) fn open(args: &RunArgs, _: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    let Some(text) = &args.influx else { return Ok(Vec::new()) };
    let transport = transport(text).map_err(|why| {
        Diagnostic::new("usage::influx", format!("cannot write to the URL of `--influx`: {why}")).help(
            "name the whole URL, such as `http://127.0.0.1:8086/write?db=load`, \
             `http://127.0.0.1:8086/api/v2/write?org=ORG&bucket=BUCKET` or `udp://127.0.0.1:8089`",
        )
    })?;
    Ok(vec![Box::new(InfluxSink { transport, sums: RunSums::default() })])
}

/// Creates the way to a URL. The error never repeats the URL, which may hold a password.
fn transport(text: &str) -> Result<InfluxTransport, String> {
    let mut url = Url::parse(text).map_err(|error| error.to_string())?;
    match (url.scheme(), url.host_str(), url.port()) {
        ("udp", Some(host), Some(port)) => {
            let datagrams = Datagrams::open(&format!("{host}:{port}"));
            datagrams.map(InfluxTransport::Udp).map_err(|error| io_reason(&error))
        }
        ("udp", ..) => Err("a host and a port are needed over UDP".to_owned()),
        ("http" | "https", Some(_), _) if url.path() == "/" => Err("it has no path".to_owned()),
        ("http" | "https", Some(_), _) if has_other_precision(&url) => {
            Err("times are sent in nanoseconds, so `precision` can only be `ns`".to_owned())
        }
        ("http" | "https", Some(_), _) => {
            let headers = headers(&url, env::var(TOKEN).ok().as_deref())?;
            // A host is there, so neither fails.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
            let (time, what, is_grpc) = (REQUEST_TIME, "batches", false);
            let target = SendTarget { url, headers, time, what, is_grpc, complaint: |_| None };
            Ok(InfluxTransport::Http(Box::new(HttpSender::new(target)?)))
        }
        _ => Err("its scheme is none of http, https and udp".to_owned()),
    }
}

/// Returns `true` if a URL has the server read times in another unit than nanoseconds, which it calls `n` or `ns`.
fn has_other_precision(url: &Url) -> bool {
    url.query_pairs().any(|(name, value)| name == "precision" && !["n", "ns"].contains(&&*value))
}

/// Returns the header fields of a request: with the token, or else with user name and password of the URL.
fn headers(url: &Url, token: Option<&str>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let basic = url.password().map(|password| {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", decoded(url.username()), decoded(password))))
    });
    if let Some(authorization) = token.map(|token| format!("Token {}", token.trim())).or(basic) {
        let mut value =
            HeaderValue::from_str(&authorization).map_err(|_| format!("`{TOKEN}` is not a header value"))?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

impl InfluxSink {
    fn write(&mut self, second: &SecondSums) {
        match &mut self.transport {
            InfluxTransport::Http(sender) => {
                let mut body = String::new();
                lines(second, |line| {
                    body.push_str(line);
                    body.push('\n');
                });
                sender.send(body);
            }
            InfluxTransport::Udp(datagrams) => {
                lines(second, |line| datagrams.line(line));
                datagrams.send();
            }
        }
    }
}

impl Sink for InfluxSink {
    fn begin(&mut self, run: &RunInfo) {
        self.sums = RunSums::new(run);
    }

    fn second(&mut self, second: &SecondSnapshot) {
        let counted = self.sums.add_apart(second);
        self.write(&counted);
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        let rest = self.sums.finish_apart(report);
        self.write(&rest);
        let loss = match &mut self.transport {
            InfluxTransport::Http(sender) => {
                sender.finish();
                sender.loss()
            }
            InfluxTransport::Udp(datagrams) => datagrams.loss(),
        };
        if let Some(loss) = loss {
            stderr::print_line(format_args!("warning: the output `influx` is not complete: {loss}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_cannot_be_written_to_are_rejected_without_being_repeated() {
        for (url, why) in [
            ("http://user:secret@127.0.0.1:8086", "it has no path"),
            ("udp://127.0.0.1", "a host and a port are needed over UDP"),
            ("ftp://127.0.0.1/x", "its scheme is none of http, https and udp"),
            ("127.0.0.1:8086", "relative URL without a base"),
            ("http://127.0.0.1/write?precision=s", "times are sent in nanoseconds, so `precision` can only be `ns`"),
        ] {
            assert_eq!(transport(url).err().as_deref(), Some(why), "{url}");
        }
        for url in ["udp://127.0.0.1:8089", "http://127.0.0.1/write?db=load&precision=ns"] {
            assert!(transport(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn the_token_comes_before_the_password() {
        let url = Url::parse("http://ann:p%40ss@localhost:8086/write?db=load").unwrap();
        assert_eq!(headers(&url, None).unwrap()[AUTHORIZATION], "Basic YW5uOnBAc3M=");
        assert_eq!(headers(&url, Some("abc\n")).unwrap()[AUTHORIZATION], "Token abc");
        assert_eq!(headers(&Url::parse("http://localhost/write").unwrap(), None).unwrap().get(AUTHORIZATION), None);
        assert!(headers(&url, Some("a\u{1}b")).unwrap_err().contains("`INFLUX_TOKEN`"));
    }
}
