//! The histogram of durations of which each row has seven. A script may have thousands of rows, most of which see a few
//! requests in a second and a few hundred different durations in a run, so an array of all bins for each would use far
//! too much memory. This one lists its bins until there are many of them. Its bins are those of an HDR histogram with
//! the same number of significant digits (<https://hdrhistogram.org>), so that nothing is lost on the way to one.

use hdrhistogram::{Counter, Histogram};
use stampede_time::Nanos;

use super::histogram;
use super::survival::CountedValue;

/// The greatest number of bins in a list that durations are recorded into. Longer ones take too long to insert into.
const RECORDED_BINS: usize = 128;

/// The greatest number of bins in a list that other histograms are added to. A longer one would use as much memory as
/// a table.
const ADDED_BINS: usize = 1_024;

/// Counts of durations in microseconds, from 1 µs to 1 h.
#[derive(Clone, Debug)]
pub struct CompactHistogram<C: Counter> {
    /// Significant decimal digits of a duration that are kept.
    digits: u8,
    /// Binary digits of a duration that are kept.
    bits: u8,
    /// Number of all durations.
    total: u64,
    bins: Bins<C>,
}

/// The bins in use, or all of them up to the greatest in use.
#[derive(Clone, Debug)]
enum Bins<C> {
    /// In ascending order.
    List(Vec<Bin<C>>),
    /// The count of each bin.
    Table(Vec<C>),
}

/// A bin in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bin<C> {
    /// Its index: bins of longer durations have higher ones.
    pub index: u32,
    /// The number of durations in it.
    pub count: C,
}

impl<C: Counter> CompactHistogram<C> {
    /// Creates a histogram without counts that keeps `digits` significant digits, at most 5.
    pub(crate) const fn new(digits: u8) -> Self {
        // A range of 2 · 10^digits values is told apart in steps of 1.
        let bits = (2 * 10_u32.pow(digits as u32)).next_power_of_two().trailing_zeros() as u8;
        Self { digits, bits, total: 0, bins: Bins::List(Vec::new()) }
    }

    /// Counts a duration, rounded to the nearest microsecond; one below 1 µs counts as 1 µs, one above 1 h as 1 h. Hot.
    pub(crate) fn record(&mut self, duration: Nanos) {
        let index = self.index(histogram::whole_micros(duration));
        self.total += 1;
        if let Bins::Table(table) = &mut self.bins
            && let Some(count) = table.get_mut(index as usize)
        {
            *count = count.saturating_add(C::one());
        } else {
            self.count(index, C::one(), RECORDED_BINS);
        }
    }

    /// Adds the counts of another histogram with the same number of digits. Their bins are equal, so nothing is lost.
    pub(crate) fn add<D: Counter>(&mut self, other: &CompactHistogram<D>) {
        debug_assert_eq!(self.bits, other.bits, "bins that differ");
        other.bins().for_each(|bin| self.add_bin(bin));
    }

    /// Returns the counts of this histogram without those of a part of it. Bins are counts, so the rest is exact.
    pub(crate) fn without(&self, part: &Self) -> Self {
        debug_assert_eq!(self.bits, part.bits, "bins that differ");
        let (mut rest, mut parts) = (Self::new(self.digits), part.bins().peekable());
        for bin in self.bins() {
            let taken = parts.next_if(|taken| taken.index == bin.index).map_or(0, |taken| taken.count);
            let left = bin.count.saturating_sub(taken);
            if left > 0 {
                rest.count(bin.index, C::from_u64(left).unwrap_or_else(C::one), ADDED_BINS);
                rest.total += left;
            }
        }
        rest
    }

    /// Returns the number of durations up to this one, those of its own bin included.
    pub(crate) fn count_upto(&self, micros: u64) -> u64 {
        let last = self.index(micros);
        self.bins().take_while(|bin| bin.index <= last).map(|bin| bin.count).sum()
    }

    /// Sets all counts to zero and keeps the memory. Costs nothing if there are none.
    pub(crate) fn clear(&mut self) {
        if self.total > 0 {
            self.total = 0;
            match &mut self.bins {
                Bins::List(list) => list.clear(),
                Bins::Table(table) => table.fill(C::zero()),
            }
        }
    }

    /// Returns the number of durations.
    #[cfg(test)]
    pub(crate) const fn len(&self) -> u64 {
        self.total
    }

    /// Returns `true` if there are no durations.
    pub(crate) const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Returns the greatest duration that counts in the same bin as the longest one; 0 if there is none.
    pub(crate) fn max(&self) -> u64 {
        let last = match &self.bins {
            Bins::List(list) => list.last().map(|bin| bin.index),
            Bins::Table(table) => table.iter().rposition(|count| *count > C::zero()).map(|index| index as u32),
        };
        last.map_or(0, |index| self.greatest(index))
    }

    /// Returns the durations in ascending order, each the greatest of its bin.
    pub(crate) fn counted_values(&self) -> impl Iterator<Item = CountedValue> {
        self.bins().map(|bin| CountedValue { value: self.greatest(bin.index), count: bin.count })
    }

    /// Returns the least duration that counts in the bin of this one.
    pub(crate) fn lowest_equivalent(&self, micros: u64) -> u64 {
        self.least(self.index(micros))
    }

    /// Returns the middle of the bin in which a duration counts.
    pub(crate) fn middle(&self, micros: u64) -> u64 {
        let index = self.index(micros);
        self.least(index) + (1 << self.shift(index)) / 2
    }

    /// Returns an HDR histogram with the same counts.
    pub(crate) fn to_hdr(&self) -> Histogram<u64> {
        let mut whole = histogram::empty(self.digits);
        for CountedValue { value, count } in self.counted_values() {
            // A histogram of this range can fail to grow only where `usize` has 16 bits.
            let _ = whole.record_n(value, count);
        }
        whole
    }

    /// Adds the durations of a bin of another histogram with the same number of digits. It must be a bin of the range.
    pub(super) fn add_bin(&mut self, bin: Bin<u64>) {
        let count = C::from_u64(bin.count).unwrap_or_else(C::one);
        self.total += bin.count;
        match &mut self.bins {
            // Bins come in ascending order, so most go to the end of a list that has none of them yet.
            Bins::List(list) if list.len() < ADDED_BINS && list.last().is_none_or(|last| last.index < bin.index) => {
                list.push(Bin { index: bin.index, count });
            }
            _ => self.count(bin.index, count, ADDED_BINS),
        }
    }

    fn count(&mut self, index: u32, more: C, longest_list: usize) {
        if let Bins::List(list) = &mut self.bins {
            match list.binary_search_by_key(&index, |bin| bin.index) {
                Ok(found) => list[found].count = list[found].count.saturating_add(more),
                Err(place) if list.len() < longest_list => list.insert(place, Bin { index, count: more }),
                Err(_) => self.bins = Bins::Table(table(list)),
            }
        }
        if let Bins::Table(table) = &mut self.bins {
            let place = index as usize;
            if place >= table.len() {
                // One doubling of the durations.
                table.resize((place + 1).next_multiple_of(1 << (self.bits - 1)), C::zero());
            }
            table[place] = table[place].saturating_add(more);
        }
    }

    /// Returns the bins in use in ascending order.
    pub(super) fn bins(&self) -> impl Iterator<Item = Bin<u64>> {
        let (list, table) = match &self.bins {
            Bins::List(list) => (list.as_slice(), [].as_slice()),
            Bins::Table(table) if self.total > 0 => ([].as_slice(), table.as_slice()),
            Bins::Table(_) => ([].as_slice(), [].as_slice()),
        };
        let listed = list.iter().map(|bin| Bin { index: bin.index, count: bin.count.as_u64() });
        let counts = table.iter().enumerate().filter(|(_, count)| **count > C::zero());
        listed.chain(counts.map(|(index, count)| Bin { index: index as u32, count: count.as_u64() }))
    }

    /// Returns the bin of a duration. The durations below 2^bits are their own bins; above that, half as many bins
    /// cover each doubling.
    pub(super) const fn index(&self, micros: u64) -> u32 {
        let shift = u64::BITS - self.bits as u32 - (micros | ((1 << self.bits) - 1)).leading_zeros();
        (shift << (self.bits - 1)) + (micros >> shift) as u32
    }

    /// Returns the number of binary digits that a bin does not tell apart.
    const fn shift(&self, index: u32) -> u32 {
        (index >> (self.bits - 1)).saturating_sub(1)
    }

    const fn least(&self, index: u32) -> u64 {
        let shift = self.shift(index);
        ((index - (shift << (self.bits - 1))) as u64) << shift
    }

    /// Returns the greatest duration of a bin.
    pub(super) const fn greatest(&self, index: u32) -> u64 {
        self.least(index) + (1 << self.shift(index)) - 1
    }

    /// Returns the number of bins that there is memory for.
    #[cfg(test)]
    pub(crate) const fn capacity(&self) -> usize {
        match &self.bins {
            Bins::List(list) => list.capacity(),
            Bins::Table(table) => table.capacity(),
        }
    }
}

impl CompactHistogram<u64> {
    /// Returns the counts of an HDR histogram of microseconds, whose digits it keeps.
    pub(crate) fn of_hdr(whole: &Histogram<u64>) -> Self {
        let mut own = Self::new(whole.sigfig());
        for CountedValue { value, count } in histogram::counted_values(whole) {
            own.add_bin(Bin { index: own.index(value), count });
        }
        own
    }
}

/// Returns the counts of a list as a table.
fn table<C: Counter>(list: &[Bin<C>]) -> Vec<C> {
    let length = list.last().map_or(0, |last| last.index as usize + 1);
    let mut table = vec![C::zero(); length];
    list.iter().for_each(|bin| table[bin.index as usize] = bin.count);
    table
}

/// Histograms are equal if they have the same counts, however these are kept.
impl<C: Counter> PartialEq for CompactHistogram<C> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits && self.counted_values().eq(other.counted_values())
    }
}

#[cfg(test)]
mod tests {
    use super::super::histogram::{FINE, MAX_MICROS, ROUGH, counted_values};
    use super::*;

    /// Returns durations from all over the range, many of them next to a power of two.
    fn durations(count: u64) -> impl Iterator<Item = Nanos> {
        (0..count).map(|n| {
            let power = 1 << (n * 7 % 42);
            power + n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % power - n % 3 % power
        })
    }

    fn hdr(digits: u8, durations: impl Iterator<Item = Nanos>) -> Histogram<u64> {
        let mut whole = histogram::empty(digits);
        durations.for_each(|duration| whole.record(histogram::whole_micros(duration)).expect("in range"));
        whole
    }

    fn compact<C: Counter>(digits: u8, durations: impl Iterator<Item = Nanos>) -> CompactHistogram<C> {
        let mut compact = CompactHistogram::new(digits);
        durations.for_each(|duration| compact.record(duration));
        compact
    }

    #[test]
    fn it_counts_as_an_hdr_histogram_does() {
        for digits in [FINE, ROUGH] {
            for count in [0, 1, 2, 100, 5_000] {
                let (own, theirs) = (compact::<u32>(digits, durations(count)), hdr(digits, durations(count)));
                assert!(own.counted_values().eq(counted_values(&theirs)), "{count} durations, {digits} digits");
                assert_eq!((own.len(), own.max()), (theirs.len(), theirs.max()), "{count} durations");
                for CountedValue { value, .. } in own.counted_values() {
                    assert_eq!(own.middle(value), theirs.median_equivalent(value), "{value}");
                }
                assert_eq!(own.to_hdr(), theirs, "{count} durations, {digits} digits");
                let read = CompactHistogram::of_hdr(&theirs);
                assert_eq!(read, compact(digits, durations(count)), "{count} durations, {digits} digits");
            }
        }
    }

    #[test]
    fn every_duration_of_the_range_has_a_bin() {
        let histogram = CompactHistogram::<u32>::new(FINE);
        let edges = (0..32).flat_map(|power| [(1_u64 << power) - 1, 1 << power, (1 << power) + 1]);
        for micros in edges.chain([MAX_MICROS]).filter(|micros| *micros <= MAX_MICROS) {
            let index = histogram.index(micros);
            assert!((histogram.least(index)..=histogram.greatest(index)).contains(&micros), "{micros}");
        }
    }

    #[test]
    fn adding_parts_gives_the_whole() {
        let mut sum = CompactHistogram::<u64>::new(FINE);
        for part in 0..50 {
            sum.add(&compact::<u32>(FINE, durations(5_000).skip(part * 100).take(100)));
        }
        assert_eq!(sum, compact(FINE, durations(5_000)));
        assert_eq!(sum.len(), 5_000);
    }

    #[test]
    fn a_whole_without_a_part_is_the_other_part() {
        for count in [1, 100, 5_000] {
            let whole = compact::<u32>(FINE, durations(count));
            let (part, other) = (durations(count).step_by(3), durations(count).enumerate());
            let part = compact::<u32>(FINE, part);
            let other = compact(FINE, other.filter(|(at, _)| at % 3 != 0).map(|(_, duration)| duration));
            let rest = whole.without(&part);
            assert_eq!((&rest, rest.len(), rest.max()), (&other, other.len(), other.max()), "{count} durations");
            let nothing = whole.without(&whole);
            assert_eq!((nothing.len(), nothing.max(), nothing.is_empty()), (0, 0, true), "{count} durations");
        }
    }

    #[test]
    fn durations_count_up_to_the_end_of_a_bin() {
        let times = compact::<u32>(FINE, [100_000, 100_000, 200_000, 4_001_000, 9_000_000].into_iter());
        assert_eq!(
            [0, 99, 100, 199, 200, 3_999, 4_000, 9_000].map(|micros| times.count_upto(micros)),
            [0, 0, 2, 2, 3, 3, 4, 5]
        );
    }

    #[test]
    fn a_histogram_that_is_used_again_has_only_the_new_counts() {
        for count in [3, 5_000] {
            let mut used = compact::<u32>(FINE, durations(count));
            let capacity = used.capacity();
            used.clear();
            assert_eq!((used.len(), used.max(), used.counted_values().count()), (0, 0, 0), "{count} durations");
            durations(count).for_each(|duration| used.record(duration));
            assert_eq!(used, compact(FINE, durations(count)), "{count} durations");
            assert_eq!(used.capacity(), capacity, "{count} durations");
        }
    }

    #[test]
    fn few_durations_need_little_memory() {
        let few = compact::<u32>(FINE, (0..10).map(|second| second * 1_000_000_000));
        assert!(few.capacity() <= 16, "{} bins", few.capacity());
    }
}
