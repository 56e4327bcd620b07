//! The JSON Schema of an action's parameters. The plugin supplies it, so it is not trusted: it may refer to nothing
//! outside itself, and the work of validating a step is counted before it is done.

use boon::{CompileError, Compiler, Draft, SchemaIndex, Schemas, SchemeUrlLoader};
use serde_json::Value;

use super::violations::{self, Violation};
use crate::text::one_line;

/// Maximum number of violations of one step that are shown.
const MAX_VIOLATIONS: usize = 10;
/// Maximum number of visits of a subschema with a value. A schema of a few hundred bytes can double its work with each
/// `$ref`.
const MAX_VISITS: u32 = 100_000;
/// Maximum depth of nested visits; deeper ones would overflow the stack.
const MAX_DEPTH: u32 = 256;
/// URL under which the schema is compiled; nothing is loaded from it.
const NAME: &str = "schema:action";
/// Maximum size of a schema in bytes.
const MAX_SCHEMA_BYTES: usize = 256 << 10;
/// Maximum number of patterns in a schema: each may take some MiB when it is compiled.
const MAX_PATTERNS: u32 = 32;
/// The only supported dialect. Others evaluate keywords that are not counted here.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A schema that was checked and compiled.
pub struct ParamsSchema {
    text: Value,
    compiled: Schemas,
    index: SchemaIndex,
}

impl ParamsSchema {
    /// Parses a schema.
    ///
    /// # Errors
    /// It is not a JSON object, not a JSON Schema, or too much work; the text continues after "its schema …".
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_SCHEMA_BYTES {
            return Err(format!("is longer than {} KiB", MAX_SCHEMA_BYTES >> 10));
        }
        let text: Value = serde_json::from_str(text).ok().filter(Value::is_object).ok_or("is not a JSON object")?;
        SchemaScan::default().visit(&text, 0)?;
        if !(VisitBudget { root: &text, visits: MAX_VISITS }).visit(&text, &Value::Null, 0) {
            return Err("refers to itself without end, or to something outside it".into());
        }
        let (mut compiler, mut compiled) = (Compiler::new(), Schemas::new());
        compiler.set_default_draft(Draft::V2020_12);
        // The loader knows no scheme, so that nothing is ever loaded.
        compiler.use_loader(Box::new(SchemeUrlLoader::new()));
        let wrong = |error: CompileError| format!("is not a JSON Schema: {}", one_line(&error.to_string()));
        compiler.add_resource(NAME, text.clone()).map_err(wrong)?;
        let index = compiler.compile(NAME, &mut compiled).map_err(wrong)?;
        Ok(Self { text, compiled, index })
    }

    /// Returns the schema itself.
    pub const fn json(&self) -> &Value {
        &self.text
    }

    /// Returns the parameters whose keys are the names of variables that the action sets: those with the keyword
    /// `x-sets-variables`.
    pub fn variable_parameters(&self) -> impl Iterator<Item = &str> {
        let properties = self.text["properties"].as_object().into_iter().flatten();
        let marked = properties.filter(|(_, schema)| schema["x-sets-variables"] == true);
        marked.map(|(name, _)| name.as_str())
    }

    /// Returns the violations of the schema by parameters, at most [`MAX_VIOLATIONS`].
    pub fn violations(&self, params: &Value) -> Vec<Violation> {
        if !(VisitBudget { root: &self.text, visits: MAX_VISITS }).visit(&self.text, params, 0) {
            let message = "the step is too large for the schema of its action".into();
            return vec![Violation { pointer: String::new(), message, help: None, is_structural: false }];
        }
        let mut found = match self.compiled.validate(params, self.index) {
            Ok(()) => Vec::new(),
            Err(error) => violations::of(&error, &self.text, params),
        };
        found.truncate(MAX_VIOLATIONS);
        found
    }
}

/// A scan of a whole schema for keywords whose work [`VisitBudget`] does not count.
#[derive(Default)]
struct SchemaScan {
    patterns: u32,
}

impl SchemaScan {
    fn visit(&mut self, schema: &Value, depth: u32) -> Result<(), String> {
        let Some(keywords) = schema.as_object() else { return Ok(()) };
        if depth == MAX_DEPTH {
            return Err("is nested too deep".into());
        }
        for (keyword, inner) in keywords {
            match (keyword.as_str(), inner) {
                ("$schema", dialect) if dialect.as_str().map(|it| it.trim_end_matches('#')) != Some(DIALECT) => {
                    return Err(format!("is of another dialect than `{DIALECT}`"));
                }
                (
                    "$id" | "$anchor" | "$dynamicAnchor" | "$dynamicRef" | "$recursiveRef" | "$recursiveAnchor" | "id"
                    | "dependencies",
                    _,
                )
                | ("items", Value::Array(_)) => {
                    return Err(format!("has the keyword `{keyword}` in a form that is not supported"));
                }
                ("$ref", target) if !target.as_str().is_some_and(|it| it.starts_with('#') && !it.contains('%')) => {
                    return Err("refers to itself without end, or to something outside it".into());
                }
                ("pattern", _) => self.patterns += 1,
                ("patternProperties", Value::Object(all)) => {
                    self.patterns = self.patterns.saturating_add(u32::try_from(all.len()).unwrap_or(u32::MAX));
                }
                _ => {}
            }
            match (keyword.as_str(), inner) {
                ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(all)) => {
                    all.iter().try_for_each(|it| self.visit(it, depth + 1))?;
                }
                (
                    "properties" | "patternProperties" | "dependentSchemas" | "$defs" | "definitions",
                    Value::Object(all),
                ) => {
                    all.values().try_for_each(|it| self.visit(it, depth + 1))?;
                }
                // These hold data, not schemas.
                ("enum" | "const" | "default" | "examples", _) => {}
                _ => self.visit(inner, depth + 1)?,
            }
        }
        if self.patterns > MAX_PATTERNS { Err(format!("has more than {MAX_PATTERNS} patterns")) } else { Ok(()) }
    }
}

/// The rest of the work that a schema may cause.
struct VisitBudget<'a> {
    root: &'a Value,
    visits: u32,
}

impl VisitBudget<'_> {
    /// Walks like a validator that never stops early. Returns `false` when the budget is used up.
    fn visit(&mut self, schema: &Value, value: &Value, depth: u32) -> bool {
        if self.visits == 0 || depth == MAX_DEPTH {
            return false;
        }
        self.visits -= 1;
        let Some(keywords) = schema.as_object() else { return true };
        keywords.iter().all(|(keyword, inner)| match (keyword.as_str(), inner) {
            ("$ref", Value::String(target)) => {
                let target = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
                target.is_some_and(|target| self.visit(target, value, depth + 1))
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => {
                all.iter().all(|subschema| self.visit(subschema, value, depth + 1))
            }
            ("not" | "if" | "then" | "else", _) => self.visit(inner, value, depth + 1),
            ("dependentSchemas", Value::Object(all)) => all.values().all(|it| self.visit(it, value, depth + 1)),
            ("properties", Value::Object(all)) => {
                all.iter().all(|(key, it)| value.get(key).is_none_or(|value| self.visit(it, value, depth + 1)))
            }
            ("patternProperties", Value::Object(all)) => all.values().all(|it| self.each(it, value, depth)),
            ("additionalProperties" | "unevaluatedProperties" | "propertyNames", _) => self.each(inner, value, depth),
            ("items" | "contains" | "unevaluatedItems", _) => self.each(inner, value, depth),
            ("prefixItems", Value::Array(all)) => all.iter().all(|it| self.each(it, value, depth)),
            _ => true,
        })
    }

    fn each(&mut self, schema: &Value, value: &Value, depth: u32) -> bool {
        match value {
            Value::Array(items) => items.iter().all(|item| self.visit(schema, item, depth + 1)),
            Value::Object(entries) => entries.values().all(|item| self.visit(schema, item, depth + 1)),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn messages(schema: Value, params: Value) -> Vec<(String, String)> {
        let violations = ParamsSchema::parse(&schema.to_string()).map(|schema| schema.violations(&params)).unwrap();
        violations.into_iter().map(|violation| (violation.pointer, violation.message)).collect()
    }

    #[test]
    fn each_violation_is_described_at_its_value() {
        for (schema, value, message) in [
            (json!({"type": "integer"}), json!("3"), "`v` must be a whole number, got the text `3`"),
            (json!({"type": "boolean"}), json!(1.5), "`v` must be `true` or `false`, got the number `1.5`"),
            (json!({"type": "array"}), json!({}), "`v` must be a list, got a mapping"),
            (
                json!({"type": ["string", "array", "null"]}),
                json!(1),
                "`v` must be nothing, text or a list, got the number `1`",
            ),
            (
                json!({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/list"}]}),
                json!(true),
                "`v` must be text or a list, got `true`",
            ),
            (json!({"enum": ["a", 1]}), json!("b"), "`v` must be `a` or `1`"),
            (json!({"const": "a"}), json!("b"), "`v` must be `a`"),
            (json!({"minimum": 1}), json!(0), "`v` must be at least 1"),
            (json!({"exclusiveMaximum": 1.5}), json!(2), "`v` must be less than 1.5"),
            (json!({"multipleOf": 5}), json!(7), "`v` must be a multiple of 5"),
            (json!({"minLength": 1}), json!(""), "`v` must have 1 character at least"),
            (json!({"maxItems": 2}), json!([1, 2, 3]), "`v` must have 2 items at most"),
            (json!({"pattern": "^a"}), json!("b"), "`v` must match `^a`"),
            (json!({"uniqueItems": true}), json!([1, 1]), "`v` must not have an item twice"),
            (
                json!({"oneOf": [{"const": 3}, {"const": 2}]}),
                json!(1),
                "`v` has none of the forms that the action accepts",
            ),
            (json!({"contains": {"type": "null"}}), json!([1]), "`v` does not fit the schema of the action"),
            (json!({"required": ["k"]}), json!({}), "`k` is missing in `v`"),
        ] {
            let defs = json!({"list": {"type": "array"}});
            let violations = messages(json!({"properties": {"v": schema}, "$defs": defs}), json!({"v": value}));
            assert_eq!(violations, [("/v".to_owned(), message.to_owned())]);
        }
        let nested =
            json!({"properties": {"a": {"items": {"properties": {"z": true}, "additionalProperties": false}}}});
        let violations = messages(nested, json!({"a": [{}, {"b/c": 1}]}));
        assert_eq!(violations, [("/a/1/b~1c".to_owned(), "`b/c` is not a key of `a.1`".to_owned())]);
        // The form that takes a mapping was meant.
        let forms =
            json!({"properties": {"v": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["k"]}]}}});
        assert_eq!(messages(forms, json!({"v": {}})), [("/v".to_owned(), "`k` is missing in `v`".to_owned())]);
        let violations = messages(json!({"required": ["url"]}), json!({}));
        assert_eq!(violations, [(String::new(), "`url` is missing in the step".to_owned())]);
    }

    #[test]
    fn a_violation_says_how_to_fix_it_where_that_is_known() {
        let properties = json!({
            "count": {"type": "integer"}, "on": {"type": "boolean"}, "who": {"description": "The name\nto greet."},
        });
        let schema = json!({"properties": properties, "required": ["who"]});
        let help = |params: Value| {
            let schema = ParamsSchema::parse(&schema.to_string()).unwrap();
            let violations = schema.violations(&params);
            assert!(violations.iter().all(|violation| violation.is_structural));
            violations.into_iter().map(|violation| violation.help.unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(help(json!({})), ["`who`: The name to greet."]);
        assert_eq!(help(json!({"who": 1, "count": "3"})), ["remove the quotes"]);
        assert_eq!(help(json!({"who": 1, "on": "true"})), ["remove the quotes"]);
        assert_eq!(help(json!({"who": 1, "count": "three"})), [""]);
        assert!(help(json!({"who": 1, "count": "{{var n}}"}))[0].starts_with("a helper such as `{{var x}}`"));
    }

    #[test]
    fn malformed_schemas_are_rejected() {
        for text in
            ["[]", "{", "{\"type\": \"nonsense\"}", "{\"pattern\": \"(\"}", "{\"$ref\": \"file:///etc/passwd\"}"]
        {
            assert!(ParamsSchema::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_schema_may_refer_to_itself_but_not_without_end() {
        let tree = json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}, "maxProperties": 1});
        let violations = messages(tree, json!({"left": {"left": {"left": {}, "right": {}}}}));
        assert_eq!(violations, [("/left/left".to_owned(), "`left.left` must have 1 key at most".to_owned())]);
        for text in ["{\"$ref\": \"#\"}", "{\"allOf\": [{\"not\": {\"$ref\": \"#\"}}]}"] {
            assert!(ParamsSchema::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keywords_whose_work_is_not_counted_are_rejected() {
        let patterns: serde_json::Map<_, _> = (0..=MAX_PATTERNS).map(|at| (format!("^{at}$"), json!(true))).collect();
        for (schema, expected) in [
            (json!({"$schema": "http://json-schema.org/draft-07/schema#"}), "another dialect"),
            (json!({"dependencies": {"url": {"$ref": "#/$defs/a"}}}), "`dependencies`"),
            (json!({"properties": {"a": {"items": [true]}}}), "`items`"),
            (json!({"$defs": {"a": {"$id": "x:y"}}}), "`$id`"),
            (json!({"not": {"$recursiveRef": "#"}}), "`$recursiveRef`"),
            (json!({"$ref": "#/$defs/%61", "$defs": {"a": true, "%61": true}}), "something outside it"),
            (json!({"patternProperties": patterns}), "more than 32 patterns"),
            (json!({"description": "x".repeat(MAX_SCHEMA_BYTES)}), "longer than 256 KiB"),
        ] {
            let error = ParamsSchema::parse(&schema.to_string()).err().unwrap_or_default();
            assert!(error.contains(expected), "{schema}: {error}");
        }
        let sound = json!({"$schema": DIALECT, "properties": {"id": {"enum": [{"$id": 1}]}, "dependencies": true}});
        assert!(ParamsSchema::parse(&sound.to_string()).is_ok());
    }

    #[test]
    fn work_that_doubles_with_each_reference_is_rejected() {
        let level = |next: usize| json!({"$ref": format!("#/$defs/a{next}")});
        let doubled = |keyword: &str, root: Value| {
            let levels = (0..40).map(|at| (format!("a{at}"), json!({keyword: [level(at + 1), level(at + 1)]})));
            let mut defs: serde_json::Map<_, _> = levels.collect();
            defs.insert("a40".into(), json!({"type": "string"}));
            let mut schema = root;
            schema["$defs"] = defs.into();
            ParamsSchema::parse(&schema.to_string())
        };
        assert!(doubled("allOf", level(0)).is_err());
        let below =
            doubled("allOf", json!({"properties": {"v": level(0)}})).map(|schema| schema.violations(&json!({"v": 1})));
        assert_eq!(below.unwrap()[0].message, "the step is too large for the schema of its action");
    }
}
