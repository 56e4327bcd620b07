//! Does nothing wrong, and uses every function of the contract's version 0.1.0. Built once, it is kept as
//! `tests/fixtures/contract-0.1.0.wasm`, which every later host must still run.

use std::cell::Cell;

use stampede_guests::{
    ConfigError, FailureKind, Misbehaviour, Progress, guest, http, log, report, templates, timer, user,
};

/// The guest.
pub struct EveryCapability;

thread_local! {
    /// The template and the request that `configure` made of them.
    static PREPARED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// Nothing but the body is asked for.
const OPTIONS: http::RequestOptions =
    http::RequestOptions { version: http::Version::Http1, max_redirects: 0, compression: false, keep_body: true };

/// `{"url": "…"}`, which is all the step may say.
fn url_of(params: &str) -> &str {
    params.split('"').nth(3).expect("the step has a `url`")
}

impl Misbehaviour for EveryCapability {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        let refused = |message| ConfigError { pointer: "/url".into(), message, help: None };
        let url = templates::compile(url_of(params)).map_err(|error| refused(error.message))?;
        let (body, query) = (http::RequestBody::None, Vec::new());
        let headers = vec![("accept".into(), templates::compile("*/*").map_err(|error| refused(error.message))?)];
        let request = http::RequestTemplate {
            method: "GET".into(),
            url,
            query,
            headers,
            body,
            credentials: None,
            options: OPTIONS,
        };
        PREPARED.set((url, http::prepare(&request).map_err(refused)?));
        Ok(0)
    }

    /// Operation 0 is a wait.
    fn start(_: u32, _: u32) -> Progress {
        user::set_variable("walk", &user::iteration().to_string());
        user::set_header("x-user", &user::id().to_string()).expect("that is a header");
        log::write(log::Level::Debug, &format!("drew {}", user::random()));
        timer::sleep(1_000_000);
        Progress::Pending
    }

    /// Operation 1 is the prepared request, operation 2 the one made up here.
    fn resume(_: u32, operation: u32) -> Progress {
        let (url, request) = PREPARED.get();
        match operation {
            0 => {
                http::send(request);
                Progress::Pending
            }
            1 if user::variable("walk").is_none() || timer::now() < 1_000_000 => failed("the wait was none"),
            1 => {
                let (method, url) = ("GET".into(), templates::render(url));
                let request =
                    http::DynamicRequest { method, url, headers: Vec::new(), body: Vec::new(), options: OPTIONS };
                http::send_dynamic(&request);
                Progress::Pending
            }
            _ => judge(operation),
        }
    }
}

fn judge(operation: u32) -> Progress {
    let body = http::body(operation).len() as u64;
    match http::reply(operation) {
        Ok(reply) if reply.status == 200 && reply.body_bytes == body && reply.duration > 0 => {
            match http::header(operation, "content-type") {
                Some(_) => Progress::Passed,
                None => failed("no `content-type`"),
            }
        }
        _ => failed("that is no reply"),
    }
}

fn failed(why: &str) -> Progress {
    report::fail(FailureKind::Check, why);
    Progress::Failed
}

guest!(EveryCapability);
