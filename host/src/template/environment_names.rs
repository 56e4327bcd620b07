//! The names of the environment variables that a text reads: known before it is compiled, since a plugin may read only
//! those that the script names, and all of them are kept secret.

use super::helpers::{Helper, helpers};
use super::parse::{ArgumentValue, HelperCall, TemplateSegment, parse};

/// Returns the environment variables that a text reads, nested ones included; none if it is not a template.
pub fn environment_names(source: &str) -> Vec<String> {
    let segments = parse(source).unwrap_or_default();
    let expressions = segments.into_iter().filter_map(|segment| match segment {
        TemplateSegment::Expression(expression) => Some(expression),
        TemplateSegment::Literal(_) => None,
    });
    let mut names = Vec::new();
    for expression in expressions {
        collect_names(expression, &mut names);
    }
    names
}

/// Adds the names of one expression. The parser limits how deep expressions nest.
fn collect_names(expression: HelperCall<'_>, names: &mut Vec<String>) {
    let helper = helpers().iter().find(|helper| helper.name == expression.name);
    let reads_environment = helper.is_some_and(Helper::reads_environment);
    for argument in expression.arguments {
        match argument.value {
            ArgumentValue::Expression(inner) => collect_names(inner, names),
            ArgumentValue::Name(name) if reads_environment => names.push(name.to_owned()),
            ArgumentValue::Text(name) if reads_environment => names.push(name.into_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_at_any_depth() {
        for (case, text, expected) in [
            ("a word and a text", "{{env A}}/{{ env 'B' }}", &["A", "B"][..]),
            ("nested", "{{base64 (urlencode (env A))}}", &["A"]),
            ("no expression", "env A {{{{env B}}", &[]),
            ("another helper", "{{var env}}", &[]),
            ("not a template", "{{env A}}{{", &[]),
        ] {
            assert_eq!(environment_names(text), expected, "{case}");
        }
    }
}
