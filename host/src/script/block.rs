//! Lists of steps and blocks. A block stands in the place of a step: it times steps together, chooses among them, runs
//! them in parallel, includes those of another file, or does any of that under a condition or several times.

use std::sync::Arc;

use super::decode::ScriptDecoder;
use super::model::{BlockBody, BlockSpec, Branch, FlowItem, Node, NodeValue, Repetition, Spanned};
use super::value_reader::{DiagnosticText, Entries};
use super::yaml::read;
use crate::diagnostic::{Diagnostics, SourceText, Span};

/// The keys of a block, in the order of the reference: its name, its body, and its repetition.
pub(super) const KEYS: [&str; 10] =
    ["group", "steps", "choose", "parallel", "include", "when", "else", "while", "repeat", "retry"];
/// The keys that give a block its body. Exactly one of them must be there.
const BODIES: [&str; 4] = ["steps", "choose", "parallel", "include"];
/// The keys of a branch of `choose`.
pub(super) const BRANCH_KEYS: [&str; 2] = ["weight", "steps"];

const STEPS_HELP: &str = "begin each step with `- name: …`";
const BLOCK_HELP: &str = "for example `- {group: Checkout, steps: [{name: Pay, url: /pay}]}`";
const CHOOSE_HELP: &str = "for example `- choose: [{weight: 3, steps: […]}, {steps: […]}]`";

/// Reads the steps of a file that a script includes: a list.
///
/// # Errors
/// The file is not a list of valid steps; all its errors are returned.
pub fn parse_included(source: &Arc<SourceText>) -> Result<Vec<FlowItem>, Diagnostics> {
    let root = read(source)?;
    let mut decoder = ScriptDecoder::new(source);
    let items = match root.value {
        NodeValue::List(_) => decoder.independent_steps("steps", root),
        _ => {
            let message = "an included file must be a list of steps";
            decoder.reader.type_mismatch(message, &root, STEPS_HELP);
            Vec::new()
        }
    };
    let (_, mut diagnostics) = decoder.finish();
    diagnostics.0.sort_by_key(|diagnostic| diagnostic.location.as_ref().map(|place| place.span.start));
    diagnostics.into_result(items)
}

impl ScriptDecoder {
    /// Reads a list of steps and blocks.
    pub(crate) fn items(&mut self, key: &str, node: Node) -> Vec<FlowItem> {
        let NodeValue::List(items) = node.value else {
            self.reader.wrong_type(key, &node, "a list", STEPS_HELP);
            return Vec::new();
        };
        if items.is_empty() {
            let message = if key == "steps" { "a script needs at least one step" } else { "there are no steps" };
            let diagnostic = DiagnosticText { code: "script::empty", message, label: "no steps", help: STEPS_HELP };
            self.reader.report(node.span, &diagnostic);
        }
        items.into_iter().filter_map(|item| self.item(item)).collect()
    }

    fn item(&mut self, node: Node) -> Option<FlowItem> {
        let span = node.span;
        match node.value {
            NodeValue::Map(entries) if is_block(&entries) => {
                self.block(entries, span).map(|block| FlowItem::Block(Box::new(block)))
            }
            value => self.step(Node { value, span }, None).map(|step| FlowItem::Step(Box::new(step))),
        }
    }

    fn block(&mut self, entries: Entries, span: Span) -> Option<BlockSpec> {
        let (mut group, mut repetition) = (None, Repetition::default());
        let mut body: Option<(String, Node)> = None;
        let mut otherwise = None;
        let is_group = entries.iter().any(|(key, _)| key.value == "group");
        for (key, node) in entries {
            match key.value.as_str() {
                "group" => group = self.reader.non_empty_text("group", node, "Checkout"),
                "else" => otherwise = Some((key.span, node)),
                known if super::repetition::KEYS.contains(&known) => {
                    repetition.read_entry(&mut self.reader, known, node)
                }
                known if BODIES.contains(&known) => match &body {
                    None => body = Some((key.value, node)),
                    Some((first, _)) => self.report_second_body(first, &key),
                },
                _ => self.reader.unknown_key(&key, if is_group { "a group" } else { "a block" }, &KEYS),
            }
        }
        group.iter().for_each(|name| self.register_row_name(name));
        repetition.check_is_bounded(&mut self.reader);
        if let (Some((span, _)), None) = (&otherwise, &repetition.when) {
            let (message, label) = ("`else` needs a `when`", "no `when`");
            let help = "add `when: EXPRESSION` to the block, or leave `else` out";
            self.reader.report(*span, &DiagnosticText { code: "script::block", message, label, help });
        }
        let Some((key, node)) = body else { return self.report_missing_body(span, is_group) };
        let body = match key.as_str() {
            "choose" => BlockBody::Choose(self.branches(node)),
            "parallel" => self.parallel(node),
            "include" => BlockBody::Include(self.reader.non_empty_text("include", node, "browse.yml")?),
            _ => BlockBody::Steps(self.items("steps", node)),
        };
        let otherwise = otherwise.map(|(_, node)| self.items("else", node)).unwrap_or_default();
        if is_group && group.is_none() {
            return None;
        }
        let source = Arc::clone(&self.reader.source);
        Some(BlockSpec { source, span, group, repetition, body, else_items: otherwise })
    }

    fn report_second_body(&mut self, first: &str, key: &Spanned<String>) {
        let message = format!("a block has both `{first}` and `{}`", key.value);
        let help = "move one of them into a block of its own";
        let diagnostic = DiagnosticText { code: "script::block", message: &message, label: "second body", help };
        self.reader.report(key.span, &diagnostic);
    }

    fn report_missing_body(&mut self, span: Span, is_group: bool) -> Option<BlockSpec> {
        let message = if is_group { "a group has no `steps`" } else { "a block has no `steps`" };
        let label = if is_group { "this group" } else { "this block" };
        self.reader.report(span, &DiagnosticText { code: "script::missing-key", message, label, help: BLOCK_HELP });
        None
    }

    /// Reads `choose`: a list of weights and steps.
    fn branches(&mut self, node: Node) -> Vec<Branch> {
        let span = node.span;
        let NodeValue::List(items) = node.value else {
            self.reader.wrong_type("choose", &node, "a list", CHOOSE_HELP);
            return Vec::new();
        };
        if items.is_empty() {
            let (message, label) = ("`choose` must not be empty", "no branches");
            self.reader.report(span, &DiagnosticText { code: "script::empty", message, label, help: CHOOSE_HELP });
        }
        items.into_iter().filter_map(|item| self.branch(item)).collect()
    }

    fn branch(&mut self, node: Node) -> Option<Branch> {
        let span = node.span;
        let (mut weight, mut items) = (None, None);
        let NodeValue::Map(entries) = node.value else {
            self.reader.type_mismatch("a branch of `choose` must be a mapping", &node, CHOOSE_HELP);
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
            self.reader
                .report(span, &DiagnosticText { code: "script::missing-key", message, label, help: CHOOSE_HELP });
        }
        Some(Branch { weight, items: items? })
    }

    /// Reads `parallel`: a list of items, none of which contains another `parallel`.
    fn parallel(&mut self, node: Node) -> BlockBody {
        let items = self.items("parallel", node);
        let mut within = Vec::new();
        items.iter().for_each(|item| collect_parallel_spans(item, &mut within));
        for span in within {
            let (message, label) = ("a `parallel` is nested in another", "nested");
            let help = "move its steps into the outer one, which runs them in parallel too";
            self.reader.report(span, &DiagnosticText { code: "script::block", message, label, help });
        }
        if items.len() > MAX_LANES {
            let message = format!("`parallel` has more than {MAX_LANES} branches");
            self.reader.report(
                first_item_span(&items),
                &DiagnosticText { code: "script::range", message: &message, label: "too many", help: STEPS_HELP },
            );
        }
        BlockBody::Parallel(items)
    }
}

/// The most branches that one user runs in parallel; far more than the connections of a browser.
const MAX_LANES: usize = 64;

/// Returns the place of the first item.
fn first_item_span(items: &[FlowItem]) -> Span {
    match items.first() {
        Some(FlowItem::Step(step)) => step.span,
        Some(FlowItem::Block(block)) => block.span,
        None => Span::default(),
    }
}

/// Returns true if a mapping is a block. A step with a parameter `steps` has a `name`.
fn is_block(entries: &Entries) -> bool {
    let has = |wanted: &str| entries.iter().any(|(key, _)| key.value == wanted);
    has("group") || has("choose") || has("parallel") || has("include") || (has("steps") && !has("name"))
}

/// Collects the places of the `parallel` blocks in an item.
fn collect_parallel_spans(item: &FlowItem, spans: &mut Vec<Span>) {
    let FlowItem::Block(block) = item else { return };
    if matches!(block.body, BlockBody::Parallel(_)) {
        spans.push(block.span);
    }
    block.lists().flatten().for_each(|item| collect_parallel_spans(item, spans));
}
