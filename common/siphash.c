/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/siphash.h"

#include <string.h>

struct sip_state {
	uint64_t v0;
	uint64_t v1;
	uint64_t v2;
	uint64_t v3;
};

static inline uint64_t
rotate_left(uint64_t x, unsigned n)
{
	return (x << n) | (x >> (64u - n));
}

static inline uint64_t
load_le64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	return x;
}

/* The last bytes, fewer than 8, at `p`; nothing before the data is read. */
static inline uint64_t
load_tail(const uint8_t *p, size_t len)
{
	size_t left = len & 7u;
	uint64_t x = 0;

	if (left != 0 && len >= 8)
		return load_le64(p + left - 8) >> (8u * (8u - left));
	for (size_t i = 0; i < left; i++)
		x |= (uint64_t)p[i] << (8u * i);
	return x;
}

static inline void
sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate_left(s->v1, 13) ^ s->v0;
	s->v0 = rotate_left(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate_left(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate_left(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate_left(s->v1, 17) ^ s->v2;
	s->v2 = rotate_left(s->v2, 32);
}

struct siphash_key
siphash_key(const uint8_t bytes[16])
{
	return (struct siphash_key){ load_le64(bytes), load_le64(bytes + 8) };
}

uint64_t
siphash(const struct siphash_key *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	const uint8_t *end = p + (len & ~(size_t)7);
	uint64_t last = (uint64_t)len << 56;
	struct sip_state s = {
		key->k0 ^ UINT64_C(0x736f6d6570736575),
		key->k1 ^ UINT64_C(0x646f72616e646f6d),
		key->k0 ^ UINT64_C(0x6c7967656e657261),
		key->k1 ^ UINT64_C(0x7465646279746573),
	};

	for (; p != end; p += 8) {
		uint64_t m = load_le64(p);

		s.v3 ^= m;
		sip_round(&s);
		sip_round(&s);
		s.v0 ^= m;
	}
	last |= load_tail(p, len);
	s.v3 ^= last;
	sip_round(&s);
	sip_round(&s);
	s.v0 ^= last;
	s.v2 ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
