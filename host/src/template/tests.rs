//! Templates as a whole: text in, text or error out.

use std::time::Duration;

use proptest::prelude::*;

use super::resolve::ArgumentError;
use super::*;
use crate::data::{DataSets, FeedStrategy, Table};
use crate::random::UserRandom;
use crate::segment::Segment;

/// A run to compile for, and one of its users to render for.
struct World {
    data: DataSets,
    names: VariableNames,
    environment: Environment,
    random: UserRandom,
    variables: Variables,
    rows: RowCursors,
    scratch: RenderScratch,
    user: u32,
    iteration: u64,
}

/// The number of users in a [`World`].
const USERS: u32 = 3;

impl World {
    fn of_user(user: u32) -> Self {
        let mut users = Table::with_columns(vec!["name".into(), "password".into()]).unwrap();
        for row in 0..50 {
            users.push([format!("name{row}").as_str(), format!("password{row}").as_str()]);
        }
        let mut ids = Table::with_columns(vec!["id".into()]).unwrap();
        ids.push(["id0"]);
        let letters = ["a", "b", "c", "d", "e", "f", "g"].into_iter().collect();
        let data =
            [("letters", letters), ("users", users), ("ids", ids), ("dotted.list", ["dot"].into_iter().collect())];
        Self {
            data: data.into_iter().map(|(name, table)| (name.to_owned(), table, FeedStrategy::default())).collect(),
            names: VariableNames::default(),
            environment: Environment::new([("HOST".to_owned(), "a b".to_owned())], []),
            random: UserRandom::new(1, user),
            variables: Variables::default(),
            rows: RowCursors::default(),
            scratch: RenderScratch::default(),
            user,
            iteration: 0,
        }
    }

    fn compile(&mut self, source: &str) -> Result<Template, TemplateError> {
        let scope = &mut CompileScope { data: &self.data, variables: &mut self.names, environment: &self.environment };
        Template::compile(source, scope)
    }

    fn render(&mut self, template: &Template) -> String {
        let mut out = String::new();
        let values = &mut RenderContext {
            user: self.user,
            users: USERS,
            segment: Segment::WHOLE,
            iteration: self.iteration,
            wall_clock: Duration::from_millis(1_769_850_300_250),
            random: &mut self.random,
            variables: &self.variables,
            rows: &mut self.rows,
            data: &self.data,
            scratch: &mut self.scratch,
        };
        template.render(values, &mut out);
        out
    }

    fn text(&mut self, source: &str) -> String {
        let template = self.compile(source).unwrap();
        self.render(&template)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.set(self.names.intern(name), value);
    }
}

fn world() -> World {
    World::of_user(2)
}

#[test]
fn helpers_without_chance_render_exactly() {
    let cases = [
        ("plain text", "a } b", "a } b"),
        ("a number of the user", "u{{userId}}-{{ iteration }}", "u2-5"),
        ("times", "{{epochs}} {{epochms}} {{isoNow}}", "1769850300 1769850300250 2026-01-31T09:05:00.250Z"),
        ("a variable", "[{{var q}}]", "[x \"y\"]"),
        ("a variable that is not set", "[{{var other}}]", "[]"),
        ("an environment variable", "{{env HOST}}/", "a b/"),
        ("a quoted name", "{{env 'HOST'}}", "a b"),
        ("an encoded text", "{{urlencode 'a b'}}{{base64 1.50}}", "a%20bMS41MA=="),
        ("an encoded call", "{{json (var q)}}", r#""x \"y\"""#),
        ("one encoding in another", "{{base64 (json (var q))}}", "InggXCJ5XCIi"),
        ("three of them", "{{urlencode (base64 (json (userId)))}}", "IjIi"),
        ("four of them", "{{json (urlencode (base64 (json (userId))))}}", "\"IjIi\""),
        ("a literal brace", "{{{{userId}}", "{{userId}}"),
        ("the only column of a list", "{{pick ids}} {{next ids}} {{pick ids.id}}", "id0 id0 id0"),
        ("a list with a dot in its name", "{{pick dotted.list}}", "dot"),
        ("a range of one", "{{randInt -3 -3}}", "-3"),
    ];
    let mut world = world();
    world.iteration = 5;
    world.set("q", "x \"y\"");
    for (case, source, expected) in cases {
        assert_eq!(world.text(source), expected, "{case}");
        assert_eq!(world.scratch.text, "", "{case}: the scratch buffer is left as it was");
    }
}

#[test]
fn rendering_appends() {
    let mut world = world();
    let template = world.compile("{{json (userId)}}").unwrap();
    let mut out = "before ".to_owned();
    world.scratch.text.push_str("left over");
    out += &world.render(&template);
    assert_eq!((out.as_str(), world.scratch.text.as_str()), ("before \"2\"", "left over"));
}

#[test]
fn chance_stays_within_its_bounds() {
    let mut world = world();
    for _ in 0..200 {
        assert!((1..=20).contains(&world.text("{{randInt 1 20}}").parse::<i64>().unwrap()));
        assert!((-0.5..0.5).contains(&world.text("{{randFloat -0.5 0.5}}").parse::<f64>().unwrap()));
        assert!("abcdefg".contains(&world.text("{{pick letters}}")));
        assert_eq!(world.text("{{randString 12}}").len(), 12);
        let uuid = uuid::Uuid::parse_str(&world.text("{{uuid}}")).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122));
    }
}

#[test]
fn a_user_renders_the_same_again_and_another_does_not() {
    let source = "{{uuid}} {{randInt 1 1000000}} {{pick users.name}} {{pick letters}}";
    assert_eq!(World::of_user(2).text(source), World::of_user(2).text(source));
    assert_ne!(World::of_user(2).text(source), World::of_user(1).text(source));
}

#[test]
fn next_gives_every_user_rows_of_its_own() {
    let rows = |user| {
        let mut world = World::of_user(user);
        let template = world.compile("{{next letters}}").unwrap();
        (0..3).map(|_| world.render(&template)).collect::<String>()
    };
    // Seven letters, three users: 0 3 6, 1 4 7→0, 2 5 8→1.
    assert_eq!([rows(0), rows(1), rows(2)], ["adg", "bea", "cfb"]);
}

#[test]
fn two_templates_of_a_user_share_the_place_of_next() {
    let mut world = World::of_user(0);
    assert_eq!([world.text("{{next letters}}"), world.text("{{next letters}}")], ["a", "d"]);
}

#[test]
fn columns_of_one_iteration_belong_to_one_row() {
    for helper in ["pick", "next"] {
        let mut world = world();
        let mut seen = std::collections::HashSet::new();
        for iteration in 0..20 {
            world.iteration = iteration;
            let name = world.text(&format!("{{{{{helper} users.name}}}}"));
            let password = world.text(&format!("{{{{{helper} users.password}}}}"));
            assert_eq!(name.strip_prefix("name"), password.strip_prefix("password"), "{helper}");
            seen.insert(name);
        }
        assert!(seen.len() > 5, "{helper} goes on to other rows");
    }
}

#[test]
fn next_with_columns_follows_the_iteration() {
    let mut world = world();
    world.iteration = 17;
    // 2 + 17 × 3 = 53, and there are 50 rows.
    assert_eq!(world.text("{{next users.name}}"), "name3");
    world.iteration = u64::MAX;
    assert!(world.text("{{next users.name}}").starts_with("name"), "no overflow");
}

#[test]
fn constants_are_known_at_compile_time() {
    let cases = [
        ("", Some("")),
        ("plain", Some("plain")),
        ("a{{{{b", Some("a{{b")),
        ("{{env HOST}}:{{urlencode (env HOST)}}", Some("a b:a%20b")),
        ("{{json ''}}", Some("\"\"")),
        ("{{base64 ''}}", Some("")),
        ("a{{userId}}", None),
        ("{{json (var q)}}", None),
        ("{{userId}}{{userId}}", None),
    ];
    for (source, constant) in cases {
        assert_eq!(world().compile(source).unwrap().constant(), constant, "{source}");
    }
}

/// A case in words, the template, what is underlined, a part of the message, a part of the help.
type ErrorCase = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn assert_errors(cases: &[ErrorCase]) {
    for (case, source, underlined, message, help) in cases {
        let error = world().compile(source).unwrap_err();
        assert_eq!(&source[error.span.start..error.span.end], *underlined, "{case}");
        assert!(error.message.contains(message), "{case}: {}", error.message);
        assert!(error.help.clone().unwrap_or_default().contains(help), "{case}: {:?}", error.help);
    }
}

#[test]
fn wrong_arguments_are_explained() {
    assert_errors(&[
        ("an unknown helper", "a {{randit 1}}", "randit", "`randit` is not a helper", "`randInt`"),
        (
            "a variable without `var`",
            "{{titleOfTheMovie}}",
            "titleOfTheMovie",
            "is not a helper",
            "{{var titleOfTheMovie}}",
        ),
        (
            "too few arguments",
            "{{randInt 1}}",
            "randInt 1",
            "`randInt` takes 2 arguments, but 1 is given",
            "{{randInt LOW HIGH}}",
        ),
        ("too many arguments", "{{uuid 1 2}}", "uuid 1 2", "`uuid` takes no arguments, but 2 are given", "{{uuid}}"),
        ("none at all", "{{json (var)}}", "var", "`var` takes 1 argument, but none is given", "{{var NAME}}"),
        (
            "a decimal for an integer",
            "{{randInt 1 2.5}}",
            "2.5",
            "`HIGH` of `randInt` must be an integer, not a decimal number",
            "{{randInt LOW HIGH}}",
        ),
        (
            "a text for a number",
            "{{randFloat '1' 2}}",
            "'1'",
            "`LOW` of `randFloat` must be a number, not a quoted text",
            "{{randFloat",
        ),
        (
            "a helper for a number",
            "{{randString (userId)}}",
            "(userId)",
            "must be an integer, not a helper in parentheses",
            "{{randString",
        ),
        ("a number for a name", "{{pick 7}}", "7", "`LIST` of `pick` must be a name, not an integer", "`'7'`"),
        ("a helper for a name", "{{var (uuid)}}", "(uuid)", "`NAME` of `var` must be a name", "{{var NAME}}"),
        ("a bare word for a text", "{{json q}}", "q", "`TEXT` of `json` must be a text, not a bare word", "`(var q)`"),
        ("a bare helper for a text", "{{json uuid}}", "uuid", "must be a text, not a bare word", "`(uuid)`"),
        ("an empty range", "{{randInt 5 1}}", "5 1", "the range from 5 to 1 is empty", ""),
        ("a range that excludes all", "{{randFloat 1 1}}", "1 1", "the range from 1 up to 1 is empty", ""),
        ("an empty random text", "{{randString 0}}", "0", "length 0 is not in 1 to 65536", ""),
        ("a random text that is too long", "{{randString 65537}}", "65537", "length 65537 is not in 1 to 65536", ""),
    ]);
}

#[test]
fn names_that_mean_nothing_are_explained() {
    assert_errors(&[
        ("a list that is not there", "{{pick moviez.id}}", "moviez.id", "there is no data set `moviez`", "`letters`"),
        ("a column of a plain list", "{{pick letters.id}}", "letters.id", "`letters` has no columns", "`letters`"),
        (
            "a table without a column",
            "{{next users}}",
            "users",
            "`users` has 2 columns, and none is named",
            "`users.name` or `users.password`",
        ),
        (
            "a column that is not there",
            "{{next users.email}}",
            "users.email",
            "`users` has no column `email`",
            "`name`",
        ),
        (
            "a variable that is missing",
            "{{env NOPE_NOT_THERE}}",
            "NOPE_NOT_THERE",
            "`NOPE_NOT_THERE` is not set",
            "--env-file",
        ),
        ("an error further in", "{{base64 (json (pick))}}", "pick", "`pick` takes 1 argument", "{{pick LIST}}"),
    ]);
}

#[test]
fn without_data_the_help_says_how_to_bring_some() {
    let mut world = world();
    world.data = DataSets::default();
    let error = world.compile("{{pick movies}}").unwrap_err();
    assert_eq!(error.help.unwrap(), "declare it under `data`, or give a file with `--data movies=FILE`");
}

#[test]
fn debug_shows_no_text() {
    let template = world().compile("{{env HOST}}").unwrap();
    assert_eq!(format!("{template:?}"), "Template { pieces: 1, .. }");
}

/// Creates the situation that [`EXAMPLES`](super::helpers::EXAMPLES) describes.
fn example_world() -> World {
    let mut users = Table::with_columns(vec!["name".into(), "city".into()]).unwrap();
    for row in [["Ann", "Oslo"], ["Ben", "Turin"], ["Cleo", "Lima"], ["Dan", "Kyoto"]] {
        users.push(row);
    }
    let movies = ["Alien", "Brazil", "Casablanca"].into_iter().collect();
    let mut world = World {
        data: [("movies", movies), ("users", users)]
            .into_iter()
            .map(|(name, table)| (name.to_owned(), table, FeedStrategy::default()))
            .collect(),
        environment: Environment::new([("REGION".to_owned(), "eu".to_owned())], []),
        iteration: 5,
        ..World::of_user(2)
    };
    world.set("title", "Life & Death");
    world
}

#[test]
fn every_example_renders_as_the_reference_says() {
    for Helper { name, example, .. } in helpers() {
        assert_eq!(example_world().text(example.template), example.text, "{name}");
        assert!(
            example.template.contains(&format!("{{{{{name}")),
            "{name}: `{}` shows another helper",
            example.template
        );
    }
}

#[test]
fn every_helper_varies_as_its_row_says() {
    for Helper { name, example, varies, .. } in helpers() {
        let template = example_world().compile(example.template).unwrap();
        let differs = |mut world: World| world.render(&template) != example.text;
        let follows_user = differs(World { user: 1, ..example_world() });
        let follows_iteration = differs(World { iteration: 6, ..example_world() });
        let mut other_variables = example_world();
        other_variables.set("title", "Other");
        let follows_variables = differs(other_variables);
        let (follows_walk, is_constant) = (follows_iteration || follows_variables, template.constant().is_some());
        let is_rejected = template.varying_call().is_some();
        match varies {
            Variation::PerRun => assert!(is_constant && !follows_user && !follows_walk && !is_rejected, "{name}"),
            Variation::PerUser => assert!(follows_user && !follows_walk && !is_rejected, "{name}"),
            Variation::PerStep => assert!(follows_walk && is_rejected, "{name}"),
            Variation::PerCall => assert!(!is_constant && !follows_walk && !is_rejected, "{name}"),
            Variation::AsArgument => {
                let of = |argument: &str| example_world().compile(&format!("{{{{{name} {argument}}}}}")).unwrap();
                let varies = |argument: &str| of(argument).varying_call().is_some();
                assert!(of("'text'").constant().is_some(), "{name} of a constant is constant");
                assert!(varies("(iteration)"), "{name} follows the user as its argument does");
                assert!(!varies("(userId)"), "{name} of what stays the same stays the same");
            }
        }
    }
}

/// A table of two helpers.
static TWO_HELPERS: [Helper; 2] = [
    Helper {
        name: "dice",
        meaning: "the sum of COUNT dice, at most 5",
        varies: Variation::PerCall,
        example: HelperExample { template: "{{dice 2}}", text: "7" },
        kind: HelperKind::Integer {
            parameter: "COUNT",
            check: |count| if count <= 5 { Ok(()) } else { Err(ArgumentError::new(format!("{count} is more than 5"))) },
            render: |count, values, out| {
                *out += &(0..count).map(|_| values.random.integer(1, 6)).sum::<i64>().to_string()
            },
        },
    },
    Helper {
        name: "visit",
        meaning: "the user and the iteration",
        varies: Variation::PerStep,
        example: HelperExample { template: "{{visit}}", text: "2/5" },
        kind: HelperKind::NoArguments(|values, out| *out += &format!("{}/{}", values.user, values.iteration)),
    },
];

#[test]
fn a_row_in_the_table_is_all_that_a_helper_needs() {
    let mut world = World { iteration: 5, ..world() };
    let mut compile = |source: &str| {
        let scope =
            &mut CompileScope { data: &world.data, variables: &mut world.names, environment: &world.environment };
        Template::compile_with(&TWO_HELPERS, source, scope)
    };
    let template = compile("{{dice 5}} {{visit}}").unwrap();
    assert!(template.varying_call().is_some() && compile("{{dice 5}}").unwrap().varying_call().is_none());
    let errors = ["{{dise 3}}", "{{dice}}", "{{dice 6}}", "{{visit 1}}"].map(|source| compile(source).unwrap_err());
    let errors = errors.map(|error| (error.message, error.help.unwrap_or_default()));
    let expected = [
        ("`dise` is not a helper", "did you mean `dice`?"),
        ("`dice` takes 1 argument, but none is given", "write `{{dice COUNT}}`"),
        ("6 is more than 5", ""),
        ("`visit` takes no arguments, but 1 is given", "write `{{visit}}`"),
    ];
    assert_eq!(errors, expected.map(|(message, help)| (message.to_owned(), help.to_owned())));
    let text = world.render(&template);
    let (sum, visit) = text.split_once(' ').unwrap();
    assert!((5..=30).contains(&sum.parse::<i64>().unwrap()) && visit == "2/5", "{text}");
    let page = reference(&TWO_HELPERS);
    let row = "| `{{dice COUNT}}` | the sum of COUNT dice, at most 5 | `COUNT`: an integer | per call | `{{dice 2}}` → `7` |\n";
    assert!(page.contains(row), "{page}");
}

proptest! {
    #[test]
    fn text_without_braces_renders_to_itself(text in any::<String>()) {
        prop_assume!(!text.contains("{{"));
        let template = world().compile(&text).unwrap();
        prop_assert_eq!(template.constant(), Some(text.as_str()));
        prop_assert_eq!(world().render(&template), text);
    }

    #[test]
    fn doubled_braces_make_any_text_a_template_of_itself(text in "[a{} ]{0,20}") {
        prop_assert_eq!(world().text(&text.replace("{{", "{{{{")), text);
    }

    #[test]
    fn no_text_panics(text in prop_oneof![
        any::<String>(),
        r#"(\{\{|\}\}|\(|\)|'|"|\\| |randInt|randFloat|randString|pick|next|var|env|json|users\.name|-?[0-9]{1,3}|x){0,12}"#,
        r#"\{\{(randInt|randFloat|randString|pick|next|var|env|json|uuid)( (letters|users\.name|-?[0-9]{1,3}|'x'|\(userId\))){0,3}\}\}"#,
    ]) {
        let mut world = world();
        match world.compile(&text) {
            Ok(template) => drop(world.render(&template)),
            Err(error) => prop_assert!(text.get(error.span.start..error.span.end).is_some_and(|part| !part.is_empty())),
        }
    }
}
