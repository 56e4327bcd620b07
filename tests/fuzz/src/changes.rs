//! Small changes of an input, the same for the same number: bits, bytes, repetitions, and pieces of other inputs.

/// Numbers and texts that parsers have stumbled over.
const TOKENS: [&[u8]; 16] = [
    b"0",
    b"-1",
    b"18446744073709551616",
    b"1e309",
    b"NaN",
    b"{{",
    b"}}",
    b"\"",
    b"'",
    b"\r\n",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff",
    "\u{2028}é".as_bytes(),
    b"&a *a",
    b"[[[[[[[[",
];

/// A stream of numbers (xorshift64*, Vigna 2016), which is the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a number below a limit; 0 if the limit is 0.
    fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.next() % limit as u64) as usize }
    }
}

/// Returns one of the inputs with a few changes. The same number gives the same input.
///
/// # Panics
/// If there are no inputs.
pub fn changed(inputs: &[Vec<u8>], number: u64) -> Vec<u8> {
    let mut numbers = Numbers(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut bytes = inputs[numbers.below(inputs.len())].clone();
    for _ in 0..=numbers.below(4) {
        change(&mut bytes, inputs, &mut numbers);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, inputs: &[Vec<u8>], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    let end = at + numbers.below((bytes.len() - at).min(32) + 1);
    match numbers.below(6) {
        0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
        1 if at < bytes.len() => bytes[at] = numbers.next() as u8,
        2 => drop(bytes.drain(at..end)),
        3 => {
            let piece = bytes[at..end].repeat(1 + numbers.below(8));
            bytes.splice(at..at, piece);
        }
        4 => {
            let other = &inputs[numbers.below(inputs.len())];
            let from = numbers.below(other.len());
            let to = from + numbers.below((other.len() - from).min(64) + 1);
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            let token = TOKENS[numbers.below(TOKENS.len())];
            bytes.splice(at..end, token.iter().copied());
        }
    }
}
