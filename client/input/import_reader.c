/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "input/import_reader.h"

#include <stdlib.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "input/import_formats.h"
#include "input/import_guess.h"

/* A reader may hold the longest record and what was fed with its end. */
#define IN_MAX ((size_t)64 << 20)

static const struct import_format *const formats[] = { &import_csv, &import_gpx,
	&import_geojson, &import_jsonl, &import_herd };

void
import_reader_init(
    struct import_reader *reader, const struct import_options *options)
{
	*reader = (struct import_reader){ .options = options,
		.shape =
		    options->shape != NULL ? options->shape : &import_reports };
	reader->record_max =
	    options->record_max > 0 ? options->record_max : IMPORT_RECORD_MAX;
	buf_init(&reader->in, IN_MAX);
}

void
import_reader_release(struct import_reader *reader)
{
	if (reader->format != NULL && reader->format->release != NULL)
		reader->format->release(reader->state);
	free(reader->state);
	buf_release(&reader->in);
}

static void
use(struct import_reader *reader, const struct import_format *format)
{
	reader->format = format;
	reader->state = xcalloc(1, format->state_size + 1u);
}

bool
import_reader_use(struct import_reader *reader, const char *name)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(formats); i++) {
		if (strcmp(formats[i]->name, name) != 0)
			continue;
		use(reader, formats[i]);
		return true;
	}
	return false;
}

const char *
import_reader_formats(void)
{
	return "csv gpx geojson jsonl";
}

void
import_reader_feed(struct import_reader *reader, struct span bytes)
{
	put_span(&reader->in, bytes);
}

void
import_reader_end(struct import_reader *reader)
{
	reader->ended = true;
}

const char *
import_reader_unit(const struct import_reader *reader)
{
	return reader->format == NULL ? NULL : reader->format->unit;
}

struct span
import_reader_line(const struct import_record *record, struct span raw)
{
	while (raw.len > 0 &&
	       (raw.data[raw.len - 1] == '\n' || raw.data[raw.len - 1] == '\r'))
		raw.len--;
	return record->line == 1 ? text_without_bom(raw) : raw;
}

static unsigned long
count_lines(struct span text)
{
	unsigned long count = 0;
	const char *at;

	while ((at = span_find(text, '\n')) != NULL) {
		count++;
		text.len -= (size_t)(at - text.data) + 1u;
		text.data = at + 1;
	}
	return count;
}

static void
drop(struct import_reader *r, size_t len)
{
	struct span in = buf_span(&r->in);

	if (len == 0)
		return;
	r->lines += count_lines(span_of(in.data, len));
	buf_drain(&r->in, len);
	r->begin -= len < r->begin ? len : r->begin;
	r->scanned -= len < r->scanned ? len : r->scanned;
}

/* False: not known yet, or `fatal' is set. */
static bool
find_format(struct import_reader *r)
{
	switch (import_guess(buf_span(&r->in), r->ended)) {
	case GUESS_MORE: return false;
	case GUESS_CSV: use(r, &import_csv); return true;
	case GUESS_GPX: use(r, &import_gpx); return true;
	case GUESS_GEOJSON: use(r, &import_geojson); return true;
	case GUESS_JSONL: use(r, &import_jsonl); return true;
	case GUESS_UTF16:
		r->fatal = "it is UTF-16; give it as UTF-8 (iconv -f utf-16)";
		return false;
	case GUESS_NONE:
		r->fatal = "its content is neither csv, gpx, geojson nor "
			   "jsonl: say which by --from";
		return false;
	}
	return false;
}

/* The record in[begin .. scanned). False: it is none. */
static bool
give(struct import_reader *r, struct import_record *record)
{
	struct span raw;

	drop(r, r->begin);
	r->done = r->scanned;
	raw = span_of(buf_span(&r->in).data, r->scanned);
	import_record_clear(record);
	record->line = r->lines + 1;
	record->fault = r->scan_fault;
	r->scan_fault = NULL;
	if (r->too_long || raw.len > r->record_max) {
		if (r->too_long)
			record->line = r->long_line;
		r->too_long = false;
		record->fault = "it is longer than 1 MB and was passed over";
	} else {
		if (!r->format->parse(r, raw, record))
			return false;
		record->raw = raw;
	}
	record->number = ++r->count;
	r->shape->settle(record, r->options);
	return true;
}

/* Of a record that has no end so far. */
static void
bound(struct import_reader *r)
{
	drop(r, r->begin);
	if (r->in.len <= r->record_max)
		return;
	if (!r->too_long)
		r->long_line = r->lines + 1;
	r->too_long = true;
	drop(r, r->scanned);
}

/* What is left where the file ends. False: nothing. */
static bool
give_rest(struct import_reader *r, struct import_record *record)
{
	if (r->open && r->scan_fault == NULL)
		r->scan_fault = "the file ends in the middle of it";
	if (!r->open && !r->too_long && r->in.len == 0)
		return false;
	r->finished = true;
	r->begin = 0;
	r->scanned = r->in.len;
	return give(r, record);
}

enum import_result
import_reader_next(struct import_reader *r, struct import_record *record)
{
	drop(r, r->done);
	r->done = 0;
	if (r->fatal != NULL)
		return IMPORT_FATAL;
	if (r->finished)
		return IMPORT_END;
	if (r->format == NULL && !find_format(r))
		return r->fatal != NULL ? IMPORT_FATAL
		       : r->ended       ? IMPORT_END
					: IMPORT_MORE;
	while (r->format->scan(r) == SCAN_RECORD) {
		if (give(r, record))
			return IMPORT_RECORD;
		if (r->fatal != NULL)
			return IMPORT_FATAL;
		drop(r, r->done);
		r->done = 0;
	}
	bound(r);
	if (!r->ended)
		return IMPORT_MORE;
	if (give_rest(r, record))
		return IMPORT_RECORD;
	return r->fatal != NULL ? IMPORT_FATAL : IMPORT_END;
}

void
import_reader_reject_head(const struct import_reader *reader, struct buf *out)
{
	if (reader->format != NULL && reader->format->reject_head != NULL)
		reader->format->reject_head(reader->state, out);
}

void
import_reader_reject(const struct import_reader *reader,
    const struct import_record *record, struct buf *out)
{
	if (record->raw.len == 0)
		return;
	if (reader->format->reject != NULL)
		reader->format->reject(reader->state, record, out);
	else
		put_span(out, record->raw);
	if (buf_span(out).data[out->len - 1] != '\n')
		put_byte(out, '\n');
}

void
import_reader_reject_tail(const struct import_reader *reader, struct buf *out)
{
	if (reader->format != NULL && reader->format->reject_tail != NULL)
		put_text(out, reader->format->reject_tail);
}

enum import_scan
import_reader_scan_line(struct import_reader *r)
{
	struct span in = buf_span(&r->in);
	const char *end;

	if (r->scanned == in.len)
		return SCAN_MORE;
	end =
	    span_find(span_of(in.data + r->scanned, in.len - r->scanned), '\n');

	r->scanned = end == NULL ? in.len : (size_t)(end - in.data) + 1u;
	return end == NULL ? SCAN_MORE : SCAN_RECORD;
}
