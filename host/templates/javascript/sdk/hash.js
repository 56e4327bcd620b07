// Hashes for protocols that sign or check: `md5`, `sha1` (RFC 1321, RFC 3174: for old protocols alone), `sha256`
// (FIPS 180-4), `hmac` (RFC 2104), `hex` and `base64`. The engine's own `crypto.subtle` returns promises, which never
// settle in a plugin. Data are bytes or texts, which stand for their UTF-8; hashes are bytes.

const bytes = (data) => (typeof data === 'string' ? new TextEncoder().encode(data) : data);
const left = (word, bits) => (word << bits) | (word >>> (32 - bits));

/// Returns the data with the padding of all three: a one, zeros, and the length in bits.
function padded(data, littleEndian) {
  const all = new Uint8Array(((data.length + 72) >> 6) << 6);
  all.set(data);
  all[data.length] = 0x80;
  const view = new DataView(all.buffer);
  view.setUint32(all.length - (littleEndian ? 8 : 4), data.length << 3, littleEndian);
  view.setUint32(all.length - (littleEndian ? 4 : 8), Math.floor(data.length / 0x20000000), littleEndian);
  return view;
}

/// Returns words as bytes.
function unpacked(words, littleEndian) {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  words.forEach((word, at) => view.setUint32(at * 4, word, littleEndian));
  return new Uint8Array(view.buffer);
}

const MD5_SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const MD5_SINES = Array.from({ length: 64 }, (_, at) => Math.floor(Math.abs(Math.sin(at + 1)) * 2 ** 32) | 0);

export function md5(data) {
  const view = padded(bytes(data), true);
  let state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a, b, c, d] = state;
    for (let at = 0; at < 64; at++) {
      const round = at >> 4;
      const mixed = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
      const from = [at, 5 * at + 1, 3 * at + 5, 7 * at][round] & 15;
      const sum = (a + mixed + MD5_SINES[at] + view.getUint32(block + from * 4, true)) | 0;
      [a, d, c, b] = [d, c, b, (b + left(sum, MD5_SHIFTS[round * 4 + (at & 3)])) | 0];
    }
    state = [a, b, c, d].map((word, at) => (word + state[at]) | 0);
  }
  return unpacked(state, true);
}

export function sha1(data) {
  const view = padded(bytes(data), false);
  let state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0];
  const words = new Int32Array(80);
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a, b, c, d, e] = state;
    for (let at = 0; at < 80; at++) {
      words[at] = at < 16
        ? view.getInt32(block + at * 4)
        : left(words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16], 1);
      const [mixed, constant] = [
        [(b & c) | (~b & d), 0x5a827999],
        [b ^ c ^ d, 0x6ed9eba1],
        [(b & c) | (b & d) | (c & d), 0x8f1bbcdc],
        [b ^ c ^ d, 0xca62c1d6],
      ][Math.floor(at / 20)];
      [a, b, c, d, e] = [(left(a, 5) + mixed + e + constant + words[at]) | 0, a, left(b, 30), c, d];
    }
    state = [a, b, c, d, e].map((word, at) => (word + state[at]) | 0);
  }
  return unpacked(state, false);
}

const PRIMES = [];
for (let number = 2; PRIMES.length < 64; number++) {
  if (PRIMES.every((prime) => number % prime !== 0)) PRIMES.push(number);
}
const fraction = (root) => ((root - Math.floor(root)) * 2 ** 32) | 0;
const SHA256_CONSTANTS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));
const SHA256_START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

export function sha256(data) {
  const view = padded(bytes(data), false);
  let state = SHA256_START;
  const words = new Int32Array(64);
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a, b, c, d, e, f, g, h] = state;
    for (let at = 0; at < 64; at++) {
      if (at < 16) {
        words[at] = view.getInt32(block + at * 4);
      } else {
        const [near, far] = [words[at - 2], words[at - 15]];
        const spread = (left(far, 25) ^ left(far, 14) ^ (far >>> 3)) + (left(near, 15) ^ left(near, 13) ^ (near >>> 10));
        words[at] = (words[at - 16] + words[at - 7] + spread) | 0;
      }
      const choice = (left(e, 26) ^ left(e, 21) ^ left(e, 7)) + ((e & f) ^ (~e & g));
      const first = (h + choice + SHA256_CONSTANTS[at] + words[at]) | 0;
      const second = (left(a, 30) ^ left(a, 19) ^ left(a, 10)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    state = [a, b, c, d, e, f, g, h].map((word, at) => (word + state[at]) | 0);
  }
  return unpacked(state, false);
}

/// Returns the keyed hash of data, by `md5`, `sha1` or `sha256`.
export function hmac(hash, key, data) {
  const short = bytes(key).length > 64 ? hash(key) : bytes(key);
  const pad = (byte, text) => {
    const all = new Uint8Array(64 + text.length).fill(byte, 0, 64);
    short.forEach((value, at) => (all[at] ^= value));
    all.set(text, 64);
    return hash(all);
  };
  return pad(0x5c, pad(0x36, bytes(data)));
}

export const hex = (data) => Array.from(bytes(data), (byte) => byte.toString(16).padStart(2, '0')).join('');

export const base64 = (data) => btoa(Array.from(bytes(data), (byte) => String.fromCharCode(byte)).join(''));
