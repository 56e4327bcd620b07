//! The names whose values are not shown, whether keys of scripts and contents or header fields.

/// Parts of names whose value is secret.
const PARTS: [&str; 11] = [
    "accesskey",
    "apikey",
    "authorization",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "signature",
    "token",
];

/// Whole words in names whose value is secret; as a part, each would also be in harmless names.
const WORDS: [&str; 8] = ["auth", "jwt", "otp", "pass", "pwd", "session", "sessionid", "sid"];

/// Returns `true` if the value that goes by this name is a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    PARTS.iter().any(|part| letters.contains(part)) || words(name).any(|word| WORDS.contains(&word.as_str()))
}

/// Returns the words of a name in lower case: `x-authToken` has three.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (was_lower && c.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_told_from_others() {
        for name in [
            "Authorization",
            "x-api-key",
            "API key",
            "apiKey",
            "private_key",
            "AccessKeyId",
            "userPassword",
            "pwd",
            "refresh_token",
            "client-secret",
            "X-Auth",
            "session",
            "PHPSESSION-sid",
            "otp",
            "idJWT",
            "x-amz-signature",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["author", "authors", "outside", "key", "monkey", "passengers", "sessions_total", "cookie", "name", "", "-"]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
