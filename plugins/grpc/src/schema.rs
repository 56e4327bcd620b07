//! The types of a service's methods: compiled from `.proto` files, or read from a set of descriptors.

use std::collections::BTreeMap;

use prost::Message;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};
use prost_reflect::{DescriptorPool, MethodDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use stampede_plugin::{ConfigError, file};

/// Splits `package.Service/Method` into service and method.
pub(crate) fn parts(method: &str) -> Result<(&str, &str), ConfigError> {
    method.rsplit_once('/').ok_or_else(|| {
        let error = ConfigError::new(format!("`{method}` is not a method")).at("/method");
        error.help("write it as `package.Service/Method`")
    })
}

/// Finds a method.
pub(crate) fn find(pool: &DescriptorPool, method: &str) -> Result<MethodDescriptor, ConfigError> {
    let wrong = |message: String| ConfigError::new(message).at("/method");
    let (service, name) = parts(method)?;
    let Some(found) = pool.get_service_by_name(service) else {
        let known: Vec<_> = pool.services().map(|service| format!("`{}`", service.full_name())).collect();
        return Err(wrong(format!("there is no service `{service}`")).help(format!("there are: {}", known.join(", "))));
    };
    found.methods().find(|method| method.name() == name).ok_or_else(|| {
        let known: Vec<_> = found.methods().map(|method| format!("`{}`", method.name())).collect();
        wrong(format!("`{service}` has no method `{name}`")).help(format!("it has: {}", known.join(", ")))
    })
}

/// Reads a compiled set of descriptors.
pub(crate) fn decode(path: &str) -> Result<DescriptorPool, ConfigError> {
    let bytes = file::read(path)?;
    if let Ok(set) = FileDescriptorSet::decode(bytes.as_slice()) {
        set.file.iter().try_for_each(check_syntax)?;
    }
    let pool = DescriptorPool::decode(bytes.as_slice());
    pool.map_err(|error| ConfigError::new(format!("`{path}` is not a set of descriptors: {error}")))
}

/// Rejects a file in a language other than proto2 and proto3, such as an edition.
pub(crate) fn check_syntax(file: &FileDescriptorProto) -> Result<(), ConfigError> {
    match file.syntax() {
        "" | "proto2" | "proto3" => Ok(()),
        "editions" => Err(edition(file.name())),
        other => Err(ConfigError::new(format!("`{}` is in `{other}`, which is not supported", file.name()))),
    }
}

/// Creates the error of a file in an edition of protobuf.
fn edition(file: &str) -> ConfigError {
    let error = ConfigError::new(format!("`{file}` is in an edition of protobuf, and editions are not supported"));
    error.help("write it in `proto3`, or compile it for that")
}

/// Returns `true` if a source begins with `edition = …;`.
fn is_edition(source: &str) -> bool {
    let mut rest = source.trim_start();
    while let Some(comment) = rest.strip_prefix('/') {
        let end = match comment.as_bytes().first() {
            Some(b'/') => comment.find('\n').map(|end| end + 1),
            Some(b'*') => comment.find("*/").map(|end| end + 2),
            _ => None,
        };
        rest = end.map_or("", |end| comment[end..].trim_start());
    }
    rest.strip_prefix("edition").is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// Compiles the files that a step lists.
pub(crate) fn compile(paths: &[String]) -> Result<DescriptorPool, ConfigError> {
    let read = |path: &String| {
        let source = String::from_utf8(file::read(path)?);
        let source = source.map_err(|_| ConfigError::new(format!("`{path}` is not text")))?;
        // Some editors put a byte order mark in front.
        Ok((path.clone(), source.trim_start_matches('\u{feff}').to_owned()))
    };
    compile_sources(paths.iter().map(read).collect::<Result<_, _>>()?)
}

/// Compiles files that refer to each other by the names in their imports.
fn compile_sources(sources: Vec<(String, String)>) -> Result<DescriptorPool, ConfigError> {
    let mut imports = Vec::new();
    for (path, source) in &sources {
        if is_edition(source) {
            return Err(edition(path));
        }
        let parsed = File::from_source(path, source).map_err(|error| explain(&error, &sources))?;
        imports.extend(parsed.file_descriptor_proto().dependency.iter().cloned());
    }
    let sources: Vec<_> = sources.into_iter().map(|(path, source)| (imported_as(&path, &imports), source)).collect();
    let mut resolver = ChainFileResolver::new();
    resolver.add(ListedFiles(sources.iter().cloned().collect()));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    for (name, _) in &sources {
        compiler.open_file(name).map_err(|error| explain(&error, &sources))?;
    }
    Ok(compiler.descriptor_pool())
}

/// Returns the name by which other files import this one. A file that no other imports gets its path, in the form that
/// the compiler takes: relative, and not upwards.
fn imported_as(path: &str, imports: &[String]) -> String {
    let is_end = |import: &&String| {
        path.strip_suffix(import.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    imports.iter().find(is_end).cloned().unwrap_or_else(|| {
        let names = path.split('/').filter(|name| !matches!(*name, "" | "." | ".."));
        names.collect::<Vec<_>>().join("/")
    })
}

/// Converts an error of the compiler, with the file it is in.
fn explain(error: &protox::Error, sources: &[(String, String)]) -> ConfigError {
    if error.is_file_not_found() {
        return ConfigError::new(error.to_string()).help("list every file, those that others import too");
    }
    let source = error.file().and_then(|file| sources.iter().find(|(name, _)| name == file));
    let (Some((name, _)), text) = (source, error.to_string()) else { return ConfigError::new(error.to_string()) };
    if text.contains(name.as_str()) { ConfigError::new(text) } else { ConfigError::new(format!("`{name}`: {text}")) }
}

/// The files that the step lists, by the names they are imported as.
struct ListedFiles(BTreeMap<String, String>);

impl FileResolver for ListedFiles {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let source = self.0.get(name).ok_or_else(|| protox::Error::file_not_found(name))?;
        File::from_source(name, source)
    }
}

/// Compiles the text of one file.
#[cfg(test)]
pub(crate) fn compiled_text(name: &str, source: &str) -> DescriptorPool {
    compile_sources(vec![(name.to_owned(), source.to_owned())]).expect("a schema")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO: &str = r#"
        syntax = "proto3";
        package echo;
        import "common/kind.proto";
        import "google/protobuf/timestamp.proto";
        message Said { string text = 1; int64 times = 2; common.Kind kind = 3; google.protobuf.Timestamp at = 4; }
        service Echo {
            rpc Say(Said) returns (Said);
            rpc Hear(Said) returns (stream Said);
            rpc Tell(stream Said) returns (Said);
            rpc Talk(stream Said) returns (stream Said);
        }
    "#;

    /// Returns a method of a service whose schema has two files.
    fn method(name: &str) -> MethodDescriptor {
        let kind = "syntax = \"proto3\"; package common; enum Kind { NONE = 0; LOUD = 1; }";
        let sources = [("/proto/echo.proto", ECHO), ("../proto/common/kind.proto", kind)];
        let sources = sources.map(|(name, source)| (name.to_owned(), source.to_owned()));
        let pool = compile_sources(sources.into()).expect("a schema");
        let service = pool.get_service_by_name("echo.Echo").expect("the service");
        service.methods().find(|method| method.name() == name).expect("the method")
    }

    #[test]
    fn files_import_each_other_and_those_of_protobuf_by_name() {
        let kinds = ["Say", "Hear", "Tell", "Talk"].map(|name| {
            let method = method(name);
            (method.is_client_streaming(), method.is_server_streaming())
        });
        assert_eq!(kinds, [(false, false), (false, true), (true, false), (true, true)]);
    }

    #[test]
    fn a_schema_that_does_not_compile_is_reported_with_its_file() {
        let error = |source: &str| {
            let sources = vec![("a.proto".to_owned(), source.to_owned())];
            compile_sources(sources).map(drop).expect_err("no schema").message
        };
        assert!(error("syntax = \"proto3\"; message {").starts_with("`a.proto`: "), "{}", error("message {"));
        assert_eq!(error("syntax = \"proto3\"; import \"b.proto\";"), "import 'b.proto' not found");
    }

    #[test]
    fn editions_are_rejected_by_name() {
        let text = "`a.proto` is in an edition of protobuf, and editions are not supported";
        for source in [
            "edition = \"2023\"; package e;",
            "// Copyright\n/* of\n * someone */\n\nedition='2024';",
            "/**/edition\n= \"2023\";",
        ] {
            let sources = vec![("a.proto".to_owned(), source.to_owned())];
            assert_eq!(compile_sources(sources).map(drop).expect_err("an edition").message, text, "{source}");
        }
        for source in ["syntax = \"proto3\";", "// edition = \"2023\";\nsyntax = \"proto2\";", "", "/", "// no end"] {
            assert!(!is_edition(source), "{source}");
        }
        let file = |syntax: &str| FileDescriptorProto {
            name: Some("a.proto".to_owned()),
            syntax: Some(syntax.to_owned()),
            ..FileDescriptorProto::default()
        };
        assert_eq!(check_syntax(&file("editions")).expect_err("an edition").message, text);
        let other = check_syntax(&file("proto9")).expect_err("unknown").message;
        assert_eq!(other, "`a.proto` is in `proto9`, which is not supported");
        assert!(["", "proto2", "proto3"].iter().all(|syntax| check_syntax(&file(syntax)).is_ok()));
    }
}
