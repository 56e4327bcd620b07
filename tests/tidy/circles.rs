//! Circles in a graph of imports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Each node's imports: the node that it imports from, and the place of one such import.
pub(crate) type Graph = BTreeMap<String, BTreeMap<String, String>>;

/// Nodes of which each imports, perhaps through others, from each.
pub(crate) struct Circle {
    /// In alphabetical order.
    pub(crate) members: Vec<String>,
    /// The places of imports that lead from the first member back to it, by the shortest way.
    pub(crate) imports: Vec<String>,
}

/// Adds an import, unless it is of the node itself.
pub(crate) fn import(graph: &mut Graph, from: &str, to: &str, place: String) {
    if from != to {
        graph.entry(from.to_owned()).or_default().entry(to.to_owned()).or_insert(place);
    }
}

/// Returns the circles of a graph, the largest that there are.
pub(crate) fn circles(graph: &Graph) -> Vec<Circle> {
    let reached: BTreeMap<_, _> = graph.keys().map(|node| (node, reach(graph, node))).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (node, from) in reached.iter().filter(|(node, from)| from.contains_key(**node)) {
        if seen.contains(*node) {
            continue;
        }
        let back = |other: &&String| reached.get(*other).is_some_and(|from| from.contains_key(*node));
        let members: Vec<_> = from.keys().copied().filter(back).cloned().collect();
        seen.extend(members.clone());
        found.push(Circle { imports: way(graph, from, node), members });
    }
    found
}

/// Returns the nodes that imports lead to, each with the node before it on the shortest way.
fn reach<'g>(graph: &'g Graph, start: &'g String) -> BTreeMap<&'g String, &'g String> {
    let mut before = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in graph.get(node).into_iter().flat_map(BTreeMap::keys) {
            if !before.contains_key(next) {
                before.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    before
}

/// Returns the places of the imports on the shortest way from a node back to it.
fn way(graph: &Graph, before: &BTreeMap<&String, &String>, end: &String) -> Vec<String> {
    let mut places = Vec::new();
    let mut node = end;
    loop {
        let from = before[node];
        places.push(format!("{} imports {node}", graph[from][node]));
        node = from;
        if node == end {
            places.reverse();
            return places;
        }
    }
}
