//! Fragments: the smallest pieces that a player can use, `moof` and `mdat`. They are cut apart once; each time that one
//! is sent, only its head is copied, with the time at which it is due.

use bytes::Bytes;

use super::boxes::{Mp4Box, boxes, u32_at, u64_at};
use super::init_section::SampleDefaults;

/// The flag of a sample that depends on others.
const NOT_SYNC: u32 = 0x0001_0000;

/// A fragment of a track.
#[derive(Debug)]
pub(crate) struct Fragment {
    /// Everything before the samples: `moof` and the head of `mdat`.
    head: Bytes,
    /// Offset of the 64-bit time in the head.
    time_at: usize,
    /// Time of the first sample in ticks, as it was recorded.
    pub time: u64,
    /// Duration in ticks.
    pub duration: u64,
    /// A player can begin with it.
    pub independent: bool,
    /// The samples.
    pub samples: Bytes,
}

/// Durations and kinds of the samples of a fragment.
struct SampleRun {
    duration: u64,
    independent: bool,
}

impl Fragment {
    /// Cuts a segment into fragments. Boxes other than `styp`, `moof` and `mdat` are left out: their times are those of
    /// the recording.
    ///
    /// # Errors
    /// The reason why it cannot be served.
    pub(crate) fn cut(segment: &Bytes, defaults: SampleDefaults) -> Result<Vec<Self>, String> {
        let all = boxes(segment).ok_or("it is not made of whole boxes")?;
        let (mut fragments, mut type_box, mut movie) = (Vec::new(), &[][..], None);
        for one in all {
            match (&one.kind, movie.take()) {
                (b"styp", None) => type_box = one.whole,
                (b"moof", None) => movie = Some(one),
                (b"mdat", Some(moof)) => {
                    let fragment = Self::join(std::mem::take(&mut type_box), &moof, &one, defaults);
                    let samples = segment.slice_ref(one.content);
                    fragments.push(Self { samples, ..fragment.ok_or("a `moof` is not as in CMAF")? });
                }
                (_, Some(_)) => return Err("an `mdat` does not follow its `moof`".to_owned()),
                _ => {}
            }
        }
        if fragments.is_empty() { Err("it has no fragment".to_owned()) } else { Ok(fragments) }
    }

    /// Makes a fragment without its samples.
    fn join(before: &[u8], moof: &Mp4Box<'_>, mdat: &Mp4Box<'_>, defaults: SampleDefaults) -> Option<Self> {
        let traf = moof.child(b"traf")?;
        let tfdt = traf.child(b"tfdt")?;
        let is_wide = tfdt.version()? == 1;
        let time = if is_wide { u64_at(tfdt.content, 4)? } else { u32_at(tfdt.content, 4)?.into() };
        let SampleRun { duration, independent } = SampleRun::read(&traf, defaults)?;
        let mut head = before.to_vec();
        let growth = if is_wide { 0 } else { 4 };
        let time_at = add_moof(&mut head, moof, growth)?;
        head.extend(&mdat.whole[..mdat.whole.len() - mdat.content.len()]);
        Some(Self { head: head.into(), time_at, time, duration, independent, samples: Bytes::new() })
    }

    /// Returns the size in bytes.
    pub(crate) fn size(&self) -> u64 {
        (self.head.len() + self.samples.len()) as u64
    }

    /// Returns the size of the head.
    pub(crate) fn head_size(&self) -> u64 {
        self.head.len() as u64
    }

    /// Returns the head with another time in ticks.
    pub(crate) fn head_at(&self, time: u64) -> Bytes {
        let mut head = self.head.to_vec();
        if let Some(place) = head.get_mut(self.time_at..self.time_at + 8) {
            place.copy_from_slice(&time.to_be_bytes());
        }
        head.into()
    }
}

/// Adds a `moof` whose time has 64 bits. Returns the offset of the time.
fn add_moof(head: &mut Vec<u8>, moof: &Mp4Box<'_>, growth: u32) -> Option<usize> {
    let mut time_at = None;
    add_head(head, moof, growth);
    for child in boxes(moof.content)? {
        if child.kind != *b"traf" {
            head.extend(child.whole);
            continue;
        }
        if time_at.is_some() {
            return None;
        }
        add_head(head, &child, growth);
        for part in boxes(child.content)? {
            match &part.kind {
                b"tfdt" => time_at = Some(add_time(head)),
                b"trun" => add_run(head, &part, growth)?,
                _ => head.extend(part.whole),
            }
        }
    }
    time_at
}

/// Adds size and type of a box that grows.
fn add_head(head: &mut Vec<u8>, one: &Mp4Box<'_>, growth: u32) {
    let size = u32::try_from(one.content.len() + 8).unwrap_or(u32::MAX).saturating_add(growth);
    head.extend(size.to_be_bytes());
    head.extend(one.kind);
}

/// Adds a `tfdt` of version 1. Returns the offset of its time.
fn add_time(head: &mut Vec<u8>) -> usize {
    head.extend(b"\0\0\0\x14tfdt\x01\0\0\0");
    head.extend([0; 8]);
    head.len() - 8
}

/// Adds a `trun`, whose samples begin after a `moof` that grows.
fn add_run(head: &mut Vec<u8>, run: &Mp4Box<'_>, growth: u32) -> Option<()> {
    let begin = head.len() + run.whole.len() - run.content.len();
    head.extend(run.whole);
    if run.flags()? & 1 != 0 {
        let offset = u32_at(run.content, 8)?.wrapping_add(growth);
        head.get_mut(begin + 8..begin + 12)?.copy_from_slice(&offset.to_be_bytes());
    }
    Some(())
}

impl SampleRun {
    /// Adds up the samples of a `traf`; `None` if their places are not relative to the `moof`.
    fn read(traf: &Mp4Box<'_>, defaults: SampleDefaults) -> Option<Self> {
        let tfhd = traf.child(b"tfhd")?;
        let flags = tfhd.flags()?;
        if flags & 1 != 0 {
            return None;
        }
        let mut at = if flags & 2 != 0 { 12 } else { 8 };
        let mut optional = |flag: u32, default: u32| {
            if flags & flag == 0 {
                return Some(default);
            }
            at += 4;
            u32_at(tfhd.content, at - 4)
        };
        let duration = optional(0x08, defaults.duration)?;
        optional(0x10, 0)?;
        let defaults = SampleDefaults { duration, flags: optional(0x20, defaults.flags)? };
        let mut total = 0;
        let mut first_flags = None;
        for run in boxes(traf.content)?.iter().filter(|one| one.kind == *b"trun") {
            total += run_duration(run, defaults.duration)?;
            first_flags = first_flags.or(Some(run_first_flags(run, defaults.flags)?));
        }
        Some(Self { duration: total, independent: first_flags? & NOT_SYNC == 0 })
    }
}

/// Returns the offset of the samples in a `trun`.
fn run_samples_at(flags: u32) -> usize {
    8 + 4 * (flags & 0x05).count_ones() as usize
}

/// Returns the duration of a `trun` in ticks.
fn run_duration(run: &Mp4Box<'_>, default: u32) -> Option<u64> {
    let (flags, count) = (run.flags()?, u32_at(run.content, 4)?);
    if flags & 0x100 == 0 {
        return Some(u64::from(count) * u64::from(default));
    }
    let step = 4 * (flags & 0xf00).count_ones() as usize;
    let durations = (0..count as usize).map(|index| u32_at(run.content, run_samples_at(flags) + index * step));
    durations.map(|duration| duration.map(u64::from)).sum()
}

/// Returns the flags of the first sample of a `trun`.
fn run_first_flags(run: &Mp4Box<'_>, default: u32) -> Option<u32> {
    let flags = run.flags()?;
    if flags & 0x04 != 0 {
        return u32_at(run.content, if flags & 0x01 != 0 { 12 } else { 8 });
    }
    if flags & 0x400 == 0 {
        return Some(default);
    }
    u32_at(run.content, run_samples_at(flags) + 4 * (flags & 0x300).count_ones() as usize)
}
