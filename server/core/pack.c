/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/pack.h"

#include <assert.h>

/*
 * The characters of these texts differ in their low four bits. None has 15
 * there, so that is the mark: the bits of '?'.
 */
#define MARK '?'
#define LANES UINT64_C(0x0101010101010101)
#define NIBBLE_MARK 15u

static uint64_t
load_le64(const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	return x;
}

static void
store_le64(char *p, uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	memcpy(p, &x, sizeof(x));
}

/* Eight characters to 32 bits, the first one in the lowest nibble. */
static uint32_t
squeeze(uint64_t x)
{
	x &= LANES * 15u;
	x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
	x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
	return (uint32_t)(x | x >> 16);
}

/*
 * And back: 0 to 9 and the mark are 0x3n, 10 to 14 are 0x2n. Each lane's sum
 * stays below 256, so lanes do not touch.
 */
static uint64_t
spread(uint32_t packed)
{
	uint64_t x = packed;
	uint64_t is_sign;

	x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
	x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
	x = (x | x << 4) & (LANES * 15u);
	is_sign = ((x + LANES * 6u) ^ (x + LANES)) & LANES * 16u;
	return (x | LANES * 0x30u) - is_sign;
}

static size_t
pack_chars(const struct report *report)
{
	return report->location.len + report->time.len + report->skew.len + 3;
}

size_t
pack_size(const struct report *report)
{
	return report->client.len + (pack_chars(report) + 1) / 2;
}

/* Nibbles on their way out, the first one in the lowest bits. */
struct packer {
	uint64_t held;
	unsigned count; /* below 8 */
	uint8_t *out;
};

static inline void
store_le32(uint8_t *p, uint32_t x)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap32(x);
#endif
	memcpy(p, &x, sizeof(x));
}

/* `count` of them, 8 at most. */
static inline void
put_nibbles(struct packer *packer, uint32_t nibbles, unsigned count)
{
	packer->held |= (uint64_t)nibbles << (4u * packer->count);
	packer->count += count;
	if (packer->count >= 8) {
		store_le32(packer->out, (uint32_t)packer->held);
		packer->out += 4;
		packer->held >>= 32;
		packer->count -= 8;
	}
}

/* The last `left` characters, fewer than 8; nothing before the text is read. */
static inline uint64_t
load_tail(struct span text, size_t left)
{
	uint64_t x = 0;

	if (left != 0 && text.len >= 8)
		return load_le64(text.data + text.len - 8) >> (8u * (8 - left));
	for (size_t i = 0; i < left; i++)
		x |= (uint64_t)(unsigned char)text.data[i] << (8u * i);
	return x;
}

static inline void
put_text(struct packer *packer, struct span text)
{
	size_t left = text.len;

	for (; left >= 8; left -= 8)
		put_nibbles(
		    packer, squeeze(load_le64(text.data + text.len - left)), 8);
	/* The mark comes with them. */
	put_nibbles(packer,
	    squeeze(load_tail(text, left) | (uint64_t)MARK << (8u * left)),
	    (unsigned)left + 1);
}

void
pack_write(const struct report *report, uint8_t *out)
{
	struct packer packer = { 0, 0, out + report->client.len };

	memcpy(out, report->client.data, report->client.len);
	put_text(&packer, report->location);
	put_text(&packer, report->time);
	put_text(&packer, report->skew);
	/* Half a byte that is left over is another mark. */
	packer.held |= (uint64_t)NIBBLE_MARK << (4u * packer.count);
	for (unsigned i = 0; i < packer.count; i += 2)
		*packer.out++ = (uint8_t)(packer.held >> (4u * i));
}

size_t
pack_scratch(size_t blob_len, size_t client_len)
{
	/* Eight characters are written at a time. */
	return 2 * (blob_len - client_len) + 8;
}

static void
unpack_run(const uint8_t *packed, size_t bytes, char *out)
{
	size_t i = 0;

	for (; i + 4 <= bytes; i += 4)
		store_le64(out + 2 * i,
		    spread((uint32_t)packed[i] | (uint32_t)packed[i + 1] << 8 |
			   (uint32_t)packed[i + 2] << 16 |
			   (uint32_t)packed[i + 3] << 24));
	for (; i < bytes; i++) {
		uint64_t two = spread(packed[i]);

		out[2 * i] = (char)(two & 255u);
		out[2 * i + 1] = (char)(two >> 8 & 255u);
	}
}

void
pack_read(const uint8_t *blob, size_t blob_len, size_t client_len,
    char *scratch, struct report *report)
{
	struct span *const texts[3] = { &report->location, &report->time,
		&report->skew };
	size_t bytes = blob_len - client_len;
	const char *at = scratch;
	const char *end = scratch + 2 * bytes;

	report->client = span_of((const char *)blob, client_len);
	unpack_run(blob + client_len, bytes, scratch);
	for (unsigned i = 0; i < 3; i++) {
		const char *mark = memchr(at, MARK, (size_t)(end - at));

		assert(mark != NULL);
		*texts[i] = span_of(at, (size_t)(mark - at));
		at = mark + 1;
	}
}
