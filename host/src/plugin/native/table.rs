//! The functions that a native plugin may call. Each only calls the capability that serves components.

use std::ffi::c_void;

use super::abi::{stampede_host, stampede_template_error, stampede_text};
use super::bridge::{Bridge, call, call_fallible, call_unit};
use super::pointer_reader::from_number;
use super::{http, sockets};
use crate::plugin::contract::bindings::log::{self, Level};
use crate::plugin::contract::bindings::report::{self, MetricKind, MetricUnit};
use crate::plugin::contract::bindings::types::FailureKind;
use crate::plugin::contract::bindings::{operations, templates, timer, user};

/// All kinds of failures, in the order of their numbers.
const KINDS: [FailureKind; 7] = [
    FailureKind::Timeout,
    FailureKind::Status,
    FailureKind::Network,
    FailureKind::Check,
    FailureKind::Protocol,
    FailureKind::Plugin,
    FailureKind::Cancelled,
];
/// All kinds of metrics, as above.
const METRICS: [MetricKind; 4] = [MetricKind::Counter, MetricKind::Gauge, MetricKind::Rate, MetricKind::Trend];
/// All units, as above.
const UNITS: [MetricUnit; 3] = [MetricUnit::Number, MetricUnit::Nanoseconds, MetricUnit::Bytes];
/// All levels of the log, as above.
const LEVELS: [Level; 4] = [Level::Error, Level::Warn, Level::Info, Level::Debug];

/// Returns the table of an instance.
pub(super) fn of(bridge: *mut Bridge) -> stampede_host {
    stampede_host {
        context: bridge.cast::<c_void>(),
        templates_compile,
        templates_render,
        http_prepare: http::prepare,
        http_send: http::send,
        http_send_dynamic: http::send_dynamic,
        http_reply: http::reply,
        http_header: http::header,
        http_body: http::body,
        timer_sleep,
        timer_now,
        user_id,
        user_iteration,
        user_variable,
        user_set_variable,
        user_set_header,
        user_random,
        operations_cancel,
        sockets_connect: sockets::connect,
        sockets_connected: sockets::connected,
        sockets_protocol: sockets::protocol,
        sockets_write: sockets::write,
        sockets_written: sockets::written,
        sockets_read: sockets::read,
        sockets_received: sockets::received,
        sockets_close: sockets::close,
        report_fail,
        report_define,
        report_add,
        log_write,
    }
}

/// `templates.compile`.
unsafe extern "C" fn templates_compile(
    host: *const stampede_host,
    source: stampede_text,
    compiled: *mut u32,
    error: *mut stampede_template_error,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        call_fallible(host, compiled, error, |bridge, reader| {
            let result = templates::Host::compile(&mut bridge.state, reader.text(source)?)?;
            Ok(result.map_err(|error| stampede_template_error {
                message: bridge.text(error.message),
                help: bridge.optional_text(error.help),
            }))
        })
    }
}

/// `templates.render`.
unsafe extern "C" fn templates_render(host: *const stampede_host, compiled: u32, text: *mut stampede_text) -> u32 {
    // SAFETY: as above.
    unsafe {
        call(host, text, |bridge, _| {
            let text = templates::Host::render(&mut bridge.state, compiled)?;
            Ok(bridge.text(text))
        })
    }
}

/// `timer.sleep`.
unsafe extern "C" fn timer_sleep(host: *const stampede_host, nanoseconds: u64, operation: *mut u32) -> u32 {
    // SAFETY: as above.
    unsafe { call(host, operation, |bridge, _| timer::Host::sleep(&mut bridge.state, nanoseconds)) }
}

/// `timer.now`.
unsafe extern "C" fn timer_now(host: *const stampede_host, nanoseconds: *mut u64) -> u32 {
    // SAFETY: as above.
    unsafe { call(host, nanoseconds, |bridge, _| timer::Host::now(&mut bridge.state)) }
}

/// `user.id`.
unsafe extern "C" fn user_id(host: *const stampede_host, id: *mut u32) -> u32 {
    // SAFETY: as above.
    unsafe { call(host, id, |bridge, _| user::Host::id(&mut bridge.state)) }
}

/// `user.iteration`.
unsafe extern "C" fn user_iteration(host: *const stampede_host, iteration: *mut u64) -> u32 {
    // SAFETY: as above.
    unsafe { call(host, iteration, |bridge, _| user::Host::iteration(&mut bridge.state)) }
}

/// `user.variable`.
unsafe extern "C" fn user_variable(host: *const stampede_host, name: stampede_text, value: *mut stampede_text) -> u32 {
    // SAFETY: as above.
    unsafe {
        call(host, value, |bridge, reader| {
            let value = user::Host::variable(&mut bridge.state, reader.text(name)?)?;
            Ok(bridge.optional_text(value))
        })
    }
}

/// `user.set-variable`.
unsafe extern "C" fn user_set_variable(host: *const stampede_host, name: stampede_text, value: stampede_text) -> u32 {
    // SAFETY: as above.
    unsafe {
        call_unit(host, |bridge, reader| {
            let (name, value) = (reader.text(name)?, reader.text(value)?);
            user::Host::set_variable(&mut bridge.state, name, value)
        })
    }
}

/// `user.set-header`.
unsafe extern "C" fn user_set_header(
    host: *const stampede_host,
    name: stampede_text,
    value: stampede_text,
    error: *mut stampede_text,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        let mut nothing = ();
        call_fallible(host, &raw mut nothing, error, |bridge, reader| {
            let (name, value) = (reader.text(name)?, reader.text(value)?);
            let set = user::Host::set_header(&mut bridge.state, name, value)?;
            Ok(set.map_err(|message| bridge.text(message)))
        })
    }
}

/// `user.random`.
unsafe extern "C" fn user_random(host: *const stampede_host, number: *mut u64) -> u32 {
    // SAFETY: as above.
    unsafe { call(host, number, |bridge, _| user::Host::random(&mut bridge.state)) }
}

/// `operations.cancel`.
unsafe extern "C" fn operations_cancel(host: *const stampede_host, operation: u32) -> u32 {
    // SAFETY: as above.
    unsafe { call_unit(host, |bridge, _| operations::Host::cancel(&mut bridge.state, operation)) }
}

/// `report.fail`.
unsafe extern "C" fn report_fail(host: *const stampede_host, kind: u32, detail: stampede_text) -> u32 {
    // SAFETY: as above.
    unsafe {
        call_unit(host, |bridge, reader| {
            report::Host::fail(&mut bridge.state, from_number(&KINDS, kind)?, reader.text(detail)?)
        })
    }
}

/// `report.define`.
unsafe extern "C" fn report_define(
    host: *const stampede_host,
    name: stampede_text,
    kind: u32,
    unit: u32,
    metric: *mut u32,
    error: *mut stampede_text,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        call_fallible(host, metric, error, |bridge, reader| {
            let (name, kind, unit) = (reader.text(name)?, from_number(&METRICS, kind)?, from_number(&UNITS, unit)?);
            let defined = report::Host::define(&mut bridge.state, name, kind, unit)?;
            Ok(defined.map_err(|message| bridge.text(message)))
        })
    }
}

/// `report.add`.
unsafe extern "C" fn report_add(host: *const stampede_host, metric: u32, value: f64) -> u32 {
    // SAFETY: as above.
    unsafe { call_unit(host, |bridge, _| report::Host::add(&mut bridge.state, metric, value)) }
}

/// `log.write`.
unsafe extern "C" fn log_write(host: *const stampede_host, level: u32, message: stampede_text) -> u32 {
    // SAFETY: as above.
    unsafe {
        call_unit(host, |bridge, reader| {
            log::Host::write(&mut bridge.state, from_number(&LEVELS, level)?, reader.text(message)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::plugin::native::abi::*;

    use super::*;

    #[test]
    fn the_numbers_of_the_header_are_those_of_the_wit_files() {
        assert_eq!(KINDS.map(|kind| kind as u32), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(KINDS[STAMPEDE_KIND_NETWORK as usize], FailureKind::Network);
        assert_eq!(KINDS[STAMPEDE_KIND_CANCELLED as usize], FailureKind::Cancelled);
        assert_eq!(METRICS[STAMPEDE_METRIC_TREND as usize], MetricKind::Trend);
        assert_eq!(UNITS[STAMPEDE_UNIT_BYTES as usize], MetricUnit::Bytes);
        assert_eq!(LEVELS[STAMPEDE_LOG_DEBUG as usize], Level::Debug);
    }

    /// Every function that a component may import is in the table under its name, and there is no other.
    #[test]
    fn the_table_mirrors_the_wit_files() {
        const ABI: &str = include_str!("abi.rs");
        let files = [
            ("templates", include_str!("../../../../wit/templates.wit")),
            ("http", include_str!("../../../../wit/http.wit")),
            ("timer", include_str!("../../../../wit/timer.wit")),
            ("user", include_str!("../../../../wit/user.wit")),
            ("operations", include_str!("../../../../wit/operations.wit")),
            ("sockets", include_str!("../../../../wit/sockets.wit")),
            ("report", include_str!("../../../../wit/report.wit")),
            ("log", include_str!("../../../../wit/log.wit")),
        ];
        let functions = files.iter().flat_map(|(interface, text)| {
            let names = text.lines().filter_map(|line| line.split_once(": func(")).map(|(name, _)| name.trim());
            names.map(move |name| format!("{interface}_{}", name.replace('-', "_")))
        });
        // A native plugin has the functions of contract 0.1.1: no upgrade, no later TLS, no URL of a reply, no streams
        // and no files.
        let later =
            |name: &String| ["sockets_upgrade", "sockets_secure", "http_url"].iter().any(|new| name.starts_with(new));
        let functions: Vec<String> = functions.filter(|name| !later(name)).collect();
        let (_, table) = ABI.split_once("pub struct stampede_host {").expect("there is a table");
        let (table, _) = table.split_once("\n}").expect("it ends");
        let fields = table.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'));
        let fields: Vec<&str> = fields.map(|(name, _)| name).filter(|name| *name != "context").collect();
        assert_eq!(fields, functions);
    }
}
