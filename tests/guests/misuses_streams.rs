//! Breaks the rules of streamed exchanges and files in the way that its parameter names.

use std::cell::RefCell;

use stampede_guests::{
    ConfigError, Misbehaviour, Progress, files, guest, http, operations, streams, templates, text, timer,
};

/// The guest.
pub struct MisusesStreams;

thread_local! {
    static WHAT: RefCell<String> = const { RefCell::new(String::new()) };
}

fn prepared(url: &str) -> u32 {
    let url = templates::compile(url).expect("a template");
    let options =
        http::RequestOptions { version: http::Version::Http1, max_redirects: 0, compression: false, keep_body: false };
    http::prepare(&http::RequestTemplate {
        method: "GET".into(),
        url,
        query: Vec::new(),
        headers: Vec::new(),
        body: http::RequestBody::None,
        credentials: None,
        options,
    })
    .expect("a request")
}

impl Misbehaviour for MisusesStreams {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        let what = text(params, "what").to_owned();
        if what == "another file" {
            let message = files::read("../../../etc/passwd").expect_err("the step does not name it");
            return Err(ConfigError { pointer: "/what".into(), message, help: None });
        }
        WHAT.set(what);
        Ok(prepared(text(params, "url")))
    }

    fn start(step: u32, _: u32) -> Progress {
        match WHAT.with_borrow(Clone::clone).as_str() {
            "no exchange" => {
                timer::sleep(0);
                streams::head(0);
            }
            "made up" => {
                streams::read(4_000_000_000);
            }
            "given up" => {
                let exchange = streams::open(step, &[], false);
                operations::cancel(exchange);
                streams::read(exchange);
            }
            "a file too late" => {
                let _ = files::read("x");
            }
            "pieces over HTTP/1.1" => {
                streams::open(step, b"one", true);
            }
            // The host must hold only a part of the content that arrives.
            _ => {
                streams::open(step, &[], false);
                timer::sleep(20_000_000);
            }
        }
        Progress::Pending
    }

    fn resume(_: u32, operation: u32) -> Progress {
        if operation == 0 { Progress::Failed } else { Progress::Passed }
    }
}

guest!(MisusesStreams);
