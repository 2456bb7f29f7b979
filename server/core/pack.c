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
/* Texts of a usual record, packed eight characters at a time. */
#define PACK_STACK 128u

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

static char *
put_text(char *at, struct span text)
{
	/* The empty texts of a removal may be NULL. */
	if (text.len > 0)
		memcpy(at, text.data, text.len);
	at[text.len] = MARK;
	return at + text.len + 1;
}

/* Writes (count + 1) / 2 bytes; `chars` is readable up to a multiple of 8. */
static void
pack_run(const char *chars, size_t count, uint8_t *out)
{
	for (size_t i = 0; i < count; i += 8) {
		uint32_t packed = squeeze(load_le64(chars + i));
		size_t bytes = (count - i + 1) / 2;

		for (size_t j = 0; j < 4 && j < bytes; j++)
			out[i / 2 + j] = (uint8_t)(packed >> (8u * j));
	}
}

/* One character after another: a location may be as long as a line. */
static void
pack_slowly(const struct report *report, uint8_t *out)
{
	const struct span texts[3] = { report->location, report->time,
		report->skew };
	size_t n = 0;

	for (unsigned text = 0; text < 3; text++) {
		for (size_t i = 0; i <= texts[text].len; i++, n++) {
			unsigned c = i < texts[text].len
					 ? (unsigned char)texts[text].data[i]
					 : (unsigned)MARK;

			if (n % 2 == 0)
				out[n / 2] = (uint8_t)(c & 15u);
			else
				out[n / 2] |= (uint8_t)((c & 15u) << 4);
		}
	}
	if (n % 2 != 0)
		out[n / 2] |= NIBBLE_MARK << 4;
}

void
pack_write(const struct report *report, uint8_t *out)
{
	size_t count = pack_chars(report);
	char chars[PACK_STACK];
	char *at = chars;

	memcpy(out, report->client.data, report->client.len);
	out += report->client.len;
	if (count + 8 > PACK_STACK) {
		pack_slowly(report, out);
		return;
	}
	at = put_text(at, report->location);
	at = put_text(at, report->time);
	at = put_text(at, report->skew);
	/* Marks fill the other half of the last byte, and the tail. */
	memset(at, MARK, 8);
	pack_run(chars, count, out);
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
