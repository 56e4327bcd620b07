//! Requests for a part of a file (RFC 9110, section 14).

use std::ops::Range;

/// The bytes that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequestedBytes {
    /// All: there is no `range` field, or one that a server may ignore.
    All,
    /// A part of the file.
    Some(Range<u64>),
    /// None that the file has.
    None,
}

impl RequestedBytes {
    /// Reads a `range` field for a file of some size. A field of several ranges or another unit is ignored.
    pub(crate) fn of(field: Option<&str>, size: u64) -> Self {
        let parsed = field.and_then(|field| field.strip_prefix("bytes=")).and_then(|range| parse(range.trim(), size));
        match parsed {
            None => Self::All,
            Some(range) if range.is_empty() => Self::None,
            Some(range) => Self::Some(range),
        }
    }
}

/// Returns the bytes that `first-last`, `first-` or `-count` means; empty beyond the end of the file.
fn parse(range: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = range.split_once('-')?;
    if first.is_empty() {
        let count: u64 = last.parse().ok()?;
        return Some(size.saturating_sub(count)..size);
    }
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    (first <= last).then(|| first.min(size)..last.saturating_add(1).min(size))
}

/// Returns the requested part of a place in a file, counted from the begin of the place; `None` if it is empty.
pub(crate) fn overlap(place: &Range<u64>, requested: &Range<u64>) -> Option<Range<u64>> {
    let (start, end) = (place.start.max(requested.start), place.end.min(requested.end));
    (start < end).then(|| start - place.start..end - place.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_at_the_end_of_the_file() {
        for (field, range) in
            [("bytes=0-9", 0..10), ("bytes=90-", 90..100), ("bytes=90-200", 90..100), ("bytes=-7", 93..100)]
        {
            assert_eq!(RequestedBytes::of(Some(field), 100), RequestedBytes::Some(range), "{field}");
        }
        for field in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(RequestedBytes::of(Some(field), 100), RequestedBytes::None, "{field}");
        }
        for field in ["bytes=9-8", "bytes=", "bytes=0-1,5-6", "items=0-9", "bytes=x-"] {
            assert_eq!(RequestedBytes::of(Some(field), 100), RequestedBytes::All, "{field}");
        }
        assert_eq!(RequestedBytes::of(None, 100), RequestedBytes::All);
    }

    #[test]
    fn parts_are_counted_from_the_begin_of_their_place() {
        assert_eq!(overlap(&(10..20), &(0..15)), Some(0..5));
        assert_eq!(overlap(&(10..20), &(15..100)), Some(5..10));
        assert_eq!(overlap(&(10..20), &(20..100)), None);
    }
}
