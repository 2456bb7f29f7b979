/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phones/decimal.h"

#include "herd/text.h"

#define EXPONENT_MAX 400 /* of a double; more is a mistake */

/* A number as it was written. */
struct digits {
	bool negative;
	char text[DECIMAL_MAX]; /* without the point */
	size_t len;
	int point; /* digits before it */
};

/* Takes the digits that *rest begins with. */
static bool
take_digits(struct digits *digits, struct span *rest)
{
	size_t n = 0;

	while (n < rest->len && text_is_digit(rest->data[n]))
		n++;
	if (n > sizeof(digits->text) - digits->len)
		return false;
	if (n > 0)
		memcpy(digits->text + digits->len, rest->data, n);
	digits->len += n;
	*rest = span_of(rest->data + n, rest->len - n);
	return true;
}

static bool
take_byte(struct span *rest, char byte)
{
	if (rest->len == 0 || rest->data[0] != byte)
		return false;
	*rest = span_of(rest->data + 1, rest->len - 1);
	return true;
}

/* What follows the e. */
static bool
read_exponent(struct span rest, int *out)
{
	bool negative = take_byte(&rest, '-');
	uint64_t value;

	if (!negative)
		(void)take_byte(&rest, '+');
	if (text_to_u64(rest, 0, EXPONENT_MAX, &value) != HERD_OK)
		return false;
	*out = negative ? -(int)value : (int)value;
	return true;
}

static bool
read_digits(struct span rest, struct digits *out, int *exponent)
{
	*out = (struct digits){ .len = 0 };
	*exponent = 0;
	out->negative = take_byte(&rest, '-');
	if (!out->negative)
		(void)take_byte(&rest, '+');
	if (!take_digits(out, &rest))
		return false;
	out->point = (int)out->len;
	if (take_byte(&rest, '.') && !take_digits(out, &rest))
		return false;
	if (out->len == 0)
		return false;
	if (take_byte(&rest, 'e') || take_byte(&rest, 'E'))
		return read_exponent(rest, exponent);
	return rest.len == 0;
}

/* Zeros at the beginning that moving the point has left. */
static void
strip_zeros(struct digits *digits)
{
	size_t n = 0;

	while (n + 1 < digits->len && (int)n + 1 < digits->point &&
	       digits->text[n] == '0')
		n++;
	memmove(digits->text, digits->text + n, digits->len - n);
	digits->len -= n;
	digits->point -= (int)n;
}

/* The digit at that place, 0 outside of those that there are. */
static char
digit_at(const struct digits *digits, int at)
{
	return at < 0 || at >= (int)digits->len ? '0' : digits->text[at];
}

size_t
decimal_write(struct span number, int shift, char out[DECIMAL_MAX])
{
	struct digits digits;
	size_t n = 0;
	int exponent, first, end, len;

	if (number.len == 0 || !read_digits(number, &digits, &exponent))
		return 0;
	digits.point += exponent + shift;
	if (exponent + shift != 0)
		strip_zeros(&digits);
	first = digits.point < 1 ? digits.point - 1 : 0;
	end = digits.point > (int)digits.len ? digits.point : (int)digits.len;
	len = end - first + (end > digits.point) + digits.negative;
	if (len > (int)DECIMAL_MAX)
		return 0;
	if (digits.negative)
		out[n++] = '-';
	for (int at = first; at < end; at++) {
		if (at == digits.point)
			out[n++] = '.';
		out[n++] = digit_at(&digits, at);
	}
	return n;
}
