//! The embedded site as a target, in a process of its own: slower than nginx, but it counts everything that it served,
//! including bytes and statuses.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{end, now, on_cores};
use crate::setup::{Setup, number};
use crate::target::get;

/// The time that the site has to hand over its last replies.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running site. Dropping it ends the process.
pub(crate) struct Site {
    process: Option<Child>,
    address: SocketAddr,
}

/// The load that the site counted, or that a report shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// The number of requests.
    pub(crate) requests: u64,
    /// The number of replies of each status.
    pub(crate) statuses: BTreeMap<String, u64>,
    /// The bytes of the replies' content.
    pub(crate) bytes: u64,
}

impl Site {
    /// Starts the site on a free port.
    pub(crate) fn start(setup: &Setup) -> Result<Self> {
        let mut command = on_cores(setup.binary(), None);
        command.args(["demo", "--serve", "--addr", "127.0.0.1:0"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().context("the embedded site does not serve")?;
        let mut ready = String::new();
        if let Some(output) = process.stdout.take() {
            // The output ends if the process does.
            let _ = BufReader::new(output).read_line(&mut ready);
        }
        match address(&ready) {
            Some(address) => Ok(Self { process: Some(process), address }),
            None => {
                end(process);
                bail!("the embedded site does not serve: it printed `{}`", ready.trim_end())
            }
        }
    }

    /// Returns `http://` and the address of the site.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the counts, once the site has handed over all replies.
    pub(crate) fn settled(&self) -> Result<Counts> {
        let start = now();
        loop {
            let stats = get(&format!("{}/stats", self.url())).context("the site does not tell its counts")?;
            let stats: Value = serde_json::from_str(&stats).context("the site does not tell its counts")?;
            let in_flight = number(&stats, "/in_flight");
            if in_flight == Some(0.0) {
                return Counts::of_site(&stats)
                    .with_context(|| format!("the site's counts have another form: {stats}"));
            }
            if start.elapsed() > PATIENCE {
                bail!("{in_flight:?} requests at the site do not come to an end");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Counts {
    /// Returns the counts in a report of the load runner.
    pub(crate) fn of_report(report: &Value) -> Option<Self> {
        Self::at(report, ["/totals/requests/total", "/totals/bytes/body_in", "/totals/statuses"])
    }

    fn of_site(stats: &Value) -> Option<Self> {
        Self::at(stats, ["/requests", "/body_bytes_sent", "/statuses"])
    }

    /// Reads requests, bytes and statuses from their places.
    fn at(json: &Value, [requests, bytes, statuses]: [&str; 3]) -> Option<Self> {
        let statuses = json.pointer(statuses)?.as_object()?.iter();
        Some(Self {
            requests: json.pointer(requests)?.as_u64()?,
            statuses: statuses.map(|(status, count)| Some((status.clone(), count.as_u64()?))).collect::<Option<_>>()?,
            bytes: json.pointer(bytes)?.as_u64()?,
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.process.take().into_iter().for_each(end);
    }
}

/// Finds the address in the site's first line of output.
fn address(ready: &str) -> Option<SocketAddr> {
    ready.split_once("http://")?.1.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_address_is_in_the_first_line_of_the_site() {
        let ready =
            "serving the sample site on http://127.0.0.1:4711 until interrupted; what was served: http://x/stats\n";
        assert_eq!(address(ready), Some(([127, 0, 0, 1], 4711).into()));
        assert_eq!(address(""), None);
    }

    #[test]
    fn counts_of_a_report_and_of_the_site_are_comparable() {
        let report = json!({"totals": {
            "requests": {"total": 3, "ok": 2}, "bytes": {"out": 9, "body_in": 70}, "statuses": {"200": 2, "404": 1},
        }});
        let stats = json!({
            "requests": 3, "in_flight": 0, "body_bytes_sent": 70, "statuses": {"404": 1, "200": 2}, "routes": {},
        });
        assert_eq!(Counts::of_report(&report), Counts::of_site(&stats));
        assert_eq!(Counts::of_report(&report).unwrap().requests, 3);
        assert_eq!(Counts::of_report(&json!({})), None);
    }
}
