//! What is measured. A section is a function and a line in the table here.

mod arrivals;
mod cores;
mod download;
mod isolation;
mod languages;
mod mixed;
mod precision;
mod requests;
mod sandbox;
mod start;
mod users;

use super::lab::Lab;
use super::table::Findings;
use super::tools::Tool;
use crate::step::Failure;

/// Something that is measured.
pub struct Section {
    /// What it is asked for by.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Whether it is in the quick run.
    pub quick: bool,
    /// The tools beside nginx. Those that are missing are the section's to get along without.
    pub needs: &'static [Tool],
    /// Measures it.
    pub measure: fn(&Lab) -> Result<Findings, Failure>,
}

/// In the order of the results.
pub const SECTIONS: [Section; 15] = [
    Section {
        name: "http64",
        title: "HTTP/1.1 on 64 connections",
        quick: true,
        needs: &[Tool::Wrk, Tool::Oha, Tool::K6],
        measure: requests::http64,
    },
    Section {
        name: "http4000",
        title: "HTTP/1.1 on 4 000 connections",
        quick: true,
        needs: &[Tool::Wrk, Tool::Oha],
        measure: requests::http4000,
    },
    Section {
        name: "tls64",
        title: "HTTP/1.1 over TLS on 64 connections",
        quick: true,
        needs: &[Tool::Oha, Tool::Openssl],
        measure: requests::tls64,
    },
    Section {
        name: "h2_64",
        title: "HTTP/2 over TLS on 64 connections",
        quick: true,
        needs: &[Tool::Oha, Tool::Openssl],
        measure: requests::h2_64,
    },
    Section { name: "sandbox", title: "The price of the sandbox", quick: false, needs: &[], measure: sandbox::measure },
    Section {
        name: "isolation",
        title: "An instance for each user",
        quick: false,
        needs: &[],
        measure: isolation::measure,
    },
    Section {
        name: "languages",
        title: "Plugins in four languages",
        quick: false,
        needs: &[],
        measure: languages::measure,
    },
    Section { name: "users", title: "18 000 users", quick: false, needs: &[], measure: users::connected },
    Section { name: "idle", title: "200 000 users who wait", quick: false, needs: &[], measure: users::waiting },
    Section {
        name: "precision",
        title: "Precision of the pace",
        quick: false,
        needs: &[],
        measure: precision::measure,
    },
    Section { name: "arrivals", title: "Arrivals on time", quick: false, needs: &[], measure: arrivals::measure },
    Section { name: "mixed", title: "Everything at once", quick: false, needs: &[], measure: mixed::measure },
    Section { name: "cores", title: "One worker and two", quick: false, needs: &[], measure: cores::measure },
    Section { name: "start", title: "Start and size", quick: true, needs: &[], measure: start::measure },
    Section { name: "download", title: "Downloads", quick: true, needs: &[Tool::Curl], measure: download::measure },
];
