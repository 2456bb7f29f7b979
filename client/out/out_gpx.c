/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gpx: the rows that have a place, as waypoints, or as one track where the
 * list is one. Source: GPX 1.1 schema, topografix.com/GPX/1/1.
 */
#include "out/out_formats.h"

#include <string.h>

#include "base/xbuf.h"
#include "herd/text.h"
#include "herd/time.h"

static bool
is_track(const struct out *out)
{
	return strcmp(out->view->list, "track") == 0;
}

/*
 * What a terminal would obey becomes a reference, but for the characters that
 * XML has no way to write.
 */
static void
put_character(struct buf *line, struct span bytes, uint32_t code)
{
	if (code == '&' || code == '<' || code == '>' || code == '"' ||
	    (code >= 0x7f && text_is_control(code)))
		putf(line, "&#x%X;", (unsigned)code);
	else if (code < ' ')
		put_text(line, "\xef\xbf\xbd");
	else
		put_span(line, bytes);
}

static void
put_xml(struct buf *line, struct span text)
{
	struct buf clean = XBUF;
	struct span rest;

	must(text_to_utf8(&clean, text));
	rest = buf_span(&clean);
	while (rest.len > 0) {
		uint32_t code = 0;
		size_t len = text_utf8_take(rest, &code);

		put_character(line, span_of(rest.data, len), code);
		rest = span_of(rest.data + len, rest.len - len);
	}
	buf_release(&clean);
}

static void
put_element(struct buf *line, const char *name, struct span text)
{
	putf(line, "<%s>", name);
	put_xml(line, text);
	putf(line, "</%s>", name);
}

/* The row's first value of that type; NULL: it has none. */
static const struct value *
find(const struct out *out, const struct value *row, enum value_type type)
{
	for (size_t i = 0; i < out->view->count; i++) {
		if (out->view->columns[i].type == type && row[i].known)
			return &row[i];
	}
	return NULL;
}

static void
put_time(struct buf *line, const struct value *time)
{
	char iso[TIME_ISO_MAX];
	uint64_t ns;

	if (time != NULL && time_parse(time->text, &ns) == HERD_OK)
		put_element(line, "time", span_of(iso, time_to_iso(ns, iso)));
}

void
gpx_begin(struct out *out)
{
	buf_clear(&out->scratch);
	put_text(&out->scratch,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<gpx version=\"1.1\" creator=\"herdctl\""
	    " xmlns=\"http://www.topografix.com/GPX/1/1\">\n");
	if (is_track(out))
		put_text(&out->scratch, "<trk><trkseg>\n");
	sink_write(out->sink, buf_span(&out->scratch));
}

void
gpx_row(struct out *out, const struct value *row)
{
	const char *point = is_track(out) ? "trkpt" : "wpt";
	const struct value *place = find(out, row, VALUE_PLACE);
	size_t id = out_column(out, COLUMN_ID);
	struct buf *line = &out->scratch;

	if (place == NULL)
		return;
	buf_clear(line);
	putf(line, "<%s lat=\"", point);
	put_number(line, place->lat);
	put_text(line, "\" lon=\"");
	put_number(line, place->lon);
	put_text(line, "\">");
	put_time(line, find(out, row, VALUE_TIME));
	if (id < out->view->count && row[id].known)
		put_element(line, "name", row[id].text);
	putf(line, "</%s>\n", point);
	sink_write(out->sink, buf_span(line));
}

void
gpx_end(struct out *out)
{
	buf_clear(&out->scratch);
	if (is_track(out))
		put_text(&out->scratch, "</trkseg></trk>\n");
	put_text(&out->scratch, "</gpx>\n");
	sink_write(out->sink, buf_span(&out->scratch));
}
