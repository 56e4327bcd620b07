//! The operating system's reason for an error, in the grammar of a diagnostic.

use std::io;

/// Returns the system's reason without its number and its full stop, and with its first letter in lower case.
pub fn io_reason(error: &io::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or_default();
    let mut letters = reason.strip_suffix('.').unwrap_or(reason).chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_no_number_and_begins_in_lower_case() {
        let reason = io_reason(&io::Error::from_raw_os_error(24));
        assert!(!reason.contains("os error") && reason.starts_with(char::is_lowercase), "{reason}");
        assert_eq!(io_reason(&io::Error::other("")), "");
        // As Windows has it.
        let text = "The system cannot find the file specified. (os error 2)";
        assert_eq!(io_reason(&io::Error::other(text)), "the system cannot find the file specified");
    }
}
