//! The embedded site as a target, in a process of its own: slower than nginx, and it counts all that it served, bytes and
//! statuses too.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use super::lab::Lab;
use super::process::{end, now, on_cores};
use super::report::{number, object};
use crate::step::Failure;

/// The site has this long to say where it is, to reply to a question, and to hand over its last replies.
const PATIENCE: Duration = Duration::from_secs(10);

/// A site that serves. Dropping it ends it.
pub struct Site {
    process: Option<Child>,
    address: SocketAddr,
}

/// What was served, or what a report says that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Requests.
    pub requests: u64,
    /// How often each status came, as JSON.
    pub statuses: String,
    /// Bytes of the replies' content.
    pub bytes: u64,
}

impl Site {
    /// Starts it on a free port.
    pub fn start(lab: &Lab) -> Result<Self, Failure> {
        let failed = |why: &dyn std::fmt::Display| Failure(format!("the embedded site does not serve: {why}"));
        let mut command = on_cores(lab.binary(), None);
        command.args(["demo", "--serve", "--addr", "127.0.0.1:0"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(|error| failed(&error))?;
        let mut ready = String::new();
        if let Some(output) = process.stdout.take() {
            // It ends if the process does.
            let _ = BufReader::new(output).read_line(&mut ready);
        }
        match address(&ready) {
            Some(address) => Ok(Self { process: Some(process), address }),
            None => {
                end(process);
                Err(failed(&format_args!("it said `{}`", ready.trim_end())))
            }
        }
    }

    /// `http://` and where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has served, once all of it is handed over.
    pub fn settled(&self) -> Result<Counts, Failure> {
        let start = now();
        loop {
            let stats =
                self.stats().map_err(|error| Failure(format!("the site does not say what it served: {error}")))?;
            let in_flight = number(&stats, &["in_flight"]);
            if in_flight == Some(0.0) {
                let counts = counts(&stats, [&["requests"], &["body_bytes_sent"], &["statuses"]]);
                return counts.ok_or_else(|| Failure(format!("the site counts in another way: {stats}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(Failure(format!("{in_flight:?} requests at the site do not come to an end")));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn stats(&self) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /stats HTTP/1.1\r\nhost: site\r\nconnection: close\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }
}

impl Counts {
    /// What a report says.
    pub fn of_report(report: &str) -> Option<Self> {
        counts(report, [&["totals", "requests", "total"], &["totals", "bytes", "body_in"], &["totals", "statuses"]])
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.process.take().into_iter().for_each(end);
    }
}

/// Requests, bytes and statuses by where they stand.
fn counts(json: &str, [requests, bytes, statuses]: [&[&str]; 3]) -> Option<Counts> {
    let whole = |path: &[&str]| number(json, path).map(|number| number as u64);
    Some(Counts { requests: whole(requests)?, bytes: whole(bytes)?, statuses: object(json, statuses)? })
}

/// Where a site that serves says it is.
fn address(ready: &str) -> Option<SocketAddr> {
    ready.split_once("http://")?.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_the_site_says() {
        let ready =
            "serving the sample site on http://127.0.0.1:4711 until interrupted; what was served: http://x/stats\n";
        assert_eq!(address(ready), Some(([127, 0, 0, 1], 4711).into()));
        assert_eq!(address(""), None);
    }

    #[test]
    fn counts_of_a_report_and_of_the_site_are_the_same_if_they_are_equal() {
        let report =
            r#"{"totals":{"requests":{"total":3,"ok":2},"bytes":{"out":9,"body_in":70},"statuses":{"200":2,"404":1}}}"#;
        let stats = r#"{"requests":3,"in_flight":0,"body_bytes_sent":70,"statuses":{"200":2,"404":1},"routes":{}}"#;
        let paths: [&[&str]; 3] = [&["requests"], &["body_bytes_sent"], &["statuses"]];
        assert_eq!(Counts::of_report(report), counts(stats, paths));
        assert_eq!(Counts::of_report(report).unwrap().requests, 3);
        assert_eq!(Counts::of_report("{}"), None);
    }
}
