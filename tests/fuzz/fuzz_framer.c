/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A byte stream cut in two ways gives the same lines. The first byte says how
 * long a line may be, the second how large the pieces are.
 */
#include "herd/framer.h"

#include "fuzz.h"

/* False: a line was too long. */
static bool
take(struct framer *framer, struct buf *out)
{
	struct span line;
	enum herd_error error;

	for (;;) {
		error = framer_next(framer, &line);
		if (error == HERD_EAGAIN)
			return true;
		assert(error == HERD_OK || error == HERD_ELIMIT);
		assert(line.len <= framer->max_line + (error != HERD_OK));
		if (buf_add_span(out, line) != HERD_OK ||
		    buf_add_byte(out, '\n') != HERD_OK)
			abort();
		if (error == HERD_ELIMIT)
			return false;
	}
}

static void
cut(struct span stream, size_t max_line, size_t piece, struct buf *out)
{
	struct framer framer;
	bool going = true;
	size_t n;

	framer_init(&framer, max_line);
	while (going && stream.len > 0) {
		n = piece < stream.len ? piece : stream.len;
		if (framer_feed(&framer, span_of(stream.data, n)) != HERD_OK)
			abort();
		stream = span_of(stream.data + n, stream.len - n);
		going = take(&framer, out);
	}
	if (going && buf_add_span(out, framer_last(&framer)) != HERD_OK)
		abort();
	framer_release(&framer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, pieces;
	struct span stream;

	if (size < 2)
		return 0;
	stream = span_of((const char *)data + 2, size - 2u);
	buf_init(&whole, size + 2u);
	buf_init(&pieces, size + 2u);
	cut(stream, data[0], SIZE_MAX, &whole);
	cut(stream, data[0], 1u + data[1] % 32u, &pieces);
	assert(span_equal(buf_span(&whole), buf_span(&pieces)));
	buf_release(&whole);
	buf_release(&pieces);
	return 0;
}
