//! Every target with its seeds and some changes of them: the beginning of a search, the same on every machine.

use std::panic::{AssertUnwindSafe, catch_unwind};

use stampede_fuzz::{FuzzTarget, changed, seeds, targets};

/// Changed inputs for each target.
const CHANGED: u64 = 1500;

/// Returns the first input on which a target panics, as a text.
fn first_panic(target: &FuzzTarget, inputs: impl Iterator<Item = Vec<u8>>) -> Option<String> {
    let panics = |input: &Vec<u8>| catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err();
    inputs.into_iter().find(panics).map(|input| format!("{}: {}", target.name, input.escape_ascii()))
}

#[test]
fn no_target_panics_on_its_seeds_or_small_changes_of_them() {
    let failed: Vec<_> = targets()
        .filter_map(|target| {
            let seeds = seeds(target.name);
            let changed = (0..CHANGED).map(|number| changed(&seeds, number));
            first_panic(target, seeds.clone().into_iter().chain(changed))
        })
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn targets_have_names_of_their_own() {
    let mut names: Vec<_> = targets().map(|target| target.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// A search relies on this.
#[test]
fn a_target_that_panics_is_found_with_its_input() {
    fn run(bytes: &[u8]) {
        assert!(!bytes.contains(&b'\xff'), "as planted");
    }
    let seeds = vec![b"a seed".to_vec()];
    let found = first_panic(&FuzzTarget { name: "planted", run }, (0..CHANGED).map(|number| changed(&seeds, number)));
    assert!(found.is_some_and(|found| found.starts_with("planted: ") && found.contains("\\xff")));
}
