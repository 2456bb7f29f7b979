/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The formats for people: `table` and `wide` (aligned; table fits the
 * screen) and `plain` (tabs, nothing cut). Records, of which people read
 * one value per line, take the same functions.
 */
#include "out/out_formats.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xbuf.h"
#include "herd/time.h"
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

/*
 * What a table has in a cell. In `wide' a time has both forms: the text as it
 * came and ISO 8601, so that nobody has to read seconds since 1970.
 */
static void
put_shown(struct buf *text, const struct out *out, const struct value *value,
    const struct column *c)
{
	char iso[TIME_ISO_MAX];
	uint64_t ns;

	if ((out->options.format->traits & FORMAT_WIDE) == 0 || !value->known ||
	    value_base(c->type) != BASE_DECIMAL ||
	    time_parse(value->text, &ns) != HERD_OK) {
		value_for_people(text, value, c, true);
		return;
	}
	put_clean(text, value->text);
	put_byte(text, ' ');
	put(text, iso, time_to_iso(ns, iso));
}

/* May a value of this column be shown in part? A number may not. */
static bool
may_be_cut(const struct column *c)
{
	return value_base(c->type) == BASE_TEXT && c->type != VALUE_PLACE;
}

/* One value in its column, coloured when it is a state. */
static void
put_cell(struct out *out, struct buf *line, struct span text,
    const struct column *c, size_t width, bool last)
{
	size_t taken;
	const char *color = NULL;
	struct buf cut = XBUF;

	if (may_be_cut(c))
		width_shorten(&cut, text, width, out->options.utf8);
	else
		put_span(&cut, text);
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
	buf_release(&cut);
}

/* What the layout knows of a column before it sees values. */
static struct layout_column
begin_column(const struct out *out, size_t i)
{
	const struct column *c = out_shown(out, i);

	return (struct layout_column){
		.natural =
		    out->options.header ? width_of(span_from(c->title)) : 1,
		.drop = out_sorts_by(out, out->shown[i]) ? 0 : c->drop,
		.shrinks = (c->traits &
			       (COLUMN_SHRINK | COLUMN_ID | COLUMN_ERROR)) != 0,
		.asked = out->options.columns != NULL,
	};
}

/* A value of this width has to be seen in the column. */
static void
add_width(struct layout_column *column, const struct column *c, size_t width)
{
	if (width > column->natural)
		column->natural = width;
	if (!may_be_cut(c) && width > column->least)
		column->least = width;
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

		columns[i] = begin_column(out, i);
		for (size_t r = 0; r < out->count; r++) {
			buf_clear(&text);
			put_shown(&text, out, &out->rows[r][out->shown[i]], c);
			add_width(&columns[i], c, width_of(buf_span(&text)));
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
	static const struct column right = { .type = VALUE_INTEGER };
	static const struct column left = { .type = VALUE_TEXT };
	size_t last = last_shown(out);
	struct buf title = XBUF;

	if (!out->options.header)
		return;
	buf_clear(&out->scratch);
	for (size_t i = 0; i < out->shown_count; i++) {
		const struct column *c = out_shown(out, i);

		if (out->widths[i] == 0)
			continue;
		buf_clear(&title);
		width_cut(&title, span_from(c->title), out->widths[i],
		    out->options.utf8);
		put_cell(out, &out->scratch, buf_span(&title),
		    is_right(c) ? &right : &left, out->widths[i], i == last);
	}
	buf_release(&title);
	put_byte(&out->scratch, '\n');
	sink_write(out->sink, buf_span(&out->scratch));
}

static bool
is_record(const struct out *out)
{
	return out->view->shape == VIEW_RECORD && !out->streams;
}

/* The width that values of a column mostly need; 0 = that is not known. */
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

/* The room that is left goes to texts that may be long, evenly. */
static void
share_room(struct layout_column *columns, size_t count, size_t width)
{
	size_t total = layout_total(columns, count);
	size_t left = width > total ? width - total : 0;
	size_t sharing = 0;

	for (size_t i = 0; i < count; i++)
		sharing += columns[i].width > 0 && columns[i].shrinks;
	for (size_t i = 0; i < count && sharing > 0; i++) {
		if (columns[i].width > 0 && columns[i].shrinks) {
			columns[i].width += left / sharing;
			left -= left / sharing;
			sharing--;
		}
	}
}

/* A stream's rows are not known yet: titles and usual widths must do. */
static struct layout_column *
lay_out_stream(const struct out *out)
{
	struct layout_column *columns =
	    xcalloc(out->shown_count, sizeof(*columns));

	for (size_t i = 0; i < out->shown_count; i++) {
		const struct column *c = out_shown(out, i);

		columns[i] = begin_column(out, i);
		add_width(&columns[i], c, usual_width(out, c));
	}
	layout_fit(columns, out->shown_count, out->options.width);
	share_room(columns, out->shown_count, out->options.width);
	return columns;
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
	struct layout_column *columns;

	if (out_is_looks(out)) {
		sink_write(out->sink, buf_span(&out->picture));
		write_wrapped(out, buf_span(&out->heading));
	}
	if (is_record(out) || (out->count == 0 && !out->streams))
		return;
	columns = out->streams ? lay_out_stream(out) : lay_out(out);
	free(out->widths);
	out->widths = xcalloc(out->shown_count + 1, sizeof(*out->widths));
	for (size_t i = 0; i < out->shown_count; i++)
		out->widths[i] = columns[i].width;
	free(columns);
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
	put_shown(&shown, out, value, c);
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

/*
 * A number of a stream is never cut, so its column grows, and the widest text
 * gives the room.
 */
static void
grow_column(struct out *out, size_t i, size_t more)
{
	size_t widest = i;

	out->widths[i] += more;
	if (out->options.width == 0)
		return;
	for (size_t j = 0; j < out->shown_count; j++) {
		if (may_be_cut(out_shown(out, j)) &&
		    (widest == i || out->widths[j] > out->widths[widest]))
			widest = j;
	}
	if (widest != i && out->widths[widest] >= more + LAYOUT_SHORTEST)
		out->widths[widest] -= more;
}

static void
fit_numbers(struct out *out, const struct value *row)
{
	struct buf shown = XBUF;

	for (size_t i = 0; i < out->shown_count; i++) {
		const struct column *c = out_shown(out, i);
		size_t width;

		if (out->widths[i] == 0 || may_be_cut(c))
			continue;
		buf_clear(&shown);
		put_shown(&shown, out, &row[out->shown[i]], c);
		width = width_of(buf_span(&shown));
		if (width > out->widths[i])
			grow_column(out, i, width - out->widths[i]);
	}
	buf_release(&shown);
}

void
table_row(struct out *out, const struct value *row)
{
	/* Where nothing is cut, a long text pushes on in its own row alone. */
	bool cuts = !out->streams || out->options.width > 0;
	size_t last;
	struct buf shown = XBUF;

	if (is_record(out)) {
		put_record(out, row);
		return;
	}
	if (out->streams)
		fit_numbers(out, row);
	last = last_shown(out);
	buf_clear(&out->scratch);
	for (size_t i = 0; i < out->shown_count; i++) {
		size_t width = out->widths[i];

		if (width == 0)
			continue;
		buf_clear(&shown);
		put_shown(&shown, out, &row[out->shown[i]], out_shown(out, i));
		if (!cuts && width_of(buf_span(&shown)) > width)
			width = width_of(buf_span(&shown));
		put_cell(out, &out->scratch, buf_span(&shown),
		    out_shown(out, i), width, i == last);
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
