//! The counts and the schedule of the simulation: starts and three small histograms, and arrivals at a steady rate.

use stampede_fleet::{Counts, CountsError, FleetSchedule, PromisedStarts, Steering, Time};

pub(crate) const BINS: usize = 12;

/// Starts and three histograms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SimCounts {
    pub(crate) fired: u64,
    pub(crate) dropped: u64,
    /// The times that the counts are written, one after the other, so that they take more than a message.
    pub(crate) copies: usize,
    pub(crate) bins: Box<[[u64; BINS]; 3]>,
}

impl SimCounts {
    fn numbers(&self) -> impl Iterator<Item = u64> {
        [self.fired, self.dropped].into_iter().chain(self.bins.iter().flatten().copied())
    }

    fn numbers_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        [&mut self.fired, &mut self.dropped].into_iter().chain(self.bins.iter_mut().flatten())
    }
}

impl Counts for SimCounts {
    fn add(&mut self, other: &Self) {
        self.numbers_mut().zip(other.numbers()).for_each(|(sum, more)| *sum += more);
    }

    fn write(&self, out: &mut Vec<u8>) {
        let begin = out.len();
        for (index, number) in self.numbers().enumerate().filter(|(_, number)| *number > 0) {
            out.push(index as u8);
            out.extend(number.to_le_bytes());
        }
        let once = out[begin..].to_vec();
        (1..self.copies).for_each(|_| out.extend(&once));
    }

    fn read(&self, bytes: &[u8]) -> Result<Self, CountsError> {
        let (entries, rest) = bytes.as_chunks::<9>();
        let mut counts = self.clone();
        for [index, number @ ..] in entries {
            let place = counts.numbers_mut().nth(usize::from(*index));
            *place.ok_or_else(|| CountsError("an index".into()))? = u64::from_le_bytes(*number);
        }
        if rest.is_empty() { Ok(counts) } else { Err(CountsError("a length".into())) }
    }

    fn is_empty(&self) -> bool {
        self.numbers().all(|number| number == 0)
    }

    fn starts(&self) -> PromisedStarts {
        PromisedStarts { fired: self.fired, dropped: self.dropped }
    }

    fn difference(&self, sum: &Self) -> Option<String> {
        let place = self.numbers().zip(sum.numbers()).position(|(all, sum)| all != sum)?;
        Some(format!("number {place}"))
    }
}

/// Arrivals of the whole fleet at a steady rate: arrival k is due in segment k mod N.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SimSchedule {
    pub(crate) segments: u32,
    /// The time between two arrivals, in nanoseconds.
    pub(crate) gap: Time,
}

impl SimSchedule {
    /// Returns the number of arrivals of the fleet before an instant.
    fn before(&self, to: Time, steering: &[Steering]) -> u128 {
        let mut position: u128 = 0;
        let (mut at, mut scale) = (0, 1_000);
        for step in steering {
            let next = step.at.clamp(at, to.max(at));
            position += u128::from(next - at) * scale;
            (at, scale) = (next, if step.is_paused { 0 } else { u128::from(step.scale_permille) });
        }
        position += u128::from(to.saturating_sub(at)) * scale;
        position.div_ceil(u128::from(self.gap) * 1_000)
    }
}

impl FleetSchedule for SimSchedule {
    fn due(&self, segment: u32, from: Time, to: Time, steering: &[Steering]) -> u64 {
        let of_segment = |arrivals: u128| {
            (arrivals + u128::from(self.segments) - 1).saturating_sub(u128::from(segment)) / u128::from(self.segments)
        };
        let count = |to: Time| of_segment(self.before(to, steering));
        (count(to.max(from)) - count(from)) as u64
    }
}
