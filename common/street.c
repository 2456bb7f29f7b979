/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/street.h"

/* Countries that write the number before the street. */
static bool
puts_number_first(struct span country)
{
	static const char *const codes[] = { "AU", "CA", "FR", "GB", "IE", "IN",
		"NZ", "US" };

	for (size_t i = 0; i < HERD_ARRAY_LEN(codes); i++) {
		if (span_is(country, codes[i]))
			return true;
	}
	return false;
}

enum herd_error
street_format(struct buf *out, struct span country, struct span street,
    struct span number)
{
	size_t before = out->len;
	bool swap = puts_number_first(country);
	enum herd_error error;

	if (street.len == 0)
		return HERD_OK;
	error = buf_add_span(out, swap ? number : street);
	if (error == HERD_OK && number.len > 0)
		error = buf_add_byte(out, ' ');
	if (error == HERD_OK)
		error = buf_add_span(out, swap ? street : number);
	if (error != HERD_OK)
		buf_truncate(out, before);
	return error;
}
