/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SipHash-2-4: a keyed 64-bit hash, which nobody without the key can steer.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#ifndef HERD_SIPHASH_H
#define HERD_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0;
	uint64_t k1;
};

/* The key that 16 bytes (little-endian halves) make. */
struct siphash_key siphash_key(const uint8_t bytes[16]);

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

#endif
