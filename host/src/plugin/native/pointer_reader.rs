//! What a library's pointers lead to. Nothing of it is used before it was checked for null, for its length and, if it is
//! a text, for UTF-8.

use std::slice;

use super::abi::{stampede_bytes, stampede_text};

/// What is copied from a library in one call of it.
pub struct PointerReader {
    /// Bytes that may still be copied.
    bytes_left: usize,
}

impl PointerReader {
    /// So many bytes may be copied.
    pub const fn new(most: usize) -> Self {
        Self { bytes_left: most }
    }

    /// A text.
    ///
    /// # Errors
    /// It is none, or too long.
    ///
    /// # Safety
    /// If it is not null, it leads to so many bytes.
    pub unsafe fn text(&mut self, text: stampede_text) -> wasmtime::Result<String> {
        // SAFETY: as above.
        let bytes = unsafe { self.bytes(stampede_bytes { at: text.at.cast(), length: text.length }) }?;
        String::from_utf8(bytes).map_err(|_| wasmtime::format_err!("a text is not UTF-8"))
    }

    /// A text that may be missing.
    ///
    /// # Errors
    /// As [`Self::text`].
    ///
    /// # Safety
    /// As [`Self::text`].
    pub unsafe fn optional_text(&mut self, text: stampede_text) -> wasmtime::Result<Option<String>> {
        // SAFETY: as above.
        if text.at.is_null() && text.length == 0 { Ok(None) } else { unsafe { self.text(text) }.map(Some) }
    }

    /// Bytes.
    ///
    /// # Errors
    /// There are none, or too many.
    ///
    /// # Safety
    /// As [`Self::text`].
    pub unsafe fn bytes(&mut self, bytes: stampede_bytes) -> wasmtime::Result<Vec<u8>> {
        // SAFETY: as above.
        unsafe { self.list(bytes.at, bytes.length) }.map(<[u8]>::to_vec)
    }

    /// So many of something. None need not be anywhere.
    ///
    /// # Errors
    /// The pointer is null, or they are too many.
    ///
    /// # Safety
    /// If it is not null, it leads to so many, which stay as long as the result is used.
    pub unsafe fn list<'a, T>(&mut self, first: *const T, count: usize) -> wasmtime::Result<&'a [T]> {
        if count == 0 {
            return Ok(&[]);
        }
        wasmtime::ensure!(!first.is_null(), "a null pointer is said to lead to something");
        let left = count.checked_mul(size_of::<T>()).and_then(|bytes| self.bytes_left.checked_sub(bytes));
        self.bytes_left =
            left.ok_or_else(|| wasmtime::format_err!("a call copies more than `copied` of its limits allows"))?;
        // SAFETY: as above, and their size is far from what addresses can hold.
        Ok(unsafe { slice::from_raw_parts(first, count) })
    }

    /// One of something.
    ///
    /// # Errors
    /// The pointer is null.
    ///
    /// # Safety
    /// As [`Self::list`].
    pub unsafe fn one<'a, T>(&mut self, at: *const T) -> wasmtime::Result<&'a T> {
        // SAFETY: as above.
        unsafe { at.as_ref() }.ok_or_else(|| wasmtime::format_err!("a null pointer is said to lead to something"))
    }
}

/// Something that is told by 0 or 1.
///
/// # Errors
/// It is another number.
pub fn flag(number: u8) -> wasmtime::Result<bool> {
    from_number(&[false, true], number.into())
}

/// Something that is told by its place among all there are.
///
/// # Errors
/// There are not so many.
pub fn from_number<T: Copy>(all: &[T], number: u32) -> wasmtime::Result<T> {
    let value = all.get(number as usize).copied();
    value.ok_or_else(|| wasmtime::format_err!("the number {number} means nothing where it stands"))
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    fn text(bytes: &[u8]) -> stampede_text {
        stampede_text { at: bytes.as_ptr().cast(), length: bytes.len() }
    }

    #[test]
    fn what_a_library_gives_is_checked_before_it_is_used() {
        let nowhere = |length| stampede_text { at: ptr::null(), length };
        for (case, given, expected) in [
            ("a text", text(b"Zo\xc3\xab"), Ok("Zoë")),
            ("an empty one", text(b""), Ok("")),
            ("an empty one that is nowhere", nowhere(0), Ok("")),
            ("one that is nowhere", nowhere(3), Err("a null pointer is said to lead to something")),
            ("not UTF-8", text(b"\xff"), Err("a text is not UTF-8")),
            ("too long", text(&[b'x'; 9]), Err("a call copies more than `copied` of its limits allows")),
            (
                "longer than memory",
                stampede_text { at: text(b"x").at, length: usize::MAX },
                Err("a call copies more than `copied` of its limits allows"),
            ),
        ] {
            // SAFETY: what is not null is a slice of this test, or too long to be looked at.
            let found = unsafe { PointerReader::new(8).text(given) }.map_err(|error| error.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{case}");
        }
    }

    #[test]
    fn all_that_a_call_copies_shares_one_limit() {
        let mut incoming = PointerReader::new(5);
        // SAFETY: it is a slice of this test.
        let mut fits = |bytes: &[u8]| unsafe { incoming.text(text(bytes)) }.is_ok();
        assert!(fits(b"abc") && !fits(b"abc") && fits(b"ab") && !fits(b"a"));
    }

    #[test]
    fn numbers_that_mean_nothing_are_refused() {
        assert_eq!([0, 1, 2].map(|number| flag(number).ok()), [Some(false), Some(true), None]);
    }
}
