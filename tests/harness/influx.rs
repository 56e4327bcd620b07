//! A real InfluxDB: it takes the lines of a run, and answers queries about them.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::http_client::{http_get, http_post, url_encoded};
use crate::wait_for;

/// The configuration: everything in its own folder, and no port but that of HTTP.
const CONFIGURATION: &str = r#"
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = "meta"
[data]
dir = "data"
wal-dir = "wal"
[http]
bind-address = "127.0.0.1:0"
log-enabled = false
"#;

/// A running InfluxDB with the database `load`. Dropping it stops it.
pub struct InfluxDb {
    child: Child,
    address: String,
    /// The folder of its configuration, its log and its data.
    _folder: TempDir,
}

impl InfluxDb {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// InfluxDB is not installed, or does not start.
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        fs::write(folder.path().join("influxdb.conf"), CONFIGURATION).expect("a configuration file");
        let log = folder.path().join("log");
        let mut command = Command::new("influxd");
        command.args(["run", "-config", "influxdb.conf"]).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).expect("a file"));
        let mut child =
            command.spawn().expect("influxd is missing: install it (Debian and Ubuntu: `apt-get install influxdb`)");
        let mut address = None;
        wait_for("InfluxDB to listen", || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            assert!(child.try_wait().expect("it can be waited for").is_none(), "InfluxDB did not start: {text}");
            let line = text.lines().find(|line| line.contains("Listening on HTTP")).unwrap_or_default();
            let listening = line.split("addr=").nth(1).and_then(|rest| rest.split_whitespace().next());
            address = listening.map(str::to_owned);
            address.is_some()
        });
        let database = Self { child, address: address.expect("it listens"), _folder: folder };
        let (head, _) = http_post(&database.address, "/query?q=CREATE%20DATABASE%20load", "");
        assert!(head.contains(" 200 "), "{head}");
        database
    }

    /// Returns the URL that lines are written to.
    pub fn write_url(&self) -> String {
        format!("http://{}/write?db=load", self.address)
    }

    /// Writes lines, and returns what is wrong with them.
    pub fn write(&self, lines: &str) -> Option<String> {
        let (head, body) = http_post(&self.address, "/write?db=load", lines);
        (!head.contains(" 204 ")).then(|| format!("{head}\n{body}"))
    }

    /// Returns the number that a query asks for; 0 if nothing was written for it.
    ///
    /// # Panics
    /// The query is not valid.
    pub fn number(&self, query: &str) -> f64 {
        let (_, body) = http_get(&self.address, &format!("/query?db=load&q={}", url_encoded(query)), "");
        let answer: Value = serde_json::from_str(&body).expect("InfluxDB answers with JSON");
        assert!(answer["results"][0]["error"].is_null(), "{query}: {answer}");
        answer["results"][0]["series"][0]["values"][0][1].as_f64().unwrap_or(0.0)
    }
}

impl Drop for InfluxDb {
    fn drop(&mut self) {
        // If the process has ended on its own, nothing is left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
