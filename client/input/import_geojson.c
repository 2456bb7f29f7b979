/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * geojson (RFC 7946): a FeatureCollection of Points, of which one feature at a
 * time is kept, or features one after the other (RFC 8142, or one a line).
 */
#include "input/import_formats.h"
#include "herd/json_members.h"
#include "input/json_outline.h"
#include "herd/text.h"

#define RECORD_SEPARATOR '\x1e'

enum geojson_place {
	OUTSIDE, /* between texts */
	GARBAGE, /* no object, up to the line's end */
	ROOT,    /* in an outermost object: a Feature, or what has a list */
	LIST,    /* between the elements of "features" */
	ELEMENT, /* in an object or array of the list */
	SCALAR,  /* in an element of another kind */
};

struct geojson {
	struct json_outline json;
	enum geojson_place place;
	bool collection; /* the outermost object has a list of features */
};

enum end {
	NO_END,
	END_BEFORE, /* the byte is not the record's */
	END_AFTER,
};

static bool
is_between(char byte)
{
	return text_is_space(byte) || byte == ',' || byte == RECORD_SEPARATOR ||
	       memchr("\xef\xbb\xbf", byte, 3) != NULL;
}

/* What is before the next byte belongs to no record. */
static void
skip(struct import_reader *r)
{
	r->begin = r->scanned + 1;
}

static enum end
outside(struct import_reader *r, struct geojson *g, char byte)
{
	if (is_between(byte)) {
		skip(r);
		return NO_END;
	}
	r->begin = r->scanned;
	*g = (struct geojson){ .place = byte == '{' ? ROOT : GARBAGE };
	(void)json_outline_byte(&g->json, byte);
	return NO_END;
}

static bool
is_list(const struct import_shape *shape, const struct json_outline *json)
{
	return json_outline_key_is(json, "features") ||
	       (shape->list != NULL && json_outline_key_is(json, shape->list));
}

static enum end
root(struct import_reader *r, struct geojson *g, char byte)
{
	if (json_outline_byte(&g->json, byte) && byte == '[' &&
	    g->json.value_depth == 1 && is_list(r->shape, &g->json)) {
		g->place = LIST;
		g->collection = true;
		/* What came before the list is no record. */
		r->too_long = false;
	}
	if (g->collection)
		skip(r);
	if (g->json.depth > 0)
		return NO_END;
	g->place = OUTSIDE;
	return g->collection ? NO_END : END_AFTER;
}

static enum end
list(struct import_reader *r, struct geojson *g, char byte)
{
	if (is_between(byte)) {
		skip(r);
		return NO_END;
	}
	r->begin = r->scanned;
	(void)json_outline_byte(&g->json, byte);
	if (g->json.depth == 1) {
		g->place = ROOT;
		skip(r);
	} else {
		g->place = g->json.depth > 2 ? ELEMENT : SCALAR;
	}
	return NO_END;
}

static enum end
element(struct geojson *g, char byte)
{
	(void)json_outline_byte(&g->json, byte);
	if (g->json.depth > 2)
		return NO_END;
	g->place = LIST;
	return END_AFTER;
}

static enum end
scalar(struct geojson *g, char byte)
{
	if (!g->json.in_string && (byte == ',' || byte == ']' || byte == '}')) {
		g->place = LIST;
		return END_BEFORE;
	}
	(void)json_outline_byte(&g->json, byte);
	return NO_END;
}

static enum end
take(struct import_reader *r, char byte)
{
	struct geojson *g = r->state;

	/* Another text begins: what is open is broken. */
	if (byte == RECORD_SEPARATOR && g->json.depth > 0) {
		g->json.depth = 0;
		g->place = OUTSIDE;
		r->scan_fault = "the object is not closed";
		return END_BEFORE;
	}
	switch (g->place) {
	case OUTSIDE: return outside(r, g, byte);
	case GARBAGE:
		if (byte != '\n')
			return NO_END;
		g->place = OUTSIDE;
		return END_AFTER;
	case ROOT: return root(r, g, byte);
	case LIST: return list(r, g, byte);
	case ELEMENT: return element(g, byte);
	case SCALAR: return scalar(g, byte);
	}
	return NO_END;
}

static enum import_scan
scan(struct import_reader *r)
{
	const struct geojson *g = r->state;
	struct span in = buf_span(&r->in);
	enum end end = NO_END;

	while (end == NO_END && r->scanned < in.len) {
		end = take(r, in.data[r->scanned]);
		r->scanned += end != END_BEFORE;
	}
	r->open = g->place == ROOT || g->place == LIST || g->place == ELEMENT ||
		  g->place == SCALAR;
	return end == NO_END ? SCAN_MORE : SCAN_RECORD;
}

static bool
parse(
    struct import_reader *reader, struct span raw, struct import_record *record)
{
	struct json_item feature;

	if (record->fault != NULL)
		return true;
	if (!json_value(raw, &feature) || feature.kind != JSON_OBJECT)
		record->fault = "not a JSON object";
	else
		record->fault = reader->shape->read_object(&feature, record);
	return true;
}

const struct import_format import_geojson = {
	.name = "geojson",
	.unit = "feature",
	.state_size = sizeof(struct geojson),
	.scan = scan,
	.parse = parse,
};
