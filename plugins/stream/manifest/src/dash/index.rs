//! The segment index of a file (`sidx`, ISO/IEC 14496-12, section 8.16.3): the duration and the size of each segment.

use viewer_core::{
    ByteRange, IndexedFile, Micros, Playlist, PlaylistBuilder, Schedule, SegmentSpec, StretchSpec, from_ticks,
};

use crate::note::ManifestError;

/// Bytes of a reference to a segment; the last four do not matter to a viewer.
const REFERENCE: usize = 12;

/// The beginnings of a WebM file and of its index (`Cues`).
const WEBM: [[u8; 4]; 2] = [[0x1a, 0x45, 0xdf, 0xa3], [0x1c, 0x53, 0xbb, 0x6b]];

/// The bytes of an index, read from front to back.
struct BoxCursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A box whose content begins at the cursor's place.
struct BoxPlace {
    start: usize,
    content: usize,
    /// The bytes from its start to its end, as it declares.
    length: u64,
}

/// The head of an index.
struct IndexHead {
    timescale: u32,
    /// The media time of the first segment, in ticks.
    earliest: u64,
    /// The offset of the first segment in the file.
    first: u64,
    count: u16,
}

/// Reads an index to the playlist of its file. `bytes` begin at `offset` of the file; the index may begin later.
pub(crate) fn read_index(bytes: &[u8], offset: u64, indexed: &IndexedFile) -> Result<Playlist, ManifestError> {
    let place = find(bytes).ok_or_else(|| missing(bytes))?;
    let mut cursor = BoxCursor { bytes, at: place.content };
    let end = offset.saturating_add(place.start as u64).saturating_add(place.length);
    let head = cursor.head(end).ok_or_else(cut)?;

    let mut builder = PlaylistBuilder::default();
    let base = builder.base(indexed.urls.iter().map(|url| &**url));
    let before = ByteRange { start: 0, length: offset.saturating_add(place.start as u64) };
    let init = indexed.init.or(Some(before).filter(|range| range.length > 0));
    let init = init.map(|range| builder.init(base, "", Some(range)));
    let time = |ticks: u64| from_ticks(i64::try_from(ticks).unwrap_or(i64::MAX), u64::from(head.timescale));
    let start = indexed.offset.saturating_add(time(head.earliest));
    builder.list(StretchSpec { start, end: indexed.end, base, ..StretchSpec::default() });

    let mut position = head.first;
    let mut ticks = head.earliest;
    let mut longest = 0;
    for _ in 0..head.count {
        let reference = cursor.reference().ok_or_else(cut)?;
        let begins = time(ticks);
        ticks = ticks.saturating_add(u64::from(reference.duration));
        let ends = time(ticks).min(indexed.end.map_or(Micros::MAX, |end| end.saturating_sub(indexed.offset)));
        let range = ByteRange { start: position, length: u64::from(reference.size) };
        position = position.saturating_add(range.length);
        if reference.is_index {
            return Err(ManifestError::new(1, "the index refers to further indexes, which is not supported")
                .help("package the file with one index"));
        }
        if ends <= begins || range.length == 0 {
            continue;
        }
        longest = longest.max(ends.saturating_sub(begins));
        builder.segment(SegmentSpec {
            url: "",
            duration: ends.saturating_sub(begins),
            range: Some(range),
            wall: None,
            discontinuity: indexed.discontinuity,
            init,
            key: None,
            is_gap: false,
        });
    }
    Ok(builder.build(Schedule { target: longest, ended: true, ..Schedule::default() }, Vec::new()))
}

/// A reference of an index.
struct IndexReference {
    is_index: bool,
    /// In bytes.
    size: u32,
    /// In ticks.
    duration: u32,
}

impl BoxCursor<'_> {
    /// Reads what is before the references. `end` is the offset in the file at which the index ends.
    fn head(&mut self, end: u64) -> Option<IndexHead> {
        let version = self.u32()? >> 24;
        self.u32()?;
        let timescale = self.u32()?;
        let (earliest, first) =
            if version == 0 { (u64::from(self.u32()?), u64::from(self.u32()?)) } else { (self.u64()?, self.u64()?) };
        let count = u16::try_from(self.u32()? & 0xffff).ok()?;
        Some(IndexHead { timescale, earliest, first: end.saturating_add(first), count })
    }

    fn reference(&mut self) -> Option<IndexReference> {
        let kind_and_size = self.u32()?;
        let duration = self.u32()?;
        // The last four bytes, about random access, may be cut by a range that ends too early.
        self.at += REFERENCE - 8;
        let size = kind_and_size & 0x7fff_ffff;
        Some(IndexReference { is_index: kind_and_size >> 31 == 1, size, duration })
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.bytes.get(self.at..)?.first_chunk()?;
        self.at += 4;
        Some(u32::from_be_bytes(*bytes))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from(self.u32()?) << 32 | u64::from(self.u32()?))
    }
}

/// Returns the place of the index: by the boxes before it, or, if the bytes begin within a box, by its name.
fn find(bytes: &[u8]) -> Option<BoxPlace> {
    let mut at = 0;
    while let Some(place) = place(bytes, at) {
        if bytes.get(at + 4..at + 8) == Some(b"sidx") {
            return Some(place);
        }
        let Some(next) = usize::try_from(place.length).ok().and_then(|length| at.checked_add(length)) else { break };
        at = next;
    }
    let name = bytes.windows(4).skip(4).position(|name| name == b"sidx")?;
    place(bytes, name)
}

/// Returns the place of the box that begins here.
fn place(bytes: &[u8], start: usize) -> Option<BoxPlace> {
    let mut cursor = BoxCursor { bytes, at: start };
    let short = cursor.u32()?;
    cursor.u32()?;
    let length = match short {
        0 => (bytes.len() - start) as u64,
        1 => cursor.u64()?,
        length => u64::from(length),
    };
    (length >= (cursor.at - start) as u64).then_some(BoxPlace { start, content: cursor.at, length })
}

fn missing(bytes: &[u8]) -> ManifestError {
    if WEBM.iter().any(|begin| bytes.starts_with(begin)) {
        return ManifestError::new(1, "the index is that of a WebM file, which is not supported").help("use MP4 files");
    }
    ManifestError::new(1, "the bytes have no segment index (`sidx`)").help("`@indexRange` has to cover it")
}

fn cut() -> ManifestError {
    ManifestError::new(1, "the segment index (`sidx`) is cut").help("`@indexRange` has to cover it")
}

#[cfg(test)]
mod tests {
    use viewer_core::SECOND;

    use super::*;

    /// Returns an index of version 0 at 1,000 ticks a second, of 4 s and 2 s, with these numbers of bytes.
    fn sidx(earliest: u32, first_offset: u32, sizes: [u32; 2]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let words = [0, 1, 1000, earliest, first_offset, 2, sizes[0], 4000, 0, sizes[1], 2000, 0];
        bytes.extend(u32::try_from(8 + words.len() * 4).unwrap().to_be_bytes());
        bytes.extend(b"sidx");
        bytes.extend(words.iter().flat_map(|word: &u32| word.to_be_bytes()));
        bytes
    }

    fn indexed() -> IndexedFile {
        IndexedFile {
            urls: vec!["http://a/b.mp4?c".into()],
            index: None,
            init: None,
            offset: 0,
            end: None,
            discontinuity: 0,
        }
    }

    /// Returns `start+duration@first-bytes` of each segment, in milliseconds, after the range of the initialization
    /// segment.
    fn read(bytes: &[u8], offset: u64, indexed: &IndexedFile) -> Result<String, String> {
        let list = read_index(bytes, offset, indexed).map_err(|error| error.text)?;
        let mut text = list.init(0, 0).and_then(|init| init.range).map_or("-".into(), |range| range.length.to_string());
        for number in list.numbers() {
            let segment = list.segment(number).unwrap();
            let (start, duration, range) = (segment.start / 1000, segment.duration / 1000, segment.range.unwrap());
            text.push_str(&format!(" {start}+{duration}@{}-{}", range.start, range.length));
            assert_eq!(list.resource(number, 0).unwrap().url, "http://a/b.mp4?c");
        }
        Ok(text)
    }

    #[test]
    fn an_index_becomes_segments() {
        let index = sidx(0, 10, [100, 50]);
        assert_eq!(index.len(), 56);
        let boxes =
            [&[0, 0, 0, 12][..], b"ftyp", b"iso5", &[0, 0, 0, 8], b"free", &index, &[0, 0, 0, 9], b"moof"].concat();
        let within = [b"xyz", &index[..]].concat();
        let later = sidx(3000, 0, [100, 50]);
        let shifted = IndexedFile { offset: 7 * SECOND, end: Some(12 * SECOND), ..indexed() };
        let named = IndexedFile { init: Some(ByteRange { start: 0, length: 99 }), ..indexed() };
        for (case, bytes, offset, indexed, expected) in [
            ("alone", &index, 1000, indexed(), "1000 0+4000@1066-100 4000+2000@1166-50"),
            ("behind other boxes", &boxes, 0, indexed(), "20 0+4000@86-100 4000+2000@186-50"),
            ("within a box", &within, 997, indexed(), "1000 0+4000@1066-100 4000+2000@1166-50"),
            ("at the very beginning", &index, 0, indexed(), "- 0+4000@66-100 4000+2000@166-50"),
            ("an initialization segment", &index, 1000, named, "99 0+4000@1066-100 4000+2000@1166-50"),
            (
                "a range that ends too early",
                &index[..55].to_vec(),
                1000,
                indexed(),
                "1000 0+4000@1066-100 4000+2000@1166-50",
            ),
            ("a later start", &later, 1000, indexed(), "1000 3000+4000@1056-100 7000+2000@1156-50"),
            ("in a period", &index, 1000, shifted, "1000 7000+4000@1066-100 11000+1000@1166-50"),
            ("an empty segment", &sidx(0, 10, [100, 0]), 1000, indexed(), "1000 0+4000@1066-100"),
        ] {
            assert_eq!(read(bytes, offset, &indexed).as_deref(), Ok(expected), "{case}");
        }
    }

    #[test]
    fn version_1_has_long_times() {
        let mut bytes = sidx(0, 0, [100, 50]);
        bytes[3] = 64;
        bytes[8] = 1;
        bytes.splice(20..28, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
        let expected = "1000 4294967296+4000@1069-100 4294971296+2000@1169-50";
        assert_eq!(read(&bytes, 1000, &indexed()).as_deref(), Ok(expected));
    }

    #[test]
    fn other_bytes_are_errors() {
        let index = sidx(0, 10, [100, 50]);
        for (case, bytes, error) in [
            ("nothing", &[][..], "the bytes have no segment index (`sidx`)"),
            ("text", b"<html>not found</html>", "the bytes have no segment index (`sidx`)"),
            ("cues", b"\x1c\x53\xbb\x6b\x83abc", "the index is that of a WebM file, which is not supported"),
            ("cut in the head", &index[..30], "the segment index (`sidx`) is cut"),
            ("cut in a reference", &index[..50], "the segment index (`sidx`) is cut"),
            ("nested", &sidx(0, 0, [1 << 31, 50]), "the index refers to further indexes, which is not supported"),
        ] {
            assert_eq!(read(bytes, 1000, &indexed()), Err(error.into()), "{case}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_a_panic(bytes: Vec<u8>, offset: u64, at in 0..60_usize, byte: u8) {
            let _ = read_index(&bytes, offset, &indexed());
            let mut index = sidx(0, 10, [100, 50]);
            if let Some(place) = index.get_mut(at) {
                *place = byte;
            }
            let _ = read_index(&index, offset, &indexed());
        }
    }
}
