/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/text_fold.h"

#include "herd/text.h"

/* Letters of U+00C0 to U+017F without accents; '.': see SPECIAL or as it is. */
static const char LATIN[] =
    /* C0 */ "aaaaaa.ceeeeiiii.nooooo.ouuuuy.."
	     /* E0 */ "aaaaaa.ceeeeiiii.nooooo.ouuuuy.y"
	     /* 100 */ "aaaaaaccccccccddddeeeeeeeeeegggg"
	     /* 120 */ "gggghhhhiiiiiiiiii..jjkk.lllllll"
	     /* 140 */ "lllnnnnnnn..oooooo..rrrrrrssssss"
	     /* 160 */ "ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/* Pairs of U+1EA0 to U+1EF9, which Vietnamese has. */
static const char VIETNAMESE[] =
    "aaaaaaaaaaaaeeeeeeeeiioooooooooooouuuuuuuyyyy";

static const struct {
	uint32_t code;
	const char *text;
} SPECIAL[] = {
	{ 0xC6, "ae" },
	{ 0xE6, "ae" },
	{ 0xD0, "d" },
	{ 0xF0, "d" },
	{ 0xDE, "th" },
	{ 0xFE, "th" },
	{ 0xDF, "ss" },
	{ 0x1E9E, "ss" },
	{ 0x132, "ij" },
	{ 0x133, "ij" },
	{ 0x138, "k" },
	{ 0x14A, "n" },
	{ 0x14B, "n" },
	{ 0x152, "oe" },
	{ 0x153, "oe" },
	{ 0x1A0, "o" },
	{ 0x1A1, "o" },
	{ 0x1AF, "u" },
	{ 0x1B0, "u" },
	{ 0x218, "s" },
	{ 0x219, "s" },
	{ 0x21A, "t" },
	{ 0x21B, "t" },
	/* Greek with accents, and the sigma at a word's end */
	{ 0x386, "\xce\xb1" },
	{ 0x3AC, "\xce\xb1" },
	{ 0x388, "\xce\xb5" },
	{ 0x3AD, "\xce\xb5" },
	{ 0x389, "\xce\xb7" },
	{ 0x3AE, "\xce\xb7" },
	{ 0x38A, "\xce\xb9" },
	{ 0x3AF, "\xce\xb9" },
	{ 0x38C, "\xce\xbf" },
	{ 0x3CC, "\xce\xbf" },
	{ 0x38E, "\xcf\x85" },
	{ 0x3CD, "\xcf\x85" },
	{ 0x38F, "\xcf\x89" },
	{ 0x3CE, "\xcf\x89" },
	{ 0x3C2, "\xcf\x83" },
	/* Cyrillic yo */
	{ 0x401, "\xd0\xb5" },
	{ 0x451, "\xd0\xb5" },
};

static const char *
find_special(uint32_t code)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(SPECIAL); i++) {
		if (SPECIAL[i].code == code)
			return SPECIAL[i].text;
	}
	return NULL;
}

/* The small letter of a Greek or Cyrillic capital, else the code. */
static uint32_t
to_small(uint32_t code)
{
	if ((code >= 0x391 && code <= 0x3A9) ||
	    (code >= 0x410 && code <= 0x42F))
		return code + 0x20;
	if (code >= 0x400 && code <= 0x40F)
		return code + 0x50;
	return code;
}

/* U+0080 to U+07FF, two bytes. */
static enum herd_error
add_two_bytes(struct buf *out, uint32_t code)
{
	const char bytes[2] = { (char)(0xC0 | code >> 6),
		(char)(0x80 | (code & 0x3F)) };

	return buf_add(out, bytes, 2);
}

static enum herd_error
fold_wide(struct buf *out, uint32_t code, struct span raw)
{
	const char *special;

	if (code >= 0x300 && code <= 0x36F) /* an accent of its own */
		return HERD_OK;
	if (code >= 0xC0 && code <= 0x17F && LATIN[code - 0xC0] != '.')
		return buf_add_byte(out, LATIN[code - 0xC0]);
	if (code >= 0x1EA0 && code <= 0x1EF9)
		return buf_add_byte(out, VIETNAMESE[(code - 0x1EA0) / 2]);
	special = find_special(code);
	if (special != NULL)
		return buf_add_text(out, special);
	if (code < 0x800 && to_small(code) != code)
		return add_two_bytes(out, to_small(code));
	return buf_add_span(out, raw);
}

enum herd_error
text_fold(struct buf *out, struct span text)
{
	enum herd_error error = HERD_OK;

	while (error == HERD_OK && text.len > 0) {
		uint32_t code = 0;
		size_t len = text_utf8_take(text, &code);

		/* A bad byte stays as it is. */
		if (len == 0)
			len = 1;
		if (len > 1)
			error = fold_wide(out, code, span_of(text.data, len));
		else if (*text.data >= 'A' && *text.data <= 'Z')
			error = buf_add_byte(out, (char)(*text.data + 32));
		else
			error = buf_add_byte(out, *text.data);
		text = span_of(text.data + len, text.len - len);
	}
	return error;
}
