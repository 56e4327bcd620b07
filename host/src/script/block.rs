//! Lists of steps and what may stand in a step's place: blocks, which time steps together, choose among them, take them
//! at once, include those of another file, or do any of that under a condition or several times.

use std::sync::Arc;

use super::decode::Decoder;
use super::model::{Block, Body, Branch, Control, Item, Node, Spanned, Value};
use super::repetition;
use super::values::{Entries, Mistake};
use super::yaml::read;
use crate::diagnostic::{Diagnostics, Source, Span};

/// The keys of a block: its name, its body, and when and how often, in the order of the reference.
pub const KEYS: [&str; 10] =
    ["group", "steps", "choose", "parallel", "include", "when", "else", "while", "repeat", "retry"];
/// Those of them that say what a block consists of: one of them must be there.
const BODIES: [&str; 4] = ["steps", "choose", "parallel", "include"];
/// The keys of a branch of `choose`.
pub const BRANCH_KEYS: [&str; 2] = ["weight", "steps"];

const STEPS_HELP: &str = "begin each step with `- name: …`";
const BLOCK_HELP: &str = "for example `- {group: Checkout, steps: [{name: Pay, url: /pay}]}`";
const CHOOSE_HELP: &str = "for example `- choose: [{weight: 3, steps: […]}, {steps: […]}]`";

/// Reads the steps of a file that a script includes: a list.
///
/// # Errors
/// All mistakes in it.
pub fn parse_included(source: &Arc<Source>) -> Result<Vec<Item>, Diagnostics> {
    let root = read(source)?;
    let mut decoder = Decoder::new(source);
    let items = match root.value {
        Value::List(_) => decoder.own_steps("steps", root),
        _ => {
            let message = "an included file must be a list of steps";
            decoder.reader.wrong_kind(message, &root, STEPS_HELP);
            Vec::new()
        }
    };
    let (_, mut found) = decoder.finish();
    found.0.sort_by_key(|mistake| mistake.place.as_ref().map(|place| place.span.start));
    found.into_result(items)
}

impl Decoder {
    /// A list of steps and what may stand in their place.
    pub fn items(&mut self, key: &str, node: Node) -> Vec<Item> {
        let Value::List(items) = node.value else {
            self.reader.wrong_type(key, &node, "a list", STEPS_HELP);
            return Vec::new();
        };
        if items.is_empty() {
            let message = if key == "steps" { "a script needs at least one step" } else { "there are no steps" };
            let mistake = Mistake { code: "script::empty", message, label: "no steps", help: STEPS_HELP };
            self.reader.report(node.span, &mistake);
        }
        items.into_iter().filter_map(|item| self.item(item)).collect()
    }

    fn item(&mut self, node: Node) -> Option<Item> {
        let span = node.span;
        match node.value {
            Value::Map(entries) if is_block(&entries) => {
                self.block(entries, span).map(|block| Item::Block(Box::new(block)))
            }
            value => self.step(Node { value, span }, None).map(|step| Item::Step(Box::new(step))),
        }
    }

    fn block(&mut self, entries: Entries, span: Span) -> Option<Block> {
        let (mut group, mut control) = (None, Control::default());
        let mut body: Option<(String, Node)> = None;
        let mut otherwise = None;
        let is_group = entries.iter().any(|(key, _)| key.value == "group");
        for (key, node) in entries {
            match key.value.as_str() {
                "group" => group = self.reader.some_text("group", node, "Checkout"),
                "else" => otherwise = Some((key.span, node)),
                known if repetition::KEYS.contains(&known) => control.entry(&mut self.reader, known, node),
                known if BODIES.contains(&known) => match &body {
                    None => body = Some((key.value, node)),
                    Some((first, _)) => self.second_body(first, &key),
                },
                _ => self.reader.unknown_key(&key, if is_group { "a group" } else { "a block" }, &KEYS),
            }
        }
        group.iter().for_each(|name| self.register(name));
        if let (Some((span, _)), None) = (&otherwise, &control.when) {
            let (message, label) = ("`else` stands without a `when`", "instead of what");
            let help = "add `when: EXPRESSION` to the block, or leave `else` out";
            self.reader.report(*span, &Mistake { code: "script::block", message, label, help });
        }
        let Some((key, node)) = body else { return self.no_body(span, is_group) };
        let body = match key.as_str() {
            "choose" => Body::Choose(self.branches(node)),
            "parallel" => self.parallel(node),
            "include" => Body::Include(self.reader.some_text("include", node, "browse.yml")?),
            _ => Body::Steps(self.items("steps", node)),
        };
        let otherwise = otherwise.map(|(_, node)| self.items("else", node)).unwrap_or_default();
        if is_group && group.is_none() {
            return None;
        }
        let source = Arc::clone(&self.reader.source);
        Some(Block { source, span, group, control, body, otherwise })
    }

    fn second_body(&mut self, first: &str, key: &Spanned<String>) {
        let message = format!("a block has `{}` besides `{first}`", key.value);
        let help = "put one of them into a block of its own";
        let mistake = Mistake { code: "script::block", message: &message, label: "second body", help };
        self.reader.report(key.span, &mistake);
    }

    fn no_body(&mut self, span: Span, is_group: bool) -> Option<Block> {
        let message = if is_group { "a group has no `steps`" } else { "a block has no `steps`" };
        let label = if is_group { "this group" } else { "this block" };
        self.reader.report(span, &Mistake { code: "script::missing-key", message, label, help: BLOCK_HELP });
        None
    }

    /// `choose`: a list of weights and steps.
    fn branches(&mut self, node: Node) -> Vec<Branch> {
        let span = node.span;
        let Value::List(items) = node.value else {
            self.reader.wrong_type("choose", &node, "a list", CHOOSE_HELP);
            return Vec::new();
        };
        if items.is_empty() {
            let (message, label) = ("`choose` has nothing to choose from", "no branches");
            self.reader.report(span, &Mistake { code: "script::empty", message, label, help: CHOOSE_HELP });
        }
        items.into_iter().filter_map(|item| self.branch(item)).collect()
    }

    fn branch(&mut self, node: Node) -> Option<Branch> {
        let span = node.span;
        let (mut weight, mut items) = (None, None);
        let Value::Map(entries) = node.value else {
            self.reader.wrong_kind("a branch of `choose` must be a mapping", &node, CHOOSE_HELP);
            return None;
        };
        for (key, node) in entries {
            match key.value.as_str() {
                "weight" => weight = self.reader.positive("weight", &node),
                "steps" => items = Some(self.items("steps", node)),
                _ => self.reader.unknown_key(&key, "a branch of `choose`", &BRANCH_KEYS),
            }
        }
        if items.is_none() {
            let (message, label) = ("a branch of `choose` has no `steps`", "this branch");
            self.reader.report(span, &Mistake { code: "script::missing-key", message, label, help: CHOOSE_HELP });
        }
        Some(Branch { weight, items: items? })
    }

    /// `parallel`: a list of items, none of which has a `parallel` in it.
    fn parallel(&mut self, node: Node) -> Body {
        let items = self.items("parallel", node);
        let mut within = Vec::new();
        items.iter().for_each(|item| parallels(item, &mut within));
        for span in within {
            let (message, label) = ("a `parallel` stands within another", "within another");
            let help = "what is within one is at once already: put its steps beside the others";
            self.reader.report(span, &Mistake { code: "script::block", message, label, help });
        }
        if items.len() > MOST_LANES {
            let message = format!("`parallel` takes {MOST_LANES} things at once at most");
            self.reader.report(
                node_span(&items),
                &Mistake { code: "script::range", message: &message, label: "too many", help: STEPS_HELP },
            );
        }
        Body::Parallel(items)
    }
}

/// Most things that one user does at once; far more than a browser.
const MOST_LANES: usize = 64;

/// Where a list of items begins.
fn node_span(items: &[Item]) -> Span {
    match items.first() {
        Some(Item::Step(step)) => step.span,
        Some(Item::Block(block)) => block.span,
        None => Span::default(),
    }
}

/// Whether a mapping stands for a block. A step with a parameter `steps` has a name.
fn is_block(entries: &Entries) -> bool {
    let has = |wanted: &str| entries.iter().any(|(key, _)| key.value == wanted);
    has("group") || has("choose") || has("parallel") || has("include") || (has("steps") && !has("name"))
}

/// The blocks in an item that take things at once.
fn parallels(item: &Item, found: &mut Vec<Span>) {
    let Item::Block(block) = item else { return };
    if matches!(block.body, Body::Parallel(_)) {
        found.push(block.span);
    }
    block.lists().flatten().for_each(|item| parallels(item, found));
}
