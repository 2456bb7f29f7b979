/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The formats for people: `table` and `wide` (aligned; table fits the
 * screen) and `plain` (tabs, nothing cut). Records, of which people read
 * one value per line, take the same functions.
 */
#include "out/out_formats.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "out/layout.h"
#include "out/width.h"

static bool
is_right(const struct column *c)
{
	if ((c->traits & COLUMN_LEFT) != 0)
		return false;
	return c->type == VALUE_INTEGER || c->type == VALUE_REAL ||
	       c->type == VALUE_PERCENT || c->type == VALUE_DISTANCE ||
	       c->type == VALUE_BYTES;
}

/* One value in its column, coloured when it is a state. */
static void
put_cell(struct out *out, struct buf *line, struct span text,
    const struct column *c, size_t width, bool last)
{
	size_t taken;
	size_t from = line->len;
	const char *color = NULL;
	struct buf cut = XBUF;

	width_cut(&cut, text, width, out->options.utf8);
	taken = width_of(buf_span(&cut));
	if (is_right(c) && width > taken)
		put_fill(line, ' ', width - taken);
	if (out->options.color && c->type == VALUE_STATE)
		color = out_state_color(text);
	if (color != NULL)
		put_text(line, color);
	put_span(line, buf_span(&cut));
	if (color != NULL)
		put_text(line, OUT_COLOR_OFF);
	if (!is_right(c) && width > taken && !last)
		put_fill(line, ' ', width - taken);
	if (!last)
		put_fill(line, ' ', LAYOUT_GAP);
	assert(line->len >= from);
	buf_release(&cut);
}

/* Natural widths of all values, then what fits. Gives an array. */
static struct layout_column *
lay_out(const struct out *out)
{
	struct layout_column *columns =
	    xcalloc(out->shown_count, sizeof(*columns));
	struct buf text = XBUF;

	for (size_t i = 0; i < out->shown_count; i++) {
		const struct column *c = out_shown(out, i);

		if (out->options.columns == NULL &&
		    !out_sorts_by(out, out->shown[i]))
			columns[i].drop = c->drop;
		columns[i].shrinks = (c->traits & COLUMN_SHRINK) != 0;
		columns[i].natural =
		    out->options.header ? width_of(span_from(c->title)) : 1;
		for (size_t r = 0; r < out->count; r++) {
			size_t width;

			buf_clear(&text);
			value_for_people(
			    &text, &out->rows[r][out->shown[i]], c, true);
			width = width_of(buf_span(&text));
			if (width > columns[i].natural)
				columns[i].natural = width;
		}
	}
	buf_release(&text);
	layout_fit(columns, out->shown_count, out->options.width);
	return columns;
}

static size_t
last_shown(const struct out *out)
{
	size_t last = 0;

	for (size_t i = 0; i < out->shown_count; i++) {
		if (out->widths[i] > 0)
			last = i;
	}
	return last;
}

static void
put_titles(struct out *out)
{
	size_t last = last_shown(out);

	if (!out->options.header)
		return;
	buf_clear(&out->scratch);
	for (size_t i = 0; i < out->shown_count; i++) {
		const struct column *c = out_shown(out, i);
		struct column title = *c;

		title.type = is_right(c) ? VALUE_INTEGER : VALUE_TEXT;
		if (out->widths[i] > 0)
			put_cell(out, &out->scratch, span_from(c->title),
			    &title, out->widths[i], i == last);
	}
	put_byte(&out->scratch, '\n');
	sink_write(out->sink, buf_span(&out->scratch));
}

static bool
is_record(const struct out *out)
{
	return out->view->shape == VIEW_RECORD && !out->streams;
}

/* The width that values of a column mostly need. */
static size_t
usual_width(const struct out *out, const struct column *c)
{
	static const char *const usual[] = {
		[VALUE_CLOCK] = "20:18:04",
		[VALUE_PLACE] = "+34.068930-118.445127",
		[VALUE_STATE] = "comparing",
		[VALUE_MS] = "0.06ms",
		[VALUE_TEXT] = "report",
		[VALUE_JSON] = NULL, /* the last type */
	};

	if ((c->traits & (COLUMN_NODE | COLUMN_NEIGHBOUR)) != 0)
		return out->options.longest_node;
	if ((c->traits & COLUMN_ID) != 0)
		return sizeof("kiwi.cs.ucla.edu") - 1;
	return usual[c->type] == NULL ? 0 : strlen(usual[c->type]);
}

/*
 * A stream's rows are not known yet: titles must do, and usual widths as
 * long as there is room for them.
 */
static void
set_stream_widths(struct out *out)
{
	size_t total = 0;

	for (size_t i = 0; i < out->shown_count; i++) {
		out->widths[i] = width_of(span_from(out_shown(out, i)->title));
		total += out->widths[i] + LAYOUT_GAP;
	}
	for (size_t i = 0; i < out->shown_count; i++) {
		size_t usual = usual_width(out, out_shown(out, i));
		size_t more =
		    usual > out->widths[i] ? usual - out->widths[i] : 0;

		if (out->options.width > 0 &&
		    total + more > out->options.width + LAYOUT_GAP)
			continue;
		out->widths[i] += more;
		total += more;
	}
}

/* The text above and below the rows, in the screen's width. */
static void
write_wrapped(struct out *out, struct span text)
{
	while (text.len > 0) {
		struct span line = width_take_line(&text, out->options.width);

		sink_write(out->sink, line);
		sink_write(out->sink, span_from("\n"));
	}
}

void
table_begin(struct out *out)
{
	if (out_is_looks(out)) {
		sink_write(out->sink, buf_span(&out->picture));
		write_wrapped(out, buf_span(&out->heading));
	}
	if (is_record(out) || (out->count == 0 && !out->streams))
		return;
	free(out->widths);
	out->widths = xcalloc(out->shown_count + 1, sizeof(*out->widths));
	if (out->streams) {
		set_stream_widths(out);
	} else {
		struct layout_column *columns = lay_out(out);

		for (size_t i = 0; i < out->shown_count; i++)
			out->widths[i] = columns[i].width;
		free(columns);
	}
	put_titles(out);
}

/* A line of a record: what is called `title`, cut to the screen. */
static void
put_value_line(struct out *out, const char *title, const struct value *value,
    const struct column *c, size_t width)
{
	struct buf *line = &out->scratch;
	struct column left = *c;
	struct buf shown = XBUF;

	left.traits |= COLUMN_LEFT;
	value_for_people(&shown, value, c, true);
	buf_clear(line);
	put_text(line, title);
	put_fill(line, ' ', width - width_of(buf_span(line)) + LAYOUT_GAP);
	put_cell(out, line, buf_span(&shown), &left,
	    out->options.width > width + LAYOUT_GAP
		? out->options.width - width - LAYOUT_GAP
		: SIZE_MAX,
	    true);
	put_byte(line, '\n');
	sink_write(out->sink, buf_span(line));
	buf_release(&shown);
}

/* A value of several lines has its title on the first. */
static void
put_value(struct out *out, const struct column *c, const struct value *value,
    size_t width)
{
	struct span lines = value->shown;
	struct value one = *value;
	const char *title = c->title;

	do {
		if (value->type == VALUE_JSON)
			one.shown = width_take_line(&lines, 0);
		put_value_line(out, title, &one, c, width);
		title = "";
	} while (value->type == VALUE_JSON && lines.len > 0);
}

static void
put_record(struct out *out, const struct value *row)
{
	size_t width = 0;

	for (size_t i = 0; i < out->shown_count; i++) {
		size_t title = width_of(span_from(out_shown(out, i)->title));

		width = title > width ? title : width;
	}
	if (out->written > 0)
		sink_write(out->sink, span_from("\n"));
	for (size_t i = 0; i < out->shown_count; i++)
		put_value(out, out_shown(out, i), &row[out->shown[i]], width);
}

void
table_row(struct out *out, const struct value *row)
{
	size_t last;
	struct buf shown = XBUF;

	if (is_record(out)) {
		put_record(out, row);
		return;
	}
	last = last_shown(out);
	buf_clear(&out->scratch);
	for (size_t i = 0; i < out->shown_count; i++) {
		size_t width;

		if (out->widths[i] == 0)
			continue;
		buf_clear(&shown);
		value_for_people(
		    &shown, &row[out->shown[i]], out_shown(out, i), true);
		width = width_of(buf_span(&shown));
		if (out->streams && width > out->widths[i])
			out->widths[i] = width;
		put_cell(out, &out->scratch, buf_span(&shown),
		    out_shown(out, i), out->widths[i], i == last);
	}
	put_byte(&out->scratch, '\n');
	sink_write(out->sink, buf_span(&out->scratch));
	buf_release(&shown);
}

void
table_end(struct out *out)
{
	if (out_is_looks(out))
		write_wrapped(out, buf_span(&out->footer));
}

void
plain_begin(struct out *out)
{
	buf_clear(&out->scratch);
	if (!out->options.header || is_record(out))
		return;
	for (size_t i = 0; i < out->shown_count; i++)
		putf(&out->scratch, "%s%s", i > 0 ? "\t" : "",
		    out_shown(out, i)->title);
	put_byte(&out->scratch, '\n');
	sink_write(out->sink, buf_span(&out->scratch));
}

void
plain_row(struct out *out, const struct value *row)
{
	bool record = is_record(out);

	buf_clear(&out->scratch);
	if (record && out->written > 0)
		put_byte(&out->scratch, '\n');
	for (size_t i = 0; i < out->shown_count; i++) {
		if (record)
			putf(&out->scratch, "%s\t", out_shown(out, i)->title);
		else if (i > 0)
			put_byte(&out->scratch, '\t');
		value_for_people(&out->scratch, &row[out->shown[i]],
		    out_shown(out, i), false);
		if (record)
			put_byte(&out->scratch, '\n');
	}
	if (!record)
		put_byte(&out->scratch, '\n');
	sink_write(out->sink, buf_span(&out->scratch));
}
