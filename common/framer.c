/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "herd/framer.h"

#include <assert.h>
#include <string.h>

void
framer_init(struct framer *framer, size_t max_line)
{
	buf_init(&framer->in, max_line + FRAMER_AHEAD_MAX);
	framer->scanned = 0;
	framer->max_line = max_line;
}

void
framer_release(struct framer *framer)
{
	buf_release(&framer->in);
	framer->scanned = 0;
}

enum herd_error
framer_space(struct framer *framer, size_t want, char **data, size_t *room)
{
	enum herd_error error;

	error = buf_reserve(&framer->in, want);
	if (error != HERD_OK)
		return error;
	*data = buf_tail(&framer->in);
	*room = buf_room(&framer->in);
	return HERD_OK;
}

void
framer_filled(struct framer *framer, size_t len)
{
	buf_grow(&framer->in, len);
}

void
framer_widen(struct framer *framer, size_t max_line)
{
	assert(max_line >= framer->max_line);
	framer->max_line = max_line;
	framer->in.max = max_line + FRAMER_AHEAD_MAX;
}

void
framer_borrow(struct framer *framer, struct buf *spare)
{
	size_t max = framer->in.max;

	if (spare->data == NULL || framer->in.len > FRAMER_MOVE_MAX)
		return;
	if (buf_set(spare, buf_span(&framer->in).data, framer->in.len) !=
	    HERD_OK)
		return;
	buf_release(&framer->in);
	framer->in = *spare;
	framer->in.max = max;
	buf_init(spare, spare->max);
}

enum herd_error
framer_give_back(struct framer *framer, struct buf *spare)
{
	bool lent = spare->data == NULL;
	enum herd_error error;
	struct buf own;

	if (!lent && framer->in.len > FRAMER_MOVE_MAX)
		return HERD_OK;
	buf_init(&own, framer->in.max);
	error = buf_add_span(&own, buf_span(&framer->in));
	if (error != HERD_OK)
		return error;
	if (lent) {
		buf_clear(&framer->in);
		framer->in.max = spare->max;
		*spare = framer->in;
	} else {
		buf_release(&framer->in);
	}
	framer->in = own;
	return HERD_OK;
}

enum herd_error
framer_feed(struct framer *framer, struct span data)
{
	return buf_add_span(&framer->in, data);
}

enum herd_error
framer_next(struct framer *framer, struct span *line)
{
	struct buf *in = &framer->in;
	const char *start, *lf;
	size_t end;

	/* A line is at most max_line bytes, so its LF is at most one beyond. */
	end = in->len;
	if (end > framer->max_line)
		end = framer->max_line + 1u;
	if (end == framer->scanned && end <= framer->max_line)
		return HERD_EAGAIN;
	start = in->data + in->head;
	lf = memchr(start + framer->scanned, '\n', end - framer->scanned);
	if (lf == NULL) {
		framer->scanned = end;
		if (end <= framer->max_line)
			return HERD_EAGAIN;
		*line = span_of(start, end);
		return HERD_ELIMIT;
	}
	*line = span_of(start, (size_t)(lf - start));
	buf_drain(in, line->len + 1u);
	framer->scanned = 0;
	return HERD_OK;
}

struct span
framer_last(struct framer *framer)
{
	struct span last = buf_span(&framer->in);

	buf_clear(&framer->in);
	framer->scanned = 0;
	return last;
}

size_t
framer_pending(const struct framer *framer)
{
	return framer->in.len;
}
