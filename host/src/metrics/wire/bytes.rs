//! Numbers and texts as bytes.

use super::shape::WireError;

/// The greatest count of an interval, 2^44: five hours in nanoseconds, 17 TB. Sums of a million of them fit.
pub(super) const MAX_COUNT: u64 = 1 << 44;

/// Appends a whole number, seven bits a byte, the lowest first.
pub(super) fn write_count(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a number with a fraction.
pub(super) fn write_float(number: f64, out: &mut Vec<u8>) {
    out.extend(number.to_bits().to_le_bytes());
}

/// Appends a text and its length.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    write_count(text.len() as u64, out);
    out.extend(text.as_bytes());
}

/// Appends a mark for whether something follows, and that.
pub(super) fn write_optional<T>(value: Option<T>, out: &mut Vec<u8>, write: impl FnOnce(T, &mut Vec<u8>)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        write(value, out);
    }
}

/// Reads what the functions of this module write.
pub(super) struct ByteReader<'a> {
    rest: &'a [u8],
}

impl<'a> ByteReader<'a> {
    /// Creates a reader of these bytes.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns true if all bytes have been read.
    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads a byte.
    pub(super) fn byte(&mut self) -> Result<u8, WireError> {
        let (first, rest) = self.rest.split_first().ok_or(WireError::Ended)?;
        self.rest = rest;
        Ok(*first)
    }

    /// Reads a whole number of at most 64 bits.
    pub(super) fn whole(&mut self) -> Result<u64, WireError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(WireError::Invalid("number"))
    }

    /// Reads a count.
    pub(super) fn count(&mut self) -> Result<u64, WireError> {
        self.whole().and_then(|count| if count <= MAX_COUNT { Ok(count) } else { Err(WireError::Invalid("count")) })
    }

    /// Reads a number that fits into `T`; `what` names it.
    pub(super) fn number<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, WireError> {
        T::try_from(self.whole()?).map_err(|_| WireError::Invalid(what))
    }

    /// Reads the length of a list, each of whose items takes at least a byte, or is known to the caller.
    pub(super) fn length(&mut self) -> Result<usize, WireError> {
        self.number("length")
    }

    /// Reads the length of a list of at most `most` items, each of which takes at least a byte.
    pub(super) fn length_up_to(&mut self, most: usize) -> Result<usize, WireError> {
        match self.length()? {
            length if length > most => Err(WireError::Invalid("length")),
            length if length > self.rest.len() => Err(WireError::Ended),
            length => Ok(length),
        }
    }

    /// Reads a number with a fraction, which must be finite.
    pub(super) fn float(&mut self) -> Result<f64, WireError> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>().ok_or(WireError::Ended)?;
        self.rest = rest;
        let number = f64::from_bits(u64::from_le_bytes(*bytes));
        if number.is_finite() { Ok(number) } else { Err(WireError::Invalid("value")) }
    }

    /// Reads a text of at most `most` bytes.
    pub(super) fn text(&mut self, most: usize) -> Result<&'a str, WireError> {
        let length = self.length_up_to(most)?;
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| WireError::Invalid("text"))
    }

    /// Reads a mark.
    pub(super) fn mark(&mut self) -> Result<bool, WireError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Invalid("mark")),
        }
    }

    /// Reads a mark, and a value if it is set.
    pub(super) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, WireError>,
    ) -> Result<Option<T>, WireError> {
        if self.mark()? { read(self).map(Some) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_read_back(number: u64, small in 0_u64..300, value in -1e300..1e300_f64) {
            let mut out = Vec::new();
            write_count(number, &mut out);
            write_count(small, &mut out);
            write_float(value, &mut out);
            let mut reader = ByteReader::new(&out);
            prop_assert_eq!((reader.whole(), reader.whole(), reader.float()), (Ok(number), Ok(small), Ok(value)));
            prop_assert!(reader.is_at_end());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = ByteReader::new(&bytes).whole();
            let _ = ByteReader::new(&bytes).float();
            let text = ByteReader::new(&bytes).text(100);
            prop_assert!(text.is_ok() || text.is_err());
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let nine = [0xff; 9];
        let with = |last: u8| [&nine[..], &[last]].concat();
        assert_eq!(ByteReader::new(&with(1)).whole(), Ok(u64::MAX));
        assert_eq!(ByteReader::new(&with(2)).whole(), Err(WireError::Invalid("number")));
        assert_eq!(ByteReader::new(&with(0x81)).whole(), Err(WireError::Invalid("number")));
        assert_eq!(ByteReader::new(&nine).whole(), Err(WireError::Ended));
        assert_eq!(ByteReader::new(&with(1)).count(), Err(WireError::Invalid("count")));
        assert_eq!(ByteReader::new(&f64::NAN.to_bits().to_le_bytes()).float(), Err(WireError::Invalid("value")));
    }
}
