// Implements hash.h.

#include "hash.h"

#include <stdlib.h>
#include <string.h>

typedef void compress(uint32_t *state, const uint8_t *block);

static uint32_t left(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t little_endian(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

// Runs all blocks, and the padding: a one, zeros, and the length in bits.
static void run(compress *step, uint32_t *state, const uint8_t *data, size_t length, int is_little)
{
    uint8_t last[128] = {0};
    size_t whole = length & ~(size_t)63, rest = length - whole, end = rest < 56 ? 64 : 128;
    uint64_t bits = (uint64_t)length << 3;
    for (size_t at = 0; at < whole; at += 64)
        step(state, data + at);
    if (rest > 0)
        memcpy(last, data + whole, rest);
    last[rest] = 0x80;
    for (size_t at = 0; at < 8; at++)
        last[is_little ? end - 8 + at : end - 1 - at] = (uint8_t)(bits >> (8 * at));
    for (size_t at = 0; at < end; at += 64)
        step(state, last + at);
}

static void put(const uint32_t *state, size_t words, int is_little, uint8_t *digest)
{
    for (size_t at = 0; at < words * 4; at++)
        digest[at] = (uint8_t)(state[at / 4] >> (is_little ? 8 * (at % 4) : 24 - 8 * (at % 4)));
}

static const uint8_t MD5_SHIFTS[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
static const uint32_t MD5_SINES[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static void md5_step(uint32_t *state, const uint8_t *block)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (int at = 0; at < 64; at++) {
        uint32_t mixed;
        int from;
        switch (at >> 4) {
        case 0:
            mixed = (b & c) | (~b & d), from = at;
            break;
        case 1:
            mixed = (d & b) | (~d & c), from = 5 * at + 1;
            break;
        case 2:
            mixed = b ^ c ^ d, from = 3 * at + 5;
            break;
        default:
            mixed = c ^ (b | ~d), from = 7 * at;
        }
        uint32_t sum = a + mixed + MD5_SINES[at] + little_endian(block + 4 * (from & 15));
        a = d, d = c, c = b;
        b += left(sum, MD5_SHIFTS[(at >> 4) * 4 + (at & 3)]);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

void stampede_md5(const void *data, size_t length, uint8_t *digest)
{
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    run(md5_step, state, data, length, 1);
    put(state, 4, 1, digest);
}

static void sha1_step(uint32_t *state, const uint8_t *block)
{
    uint32_t words[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int at = 0; at < 80; at++) {
        uint32_t mixed;
        words[at] = at < 16 ? big_endian(block + 4 * at)
                            : left(words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16], 1);
        if (at < 20)
            mixed = ((b & c) | (~b & d)) + 0x5a827999;
        else if (at < 40)
            mixed = (b ^ c ^ d) + 0x6ed9eba1;
        else if (at < 60)
            mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
        else
            mixed = (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = left(a, 5) + mixed + e + words[at];
        e = d, d = c, c = left(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void stampede_sha1(const void *data, size_t length, uint8_t *digest)
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    run(sha1_step, state, data, length, 0);
    put(state, 5, 0, digest);
}

static const uint32_t SHA256_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha256_step(uint32_t *state, const uint8_t *block)
{
    uint32_t words[64], s[8];
    memcpy(s, state, sizeof s);
    for (int at = 0; at < 64; at++) {
        if (at < 16) {
            words[at] = big_endian(block + 4 * at);
        } else {
            uint32_t near = words[at - 2], far = words[at - 15];
            words[at] = words[at - 16] + words[at - 7] + (left(far, 25) ^ left(far, 14) ^ far >> 3)
                + (left(near, 15) ^ left(near, 13) ^ near >> 10);
        }
        uint32_t first = s[7] + (left(s[4], 26) ^ left(s[4], 21) ^ left(s[4], 7)) + ((s[4] & s[5]) ^ (~s[4] & s[6]))
            + SHA256_CONSTANTS[at] + words[at];
        uint32_t second = (left(s[0], 30) ^ left(s[0], 19) ^ left(s[0], 10))
            + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += first;
        s[0] = first + second;
    }
    for (int at = 0; at < 8; at++)
        state[at] += s[at];
}

void stampede_sha256(const void *data, size_t length, uint8_t *digest)
{
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    run(sha256_step, state, data, length, 0);
    put(state, 8, 0, digest);
}

void stampede_hmac(stampede_hash *hash, size_t size, const void *key, size_t key_length, const void *data, size_t length,
                   uint8_t *digest)
{
    uint8_t block[64] = {0}, outer[64 + STAMPEDE_SHA256];
    uint8_t *inner = malloc(sizeof block + length);
    if (inner == NULL)
        abort();
    if (key_length > sizeof block)
        hash(key, key_length, block);
    else if (key_length > 0)
        memcpy(block, key, key_length);
    for (size_t at = 0; at < sizeof block; at++) {
        inner[at] = block[at] ^ 0x36;
        outer[at] = block[at] ^ 0x5c;
    }
    if (length > 0)
        memcpy(inner + sizeof block, data, length);
    hash(inner, sizeof block + length, outer + sizeof block);
    hash(outer, sizeof block + size, digest);
    free(inner);
}

void stampede_hex(const uint8_t *bytes, size_t length, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t at = 0; at < length; at++) {
        text[2 * at] = digits[bytes[at] >> 4];
        text[2 * at + 1] = digits[bytes[at] & 15];
    }
    text[2 * length] = 0;
}
