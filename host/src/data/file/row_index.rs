//! The offsets of a file's rows, in four bytes each: a `u64` for every 256th row, and for all others the distance from
//! that one.

use std::ops::Range;

/// The number of rows that share a full offset.
const ROWS_PER_BLOCK: usize = 256;

/// Offsets in bytes, ascending.
#[derive(Debug, Default)]
pub(super) struct RowIndex {
    /// The offset of each block's first row.
    bases: Vec<u64>,
    /// The distance of each row from its block's base.
    offsets: Vec<u32>,
    /// An offset that is not before the end of the last row.
    end: u64,
}

impl RowIndex {
    /// Adds the next row.
    ///
    /// # Errors
    /// It is more than 4 GiB behind the first of its block.
    pub(super) fn push(&mut self, start: u64) -> Result<(), String> {
        if self.offsets.len().is_multiple_of(ROWS_PER_BLOCK) {
            self.bases.push(start);
        }
        let base = self.bases.last().copied().unwrap_or_default();
        let within = u32::try_from(start - base).map_err(|_| "the rows are too long".to_owned())?;
        self.offsets.push(within);
        Ok(())
    }

    /// Sets the end of the last row.
    pub(super) fn finish(&mut self, end: u64) {
        self.end = end;
        self.bases.shrink_to_fit();
        self.offsets.shrink_to_fit();
    }

    /// Returns the number of rows.
    pub(super) const fn rows(&self) -> usize {
        self.offsets.len()
    }

    /// Returns the bytes of a row, up to the first byte of the next one.
    ///
    /// # Panics
    /// Panics if the row is out of range.
    pub(super) fn range(&self, row: usize) -> Range<u64> {
        let end = if row + 1 < self.rows() { self.start(row + 1) } else { self.end };
        self.start(row)..end
    }

    fn start(&self, row: usize) -> u64 {
        self.bases[row / ROWS_PER_BLOCK] + u64::from(self.offsets[row])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_come_back(lengths in prop::collection::vec(0_u64..70_000, 1..900), first in 0..1_u64 << 40) {
            let mut index = RowIndex::default();
            let mut at = first;
            let mut expected = Vec::new();
            for length in lengths {
                index.push(at).unwrap();
                expected.push(at..at + length);
                at += length;
            }
            index.finish(at);
            prop_assert_eq!(index.rows(), expected.len());
            for (row, range) in expected.into_iter().enumerate() {
                prop_assert_eq!(index.range(row), range);
            }
        }
    }

    #[test]
    fn rows_of_gigabytes_are_rejected() {
        let mut index = RowIndex::default();
        index.push(0).unwrap();
        assert!(index.push(5 << 30).is_err());
    }
}
