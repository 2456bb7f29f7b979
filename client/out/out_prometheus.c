/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prometheus: numbers as gauges in base units, labelled by node, peer and
 * the like; a state is 1 under its word. Rows that are named by a client id
 * are only counted: ids are never labels (their number has no bound).
 */
#include "out/out_formats.h"

#include <math.h>
#include <string.h>

#include "base/xbuf.h"

struct metric {
	struct buf name;
	double per; /* of these make a base unit */
};

static void
metric_init(struct metric *m, const struct out *out, const struct column *c)
{
	static const struct {
		const char *suffix;
		const char *unit;
		double per;
	} units[] = {
		{ "_ms", "_seconds", 1e3 },
		{ "_s", "_seconds", 1 },
		{ "_m", "_meters", 1 },
	};
	size_t len = strlen(c->key);
	size_t unit;

	buf_init(&m->name, XBUF_MAX);
	m->per = 1;
	for (unit = 0; unit < HERD_ARRAY_LEN(units); unit++) {
		size_t n = strlen(units[unit].suffix);

		if (len > n &&
		    strcmp(c->key + len - n, units[unit].suffix) == 0) {
			len -= n;
			break;
		}
	}
	putf(&m->name, "herdctl_%s_%.*s", out->view->list, (int)len, c->key);
	if (unit < HERD_ARRAY_LEN(units)) {
		put_text(&m->name, units[unit].unit);
		m->per = units[unit].per;
	}
	if ((c->traits & COLUMN_COUNTER) != 0)
		put_text(&m->name, "_total");
}

static void
put_label(struct buf *line, const char *key, struct span value, bool *first)
{
	putf(line, "%s%s=\"", *first ? "" : ",", key);
	for (size_t i = 0; i < value.len; i++) {
		if (value.data[i] == '\n')
			put_text(line, "\\n");
		else if (value.data[i] == '"' || value.data[i] == '\\')
			putf(line, "\\%c", value.data[i]);
		else
			put_byte(line, value.data[i]);
	}
	put_byte(line, '"');
	*first = false;
}

/* Everything between the braces; `state` adds the word of that column. */
static void
put_labels(
    struct out *out, struct buf *line, const struct value *row, size_t state)
{
	const struct view *view = out->view;
	bool first = true;

	put_byte(line, '{');
	for (size_t i = 0; i < view->count; i++) {
		unsigned traits = view->columns[i].traits;

		if ((traits & (COLUMN_LABEL | COLUMN_NODE)) != 0 &&
		    row[i].known)
			put_label(
			    line, view->columns[i].key, row[i].text, &first);
	}
	if (state < view->count)
		put_label(
		    line, view->columns[state].key, row[state].text, &first);
	put_text(line, "} ");
}

static void
put_metric(struct out *out, size_t column)
{
	const struct column *c = &out->view->columns[column];
	struct buf *line = &out->scratch;
	bool is_state = c->type == VALUE_STATE;
	struct metric m;
	bool named = false;
	double number = 1;

	metric_init(&m, out, c);
	for (size_t i = 0; i < out->count; i++) {
		const struct value *row = out->rows[i];

		if (is_state ? !row[column].known
			     : !value_is_number(&row[column], &number))
			continue;
		buf_clear(line);
		if (!named)
			putf(line, "# TYPE %s %s\n", text_of(&m.name),
			    (c->traits & COLUMN_COUNTER) != 0 ? "counter"
							      : "gauge");
		named = true;
		put_text(line, text_of(&m.name));
		put_labels(
		    out, line, row, is_state ? column : out->view->count);
		/* To the nanosecond: 0.198 ms are no 0.00019800000000000002 s.
		 */
		if (m.per > 1)
			number = round(number * (1e9 / m.per)) / 1e9;
		put_number(line, is_state ? 1 : number);
		put_byte(line, '\n');
		sink_write_foreign(out->sink, buf_span(line));
	}
	buf_release(&m.name);
}

static void
put_count(struct out *out)
{
	buf_clear(&out->scratch);
	putf(&out->scratch, "# TYPE herdctl_%s_rows gauge\n", out->view->list);
	putf(&out->scratch, "herdctl_%s_rows %zu\n", out->view->list,
	    out->count);
	sink_write(out->sink, buf_span(&out->scratch));
}

void
prometheus_end(struct out *out)
{
	if (out_column(out, COLUMN_ID) < out->view->count) {
		put_count(out);
		return;
	}
	for (size_t i = 0; i < out->shown_count; i++)
		put_metric(out, out->shown[i]);
}
