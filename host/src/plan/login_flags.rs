//! The sign-in of `--login-url` and `--login-hdr`, as parameters of a `login` block.

use serde_json::{Map, Value};

use crate::cli::RunArgs;

/// Returns the parameters of the `login` action if `--login-url` is given. It replaces the script's `login` block.
pub(super) fn login_params_from_flags(args: &RunArgs) -> Option<Value> {
    let url = args.login_url.as_ref()?;
    let headers: Map<String, Value> =
        args.login_hdr.iter().map(|header| (header.name.clone(), Value::String(header.value.clone()))).collect();
    let mut params = Map::new();
    params.insert("url".into(), Value::String(url.clone()));
    if !headers.is_empty() {
        params.insert("headers".into(), Value::Object(headers));
    }
    Some(Value::Object(params))
}
