//! A file gives the same rows, and the same errors, whether it is loaded into memory or read row by row.

use std::fs::{self, File};
use std::path::Path;

use proptest::prelude::*;

use super::super::json_column::JsonColumn;
use super::super::load::{decode, parse_rows};
use super::super::problem::{DataFormat, FormatError};
use super::super::set::RowStore;
use super::super::{DataSet, FeedStrategy};
use super::*;

/// Loads the rows of a file into memory, and scans it.
fn both(name: &str, contents: &[u8]) -> (tempfile::TempDir, [Result<DataSet, FormatError>; 2]) {
    both_as(DataFormat::from_path(Path::new(name)).unwrap(), contents)
}

fn both_as(format: DataFormat, contents: &[u8]) -> (tempfile::TempDir, [Result<DataSet, FormatError>; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows");
    fs::write(&path, contents).unwrap();
    let memory = decode(contents).and_then(|text| parse_rows(&format, text)).map(RowStore::Memory);
    let file = match scan(File::open(path).unwrap(), format) {
        Ok(rows) => Ok(RowStore::File(rows)),
        Err(ScanError::Contents(problem)) => Err(problem),
        Err(ScanError::Io(error)) => panic!("{error}"),
    };
    (folder, [memory, file].map(|rows| rows.map(|rows| DataSet::new("x".into(), rows, FeedStrategy::default()))))
}

/// Returns all cells, the last row first, so that nothing is read in the order of the file.
fn cells(set: &DataSet) -> Vec<String> {
    let mut buffer = RowBuffer::default();
    let mut cells = Vec::new();
    for row in (0..set.rows()).rev() {
        for column in 0..set.columns().len().max(1) {
            let mut cell = String::new();
            set.append(row, column, &mut buffer, &mut cell).unwrap();
            cells.push(cell);
        }
    }
    cells
}

#[test]
fn a_file_gives_the_same_rows_from_where_it_is() {
    let cases: [(&str, &str); 13] = [
        ("a.csv", "a,b\n1,2\n3,4"),
        ("a.csv", "\u{feff} a , b\r\n1,2\r\n\r\n\r\n3, 4 \r\n"),
        ("a.csv", "a,\n\"x, \"\"y\"\"\nz\",1\n\n\"\",\"ü\"\n"),
        ("a.txt", "a\r\n\n  \n b \nc"),
        ("a.txt", "\u{feff}\n\na\n\n\n"),
        ("a.ndjson", "\"a\\n\\u00fc\"\n\n  1.10 \r\ntrue\nfalse"),
        ("a.jsonl", "{\"a\":1,\"b\":\"x\"}\n{\"b\":null,\"\\u0061\":\"\\\"\"}\n"),
        ("a.json", " [1, \"],[\\\"\", 2.50 ,\n true]\n"),
        ("a.json", "[{\"a\": 1}\n,\n{\"a\": \"}\"}]"),
        ("a.json", "[\"x\"]"),
        ("a.json", "[{\"a\": {\"b\" : [1.10, \"\\n\"]}, \"c\": []}]"),
        ("a.csv", "only\nx"),
        ("a.csv", "a,b\n,\n"),
    ];
    for (name, contents) in cases {
        let (_folder, sets) = both(name, contents.as_bytes());
        let [memory, file] = sets.map(Result::unwrap);
        assert_eq!(cells(&memory), cells(&file), "{contents}");
        assert_eq!(memory.columns(), file.columns(), "{contents}");
    }
}

#[test]
fn columns_at_paths_are_the_same_from_where_the_file_is() {
    let columns = [("b", "$.a.b"), ("last", "$.c[-1]")].map(|(name, path)| JsonColumn::new(name, path).unwrap());
    let rows = [r#"{"a": {"b": "\u00fc"}, "c": [1, 2.50]}"#, r#"{"c": [ {"d" : 1} ], "a": {"b": null}}"#];
    let (_folder, sets) = both_as(DataFormat::JsonLines(columns.clone().into()), rows.join("\n").as_bytes());
    for set in sets.map(Result::unwrap) {
        assert_eq!(set.columns(), ["b", "last"]);
        assert_eq!(cells(&set), ["", r#"{"d":1}"#, "ü", "2.50"]);
    }
    let array = format!("[{},\n{}]", rows[0], r#"{"a": 1}"#);
    let (_folder, sets) = both_as(DataFormat::JsonArray(columns.into()), array.as_bytes());
    let message = "column `b`: nothing at `$.a.b`".to_owned();
    assert!(sets.iter().all(|set| set.as_ref().err() == Some(&FormatError { line: 2, message: message.clone() })));
}

#[test]
fn a_file_read_row_by_row_gives_the_same_errors() {
    let cases: [(&str, &[u8]); 11] = [
        ("a.csv", b"a,b\n1\n"),
        ("a.csv", b"a,b\r\n1,\"2\n2\"\r\n\r\n3\r\n"),
        ("a.csv", b"a,a\n1,2\n"),
        ("a.csv", b"a\nok\n\"x\nk\xf6ln\"\n"),
        ("a.csv", b"k\xf6ln\n1\n"),
        ("a.txt", b"ok\nk\xf6ln\n"),
        ("a.ndjson", b"1\n2 3\n"),
        ("a.ndjson", b"{\"a\":1}\n{\"b\":1}\n"),
        ("a.json", b"\n{\"a\": 1}"),
        ("a.json", b"[1,\n\nnull]"),
        ("a.json", b"[1,\n{\"a\": 1}]"),
    ];
    for (name, contents) in cases {
        let (_folder, [memory, file]) = both(name, contents);
        assert_eq!(memory.err(), file.err(), "{}", String::from_utf8_lossy(contents));
    }
}

#[test]
fn a_file_without_rows_has_none() {
    for (name, contents) in [("a.csv", "a,b\n"), ("a.txt", "\n \n"), ("a.jsonl", "\n"), ("a.json", " [ ] ")] {
        let (_folder, sets) = both(name, contents.as_bytes());
        assert_eq!(sets.map(|set| set.unwrap().rows()), [0, 0], "{contents:?}");
    }
}

proptest! {
    #[test]
    fn any_cells_come_back(rows in prop::collection::vec(prop::array::uniform2("[a-z\",\n\rü ]{0,6}"), 1..40)) {
        let mut csv = ::csv::Writer::from_writer(Vec::new());
        csv.write_record(["a", "b"]).unwrap();
        let mut lines = String::new();
        for [a, b] in &rows {
            csv.write_record([a, b]).unwrap();
            lines += &(serde_json::json!({"a": a, "b": b}).to_string() + "\n");
        }
        let array = format!("[{}]", lines.trim_end().replace('\n', " ,\n"));
        let expected: Vec<String> = rows.iter().rev().flatten().cloned().collect();
        let files = [("x.csv", csv.into_inner().unwrap()), ("x.jsonl", lines.into()), ("x.json", array.into())];
        for (name, contents) in files {
            let (_folder, sets) = both(name, &contents);
            for set in sets {
                prop_assert_eq!(cells(&set.unwrap()), &expected[..], "{}", name);
            }
        }
    }
}

#[test]
fn a_file_that_changes_is_an_error_of_the_row() {
    for changed in ["a,b\n1,2,3,\n", "a,b\n", ""] {
        let (folder, sets) = both("a.csv", b"a,b\n1,2\n3,4\n");
        let [memory, file] = sets.map(Result::unwrap);
        fs::write(folder.path().join("rows"), changed).unwrap();
        let mut out = String::new();
        assert_eq!(file.append(1, 1, &mut RowBuffer::default(), &mut out), Err(RowReadError), "{changed:?}");
        assert_eq!(memory.append(1, 1, &mut RowBuffer::default(), &mut out), Ok(()));
    }
}

#[test]
fn files_share_a_buffer_and_reading_ahead_changes_nothing() {
    let (_first, a) = both("a.csv", b"a,b\n1,2\n3,4\n5,6\n");
    let (_second, b) = both("b.txt", b"x\ny\nz\n");
    let (a, b) = (
        a.into_iter().nth(1).unwrap().unwrap().with_file_number(0),
        b.into_iter().nth(1).unwrap().unwrap().with_file_number(1),
    );
    for mut buffer in [RowBuffer::default(), RowBuffer::with_read_ahead()] {
        let mut out = String::new();
        for row in 0..3 {
            a.append(row, 1, &mut buffer, &mut out).unwrap();
            b.append(row, 0, &mut buffer, &mut out).unwrap();
            a.append(row, 0, &mut buffer, &mut out).unwrap();
        }
        assert_eq!(out, "2x14y36z5");
    }
}
