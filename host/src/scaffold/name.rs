//! What a plugin may be called: its name is that of a folder, a package and an action.

use crate::diagnostic::Diagnostic;
use crate::plugin::load::loader::BUILTIN;

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Rust's keywords: no crate can be called by one.
const KEYWORDS: &str = "\
    abstract as async await become box break const continue crate do dyn else enum extern false final fn \
    for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct \
    super trait true try type typeof unsafe unsized use virtual where while yield";

/// Crates that are always there, and those that the plugin depends on.
const RESERVED_CRATES: &str = "alloc core proc-macro std test schemars serde stampede-plugin";

/// Says what is wrong with a name.
///
/// # Errors
/// No package, or no action beside the built-in ones, can be called that.
pub fn check_name(name: &str) -> Result<(), Diagnostic> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let refused = |help: String| {
        Err(Diagnostic::new("usage::plugin-name", format!("`{name}` cannot be the name of a plugin")).help(help))
    };
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(inner) || name.len() > MAX_NAME_BYTES {
        return refused(format!(
            "a name has lower case letters, digits, `-` and `_`, a letter first, {MAX_NAME_BYTES} at most"
        ));
    }
    // Cargo and the contract do not tell `-` from `_`.
    let plain = name.replace('_', "-");
    if KEYWORDS.split(' ').chain(RESERVED_CRATES.split(' ')).any(|taken| taken == plain) {
        return refused(format!("`{plain}` means something to Rust: choose another name"));
    }
    if BUILTIN.iter().any(|plugin| plugin.name == plain || plugin.actions.contains(&plain.as_str())) {
        return refused(format!("`{plain}` is built in: choose another name"));
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
