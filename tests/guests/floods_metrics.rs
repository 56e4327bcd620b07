//! Defines metrics under ever new names while it is configured, and ignores rejections; then adds to the one that its
//! parameter `add` names.

use std::cell::Cell;

use stampede_guests::{ConfigError, Misbehaviour, Progress, guest, number, report};

/// The guest.
pub struct FloodsMetrics;

thread_local! {
    static ADD: Cell<u32> = const { Cell::new(0) };
}

impl Misbehaviour for FloodsMetrics {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        ADD.set(number(params, "add") as u32);
        let (kind, unit) = (report::MetricKind::Counter, report::MetricUnit::Number);
        let defined = (0..10_000).filter(|name| report::define(&format!("m{name}"), kind, unit).is_ok()).count();
        match report::define(&"x".repeat(1 << 20), kind, unit) {
            Err(_) if defined == 256 => Ok(0),
            _ => Err(ConfigError { pointer: String::new(), message: format!("{defined} were defined"), help: None }),
        }
    }

    fn start(_: u32, _: u32) -> Progress {
        report::add(ADD.get(), -1.0);
        Progress::Passed
    }
}

guest!(FloodsMetrics);
