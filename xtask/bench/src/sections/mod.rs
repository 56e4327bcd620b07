//! The sections of the benchmark. A section is a function and an entry in the table here.

mod arrivals;
mod cores;
mod download;
mod isolation;
mod languages;
mod mixed;
mod outputs;
mod precision;
mod requests;
mod sandbox;
mod start;
mod users;

use anyhow::Result;

use crate::findings::Findings;
use crate::setup::Setup;
use crate::tools::Tool;

/// A part of the benchmark, which can be measured alone.
pub(crate) struct Section {
    /// The name for `--only`.
    pub(crate) name: &'static str,
    /// The heading in the results.
    pub(crate) title: &'static str,
    /// `true` if the section is part of the quick run.
    pub(crate) quick: bool,
    /// The tools beside nginx. The section leaves out the rows of those that are missing.
    pub(crate) needs: &'static [Tool],
    /// Measures the section.
    pub(crate) measure: fn(&Setup) -> Result<Findings>,
}

/// The sections, in the order of the results.
pub(crate) const SECTIONS: [Section; 16] = [
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
    Section { name: "outputs", title: "The price of the outputs", quick: false, needs: &[], measure: outputs::measure },
    Section { name: "start", title: "Start and size", quick: true, needs: &[], measure: start::measure },
    Section { name: "download", title: "Downloads", quick: true, needs: &[Tool::Curl], measure: download::measure },
];
