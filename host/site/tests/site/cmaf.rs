//! Files of fragmented MP4 as small as they can be: the boxes that the site reads, and samples that tell their place.

use std::fs;
use std::path::{Path, PathBuf};

/// Seconds of a segment, which has two fragments.
pub(crate) const SEGMENT_SECONDS: u64 = 2;

/// A track to write.
pub(crate) struct TestTrack {
    pub name: &'static str,
    pub timescale: u32,
    pub is_video: bool,
    /// Bytes of the samples of a fragment.
    pub bytes: usize,
    /// Version of the box with the time: 32 bits if 0, 64 bits if 1.
    pub time_version: u8,
}

pub(crate) const VIDEO: TestTrack =
    TestTrack { name: "high", timescale: 90_000, is_video: true, bytes: 5_000, time_version: 0 };
pub(crate) const LOW: TestTrack = TestTrack { name: "low", bytes: 1_000, time_version: 1, ..VIDEO };
pub(crate) const AUDIO: TestTrack = TestTrack { name: "sound", timescale: 48_000, is_video: false, ..LOW };

/// Writes tracks of `segments` segments into a folder of their own for a test.
pub(crate) fn folder(test: &str, tracks: &[TestTrack], segments: u64) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for track in tracks {
        let path = folder.join(track.name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("init.mp4"), init(track)).unwrap();
        for number in 0..segments {
            fs::write(path.join(format!("{number}.m4s")), segment(track, number)).unwrap();
        }
    }
    folder
}

/// Returns a box.
pub(crate) fn mp4_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes()[..], kind, content].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn init(track: &TestTrack) -> Vec<u8> {
    let entry = if track.is_video {
        let mut content = [0; 78];
        content[24..28].copy_from_slice(&[2, 128, 1, 104]);
        mp4_box(b"avc1", &[&content[..], &mp4_box(b"avcC", &[1, 0x64, 0, 0x1f])].concat())
    } else {
        let descriptors = b"\0\0\0\0\x03\x19\0\x01\0\x04\x11\x40\x15\0\0\0\0\0\0\0\0\0\0\0\x05\x02\x11\x90";
        mp4_box(b"mp4a", &[&[0; 28][..], &mp4_box(b"esds", descriptors)].concat())
    };
    let formats = mp4_box(b"stsd", &[words(&[0, 1]), entry].concat());
    let handler = if track.is_video { b"vide" } else { b"soun" };
    let media = [
        mp4_box(b"mdhd", &words(&[0, 0, 0, track.timescale, 0, 0])),
        mp4_box(b"hdlr", &[&words(&[0, 0])[..], handler].concat()),
        mp4_box(b"minf", &mp4_box(b"stbl", &formats)),
    ]
    .concat();
    // Samples of a second, each of which depends on others unless its fragment says otherwise.
    let defaults = words(&[0, 1, 1, track.timescale, 0, if track.is_video { 0x0001_0000 } else { 0 }]);
    let movie = [mp4_box(b"trak", &mp4_box(b"mdia", &media)), mp4_box(b"mvex", &mp4_box(b"trex", &defaults))].concat();
    [mp4_box(b"ftyp", b"cmf2"), mp4_box(b"moov", &movie)].concat()
}

/// Returns a segment of two fragments, with an index that the site leaves out.
fn segment(track: &TestTrack, number: u64) -> Vec<u8> {
    let fragment = |index: u64| fragment(track, number * SEGMENT_SECONDS + index, index == 0);
    [mp4_box(b"styp", b"cmfs"), mp4_box(b"sidx", &[7; 44]), fragment(0), fragment(1)].concat()
}

/// Returns a fragment of one sample of one second.
fn fragment(track: &TestTrack, second: u64, is_first: bool) -> Vec<u8> {
    let time = second * u64::from(track.timescale);
    let time = match track.time_version {
        0 => [&[0; 4][..], &u32::try_from(time).unwrap().to_be_bytes()].concat(),
        _ => [&[1, 0, 0, 0][..], &time.to_be_bytes()].concat(),
    };
    let moof = |offset: u32| {
        // Place of the samples, and flags of the first one.
        let run = words(&[0x05, 1, offset, if is_first { 0 } else { 0x0001_0000 }]);
        let parts = [mp4_box(b"tfhd", &words(&[0x0002_0000, 1])), mp4_box(b"tfdt", &time), mp4_box(b"trun", &run)];
        mp4_box(b"moof", &[mp4_box(b"mfhd", &words(&[0, 1])), mp4_box(b"traf", &parts.concat())].concat())
    };
    let offset = u32::try_from(moof(0).len() + 8).unwrap();
    [moof(offset), mp4_box(b"mdat", &samples(track, second))].concat()
}

/// Returns the samples of a second: its number in every byte.
pub(crate) fn samples(track: &TestTrack, second: u64) -> Vec<u8> {
    vec![u8::try_from(second).unwrap(); track.bytes]
}
