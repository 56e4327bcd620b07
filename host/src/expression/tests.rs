//! Conditions as a whole: text in, truth or error out.

use super::*;
use crate::template::Variables;

/// Evaluates a condition for a user with variables and a last exchange; returns the result and the warning.
fn evaluate(text: &str) -> (bool, Option<String>) {
    let mut names = VariableNames::default();
    let expression = Expression::compile(text, &mut names).expect(text);
    let mut variables = Variables::default();
    for (id, name) in names.iter() {
        match name {
            "state" => variables.set(id, "pending"),
            "count" => variables.set(id, "12"),
            _ => {}
        }
    }
    let last = LastExchange {
        status: 404,
        latency: 12.5,
        size: 9_000_000_000,
        body: (&br#"{"items": [{"id": 3, "price": 1.5}, {"id": 7}], "big": 18446744073709551615, "none": null}"#[..])
            .into(),
        json: std::cell::OnceCell::new(),
        headers: vec![("content-type".into(), "application/json".into())],
    };
    let inputs =
        ExpressionInputs { variables: &variables, last: &last, passed: false, user: 5, iteration: 2, round: 3 };
    let mut warned = None;
    let holds = expression.holds(&CelContext::default(), &inputs, |_, why| warned = Some(why.to_owned()));
    (holds, warned)
}

#[test]
fn conditions_that_hold() {
    for text in [
        "true",
        r#"vars.state == "pending""#,
        r#"vars["state"].startsWith("pen")"#,
        r#"vars.never_set == """#,
        "int(vars.count) > 11",
        "reply.status == 404 && !passed",
        "reply.status >= 400 && reply.status < 500",
        "reply.latency > 12.0 && reply.latency < 13.0",
        "reply.size > 8000000000",
        r#"reply.body.contains("price")"#,
        r#"reply.body.matches("[0-9]+")"#,
        "reply.json.items[0].id == 3",
        "reply.json.items[0].price < 2.0",
        "reply.json.items.exists(item, item.id == 7)",
        "reply.json.items.map(i, i.id) == [3, 7]",
        "size(reply.json.items) == 2",
        "!has(reply.json.other) && has(reply.json.items)",
        "reply.json.none == null",
        r#"reply.headers["content-type"].endsWith("json")"#,
        r#""etag" in reply.headers == false"#,
        "user % 2 == 1 && iteration == 2 && round == 3",
        r#"user == 5 ? vars.state != "" : false"#,
    ] {
        assert_eq!(evaluate(text), (true, None), "{text}");
    }
}

#[test]
fn conditions_that_do_not_hold() {
    for text in ["false", "passed", "reply.status == 200", r#"vars.state == "Pending""#, "round < 3"] {
        assert_eq!(evaluate(text), (false, None), "{text}");
    }
}

#[test]
fn a_condition_without_a_value_does_not_hold_and_shows_no_value() {
    for (text, why) in [
        ("reply.json.other == 1", "there is no `other`"),
        ("reply.json.items[9].id == 1", "a list is shorter than that"),
        ("vars.count > 11", "the values are of types that do not go together"),
        ("int(vars.state) > 1", "`int` does not take such a value"),
        ("vars.state", "it is neither true nor false"),
        ("1 / (user - 5) == 1", "it divides by zero"),
    ] {
        let (holds, warned) = evaluate(text);
        let warned = warned.unwrap_or_default();
        assert!(!holds && warned.starts_with(why), "{text}: {warned}");
        assert!(!warned.contains("pending") && !warned.contains("12"), "{warned}");
    }
}

#[test]
fn one_warning_is_enough() {
    let expression = Expression::compile("reply.json.a == 1", &mut VariableNames::default()).unwrap();
    let (variables, last) = (Variables::default(), LastExchange::empty());
    let inputs = ExpressionInputs { variables: &variables, last: &last, passed: true, user: 0, iteration: 0, round: 0 };
    let (cel, mut warnings) = (CelContext::default(), 0);
    for _ in 0..3 {
        assert!(!expression.holds(&cel, &inputs, |_, _| warnings += 1));
    }
    assert_eq!(warnings, 1);
}

#[test]
fn errors_are_reported_at_their_place() {
    for (text, part, message) in [
        ("vars.a ==", "", "this is not an expression"),
        ("token == \"x\"", "token", "`token` is not a name of an expression"),
        ("reply.statu == 200", "reply.statu", "a reply has no `statu`"),
        ("user == 1 && reply == 2", "reply", "`reply` is not a value by itself"),
        ("size(vars) == 2", "vars", "`vars` is not a value by itself"),
        ("reply.json.all(a, reply.json.exists(b, b == a))", "", "a loop is within another loop"),
        ("[1].all(x, y == x)", "y", "`y` is not a name of an expression"),
    ] {
        let error = Expression::compile(text, &mut VariableNames::default()).expect_err(text);
        assert_eq!(error.message, message, "{text}");
        if !part.is_empty() {
            assert_eq!(&text[error.span.start..error.span.end], part, "{text}");
        }
        assert!(error.span.end <= text.len() && error.span.start < text.len(), "{text}");
    }
}

#[test]
fn only_the_parts_that_are_read_are_kept() {
    for (text, detail) in [
        ("vars.a == \"\"", ReplyDetail::Nothing),
        ("passed", ReplyDetail::Nothing),
        ("reply.status == 1", ReplyDetail::Numbers),
        ("reply.latency > 1.0 && \"etag\" in reply.headers", ReplyDetail::Headers),
        ("reply.status == 1 || has(reply.json.a)", ReplyDetail::Content),
    ] {
        let expression = Expression::compile(text, &mut VariableNames::default()).unwrap();
        assert_eq!(expression.reply_detail(), detail, "{text}");
    }
}
