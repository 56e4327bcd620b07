//! An exchange as text on a terminal: the request after `>`, the reply after `<`, what was captured and checked, and
//! the phases as bars along the time that the exchange took.

use std::fmt::Write;

use super::exchanges::{ExchangeReport, MessageReport};
use super::format::{grouped, latency};
use super::model::{ErrorCount, Report};
use crate::text::{one_line, visible};

/// The width of the bars, in columns.
const BAR_COLUMNS: usize = 40;

/// The names of the phases in their order.
const PHASES: [&str; 5] = ["dns", "connect", "tls", "first byte", "receive"];

/// Renders an exchange under the name of its step. `notes` are lines about it.
pub(crate) fn render(name: &str, category: Option<&str>, exchange: &ExchangeReport, notes: &[String]) -> String {
    let mut text = title(name, category, exchange);
    if let Some(request) = &exchange.request {
        message(&mut text, '>', request);
    }
    if let Some(reply) = &exchange.reply {
        message(&mut text, '<', reply);
    }
    for note in notes {
        let _ = writeln!(text, "  {}", one_line(note));
    }
    text.push_str(&waterfall(exchange));
    text
}

/// Renders the failed exchanges of a report, one after the other; empty if there are none.
pub(crate) fn failed(report: &Report) -> String {
    let mut text = String::new();
    for row in &report.actions {
        for ErrorCount { category, exchanges, .. } in &row.errors {
            for exchange in exchanges {
                let _ = write!(text, "\n{}", render(&row.name, Some(category), exchange, &[]));
            }
        }
    }
    if text.is_empty() { text } else { format!("\nThe first failed exchanges of each action and kind:\n{text}") }
}

fn title(name: &str, category: Option<&str>, exchange: &ExchangeReport) -> String {
    let (at, took) = (latency(exchange.at_us as f64, " "), latency(exchange.service_time_us as f64, " "));
    let status = exchange.status.map_or("no reply".to_owned(), |status| status.to_string());
    let late = match exchange.response_time_us - exchange.service_time_us.min(exchange.response_time_us) {
        0 => String::new(),
        late => format!(", {} late", latency(late as f64, " ")),
    };
    let mut text = format!("── {}: {status} in {took}{late} (user {}, at {at})\n", one_line(name), exchange.user);
    if let Some(category) = category {
        let _ = writeln!(text, "  {category}: {}", one_line(&exchange.reason));
    }
    text
}

fn message(text: &mut String, mark: char, message: &MessageReport) {
    for line in message.head.lines() {
        let _ = writeln!(text, "  {mark} {}", visible(line));
    }
    let bytes = grouped(message.body_bytes);
    match &message.body {
        Some(body) if body.is_empty() && message.body_bytes == 0 => {}
        Some(body) => {
            let _ = writeln!(text, "  {mark}");
            for line in indented(body).lines() {
                let _ = writeln!(text, "  {mark} {}", visible(line));
            }
            if message.is_cut {
                let _ = writeln!(text, "  {mark} … ({bytes} bytes in all)");
            }
        }
        None => {
            let _ = writeln!(text, "  {mark}\n  {mark} ({bytes} bytes that are not shown)");
        }
    }
}

/// Indents a text that is JSON, and leaves any other as it is.
fn indented(body: &str) -> String {
    let json = body.trim_start().starts_with(['{', '[']);
    let parsed = json.then(|| serde_json::from_str::<serde_json::Value>(body).ok()).flatten();
    parsed.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| body.to_owned())
}

/// Renders a bar for each phase that happened, in its place along the time of the exchange.
fn waterfall(exchange: &ExchangeReport) -> String {
    let whole = exchange.service_time_us.max(1) as f64;
    let (mut text, mut begin) = (String::new(), 0.0);
    for (name, phase) in PHASES.iter().zip(exchange.phases_us.as_array()) {
        let Some(micros) = *phase else { continue };
        let end = (begin + micros as f64).min(whole);
        let column = |at: f64| (at / whole * BAR_COLUMNS as f64).round() as usize;
        let (from, to) = (column(begin).min(BAR_COLUMNS - 1), column(end));
        let bar = format!("{}{}", " ".repeat(from), "█".repeat(to.saturating_sub(from).max(1)));
        let _ = writeln!(text, "  {name:<10} {:>7} │{bar:<BAR_COLUMNS$}│", latency(micros as f64, ""));
        begin = end;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::times::PerPhase;
    use super::*;

    fn exchange() -> ExchangeReport {
        ExchangeReport {
            at_us: 1_250_000,
            user: 3,
            reason: "expected status `201`, got `503`".into(),
            status: Some(503),
            request: Some(MessageReport {
                head: "POST /start?a=1 HTTP/1.1\nhost: site\ncookie: sid=***\ncontent-length: 16".into(),
                body: Some("{\"movie_id\":\"a\"}".into()),
                body_bytes: 16,
                is_cut: false,
            }),
            reply: Some(MessageReport {
                head: "HTTP/1.1 503 Service Unavailable\ncontent-type: text/plain".into(),
                body: Some("\u{1b}[31mtoo busy\nand so on".into()),
                body_bytes: 5_000,
                is_cut: true,
            }),
            response_time_us: 42_000,
            service_time_us: 40_000,
            phases_us: PerPhase {
                dns: None,
                connect: Some(10_000),
                tls: None,
                first_byte: Some(28_000),
                receive: Some(2_000),
            },
        }
    }

    /// Compares with a golden file; `BLESS=1` writes it instead.
    #[test]
    fn an_exchange_with_everything() {
        let notes = ["captured token: ***".to_owned(), "check is found: FAILED".to_owned()];
        let mut text = render("Start the stream", Some("status"), &exchange(), &notes);
        let nothing = ExchangeReport {
            reason: "connection refused".into(),
            status: None,
            request: None,
            reply: None,
            phases_us: PerPhase::from_array([None; 5]),
            response_time_us: 40_000,
            ..exchange()
        };
        text += &render("Other", Some("network"), &nothing, &[]);
        let binary = MessageReport { body: None, ..exchange().reply.expect("a reply") };
        text += &render("Other", None, &ExchangeReport { reply: Some(binary), ..exchange() }, &[]);
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/golden/exchange.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).expect("golden file is writable");
        }
        assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default());
    }
}
