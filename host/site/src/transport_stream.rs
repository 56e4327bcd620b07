//! Minimal MPEG-TS (ISO/IEC 13818-1) for valid segments of realistic size without a video in the binary: the tables
//! that announce one programme, then null packets, which every player skips.

/// Size of a packet in bytes.
pub(crate) const PACKET_BYTES: usize = 188;

/// The two packets that RFC 8216 requires first in a segment: programme association table (one programme, whose map is
/// on PID 0x1000) and programme map table (H.264 on PID 0x100, AAC on 0x101).
pub(crate) const PROGRAM_TABLES: &[u8] = &tables();

/// 340 null packets (64 KB).
pub(crate) const NULL_PACKETS: &[u8] = &null_packets::<{ 340 * PACKET_BYTES }>();

/// Sync byte, PID with the unit-start flag, payload only, pointer field; then the section with its CRC.
const ASSOCIATION: &[u8] = &[
    0x47, 0x40, 0x00, 0x10, 0x00, // packet header
    0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00,
    0x00, // table 0, 13 bytes follow, stream 1, version 0, section 0 of 0
    0x00, 0x01, 0xf0, 0x00, // programme 1 on PID 0x1000
    0x2a, 0xb1, 0x04, 0xb2, // CRC
];

/// As above, on PID 0x1000.
const MAP: &[u8] = &[
    0x47, 0x50, 0x00, 0x10, 0x00, // packet header
    0x02, 0xb0, 0x17, 0x00, 0x01, 0xc1, 0x00,
    0x00, // table 2, 23 bytes follow, programme 1, version 0, section 0 of 0
    0xe1, 0x00, 0xf0, 0x00, // clock on PID 0x100, no descriptors
    0x1b, 0xe1, 0x00, 0xf0, 0x00, // H.264 on PID 0x100
    0x0f, 0xe1, 0x01, 0xf0, 0x00, // AAC on PID 0x101
    0x2f, 0x44, 0xb9, 0x9b, // CRC
];

const fn tables() -> [u8; 2 * PACKET_BYTES] {
    let mut bytes = [0xff; 2 * PACKET_BYTES];
    let mut index = 0;
    while index < MAP.len() {
        if index < ASSOCIATION.len() {
            bytes[index] = ASSOCIATION[index];
        }
        bytes[PACKET_BYTES + index] = MAP[index];
        index += 1;
    }
    bytes
}

const fn null_packets<const N: usize>() -> [u8; N] {
    let mut bytes = [0xff; N];
    let mut start = 0;
    while start < N {
        bytes[start] = 0x47;
        bytes[start + 1] = 0x1f;
        bytes[start + 3] = 0x10;
        start += PACKET_BYTES;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the CRC-32/MPEG-2; 0 over a section with its CRC.
    fn crc(section: &[u8]) -> u32 {
        section.iter().fold(u32::MAX, |crc, byte| {
            let shift = |crc: u32| if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 };
            (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| shift(crc))
        })
    }

    #[test]
    fn the_tables_have_the_right_lengths_and_checksums() {
        for packet in [ASSOCIATION, MAP] {
            let section = &packet[5..];
            assert_eq!(usize::from(section[2]), section.len() - 3);
            assert_eq!(crc(section), 0);
        }
    }

    #[test]
    fn every_packet_starts_with_the_sync_byte() {
        for bytes in [PROGRAM_TABLES, NULL_PACKETS] {
            assert_eq!(bytes.len() % PACKET_BYTES, 0);
            assert!(bytes.chunks(PACKET_BYTES).all(|packet| packet[0] == 0x47));
        }
        assert_eq!(PROGRAM_TABLES[..ASSOCIATION.len()], *ASSOCIATION);
        assert_eq!(PROGRAM_TABLES[PACKET_BYTES..PACKET_BYTES + MAP.len()], *MAP);
    }
}
