/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of reports or of places, whatever its format: its records are the same
 * however its bytes arrive, and what is to be sent is a request as the protocol
 * has it.
 */
#include "base/xbuf.h"
#include "input/import_reader.h"
#include "input/place_shape.h"
#include "herd/request.h"

#include "fuzz.h"

#define SMALL 64u /* a limit that the input reaches */

/* A good place is on the globe, has a name, and is of a kind. */
static void
check_place(const struct import_record *record)
{
	struct maker_place place;

	place_shape_read(record, &place);
	assert(place.lat >= -90 && place.lat <= 90);
	assert(place.lng >= -180 && place.lng <= 180);
	assert(place.kind != '\0');
	assert(place.kind != GAZETTEER_KIND_OWN || place.types.len > 0);
	/* Of a table of kinds the maker refuses what is missing. */
	assert(place.name.len > 0 || record->fields[PLACE_TYPES].len == 0 ||
	       place.types.len > 0);
}

static void
check_record(
    const struct import_record *record, const struct import_options *options)
{
	struct request request;
	struct buf line = XBUF;

	if (record->fault != NULL) {
		assert(record->fault[0] != '\0');
		return;
	}
	if (options->shape != NULL) {
		if (!record->passed_over)
			check_place(record);
		return;
	}
	import_record_request(record, options, &line);
	assert(span_find(buf_span(&line), '\n') == NULL);
	request_parse(buf_span(&line), &request);
	assert(request.kind == REQUEST_IAMAT);
	buf_release(&line);
}

static void
put_record(struct buf *out, const struct import_reader *reader,
    const struct import_record *record)
{
	putf(out, "%lu %lu %s ", record->line, record->number,
	    record->fault == NULL ? "good" : record->fault);
	for (unsigned i = 0; i < IMPORT_FIELDS_MAX; i++) {
		put_span(out, import_record_text(record, i));
		put_byte(out, '|');
	}
	import_reader_reject(reader, record, out);
}

/* Appends all records of the file that comes in pieces of `size'. */
static void
read_pieces(struct span text, const struct import_options *options,
    const char *format, size_t size, struct buf *out)
{
	struct import_reader reader;
	struct import_record record;
	enum import_result result;

	import_record_init(&record);
	import_reader_init(&reader, options);
	if (format != NULL && !import_reader_use(&reader, format))
		abort();
	do {
		size_t n = text.len < size ? text.len : size;

		result = import_reader_next(&reader, &record);
		if (result == IMPORT_RECORD) {
			check_record(&record, options);
			put_record(out, &reader, &record);
		} else if (result == IMPORT_MORE && n > 0) {
			import_reader_feed(&reader, span_of(text.data, n));
			text = span_of(text.data + n, text.len - n);
		} else if (result == IMPORT_MORE) {
			import_reader_end(&reader);
		}
	} while (result == IMPORT_RECORD || result == IMPORT_MORE);
	if (result == IMPORT_FATAL)
		put_text(out, reader.fatal);
	import_reader_reject_head(&reader, out);
	import_reader_release(&reader);
	import_record_release(&record);
}

static void
read_as(struct span text, struct import_options *options, const char *format,
    size_t piece)
{
	struct buf whole = XBUF;
	struct buf parts = XBUF;

	options->record_max = 0;
	read_pieces(text, options, format, text.len + 1, &whole);
	read_pieces(text, options, format, piece, &parts);
	assert(span_equal(buf_span(&whole), buf_span(&parts)));
	options->record_max = SMALL;
	buf_clear(&parts);
	read_pieces(text, options, format, piece, &parts);
	buf_release(&whole);
	buf_release(&parts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const reports[] = { NULL, "csv", "gpx", "geojson",
		"jsonl" };
	static const char *const places[] = { "csv", "geojson", "herd" };
	struct import_options options = { .time = { "7", 1 } };
	struct import_options of_places = { .shape = &place_shape };
	struct span text;

	if (size == 0)
		return 0;
	text = span_of((const char *)data + 1, size - 1);
	for (size_t i = 0; i < HERD_ARRAY_LEN(reports); i++)
		read_as(text, &options, reports[i], (size_t)data[0] % 16 + 1);
	for (size_t i = 0; i < HERD_ARRAY_LEN(places); i++)
		read_as(text, &of_places, places[i], (size_t)data[0] % 16 + 1);
	return 0;
}
