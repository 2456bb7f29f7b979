/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * csv (RFC 4180, but LF), tsv (tab, LF and backslash escaped), name (what
 * the next command takes), kv (key=value lines), lines of a template. On a
 * terminal the texts are cleaned; in a pipe they are the bytes.
 */
#include "out/out_formats.h"

#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"

/*
 * A spreadsheet runs a cell that begins with one of these as a formula; a
 * number is what it is.
 */
static bool
is_formula(struct span text)
{
	struct span number = text;

	if (text.len == 0 || memchr("=+-@\t\r", text.data[0], 6) == NULL)
		return false;
	if (text.data[0] == '+' || text.data[0] == '-')
		number = span_of(text.data + 1, text.len - 1);
	for (size_t i = 0, points = 0; i < number.len; i++) {
		points += number.data[i] == '.';
		if (!text_is_digit(number.data[i]) &&
		    (number.data[i] != '.' || i == 0 || points > 1))
			return true;
	}
	return number.len == 0;
}

/* The view's own time, say a client's, keeps its name. */
static const char *
time_title(const struct out *out)
{
	return view_find(out->view, span_from("time")) < out->view->count
		   ? "round_time"
		   : "time";
}

/* A place is three fields: text, lat, lon. */
static void
put_titles(struct out *out, char gap)
{
	struct buf *line = &out->scratch;

	buf_clear(line);
	if (!out->options.header)
		return;
	out->titled = true;
	if (out->options.time != NULL)
		putf(line, "%s%c", time_title(out), gap);
	for (size_t i = 0; i < out->shown_count; i++) {
		const struct column *c = out_shown(out, i);

		if (i > 0)
			put_byte(line, gap);
		put_text(line, c->key);
		if (c->type == VALUE_PLACE)
			putf(line, "%clat%clon", gap, gap);
	}
	put_byte(line, '\n');
	sink_write(out->sink, buf_span(line));
}

static void
put_position(struct buf *line, const struct value *value, char gap)
{
	put_byte(line, gap);
	if (value->known)
		put_number(line, value->lat);
	put_byte(line, gap);
	if (value->known)
		put_number(line, value->lon);
}

static void
put_csv_field(struct buf *line, struct span text)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len && !quoted; i++)
		quoted = memchr(",\"\r\n", text.data[i], 4) != NULL;
	if (!quoted) {
		put_span(line, text);
		return;
	}
	put_byte(line, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"')
			put_byte(line, '"');
		put_byte(line, text.data[i]);
	}
	put_byte(line, '"');
}

static void
put_tsv_field(struct buf *line, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		switch (text.data[i]) {
		case '\t': put_text(line, "\\t"); break;
		case '\n': put_text(line, "\\n"); break;
		case '\r': put_text(line, "\\r"); break;
		case '\\': put_text(line, "\\\\"); break;
		default: put_byte(line, text.data[i]);
		}
	}
}

static void
put_row(struct out *out, const struct value *row, char gap,
    void (*put_field)(struct buf *line, struct span text))
{
	struct buf *line = &out->scratch;
	struct buf shown = XBUF;
	struct buf cell = XBUF;

	buf_clear(line);
	if (out->options.time != NULL)
		putf(line, "%s%c", out->options.time, gap);
	for (size_t i = 0; i < out->shown_count; i++) {
		const struct value *value = &row[out->shown[i]];

		buf_clear(&shown);
		buf_clear(&cell);
		value_for_machines(&cell, value);
		if (out->options.safe && value_base(value->type) != BASE_REAL &&
		    is_formula(buf_span(&cell)))
			put_byte(&shown, '\'');
		put_span(&shown, buf_span(&cell));
		if (i > 0)
			put_byte(line, gap);
		put_field(line, buf_span(&shown));
		if (out_shown(out, i)->type == VALUE_PLACE)
			put_position(line, value, gap);
	}
	put_byte(line, '\n');
	sink_write_foreign(out->sink, buf_span(line));
	buf_release(&shown);
	buf_release(&cell);
}

void
csv_begin(struct out *out)
{
	put_titles(out, ',');
}

void
csv_row(struct out *out, const struct value *row)
{
	put_row(out, row, ',', put_csv_field);
}

void
tsv_begin(struct out *out)
{
	put_titles(out, '\t');
}

void
tsv_row(struct out *out, const struct value *row)
{
	put_row(out, row, '\t', put_tsv_field);
}

void
name_row(struct out *out, const struct value *row)
{
	size_t column = out_column(out, COLUMN_NAME);

	if (column == out->view->count)
		column = out_column(out, COLUMN_NODE);
	if (column == out->view->count || !row[column].known)
		return;
	buf_clear(&out->scratch);
	value_for_machines(&out->scratch, &row[column]);
	put_byte(&out->scratch, '\n');
	sink_write_foreign(out->sink, buf_span(&out->scratch));
}

void
kv_row(struct out *out, const struct value *row)
{
	struct buf *line = &out->scratch;
	struct buf shown = XBUF;

	buf_clear(line);
	if (out->written > 0)
		put_byte(line, '\n');
	for (size_t i = 0; i < out->shown_count; i++) {
		const struct value *value = &row[out->shown[i]];
		const struct column *c = out_shown(out, i);

		buf_clear(&shown);
		value_for_machines(&shown, value);
		putf(line, "%s=", c->key);
		put_tsv_field(line, buf_span(&shown));
		put_byte(line, '\n');
		if (c->type == VALUE_PLACE && value->known) {
			put_text(line, "lat=");
			put_number(line, value->lat);
			put_text(line, "\nlon=");
			put_number(line, value->lon);
			put_byte(line, '\n');
		}
	}
	sink_write_foreign(out->sink, buf_span(line));
	buf_release(&shown);
}

void
template_row(struct out *out, const struct value *row)
{
	buf_clear(&out->scratch);
	template_write(&out->scratch, out->template, row, out->sink->terminal);
	sink_write_foreign(out->sink, buf_span(&out->scratch));
}
