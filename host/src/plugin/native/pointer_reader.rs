//! Copies of the data behind a library's pointers. Each pointer is checked for null, each length against a limit, and
//! each text for UTF-8 before it is used.

use std::slice;

use super::abi::{stampede_bytes, stampede_text};

/// Copies data from a library in one call, up to a limit.
pub(super) struct PointerReader {
    /// Bytes that may still be copied.
    bytes_left: usize,
}

impl PointerReader {
    /// Creates a reader that copies at most `max_bytes`.
    pub(super) const fn new(max_bytes: usize) -> Self {
        Self { bytes_left: max_bytes }
    }

    /// Copies a text.
    ///
    /// # Errors
    /// It is null, too long, or not UTF-8.
    ///
    /// # Safety
    /// If the pointer is not null, `length` bytes can be read at it.
    pub(super) unsafe fn text(&mut self, text: stampede_text) -> wasmtime::Result<String> {
        // SAFETY: as above.
        let bytes = unsafe { self.bytes(stampede_bytes { at: text.at.cast(), length: text.length }) }?;
        String::from_utf8(bytes).map_err(|_| wasmtime::format_err!("a text is not UTF-8"))
    }

    /// Copies a text that may be missing.
    ///
    /// # Errors
    /// As [`Self::text`].
    ///
    /// # Safety
    /// As [`Self::text`].
    pub(super) unsafe fn optional_text(&mut self, text: stampede_text) -> wasmtime::Result<Option<String>> {
        // SAFETY: as above.
        if text.at.is_null() && text.length == 0 { Ok(None) } else { unsafe { self.text(text) }.map(Some) }
    }

    /// Copies bytes.
    ///
    /// # Errors
    /// The pointer is null, or they are too many.
    ///
    /// # Safety
    /// As [`Self::text`].
    pub(super) unsafe fn bytes(&mut self, bytes: stampede_bytes) -> wasmtime::Result<Vec<u8>> {
        // SAFETY: as above.
        unsafe { self.list(bytes.at, bytes.length) }.map(<[u8]>::to_vec)
    }

    /// Returns a list of `count` elements. An empty one may have any pointer.
    ///
    /// # Errors
    /// The pointer is null, or the list is too long.
    ///
    /// # Safety
    /// If the pointer is not null, `count` elements are there, and stay as long as the result is used.
    pub(super) unsafe fn list<'a, T>(&mut self, first: *const T, count: usize) -> wasmtime::Result<&'a [T]> {
        if count == 0 {
            return Ok(&[]);
        }
        wasmtime::ensure!(!first.is_null(), "a null pointer is given where data is required");
        let left = count.checked_mul(size_of::<T>()).and_then(|bytes| self.bytes_left.checked_sub(bytes));
        self.bytes_left =
            left.ok_or_else(|| wasmtime::format_err!("a call copies more than `copied` of its limits allows"))?;
        // SAFETY: as above, and their size is below the limit, far less than `isize::MAX`.
        Ok(unsafe { slice::from_raw_parts(first, count) })
    }

    /// Returns the element at a pointer.
    ///
    /// # Errors
    /// The pointer is null.
    ///
    /// # Safety
    /// As [`Self::list`].
    pub(super) unsafe fn one<'a, T>(&mut self, at: *const T) -> wasmtime::Result<&'a T> {
        // SAFETY: as above.
        unsafe { at.as_ref() }.ok_or_else(|| wasmtime::format_err!("a null pointer is given where data is required"))
    }
}

/// Converts 0 or 1 to a `bool`.
///
/// # Errors
/// It is another number.
pub(super) fn flag(number: u8) -> wasmtime::Result<bool> {
    from_number(&[false, true], number.into())
}

/// Returns the value with that index among all values of a kind.
///
/// # Errors
/// There is no value with that index.
pub(super) fn from_number<T: Copy>(all: &[T], number: u32) -> wasmtime::Result<T> {
    let value = all.get(number as usize).copied();
    value.ok_or_else(|| wasmtime::format_err!("the number {number} has no meaning here"))
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    fn text(bytes: &[u8]) -> stampede_text {
        stampede_text { at: bytes.as_ptr().cast(), length: bytes.len() }
    }

    #[test]
    fn texts_of_a_library_are_checked() {
        let nowhere = |length| stampede_text { at: ptr::null(), length };
        for (case, given, expected) in [
            ("a text", text(b"Zo\xc3\xab"), Ok("Zoë")),
            ("an empty one", text(b""), Ok("")),
            ("an empty one without a pointer", nowhere(0), Ok("")),
            ("one without a pointer", nowhere(3), Err("a null pointer is given where data is required")),
            ("not UTF-8", text(b"\xff"), Err("a text is not UTF-8")),
            ("too long", text(&[b'x'; 9]), Err("a call copies more than `copied` of its limits allows")),
            (
                "longer than memory",
                stampede_text { at: text(b"x").at, length: usize::MAX },
                Err("a call copies more than `copied` of its limits allows"),
            ),
        ] {
            // SAFETY: a pointer that is not null leads to a slice of this test, or is rejected for its length.
            let text = unsafe { PointerReader::new(8).text(given) }.map_err(|error| error.to_string());
            assert_eq!(text.as_deref().map_err(String::as_str), expected, "{case}");
        }
    }

    #[test]
    fn all_copies_of_a_call_share_one_limit() {
        let mut reader = PointerReader::new(5);
        // SAFETY: it is a slice of this test.
        let mut fits = |bytes: &[u8]| unsafe { reader.text(text(bytes)) }.is_ok();
        assert!(fits(b"abc") && !fits(b"abc") && fits(b"ab") && !fits(b"a"));
    }

    #[test]
    fn numbers_without_a_meaning_are_rejected() {
        assert_eq!([0, 1, 2].map(|number| flag(number).ok()), [Some(false), Some(true), None]);
    }
}
