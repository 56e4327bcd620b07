//! Templates of the fake host, with the helpers that the test named, and `var`.

use super::state::{State, number};

impl State {
    /// Keeps a template whose calls are all known to this host, and returns its number.
    pub(crate) fn compile(&mut self, source: &str) -> Result<u32, String> {
        for call in calls(source) {
            let name = call.map(|call| escaped(call).unwrap_or(call))?;
            let known = name.starts_with("var ") || self.script.helpers.iter().any(|(known, _)| known == name);
            if !known {
                return Err(format!("unknown helper `{}`", name.split(' ').next().unwrap_or_default()));
            }
        }
        self.templates.push(source.to_owned());
        Ok(number(self.templates.len() - 1))
    }

    /// Renders a template.
    pub(crate) fn render(&mut self, template: u32) -> String {
        let source = self.templates[template as usize].clone();
        let calls: Vec<&str> = calls(&source).filter_map(Result::ok).collect();
        calls.iter().fold(source.clone(), |text, call| {
            let (before, rest) = text.split_once("{{").expect("as many braces as calls");
            let (_, after) = rest.split_once("}}").expect("closed, or it would not have compiled");
            format!("{before}{}{after}", self.value(call))
        })
    }

    /// Returns the text that a call renders this time.
    fn value(&mut self, call: &str) -> String {
        if let Some(inner) = escaped(call) {
            let quoted = serde_json::to_string(&self.value(inner)).expect("a text is JSON");
            return quoted[1..quoted.len() - 1].to_owned();
        }
        if let Some(name) = call.strip_prefix("var ") {
            return self.variable(name.trim()).unwrap_or_default();
        }
        let texts = self.script.helpers.iter_mut().find(|(known, _)| known == call).map(|(_, texts)| texts);
        texts
            .and_then(|texts| if texts.len() > 1 { texts.pop_front() } else { texts.front().cloned() })
            .unwrap_or_default()
    }

    /// Returns a variable of the user, if it is set.
    pub(crate) fn variable(&mut self, name: &str) -> Option<String> {
        self.user().variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// Renders the values, in order.
    pub(crate) fn render_fields(&mut self, fields: &[(String, u32)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, template)| (name.clone(), self.render(*template))).collect()
    }
}

/// Returns the call whose text is escaped for a JSON string, as in the mapping of a
/// [`JsonTemplate`](crate::JsonTemplate).
fn escaped(call: &str) -> Option<&str> {
    call.strip_prefix("jsonEscape (")?.strip_suffix(')')
}

/// Iterates over the calls: the texts between `{{` and `}}`, trimmed.
fn calls(source: &str) -> impl Iterator<Item = Result<&str, String>> {
    source.split("{{").skip(1).map(|rest| match rest.split_once("}}") {
        Some((call, _)) => Ok(call.trim()),
        None => Err("`{{` without `}}`".to_owned()),
    })
}
