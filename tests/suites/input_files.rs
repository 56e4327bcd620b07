//! Data files and env-files: every row and every value is read as it stands, or the run does not begin.

use stampede_tests::{Finished, RawServer, Run};

use crate::shooter;

/// Returns the bodies that a target got.
fn bodies(target: &RawServer) -> Vec<String> {
    target.take().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect()
}

/// Runs a script of one step whose body is a template.
fn posting(target: &RawServer, keys: &str, body: &str) -> Run {
    let script = format!("{keys}\nsteps:\n  - {{name: Post, method: POST, url: /, body: '{body}'}}\n");
    shooter().script(&script).arg("--base-url").arg(target.base_url())
}

#[test]
fn values_of_an_env_file_are_the_text_as_it_stands() {
    let file = "\u{feff}A=pa$$w0rd\r\nB={\"a\":\"b\"}\nC=x${HOME}y\nD=two words\nE=C:\\temp\n# F=no\nexport F='abc$def'\n\
                G=ab #cd\nH=\"line1\nline2\"\nmy-key=1\nI=\n";
    let target = RawServer::recording();
    let names = ["A", "B", "C", "D", "E", "F", "G", "H", "my-key", "I"];
    let body: Vec<_> = names.iter().map(|name| format!("{{{{env {name}}}}}")).collect();
    let run = posting(&target, "", &body.join("~")).file("values.env", file).args("--env-file values.env");
    run.finish().exits(0);
    let sent = "pa$$w0rd~{\"a\":\"b\"}~x${HOME}y~two words~C:\\temp~abc$def~ab #cd~line1\nline2~1~";
    assert_eq!(bodies(&target), [sent]);
}

#[test]
fn lines_of_an_env_file_that_set_nothing_are_shown_without_values() {
    let file = "A=1\nnonsense s3cret\nB='s3cret\n2x=s3cret\nC=\"a\"s3cret\nD=2\n";
    let run = shooter().args("check").script("- {name: Page, url: /}\n").file("values.env", file);
    let run = run.args("--base-url http://127.0.0.1:9 --env-file values.env").finish().exits(2);
    let expected = "error[usage::env-file]: a line is not `NAME=VALUE`
 --> values.env:2:1
  |
2 | …
  | ^ no `=`
  |
  = help: a value of several lines stands in quotes

error[usage::env-file]: a quote is never closed
 --> values.env:3:3
  |
3 | B='…
  |   ^ opened here
  |
  = help: close it, or remove it: a value needs no quotes

error[usage::env-file]: a line does not begin with a name
 --> values.env:4:1
  |
4 | …
  | ^ not a name
  |
  = help: use letters, digits, `_`, `-` and `.`, and begin with a letter or `_`

error[usage::env-file]: text follows a value in quotes
 --> values.env:5:3
  |
5 | C=\"…
  |   ^ opened here
  |
  = help: put the whole value in quotes of the other kind, or in none: a value needs no quotes
";
    assert_eq!(run.stderr, expected);
}

/// Runs `check` on a data set that stands in a file.
fn check(name: &str, contents: impl AsRef<[u8]>, keys: &str) -> Finished {
    let script = format!(
        "data:\n  d: {{file: {name}{keys}}}\nsteps:\n  - {{name: Page, url: 'http://127.0.0.1:9/?q={{{{next d.name}}}}'}}\n"
    );
    shooter().args("check").file(name, contents).script(&script).finish()
}

#[test]
fn a_quote_that_is_never_closed_is_an_error_at_its_place() {
    let rows: String =
        (0..1_000).map(|row| format!("{row},{}name {row}\n", if row == 1 { "\"" } else { "" })).collect();
    let run = check("names.csv", format!("id,name\n{rows}"), "").exits(3);
    assert!(run.stderr.contains("`names.csv`, line 3: the quote in column 3 is never closed"), "{}", run.stderr);
    let run = check("names.csv", "name\n\"a\"b\n", "").exits(3);
    assert!(run.stderr.contains("line 2: column 4: text follows the closing quote"), "{}", run.stderr);
}

#[test]
fn check_shows_the_size_and_the_first_row_of_each_data_set() {
    let script = "
data:
  users: {file: users.csv, secret: [password]}
  movies: [alien, heat]
steps:
  - {name: Page, url: 'http://127.0.0.1:9/?q={{next users.name}}&m={{pick movies}}&t={{env TOKEN}}'}
";
    let long = "x".repeat(50);
    let users = format!("name,password,note,token\n\"Ann\nB.\",hunter2,{long},s3cret-token\nbob,1,2,3\n");
    let run = shooter().args("check").file("users.csv", users).script(script).env("TOKEN", "s3cret-token");
    let run = run.finish().exits(0);
    let expected = format!(
        "Data set users has 2 rows of 4 columns; the first has name `Ann B.`, password `***`, note `{}…`, token `***`.\n\
         Data set movies has 2 rows; the first is `alien`.\n",
        &long[..40]
    );
    assert!(run.stdout.contains(&expected), "{}", run.stdout);
}

#[test]
fn blank_lines_of_a_csv_file_are_no_rows() {
    let run = check("names.csv", "name,city\nann,Rome\n  \nbob,Turin\n\t\n\n", "").exits(0);
    assert!(run.stdout.contains("Data set d has 2 rows of 2 columns"), "{}", run.stdout);
}

#[test]
fn separators_are_named_or_told_by_the_first_line() {
    for (name, contents, keys) in [
        ("a.csv", "name;city\nann;Rome\n", ""),
        ("a.csv", "name\tcity\r\nann\tRome\r\n", ""),
        ("a.csv", "name|city\nann|Rome\n", ""),
        ("a.tsv", "name\tcity\nann\tRome\n", ""),
        ("a.csv", "name;city,country\nann;Rome\n", ", separator: ;"),
        ("a.csv", "name\tcity,country\nann\tRome\n", ", separator: tab"),
        ("a.csv", "name\tcity,country\nann\tRome\n", ", separator: \"\\t\""),
        ("a.csv", "name,city\nann,Rome\n", ", separator: ','"),
    ] {
        let run = check(name, contents, keys).exits(0);
        assert!(
            run.stdout.contains("has 1 row of 2 columns; the first has name `ann`,"),
            "{contents:?}{keys}: {}",
            run.stdout
        );
    }
}

#[test]
fn compressed_files_are_read() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write as _;
    for (name, contents) in [("a.csv.gz", "id,name\n1,ann\n"), ("a.ndjson.GZ", "{\"id\": 1, \"name\": \"ann\"}\n")] {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(contents.as_bytes()).expect("memory takes it");
        let bytes = gzip.finish().expect("memory takes it");
        let run = check(name, &bytes, "").exits(0);
        assert!(run.stdout.contains("has 1 row of 2 columns; the first has id `1`, name `ann`."), "{}", run.stdout);
        let run = check(name, &bytes[..bytes.len() / 2], "").exits(3);
        assert!(run.stderr.contains("can't be read"), "{}", run.stderr);
    }
}

#[test]
fn byte_order_marks_are_no_part_of_json() {
    let run = check("a.json", "\u{feff}[{\"name\": \"ann\"}]", "").exits(0);
    assert!(run.stdout.contains("has 1 row of 1 column; the first has name `ann`."), "{}", run.stdout);
    let target = RawServer::start(|request| {
        let content = if request.line.starts_with("GET") { "\u{feff}{\"id\": 7.0}" } else { "" };
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{content}", content.len()).into_bytes()
    });
    let script = "
- {name: Get, url: /, capture: {id: {json: $.id}}, checks: {id: {json: {path: $.id, equals: 7}}}}
- {when: 'reply.json.id == 7.0', steps: [{name: Post, method: POST, url: /, body: '{{var id}}'}]}
";
    let run = shooter().script(script).arg("--base-url").arg(target.base_url()).report().finish().exits(0);
    assert_eq!(run.report().row("Get").ok(), 1, "{}", run.stdout);
    assert_eq!(bodies(&target), ["", "7.0"]);
}
