/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json (one document), jsonl (one object per line), geojson. A list is an
 * array whatever its length. GeoJSON's positions are [lon, lat] (RFC 7946).
 */
#include "out/out_formats.h"

#include "base/xbuf.h"

void
json_begin(struct out *out)
{
	buf_clear(&out->scratch);
	putf(&out->scratch, "{\"schema\":\"%s\",\"%s\":[", out->view->schema,
	    out->view->list);
	sink_write(out->sink, buf_span(&out->scratch));
}

static void
put_object(struct out *out, const struct leaf *row)
{
	put_byte(&out->scratch, '{');
	for (size_t i = 0; i < out->shown_count; i++) {
		if (i > 0)
			put_byte(&out->scratch, ',');
		leaf_to_json_member(
		    &out->scratch, &row[out->shown[i]], out_shown(out, i));
	}
	put_byte(&out->scratch, '}');
}

void
json_row(struct out *out, const struct leaf *row)
{
	buf_clear(&out->scratch);
	put_text(&out->scratch, out->written > 0 ? ",\n " : "\n ");
	put_object(out, row);
	sink_write(out->sink, buf_span(&out->scratch));
}

void
json_end(struct out *out)
{
	buf_clear(&out->scratch);
	put_text(&out->scratch, out->written > 0 ? "\n]" : "]");
	put_span(&out->scratch, buf_span(&out->members));
	put_text(&out->scratch, "}\n");
	sink_write(out->sink, buf_span(&out->scratch));
}

void
jsonl_row(struct out *out, const struct leaf *row)
{
	buf_clear(&out->scratch);
	put_object(out, row);
	put_byte(&out->scratch, '\n');
	sink_write(out->sink, buf_span(&out->scratch));
}

void
geojson_begin(struct out *out)
{
	buf_clear(&out->scratch);
	putf(&out->scratch,
	    "{\"type\":\"FeatureCollection\",\"schema\":\"%s\",\"features\":[",
	    out->view->schema);
	sink_write(out->sink, buf_span(&out->scratch));
}

static const struct leaf *
first_place(const struct out *out, const struct leaf *row)
{
	for (size_t i = 0; i < out->view->count; i++) {
		if (out->view->columns[i].type == LEAF_PLACE && row[i].known)
			return &row[i];
	}
	return NULL;
}

void
geojson_row(struct out *out, const struct leaf *row)
{
	const struct leaf *place = first_place(out, row);
	struct buf *line = &out->scratch;

	buf_clear(line);
	put_text(line, out->written > 0 ? ",\n " : "\n ");
	put_text(line, "{\"type\":\"Feature\",\"geometry\":");
	if (place != NULL) {
		put_text(line, "{\"type\":\"Point\",\"coordinates\":[");
		json_put_number(line, place->lon);
		put_byte(line, ',');
		json_put_number(line, place->lat);
		put_text(line, "]}");
	} else {
		put_text(line, "null");
	}
	put_text(line, ",\"properties\":");
	put_object(out, row);
	put_byte(line, '}');
	sink_write(out->sink, buf_span(line));
}

void
geojson_end(struct out *out)
{
	json_end(out);
}
