//! Header fields that are sent with every request of every user.

use hyper::header::{HeaderName, HeaderValue};

use super::Plan;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics, LabeledSpan, Span};
use crate::plugin::script_context::ScriptContext;
use crate::script::model::{NamedText, Node, NodeValue, Script};
use crate::script::span_within;
use crate::template::{CompileScope, Template, VariableNames};
use crate::user::Session;

impl Plan {
    /// Renders the fields for a user and puts them into its header store.
    pub fn set_user_headers(&self, session: &Session) {
        for (index, (name, template)) in self.headers.iter().enumerate() {
            let is_first = self.headers[..index].iter().all(|(earlier, _)| earlier != name);
            let mut text = String::new();
            session.render(template, &mut text);
            match HeaderValue::from_str(&text) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    let set = if is_first {
                        session.set_header(name.clone(), value)
                    } else {
                        session.add_header(name.clone(), value)
                    };
                    if let Err(message) = set {
                        tracing::error!(user = session.id, "header `{name}` is not sent: {message}");
                    }
                }
                // A bug: all values that a header can get were checked when it was compiled.
                Err(_) => {
                    tracing::error!(user = session.id, "header `{name}` is not sent: HTTP does not allow its value")
                }
            }
        }
    }
}

/// Compiles the fields of the script, of `--header`, and of `--login-hdr` if there is no `--login-url`. Each of these
/// wins over the ones before it about a name, and may itself have it several times.
///
/// # Errors
/// A value is not a template, varies between the requests of a user, or may become one that HTTP does not allow. All
/// such errors are returned. Values of flags may be secrets and are not repeated.
pub(super) fn compile(
    args: &RunArgs,
    script: &Script,
    script_context: &ScriptContext,
    variables: &mut VariableNames,
) -> Result<Vec<(HeaderName, Template)>, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut headers = Vec::new();
    let mut add = |source: HeaderSource, name: &str, text: &str, place: Option<LabeledSpan>| {
        let mut scope =
            CompileScope { data: &script_context.data, variables, environment: &script_context.environment };
        match (HeaderName::from_bytes(name.as_bytes()), Template::compile(text, &mut scope)) {
            (Ok(_), Ok(template)) if let Some(call) = template.varying_call() => {
                let code = if place.is_some() { "script::header" } else { "usage::header" };
                let call = &text[call.start..call.end];
                let message =
                    format!("header `{name}` is rendered once for each user, but `{call}` changes after that");
                let help = "use it in the `headers` of a step, or in `set_headers` of the login";
                diagnostics.push(Diagnostic { location: place, ..Diagnostic::new(code, message).help(help) });
            }
            (Ok(_), Ok(template)) if !template.all_inputs_satisfy(&script_context.data, is_header_value) => {
                let code = if place.is_some() { "script::header" } else { "usage::header" };
                let message = format!("header `{name}` can get a value with a character that HTTP does not allow");
                let help = "remove line breaks and other control characters from the value, the environment variable or the \
                            data, or encode it with `urlencode` or `base64`";
                diagnostics.push(Diagnostic { location: place, ..Diagnostic::new(code, message).help(help) });
            }
            (Ok(name), Ok(template)) => {
                headers.retain(|(known, _, earlier)| *known != name || *earlier == source);
                headers.push((name, template, source));
            }
            (Err(_), _) => diagnostics.push(Diagnostic {
                location: place,
                ..Diagnostic::new("script::header", format!("`{name}` is not a header name"))
            }),
            (_, Err(error)) => {
                let code = if place.is_some() { "script::template" } else { "usage::template" };
                let place = place.map(|place| LabeledSpan { span: template_span(&place, text, error.span), ..place });
                diagnostics.push(Diagnostic {
                    location: place,
                    help: error.help,
                    ..Diagnostic::new(code, format!("header `{name}`: {}", error.message))
                });
            }
        }
    };
    for NamedText { name, value } in &script.settings.headers {
        let place = LabeledSpan { source: script.source.clone(), span: value.span, label: String::new() };
        add(HeaderSource::Script, &name.value, &value.value, Some(place));
    }
    let sign_in = if args.login_url.is_some() { &[][..] } else { &args.login_hdr[..] };
    for header in &args.header {
        add(HeaderSource::Flag, &header.name, &header.value, None);
    }
    for header in sign_in {
        add(HeaderSource::SignIn, &header.name, &header.value, None);
    }
    diagnostics.into_result(headers.into_iter().map(|(name, template, _)| (name, template)).collect())
}

/// The source of a field.
#[derive(Clone, Copy, PartialEq)]
enum HeaderSource {
    /// `headers` of the script.
    Script,
    /// `--header`.
    Flag,
    /// `--login-hdr`.
    SignIn,
}

/// Returns true if HTTP allows a text in a header.
fn is_header_value(text: &str) -> bool {
    HeaderValue::from_str(text).is_ok()
}

/// Returns the place in the script of a part of a template.
fn template_span(place: &LabeledSpan, text: &str, part: Span) -> Span {
    let value = Node { value: NodeValue::String(text.into()), span: place.span };
    span_within(&place.source, &value, part.start..part.end)
}
