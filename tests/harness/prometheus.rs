//! A real Prometheus: it reads the metrics of a run, and answers queries about what it has read.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::http_client::{http_get, url_encoded};
use crate::wait_for;

/// The message if a program of it is not there.
const MISSING: &str = "prometheus is missing: install it (Debian and Ubuntu: `apt-get install prometheus`)";

/// A running Prometheus that reads one target every second. Dropping it stops it.
pub struct Prometheus {
    child: Child,
    address: String,
    /// The folder of its configuration, its log and its data.
    _folder: TempDir,
}

impl Prometheus {
    /// Starts to read the metrics at `host:port`.
    ///
    /// # Panics
    /// Prometheus is not installed, or does not start.
    pub fn start(target: &str) -> Self {
        Self::start_with(target, &[])
    }

    /// Starts as [`Self::start`] does, and reads native histograms.
    pub fn start_native(target: &str) -> Self {
        Self::start_with(target, &["--enable-feature=native-histograms"])
    }

    fn start_with(target: &str, flags: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let configuration = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs: [{{job_name: run, static_configs: [{{targets: ['{target}']}}]}}]\n"
        );
        fs::write(folder.path().join("prometheus.yml"), configuration).expect("a configuration file");
        let log = folder.path().join("log");
        let mut command = Command::new("prometheus");
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"]);
        command.args(flags).current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(File::create(&log).expect("a file")).spawn().expect(MISSING);
        let mut address = None;
        wait_for("Prometheus to listen", || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            assert!(child.try_wait().expect("it can be waited for").is_none(), "Prometheus did not start: {text}");
            let listening = text.lines().filter(|line| line.contains("Listening on"));
            let mut addresses = listening.filter_map(|line| line.split("address=").nth(1)?.split_whitespace().next());
            address = addresses.next_back().map(|address| address.trim_matches('"').to_owned());
            address.is_some() && text.contains("ready to receive web requests")
        });
        Self { child, address: address.expect("it listens"), _folder: folder }
    }

    /// Returns the answer to a query at this moment.
    ///
    /// # Errors
    /// Prometheus does not understand the query; the error says why.
    pub fn query(&self, query: &str) -> Result<Value, String> {
        let (_, body) = http_get(&self.address, &format!("/api/v1/query?query={}", url_encoded(query)), "");
        let answer: Value = serde_json::from_str(&body).expect("Prometheus answers with JSON");
        if answer["status"] == "success" {
            Ok(answer["data"]["result"].clone())
        } else {
            Err(answer["error"].to_string())
        }
    }

    /// Returns the value of a query whose answer is one number; `None` if it has none yet.
    pub fn number(&self, query: &str) -> Option<f64> {
        let result = self.query(query).unwrap_or_else(|error| panic!("`{query}`: {error}"));
        result[0]["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // If the process has ended on its own, nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the reasons why `promtool check metrics` finds fault with a text; empty if it does not.
///
/// # Panics
/// promtool is not installed.
pub fn promtool_check(metrics: &str) -> String {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect(MISSING);
    let mut input = child.stdin.take().expect("a pipe was asked for");
    input.write_all(metrics.as_bytes()).expect("promtool reads");
    drop(input);
    let output = child.wait_with_output().expect("promtool ends");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if output.status.success() { text } else { format!("{}\n{text}", output.status) }
}
