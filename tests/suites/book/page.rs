//! A Markdown document as the rules look at it: its blocks of code, its links and its headings.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A block of code.
#[derive(Debug)]
pub(super) struct Block {
    /// The line of its fence, from 1.
    pub line: usize,
    /// The first word after the fence; empty if there is none.
    pub language: String,
    /// The other words.
    pub words: Vec<String>,
    /// The text between the fences.
    pub text: String,
}

impl Block {
    /// `true` if one of the words after the language is this one.
    pub(super) fn is(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    /// Returns the name in `file=NAME`.
    pub(super) fn file(&self) -> Option<&str> {
        self.words.iter().find_map(|word| word.strip_prefix("file="))
    }
}

/// A link or a picture.
#[derive(Debug)]
pub(super) struct Link {
    /// Its line, from 1.
    pub line: usize,
    /// Its target, as typed.
    pub target: String,
}

/// A document.
#[derive(Debug)]
pub(super) struct Page {
    /// Its path from the root of the repository, with `/`.
    pub path: String,
    /// Its blocks of code, in the order of the text.
    pub blocks: Vec<Block>,
    /// Its links and pictures, in the order of the text.
    pub links: Vec<Link>,
    /// The names by which its headings are linked to.
    pub anchors: BTreeSet<String>,
}

impl Page {
    /// Parses a document.
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let line = |offset: usize| 1 + text[..offset].matches('\n').count();
        let mut page = Self { path: path.to_owned(), blocks: Vec::new(), links: Vec::new(), anchors: BTreeSet::new() };
        let (mut block, mut heading): (Option<Block>, Option<String>) = (None, None);
        let mut taken = BTreeMap::new();
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    let mut words = info.split_whitespace().map(str::to_owned);
                    let language = words.next().unwrap_or_default();
                    block =
                        Some(Block { line: line(range.start), language, words: words.collect(), text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let name = slug(&heading.take().unwrap_or_default());
                    let earlier = taken.entry(name.clone()).and_modify(|count| *count += 1).or_insert(0);
                    page.anchors.insert(if *earlier == 0 { name } else { format!("{name}-{earlier}") });
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(Link { line: line(range.start), target: dest_url.to_string() });
                }
                Event::Text(part) | Event::Code(part) => {
                    if let Some(block) = &mut block {
                        block.text += &part;
                    } else if let Some(heading) = &mut heading {
                        *heading += &part;
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// Returns the path of a relative link's target, from the root.
    pub(super) fn resolve(&self, link: &str) -> String {
        let mut parts: Vec<_> = self.path.split('/').collect();
        parts.pop();
        for part in link.split('/') {
            match part {
                ".." => drop(parts.pop()),
                "." | "" => {}
                part => parts.push(part),
            }
        }
        parts.join("/")
    }
}

/// Returns the anchor of a heading, as mdBook and GitHub make it.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|sign| match sign {
        ' ' => Some('-'),
        '-' | '_' => Some(sign),
        sign => sign.is_alphanumeric().then_some(sign),
    });
    kept.flat_map(char::to_lowercase).collect()
}

#[test]
fn blocks_links_and_anchors_are_found() {
    let text = "# A, b\n# A b\n\n```yaml fragment file=x.yml\na: 1\n```\n\n- in a list\n\n  ```sh\n  ls\n  ```\n\n\
                ![p](p.svg)\n";
    let page = Page::parse("docs/guide/a.md", text);
    assert_eq!(page.anchors, BTreeSet::from(["a-b".to_owned(), "a-b-1".to_owned()]));
    let [yaml, sh] = &page.blocks[..] else { panic!("{:?}", page.blocks) };
    assert_eq!(
        (yaml.line, yaml.language.as_str(), yaml.file(), yaml.text.as_str()),
        (4, "yaml", Some("x.yml"), "a: 1\n")
    );
    assert!(yaml.is("fragment") && !yaml.is("cases"));
    assert_eq!((sh.language.as_str(), sh.text.as_str()), ("sh", "ls\n"));
    assert_eq!(page.resolve("../p.svg"), "docs/p.svg");
    assert_eq!(page.links[0].target, "p.svg");
}
