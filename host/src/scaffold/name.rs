//! The check of a new plugin's name, which becomes that of a folder, a package and an action.

use crate::diagnostic::Diagnostic;
use crate::plugin::load::loader::BUILTIN;

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Rust's keywords, which cannot be names of crates.
const KEYWORDS: &str = "\
    abstract as async await become box break const continue crate do dyn else enum extern false final fn \
    for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct \
    super trait true try type typeof unsafe unsized use virtual where while yield";

/// Crates that always exist, and those that the plugin depends on.
const RESERVED_CRATES: &str = "alloc core proc-macro std test schemars serde stampede-plugin";

/// Checks a name.
///
/// # Errors
/// A package, or an action beside the built-in ones, cannot have the name.
pub(crate) fn check_name(name: &str) -> Result<(), Diagnostic> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let invalid = |help: String| {
        Err(Diagnostic::new("usage::plugin-name", format!("`{name}` cannot be the name of a plugin")).help(help))
    };
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(inner) || name.len() > MAX_NAME_BYTES {
        return invalid(format!(
            "a name has lower case letters, digits, `-` and `_`, a letter first, {MAX_NAME_BYTES} at most"
        ));
    }
    // Cargo and the contract treat `-` and `_` alike.
    let plain = name.replace('_', "-");
    if KEYWORDS.split(' ').chain(RESERVED_CRATES.split(' ')).any(|taken| taken == plain) {
        return invalid(format!("`{plain}` is a reserved word in Rust: choose another name"));
    }
    if BUILTIN.iter().any(|plugin| plugin.name == plain || plugin.actions.contains(&plain.as_str())) {
        return invalid(format!("`{plain}` is built in: choose another name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates() {
        for name in ["hello", "h", "my-plugin", "my_plugin", "mqtt5", "tester"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        let long = "x".repeat(65);
        let wrong = ["", "9x", "-x", "_x", "Hello", "a b", "../x", "x.y", "zoë", &long, "fn", "while", "test", "http"];
        for name in wrong.into_iter().chain(["login", "serde", "proc_macro", "stampede_plugin"]) {
            let error = check_name(name).expect_err(name);
            assert_eq!(error.message, format!("`{name}` cannot be the name of a plugin"));
            assert!(error.help.is_some_and(|help| !help.ends_with('.')));
        }
    }
}
