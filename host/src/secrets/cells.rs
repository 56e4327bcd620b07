//! The secret columns of data sets. A set may have millions of rows, and any of them may occur in a reply or in a log
//! line; so of each cell a fingerprint of eight bytes is kept, and one of each piece of it, by which a part of a cell
//! is found. A text is searched by the fingerprints of its own parts.
//!
//! The fingerprint is a polynomial over the bytes, modulo a prime, so that those of all parts of one length follow from
//! running sums, one multiplication each.

use std::collections::BTreeSet;
use std::ops::Range;

use super::parts::{MIN_PART_BYTES, MIN_SECRET_BYTES, whole_and_lines};
use crate::data::{DataSets, RowBuffer};
use crate::text::without_scheme;

/// A prime: 2^61 - 1.
const PRIME: u64 = (1 << 61) - 1;
/// The point at which the polynomial is evaluated; any large number will do.
const BASE: u64 = 0x0f3c_91a7_d45b_2e6d;

/// The most pieces of cells that are kept, at eight bytes each.
const MAX_PIECES: usize = 4 << 20;

/// The fingerprints of all secret cells.
#[derive(Default)]
pub(super) struct SecretCells {
    /// Their lengths in bytes, ascending.
    lengths: Vec<usize>,
    /// The fingerprints, ascending.
    fingerprints: Box<[u64]>,
    /// The fingerprints of pieces of [`MIN_PART_BYTES`], ascending.
    pieces: Box<[u64]>,
    /// The distance between the pieces of a cell, in bytes. It is 1, unless there are more than [`MAX_PIECES`].
    stride: usize,
}

impl SecretCells {
    /// Collects the cells of the secret columns.
    pub(super) fn from_data(data: &DataSets) -> Self {
        Self::collect(MAX_PIECES, |add| {
            for set in data.iter().filter(|set| !set.secret_columns().is_empty()) {
                let (mut buffer, mut cell) = (RowBuffer::with_read_ahead(), String::new());
                for (row, column) in
                    (0..set.rows()).flat_map(|row| set.secret_columns().iter().map(move |column| (row, *column)))
                {
                    cell.clear();
                    // If the file changes meanwhile, drawing the row notices it.
                    let _ = set.append(row, column, &mut buffer, &mut cell);
                    add(&cell);
                }
            }
        })
    }

    /// Collects the cells that `fill` adds, except those too short to be searched for, and the lines of those that have
    /// several. `fill` is called twice, the first time to count pieces, of which about `max_pieces` are kept.
    fn collect(max_pieces: usize, fill: impl Fn(&mut dyn FnMut(&str))) -> Self {
        let mut count = 0;
        fill(&mut |cell| count += cell.len().saturating_sub(MIN_PART_BYTES - 1));
        let stride = count.div_ceil(max_pieces).max(1);
        let (mut lengths, mut prints, mut pieces) = (BTreeSet::new(), Vec::new(), Vec::new());
        fill(&mut |cell| {
            for part in whole_and_lines(cell) {
                lengths.insert(part.len());
                prints.push(fingerprint(part.as_bytes()));
            }
            pieces.extend(without_scheme(cell).as_bytes().windows(MIN_PART_BYTES).step_by(stride).map(fingerprint));
        });
        let sorted = |mut prints: Vec<u64>| {
            prints.sort_unstable();
            prints.dedup();
            prints.into()
        };
        let lengths = lengths.into_iter().collect();
        Self { lengths, fingerprints: sorted(prints), pieces: sorted(pieces), stride }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fingerprints.is_empty()
    }

    /// Returns the length of the longest cell, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.lengths.last().copied().unwrap_or(0)
    }

    /// Reports the ranges of a text that are cells, or parts of them.
    pub(super) fn find(&self, bytes: &[u8], mut report: impl FnMut(Range<usize>)) {
        if self.is_empty() || bytes.len() < MIN_SECRET_BYTES {
            return;
        }
        // `sums[n]` is the fingerprint of the first `n` bytes.
        let (mut sums, mut powers) = (vec![0], vec![1]);
        for (at, byte) in bytes.iter().enumerate() {
            sums.push(extend(sums[at], *byte));
            powers.push(product(powers[at], BASE));
        }
        let print = |start: usize, length: usize| {
            let before = product(sums[start], powers[length]);
            sum(sums[start + length], PRIME - before)
        };
        for length in self.lengths.iter().copied().take_while(|length| *length <= bytes.len()) {
            for start in 0..=bytes.len() - length {
                if self.fingerprints.binary_search(&print(start, length)).is_ok() {
                    report(start..start + length);
                }
            }
        }
        // Between two pieces that are kept, a part of the cell may go on by less than a stride.
        let margin = self.stride.saturating_sub(1);
        for start in 0..(bytes.len() + 1).saturating_sub(MIN_PART_BYTES) {
            if self.pieces.binary_search(&print(start, MIN_PART_BYTES)).is_ok() {
                report(start.saturating_sub(margin)..(start + MIN_PART_BYTES + margin).min(bytes.len()));
            }
        }
    }
}

/// Returns the fingerprint of a text.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| extend(sum, *byte))
}

/// Returns the fingerprint with one byte more; letters count in lower case. The `+ 1` makes leading zeros count.
fn extend(print: u64, byte: u8) -> u64 {
    sum(product(print, BASE), u64::from(byte.to_ascii_lowercase()) + 1)
}

/// Returns the sum modulo the prime, of two numbers that are not above it.
const fn sum(a: u64, b: u64) -> u64 {
    let whole = a + b;
    if whole >= PRIME { whole - PRIME } else { whole }
}

/// Returns the product modulo the prime, of two numbers below it.
fn product(a: u64, b: u64) -> u64 {
    let whole = u128::from(a) * u128::from(b);
    let folded = (whole & u128::from(PRIME)) as u64 + (whole >> 61) as u64;
    if folded >= PRIME { folded - PRIME } else { folded }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(rows: &[&str]) -> SecretCells {
        SecretCells::collect(MAX_PIECES, |add| rows.iter().for_each(|row| add(row)))
    }

    fn found(cells: &SecretCells, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        cells.find(text.as_bytes(), |place| found.push(text[place].to_owned()));
        found
    }

    #[test]
    fn cells_are_found_anywhere_and_short_ones_are_not_looked_for() {
        let cells = cells(&["hunter2", "abc", "", "pass word", "\0\0\0\0"]);
        assert_eq!(
            found(&cells, "hunter2 and HUNTER2, abc, pass word"),
            ["hunter2", "HUNTER2", "pass word", "pass wor", "ass word"]
        );
        assert_eq!(found(&cells, "hunter1 \0\0\0"), [""; 0]);
        assert_eq!((found(&cells, "").len(), cells.longest()), (0, 9));
    }

    /// Reports overlap, as pieces do.
    fn masked(cells: &SecretCells, text: &str) -> String {
        let mut masked = text.as_bytes().to_vec();
        cells.find(text.as_bytes(), |place| masked[place].fill(b'*'));
        String::from_utf8(masked).unwrap()
    }

    #[test]
    fn parts_of_eight_bytes_are_found_wherever_a_cell_was_cut() {
        let cells = cells(&["Bearer correct-horse-battery"]);
        for (text, expected) in [
            ("got correct-ho", "got **********"),
            ("got horse-bat and", "got ********* and"),
            ("-battery.", "********."),
            ("correct", "correct"),
            ("Bearer c", "Bearer c"),
        ] {
            assert_eq!(masked(&cells, text), expected);
        }
        // With room for few pieces, a part must be longer by the distance between them.
        let few = SecretCells::collect(4, |add| add("correct-horse-battery"));
        assert_eq!(few.stride, 4);
        for start in 0..=10 {
            let part = &"correct-horse-battery"[start..start + 11];
            assert_eq!(masked(&few, &format!("<{part}>"))[1..12], *"*".repeat(11), "{part}");
        }
    }

    proptest! {
        #[test]
        fn cells_in_a_text_are_found_and_nothing_else(
            secrets in proptest::collection::vec("[ab]{4,6}", 1..4),
            text in "[ab ]{0,60}",
        ) {
            let known: Vec<_> = secrets.iter().map(String::as_str).collect();
            let mut found: Vec<_> = found(&cells(&known), &text);
            let mut expected: Vec<String> = known
                .iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .flat_map(|secret| {
                    let count = text.as_bytes().windows(secret.len()).filter(|part| *part == secret.as_bytes()).count();
                    std::iter::repeat_n((*secret).to_owned(), count)
                })
                .collect();
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
