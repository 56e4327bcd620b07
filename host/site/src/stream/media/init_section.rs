//! The initialization section of a track: what a playlist says about the track, and the defaults of its samples.

use super::boxes::{Mp4Box, boxes, u16_at, u32_at};
use crate::stream::ladder::FrameSize;
use crate::stream::track_info::TrackKind;

/// Bytes of the entry of a picture's format before its boxes.
const VISUAL_ENTRY_BYTES: usize = 78;

/// Bytes of the entry of a sound's format before its boxes.
const AUDIO_ENTRY_BYTES: usize = 28;

/// The description of a track in its initialization section.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InitSection {
    /// Video or audio.
    pub kind: TrackKind,
    /// Ticks of a second.
    pub timescale: u32,
    /// The codec as in RFC 6381.
    pub codecs: String,
    /// Size of the picture.
    pub frame_size: Option<FrameSize>,
    /// Values of samples whose fragment does not set them.
    pub defaults: SampleDefaults,
}

/// Values of samples whose own are not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SampleDefaults {
    /// Duration in ticks.
    pub duration: u32,
    /// Flags, one of which is for samples that depend on others.
    pub flags: u32,
}

impl InitSection {
    /// Reads an initialization section of one track.
    ///
    /// # Errors
    /// The reason why it cannot be served.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let all = boxes(bytes).ok_or("it is not an MP4 file")?;
        let moov = all.iter().find(|one| one.kind == *b"moov").ok_or("it has no `moov`")?;
        let tracks = boxes(moov.content).ok_or("its `moov` is cut")?;
        if tracks.iter().filter(|one| one.kind == *b"trak").count() != 1 {
            return Err("it does not have exactly one track: audio and video must be apart".to_owned());
        }
        let media = moov.child(b"trak").and_then(|trak| trak.child(b"mdia")).ok_or("it has no `mdia`")?;
        let timescale = timescale(&media).filter(|ticks| *ticks > 0).ok_or("it has no time scale")?;
        let handler = media.child(b"hdlr").and_then(|hdlr| hdlr.content.get(8..12)).ok_or("it has no `hdlr`")?;
        let kind = match handler {
            b"vide" => TrackKind::Video,
            b"soun" => TrackKind::Audio,
            _ => return Err("it is neither video nor audio".to_owned()),
        };
        let format = media.child(b"minf").and_then(|minf| minf.child(b"stbl")).and_then(|stbl| stbl.child(b"stsd"));
        let entry = format.and_then(|stsd| boxes(stsd.content.get(8..)?)?.first().copied());
        let entry = entry.ok_or("it has no format")?;
        let codecs = codec(&entry).ok_or_else(|| {
            format!("its codec `{}` is not one of H.264, AAC, AC-3 and Opus", String::from_utf8_lossy(&entry.kind))
        })?;
        let frame_size = if kind == TrackKind::Video { frame_size(&entry) } else { None };
        let defaults = defaults(moov).ok_or("it has no `trex`")?;
        Ok(Self { kind, timescale, codecs, frame_size, defaults })
    }
}

fn timescale(media: &Mp4Box<'_>) -> Option<u32> {
    let mdhd = media.child(b"mdhd")?;
    u32_at(mdhd.content, if mdhd.version()? == 1 { 20 } else { 12 })
}

fn frame_size(entry: &Mp4Box<'_>) -> Option<FrameSize> {
    Some(FrameSize { width: u16_at(entry.content, 24)?.into(), height: u16_at(entry.content, 26)?.into() })
}

fn defaults(moov: &Mp4Box<'_>) -> Option<SampleDefaults> {
    let trex = moov.child(b"mvex")?.child(b"trex")?;
    Some(SampleDefaults { duration: u32_at(trex.content, 12)?, flags: u32_at(trex.content, 20)? })
}

/// Returns the codec of a format.
fn codec(entry: &Mp4Box<'_>) -> Option<String> {
    let name = std::str::from_utf8(&entry.kind).ok()?;
    match name {
        "avc1" | "avc3" => {
            let record = entry.child_after(VISUAL_ENTRY_BYTES, b"avcC")?;
            let [profile, constraints, level] = record.content.get(1..4)?.try_into().ok()?;
            Some(format!("{name}.{profile:02x}{constraints:02x}{level:02x}"))
        }
        "mp4a" => {
            let [object_type, sound] = aac_types(entry.child_after(AUDIO_ENTRY_BYTES, b"esds")?.content)?;
            Some(format!("mp4a.{object_type:x}.{sound}"))
        }
        "ac-3" | "ec-3" => Some(name.to_owned()),
        "Opus" => Some("opus".to_owned()),
        _ => None,
    }
}

/// Returns the object type and the audio object type of an elementary stream descriptor (ISO/IEC 14496-1).
fn aac_types(esds: &[u8]) -> Option<[u8; 2]> {
    let stream = descriptor(esds.get(4..)?, 3)?;
    let config = descriptor(stream.get(3..)?, 4)?;
    let specific = descriptor(config.get(13..)?, 5)?;
    Some([*config.first()?, *specific.first()? >> 3])
}

/// Returns the content of a descriptor with that tag. Its size has seven bits in each byte.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    if *bytes.first()? != tag {
        return None;
    }
    let sizes = bytes.get(1..)?.iter().take(4).position(|byte| byte & 0x80 == 0)? + 1;
    bytes.get(1 + sizes..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_of_aac_are_found_after_sizes_of_any_length() {
        let short = b"\0\0\0\0\x03\x19\0\x01\0\x04\x11\x40\x15\0\0\0\0\0\0\0\0\0\0\0\x05\x02\x11\x90";
        assert_eq!(aac_types(short), Some([0x40, 2]));
        let long = b"\0\0\0\0\x03\x80\x80\x80\x25\0\x01\0\x04\x80\x80\x80\x17\x40\x15\0\0\0\0\0\0\0\0\0\0\0\x05\x80\x80\x80\x02\x11\x90";
        assert_eq!(aac_types(long), Some([0x40, 2]));
        assert_eq!(aac_types(b"\0\0\0\0\x04"), None);
    }

    #[test]
    fn a_file_without_a_track_is_refused_with_the_reason() {
        assert_eq!(InitSection::parse(b"\0\0\0").unwrap_err(), "it is not an MP4 file");
        assert_eq!(InitSection::parse(b"\0\0\0\x08ftyp").unwrap_err(), "it has no `moov`");
        assert!(InitSection::parse(b"\0\0\0\x08moov").unwrap_err().contains("exactly one track"));
    }
}
