//! Bit-rate ladders: the qualities in which a stream of filler is offered.

/// Maximum number of rungs of a ladder.
const MAX_RUNGS: usize = 8;

/// The bit rates of a stream in kb/s, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ladder {
    rates: [u32; MAX_RUNGS],
    count: usize,
}

/// Width and height of a picture in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameSize {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Ladder {
    /// 360p, 720p and 1080p.
    pub(crate) const HD: Self = Self { rates: [800, 2_800, 5_000, 0, 0, 0, 0, 0], count: 3 };
    /// Three low qualities, for many viewers on one machine.
    pub(crate) const MOBILE: Self = Self { rates: [200, 400, 800, 0, 0, 0, 0, 0], count: 3 };

    /// Parses `hd`, `mobile`, or bit rates in kb/s such as `200-400-800`, in ascending order.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "hd" => return Some(Self::HD),
            "mobile" => return Some(Self::MOBILE),
            _ => {}
        }
        let mut ladder = Self { rates: [0; MAX_RUNGS], count: 0 };
        let mut lowest = 16;
        for rate in text.split('-') {
            let rate = rate.parse().ok().filter(|rate| (lowest..=1_000_000).contains(rate))?;
            *ladder.rates.get_mut(ladder.count)? = rate;
            ladder.count += 1;
            lowest = rate + 1;
        }
        Some(ladder)
    }

    /// Returns the bit rates.
    pub(crate) fn rates(&self) -> &[u32] {
        &self.rates[..self.count]
    }
}

impl FrameSize {
    /// Returns the size at which a bit rate in kb/s looks well.
    pub(crate) const fn of_rate(kbps: u32) -> Self {
        let (width, height) = match kbps {
            0..=250 => (426, 240),
            251..=1_000 => (640, 360),
            1_001..=2_000 => (854, 480),
            2_001..=4_000 => (1_280, 720),
            4_001..=10_000 => (1_920, 1_080),
            _ => (3_840, 2_160),
        };
        Self { width, height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_has_a_name_or_ascending_rates() {
        assert_eq!(Ladder::parse("hd"), Some(Ladder::HD));
        assert_eq!(Ladder::parse("200-400-800"), Some(Ladder::MOBILE));
        assert_eq!(Ladder::parse("5000").unwrap().rates(), [5_000]);
        for text in
            ["", "uhd", "0", "15", "800-400", "400-400", "1-2", "100-200-300-400-500-600-700-800-900", "1000001"]
        {
            assert_eq!(Ladder::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_hd_ladder_has_the_sizes_of_its_name() {
        let heights: Vec<_> = Ladder::HD.rates().iter().map(|rate| FrameSize::of_rate(*rate).height).collect();
        assert_eq!(heights, [360, 720, 1_080]);
    }
}
