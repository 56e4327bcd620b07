// Hashes for protocols that sign or check: MD5 and SHA-1 (RFC 1321, RFC 3174: for old protocols alone), SHA-256
// (FIPS 180-4), and keyed hashes of all three (RFC 2104).

#ifndef STAMPEDE_HASH_H
#define STAMPEDE_HASH_H

#include <stddef.h>
#include <stdint.h>

// A hash function, which writes 16, 20 or 32 bytes.
typedef void stampede_hash(const void *data, size_t length, uint8_t *digest);

stampede_hash stampede_md5;
stampede_hash stampede_sha1;
stampede_hash stampede_sha256;

// The number of bytes of each.
enum { STAMPEDE_MD5 = 16, STAMPEDE_SHA1 = 20, STAMPEDE_SHA256 = 32 };

// Writes the keyed hash of data, by a function that writes `size` bytes.
void stampede_hmac(stampede_hash *hash, size_t size, const void *key, size_t key_length, const void *data, size_t length,
                   uint8_t *digest);
// Writes two digits for each byte, and a zero.
void stampede_hex(const uint8_t *bytes, size_t length, char *text);

#endif
