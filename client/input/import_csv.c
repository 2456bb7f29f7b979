/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * csv (RFC 4180) whose header names the columns, in any order: client, lat and
 * lon or location, time. Semicolons and tabs separate as well, whichever the
 * header has; with tabs nothing is quoted, and \t, \n, \r, \\ are escapes.
 */
#include <stdlib.h>

#include "base/xbuf.h"
#include "input/import_formats.h"
#include "herd/text.h"

#define COLUMNS_MAX 1024u /* later ones do not count */

/* Where in a record's quoting a byte is. */
enum csv_quoting {
	FIELD_BEGINS,
	FIELD_PLAIN,
	FIELD_QUOTED,
	FIELD_QUOTE, /* after a quote in quotes: the end, or a quote itself */
};

struct csv {
	char gap;       /* between fields; 0: the header is still to come */
	bool by_quotes; /* the record has one, so each byte counts */
	enum csv_quoting quoting;
	struct buf header;
	struct buf field;       /* unquoted */
	unsigned char *columns; /* fields, IMPORT_FIELDS_MAX: none */
	size_t column_count;
};

static enum csv_quoting
next_quoting(const struct csv *csv, enum csv_quoting quoting, char byte)
{
	if (quoting == FIELD_QUOTED)
		return byte == '"' ? FIELD_QUOTE : FIELD_QUOTED;
	if (quoting == FIELD_QUOTE && byte == '"')
		return FIELD_QUOTED;
	if (byte == csv->gap || (csv->gap == 0 && (byte == ',' || byte == ';')))
		return FIELD_BEGINS;
	if (quoting == FIELD_BEGINS && byte == '"')
		return FIELD_QUOTED;
	return FIELD_PLAIN;
}

/* The record ends at its first LF after all: its quote is never closed. */
static enum import_scan
give_up_quote(struct import_reader *r, struct csv *csv)
{
	r->scanned = r->begin;
	(void)import_reader_scan_line(r);
	r->scan_fault = "a quote is not closed";
	csv->by_quotes = false;
	return SCAN_RECORD;
}

static enum import_scan
scan_quotes(struct import_reader *r, struct csv *csv)
{
	struct span in = buf_span(&r->in);

	while (r->scanned < in.len) {
		char byte = in.data[r->scanned++];

		if (byte == '\n' && csv->quoting != FIELD_QUOTED) {
			csv->by_quotes = false;
			return SCAN_RECORD;
		}
		csv->quoting = next_quoting(csv, csv->quoting, byte);
		if (csv->quoting == FIELD_QUOTED &&
		    r->scanned - r->begin > r->record_max)
			return give_up_quote(r, csv);
	}
	if (r->ended && csv->quoting == FIELD_QUOTED && in.len > 0)
		return give_up_quote(r, csv);
	return SCAN_MORE;
}

/* The separator that the header has. */
static char
gap_of(struct span header)
{
	if (span_find(header, '\t') != NULL)
		return '\t';
	return span_find(header, ',') == NULL && span_find(header, ';') != NULL
		   ? ';'
		   : ',';
}

static enum import_scan
scan(struct import_reader *r)
{
	struct csv *csv = r->state;
	size_t from = r->scanned;
	enum import_scan result;
	struct span seen;

	if (csv->by_quotes)
		return scan_quotes(r, csv);
	result = import_reader_scan_line(r);
	/* What a header's quotes mean, its whole first line tells. */
	if (csv->gap == 0)
		from = r->begin;
	if (r->scanned == from || (csv->gap == 0 && result == SCAN_MORE))
		return result;
	seen = span_of(buf_span(&r->in).data + from, r->scanned - from);
	if (csv->gap == '\t' || span_find(seen, '"') == NULL ||
	    (csv->gap == 0 && span_find(seen, '\t') != NULL))
		return result;
	csv->by_quotes = true;
	csv->quoting = FIELD_BEGINS;
	r->scanned = r->begin;
	return scan_quotes(r, csv);
}

static struct span
take_tabbed(struct csv *csv, struct span *rest)
{
	static const char escapes[] = "t\tn\nr\r\\\\";
	struct span text = span_cut(rest, '\t');

	if (span_find(text, '\\') == NULL)
		return text;
	buf_clear(&csv->field);
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.data[i];

		for (const char *e = escapes;
		     byte == '\\' && i + 1 < text.len && *e != '\0'; e += 2) {
			if (text.data[i + 1] == e[0]) {
				byte = e[1];
				i++;
				break;
			}
		}
		put_byte(&csv->field, byte);
	}
	return buf_span(&csv->field);
}

/* *rest begins after the opening quote. */
static struct span
take_quoted(struct csv *csv, struct span *rest, bool *good)
{
	struct span part;

	buf_clear(&csv->field);
	for (;;) {
		*good = span_find(*rest, '"') != NULL;
		part = span_cut(rest, '"');
		put_span(&csv->field, part);
		if (rest->len == 0 || rest->data[0] != '"')
			break;
		put_byte(&csv->field, '"');
		*rest = span_of(rest->data + 1, rest->len - 1);
	}
	part = span_cut(rest, csv->gap);
	*good = *good && text_trim(part).len == 0;
	return buf_span(&csv->field);
}

/* The next field of a record, off its beginning; valid until the next one. */
static struct span
take_field(struct csv *csv, struct span *rest, bool *good)
{
	*good = true;
	if (csv->gap == '\t')
		return take_tabbed(csv, rest);
	if (rest->len == 0 || rest->data[0] != '"')
		return span_cut(rest, csv->gap);
	*rest = span_of(rest->data + 1, rest->len - 1);
	return take_quoted(csv, rest, good);
}

static void
read_header(
    struct import_reader *r, struct csv *csv, struct span raw, struct span line)
{
	uint32_t fields = 0;
	bool good;

	csv->gap = gap_of(line);
	buf_init(&csv->header, XBUF_MAX);
	buf_init(&csv->field, XBUF_MAX);
	put_span(&csv->header, raw);
	csv->columns = xcalloc(COLUMNS_MAX, 1);
	while (line.len > 0 && csv->column_count < COLUMNS_MAX) {
		unsigned field = r->shape->field_of(
		    r->options, text_trim(take_field(csv, &line, &good)));

		/* Of two columns of one field the first one counts. */
		if (field < IMPORT_FIELDS_MAX && (fields >> field & 1u) != 0)
			field = IMPORT_FIELDS_MAX;
		if (field < IMPORT_FIELDS_MAX)
			fields |= UINT32_C(1) << field;
		csv->columns[csv->column_count++] = (unsigned char)field;
	}
	r->fatal = r->shape->missing(r->options, fields);
}

static void
read_row(struct csv *csv, struct span line, struct import_record *record)
{
	bool good;

	for (size_t i = 0; i < csv->column_count && line.len > 0; i++) {
		struct span text = take_field(csv, &line, &good);

		if (!good && record->fault == NULL)
			record->fault = "there is text after a closing quote";
		if (csv->columns[i] != IMPORT_FIELDS_MAX)
			import_record_put(record, csv->columns[i], text);
	}
}

static bool
parse(struct import_reader *r, struct span raw, struct import_record *record)
{
	struct csv *csv = r->state;
	struct span line = import_reader_line(record, raw);

	if (text_trim(line).len == 0)
		return record->fault != NULL;
	if (csv->gap == 0) {
		read_header(r, csv, raw, line);
		return false;
	}
	read_row(csv, line, record);
	return true;
}

static void
release(void *state)
{
	struct csv *csv = state;

	if (csv->gap != 0) {
		buf_release(&csv->header);
		buf_release(&csv->field);
	}
	free(csv->columns);
}

static void
reject_head(const void *state, struct buf *out)
{
	const struct csv *csv = state;

	if (csv->gap == 0)
		return;
	put_span(out, buf_span(&csv->header));
	if (out->len > 0 && buf_span(out).data[out->len - 1] != '\n')
		put_byte(out, '\n');
}

const struct import_format import_csv = {
	.name = "csv",
	.state_size = sizeof(struct csv),
	.scan = scan,
	.parse = parse,
	.release = release,
	.reject_head = reject_head,
};
