//! Errors of the engine as text for users.

/// Returns the causes of an engine error in one line, without the backtrace.
pub(crate) fn error_text(error: &wasmtime::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        let line = cause.lines().next().unwrap_or_default();
        // The outermost context of a trap is its backtrace.
        if line.starts_with("error while executing") {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(line);
    }
    text
}
