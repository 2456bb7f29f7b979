/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json (one document), jsonl (one object per line), geojson. A list is an
 * array whatever its length. GeoJSON's positions are [lon, lat] (RFC 7946).
 */
#include "out/out_formats.h"

#include "base/xbuf.h"

/* Begins a document in the answer's line. */
static void
begin(struct json *json, struct out *out)
{
	json_begin(json, &out->scratch, JSON_TERMINAL);
}

static void
write_members(struct json *json, struct out *out, const struct value *row)
{
	for (size_t i = 0; i < out->shown_count; i++)
		value_write(json, &row[out->shown[i]], out_shown(out, i));
}

static void
put_object(struct out *out, const struct value *row)
{
	struct json json;

	begin(&json, out);
	json_object(&json, NULL);
	write_members(&json, out, row);
	json_object_end(&json);
	must(json_end(&json));
}

/* Each row has its own line, so that people and diff can read them. */
static void
next_row(struct out *out)
{
	buf_clear(&out->scratch);
	put_text(&out->scratch, out->written > 0 ? ",\n " : "\n ");
}

void
json_begin_answer(struct out *out)
{
	buf_clear(&out->scratch);
	putf(&out->scratch, "{\"schema\":\"%s\",\"%s\":[", out->view->schema,
	    out->view->list);
	sink_write(out->sink, buf_span(&out->scratch));
}

void
json_row(struct out *out, const struct value *row)
{
	next_row(out);
	put_object(out, row);
	sink_write(out->sink, buf_span(&out->scratch));
}

void
json_end_answer(struct out *out)
{
	buf_clear(&out->scratch);
	put_text(&out->scratch, out->written > 0 ? "\n]" : "]");
	put_span(&out->scratch, buf_span(&out->members));
	put_text(&out->scratch, "}\n");
	sink_write(out->sink, buf_span(&out->scratch));
}

void
jsonl_row(struct out *out, const struct value *row)
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

static const struct value *
first_place(const struct out *out, const struct value *row)
{
	for (size_t i = 0; i < out->view->count; i++) {
		if (out->view->columns[i].type == VALUE_PLACE && row[i].known)
			return &row[i];
	}
	return NULL;
}

static void
write_geometry(struct json *json, const struct value *place)
{
	if (place == NULL) {
		json_null(json, "geometry");
		return;
	}
	json_object(json, "geometry");
	json_word(json, "type", "Point");
	json_array(json, "coordinates");
	json_number(json, NULL, place->lon);
	json_number(json, NULL, place->lat);
	json_array_end(json);
	json_object_end(json);
}

void
geojson_row(struct out *out, const struct value *row)
{
	struct json json;

	next_row(out);
	begin(&json, out);
	json_object(&json, NULL);
	json_word(&json, "type", "Feature");
	write_geometry(&json, first_place(out, row));
	json_object(&json, "properties");
	write_members(&json, out, row);
	json_object_end(&json);
	json_object_end(&json);
	must(json_end(&json));
	sink_write(out->sink, buf_span(&out->scratch));
}
