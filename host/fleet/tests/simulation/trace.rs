//! The trace of a run: everything that happened, in order, as a number and, if asked for, as text.

use std::fmt::Debug;

use stampede_fleet::Time;

/// The trace of a run.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    hash: u64,
    pub(crate) events: u64,
    pub(crate) lines: Option<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(keeps_lines: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, events: 0, lines: keeps_lines.then(Vec::new) }
    }

    /// Notes that something happened to a process. `kind` and `bytes` tell what.
    pub(crate) fn note(&mut self, now: Time, place: usize, bytes: &[u8], what: &impl Debug) {
        self.events += 1;
        let mut mix = |number: u64| self.hash = (self.hash ^ number).wrapping_mul(0x0100_0000_01b3).rotate_left(23);
        mix(now);
        mix(place as u64);
        let (chunks, rest) = bytes.as_chunks::<8>();
        chunks.iter().for_each(|chunk| mix(u64::from_le_bytes(*chunk)));
        rest.iter().for_each(|byte| mix(u64::from(*byte)));
        if let Some(lines) = &mut self.lines {
            let mut text = format!("{:>14} {place} {what:?}", now / 1_000);
            text.truncate(text.char_indices().nth(240).map_or(text.len(), |(at, _)| at));
            lines.push(text);
        }
    }

    /// Returns the number of the whole trace.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}
