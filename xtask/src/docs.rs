//! `cargo xtask docs`: builds the book with mdBook into `target/book`; with `--picture` draws the picture of a real
//! run instead.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Instant;

use xtask::step::{self, Failure};
use xtask::workspace::{build_release, ensure_target, root, target_folder, workspace_cargo};

/// The version of mdBook that builds the book.
const MDBOOK: &str = "0.5.4";

/// The target of links that leave the book.
const REPOSITORY: &str = "https://github.com/stampede-shooter/stampede-shooter/blob/main";

/// The run in the picture.
const PICTURED: &str = "demo --users 100 --rps 20 --duration 5s --verbose";

/// Builds the book, or draws the picture.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => build(),
        ["--picture"] => {
            ensure_target()?;
            let binary = build_release(&[])?;
            step::step("picture", || draw(&binary))
        }
        ["--picture", binary] => step::step("picture", || draw(Path::new(binary))),
        _ => Err(Failure("usage: cargo xtask docs [--picture [BINARY]]".into())),
    }
}

fn build() -> Result<(), Failure> {
    let mdbook = mdbook()?;
    let (source, book) = (target_folder().join("book-source"), target_folder().join("book"));
    // Pages of an earlier build that are gone now; there may have been none.
    let _ = fs::remove_dir_all(&source);
    step::step("copy", || copy(&root().join("docs"), &source, ""))?;
    step::run("mdbook", Command::new(mdbook).arg("build").arg(&source).arg("--dest-dir").arg(&book))?;
    // It lies among the pages, and mdBook copies files that are not pages.
    let _ = fs::remove_file(book.join("book.toml"));
    Ok(())
}

/// Returns the path of mdBook; installs it into `target/tools` if it is not there.
fn mdbook() -> Result<PathBuf, Failure> {
    let tools = target_folder().join("tools");
    let program = tools.join("bin").join(format!("mdbook{}", std::env::consts::EXE_SUFFIX));
    let version = Command::new(&program).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    if !String::from_utf8_lossy(&version).contains(MDBOOK) {
        let features = ["--no-default-features", "--features", "search", "--root"];
        let mut install = workspace_cargo(&["install", "mdbook", "--locked", "--version", MDBOOK]);
        step::run("cargo install mdbook", install.args(features).arg(&tools))?;
    }
    Ok(program)
}

/// Copies a folder of the book. Links to files of the repository outside of it become links to the repository's site.
fn copy(from: &Path, to: &Path, inside: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure(format!("step `copy` failed: `{}`: {error}", from.display()));
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            copy(&path, &to.join(&name), &format!("{inside}{name}/"))?;
        } else if let (true, Ok(text)) = (name.ends_with(".md"), fs::read_to_string(&path)) {
            fs::write(to.join(name), absolute(&text, inside)).map_err(failed)?;
        } else {
            fs::copy(&path, to.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}

/// Makes the links and includes of a page absolute that lead out of the book. `inside` is the page's folder in it.
fn absolute(text: &str, inside: &str) -> String {
    let climb = format!("{}../", "../".repeat(inside.matches('/').count()));
    let linked = text.replace(&format!("]({climb}"), &format!("]({REPOSITORY}/"));
    linked.replace(&format!("{{{{#include {climb}"), &format!("{{{{#include {}/", root().display()))
}

/// A line of the run, with its time in seconds after the start.
type Line = (f64, String);

/// Runs the real program against its own site, and draws its output.
fn draw(binary: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure(format!("step `picture` failed: {error}"));
    let mut command = Command::new(binary);
    command.args(PICTURED.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (sender, lines) = mpsc::channel();
    collect(child.stdout.take(), sender.clone());
    collect(child.stderr.take(), sender);
    let lines: Vec<Line> = lines.iter().collect();
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(Failure(format!("step `picture` failed: the run: {status}")));
    }
    fs::write(root().join("docs/picture.svg"), svg(&lines)).map_err(failed)
}

/// Sends on the lines of a stream, with their times.
#[allow(
    clippy::disallowed_methods,
    reason = "xtask does not depend on the load runner, whose clock a picture does not need"
)]
fn collect(stream: Option<impl Read + Send + 'static>, lines: Sender<Line>) {
    let start = Instant::now();
    let read = move || {
        for line in stream.into_iter().flat_map(|stream| BufReader::new(stream).lines()).map_while(Result::ok) {
            // The other side is there until both streams have ended.
            let _ = lines.send((start.elapsed().as_secs_f64(), line));
        }
    };
    thread::spawn(read);
}

/// Draws a terminal in which each line appears at its time. A viewer without animations shows all of them.
fn svg(lines: &[Line]) -> String {
    const LINE: usize = 18;
    let command: Line = (0.0, format!("$ stampede-shooter {PICTURED}"));
    let all: Vec<&Line> = [&command].into_iter().chain(lines).collect();
    let columns = all.iter().map(|(_, line)| line.chars().count()).max().unwrap_or_default();
    let (width, height) = (columns * 8 + 40, all.len() * LINE + 58);
    let mut svg = format!(
        "<!-- Drawn by `cargo xtask docs --picture`. -->\n<svg xmlns=\"http://www.w3.org/2000/svg\" \
         viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" \
         aria-label=\"A run of stampede-shooter in a terminal\">\n<style>\n\
         text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre; \
         fill: #d5dae3 }}\n\
         .typed {{ fill: #8fd694 }}\n@keyframes wait {{ from, to {{ opacity: 0 }} }}\n\
         @media (prefers-reduced-motion: no-preference) {{ .line {{ animation-name: wait }} }}\n</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#1b1f27\" stroke=\"#5b6474\"/>\n\
         <circle cx=\"20\" cy=\"18\" r=\"5\" fill=\"#e06c75\"/><circle cx=\"38\" cy=\"18\" r=\"5\" fill=\"#e5c07b\"/>\
         <circle cx=\"56\" cy=\"18\" r=\"5\" fill=\"#8fd694\"/>\n"
    );
    for (number, (seconds, line)) in all.into_iter().enumerate() {
        let class = if number == 0 { "typed" } else { "line" };
        let text = line.replace('&', "&amp;").replace('<', "&lt;");
        let y = 50 + number * LINE;
        let _ = writeln!(
            svg,
            "<text class=\"{class}\" style=\"animation-duration:{seconds:.2}s\" x=\"20\" y=\"{y}\" \
             xml:space=\"preserve\">{text}</text>"
        );
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_that_leave_the_book_become_absolute() {
        let page = "[a](../guide/a.md) [b](../../README.md) [c](https://site/)";
        let expected = format!("[a](../guide/a.md) [b]({REPOSITORY}/README.md) [c](https://site/)");
        assert_eq!(absolute(page, "plugins/"), expected);
        assert_eq!(
            absolute("[a](guide/a.md) [b](../README.md)", ""),
            format!("[a](guide/a.md) [b]({REPOSITORY}/README.md)")
        );
    }

    #[test]
    fn the_picture_holds_every_line_with_its_time() {
        let picture = svg(&[(1.5, "a <b>".into()), (2.0, "──".into())]);
        assert!(
            picture.contains("animation-duration:1.50s\" x=\"20\" y=\"68\" xml:space=\"preserve\">a &lt;b></text>"),
            "{picture}"
        );
        assert!(picture.ends_with("──</text>\n</svg>\n"));
    }
}
