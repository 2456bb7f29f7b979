/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gpx (Topografix 1.0 and 1.1): waypoints, points of tracks and of routes. One
 * point at a time is kept. A waypoint's client is its name, a track's or
 * route's the name of that.
 */
#include <stdlib.h>

#include "base/xbuf.h"
#include "input/import_formats.h"
#include "input/xml_token.h"
#include "herd/report.h"
#include "herd/text.h"

#define NAME_MAX_LEN ((size_t)REPORT_CLIENT_MAX + 1u)

/* Elements that are points, and the elements that name them. */
static const struct gpx_kind {
	const char *point;
	const char *owner;
	const char *before; /* what a file of rejected points needs around it */
	const char *after;
} kinds[] = {
	{ "wpt", NULL, "", "" },
	{ "trkpt", "trk", "<trkseg>", "</trkseg></trk>" },
	{ "rtept", "rte", "", "</rte>" },
};

struct gpx {
	const struct gpx_kind *point; /* in one of that kind, or NULL */
	bool inside;                  /* after <gpx>, before </gpx> */
	bool naming;                  /* in the name of a track or route */
	bool owned;                   /* in a track or route */
	struct buf owner;             /* its name, decoded */
	bool has_owner;
	const char *discard; /* what the endless token ends with, or NULL */
};

static const struct gpx_kind *
kind_of(struct span name, bool owner)
{
	for (size_t i = 0; i < HERD_ARRAY_LEN(kinds); i++) {
		const char *word = owner ? kinds[i].owner : kinds[i].point;

		if (word != NULL && span_is(name, word))
			return &kinds[i];
	}
	return NULL;
}

/* Passes over a token that is too long to keep. False: it goes on. */
static bool
discard(struct import_reader *r, struct gpx *g)
{
	struct span in = buf_span(&r->in);
	struct span rest = span_of(in.data + r->scanned, in.len - r->scanned);
	size_t len = strlen(g->discard);
	const char *end = memmem(rest.data, rest.len, g->discard, len);

	if (end != NULL) {
		r->scanned += (size_t)(end - rest.data) + len;
		g->discard = NULL;
	} else if (rest.len >= len) {
		/* Its end may be cut in two. */
		r->scanned += rest.len - (len - 1);
	}
	if (g->point == NULL)
		r->begin = r->scanned;
	return end != NULL;
}

static void
name_owner(struct gpx *g, const struct xml_token *token)
{
	if (!g->has_owner) {
		buf_init(&g->owner, XBUF_MAX);
		g->has_owner = true;
	}
	if (g->owner.len + token->text.len > NAME_MAX_LEN)
		return;
	if (token->kind == XML_CDATA)
		put_span(&g->owner, token->text);
	else
		(void)!xml_decode(&g->owner, token->text);
}

/* A tag or text that is in no point. */
static void
look_around(struct gpx *g, const struct xml_token *token)
{
	bool is_owner = kind_of(token->name, true) != NULL;

	if ((token->kind == XML_START || token->kind == XML_END) &&
	    span_is(token->name, "gpx"))
		g->inside = token->kind == XML_START;
	switch (token->kind) {
	case XML_START:
		if (is_owner) {
			g->owned = true;
			buf_clear(&g->owner);
		}
		g->naming = g->owned && g->owner.len == 0 &&
			    span_is(token->name, "name");
		break;
	case XML_END:
		g->naming = false;
		if (is_owner) {
			g->owned = false;
			buf_clear(&g->owner);
		}
		break;
	case XML_TEXT:
	case XML_CDATA:
		if (g->naming)
			name_owner(g, token);
		break;
	case XML_EMPTY:
	case XML_OTHER: break;
	}
}

/* True: a record ends with the token, or before it. */
static bool
take(struct import_reader *r, struct gpx *g, const struct xml_token *token)
{
	const struct gpx_kind *kind =
	    token->kind == XML_START || token->kind == XML_EMPTY
		? kind_of(token->name, false)
		: NULL;

	if (g->point != NULL && kind != NULL) {
		g->point = NULL;
		r->scan_fault = "the point is not closed";
		return true;
	}
	if (g->point == NULL) {
		r->begin = r->scanned;
		if (kind == NULL)
			look_around(g, token);
		else if (token->kind == XML_START)
			g->point = kind;
	}
	r->scanned += token->len;
	if (kind != NULL)
		return token->kind == XML_EMPTY;
	if (g->point == NULL) {
		r->begin = r->scanned;
		return false;
	}
	if (token->kind != XML_END || !span_is(token->name, g->point->point))
		return false;
	g->point = NULL;
	return true;
}

/* The token at `scanned' is not complete. */
static enum import_scan
wait_for_more(struct import_reader *r, const struct gpx *g)
{
	if (g->point == NULL)
		r->begin = r->scanned;
	r->open = true;
	return SCAN_MORE;
}

static enum import_scan
scan(struct import_reader *r)
{
	struct gpx *g = r->state;

	for (;;) {
		struct span in = buf_span(&r->in);
		struct span rest;
		struct xml_token token;

		r->open = g->inside || g->discard != NULL || g->point != NULL;
		if (r->scanned == in.len)
			return SCAN_MORE;
		if (g->discard != NULL) {
			if (!discard(r, g))
				return SCAN_MORE;
			continue;
		}
		rest = span_of(in.data + r->scanned, in.len - r->scanned);
		if (xml_token_next(rest, &token) != HERD_OK) {
			if (rest.len <= r->record_max)
				return wait_for_more(r, g);
			g->discard = token.end;
			continue;
		}
		/* A name's text, and its references, may be cut in two. */
		if (token.kind == XML_TEXT && g->naming &&
		    token.len == rest.len && rest.len < NAME_MAX_LEN &&
		    !r->ended)
			return wait_for_more(r, g);
		if (take(r, g, &token))
			return SCAN_RECORD;
	}
}

/* The direct children of a point that count. */
static enum import_field
child_field(struct span name)
{
	if (span_is(name, "time"))
		return FIELD_TIME;
	return span_is(name, "name") ? FIELD_CLIENT : FIELD_COUNT;
}

static void
read_content(struct import_record *record, enum import_field field,
    const struct xml_token *token)
{
	if (token->kind == XML_CDATA)
		import_record_put(record, field, token->text);
	else if (xml_decode(&record->fields[field], token->text) != HERD_OK)
		record->fault = "it has an entity that is not XML's own";
}

static void
read_children(struct span rest, struct import_record *record)
{
	enum import_field field = FIELD_COUNT;
	size_t depth = 0;
	struct xml_token token;

	for (; rest.len > 0 && xml_token_next(rest, &token) == HERD_OK;
	     rest = span_of(rest.data + token.len, rest.len - token.len)) {
		if (token.kind == XML_START) {
			field = ++depth == 2 ? child_field(token.name)
					     : FIELD_COUNT;
			/* Of two the first one counts. */
			if (field != FIELD_COUNT &&
			    record->fields[field].len > 0)
				field = FIELD_COUNT;
		} else if (token.kind == XML_END) {
			depth -= depth > 0;
			field = FIELD_COUNT;
		} else if (field != FIELD_COUNT && token.kind != XML_EMPTY &&
			   token.kind != XML_OTHER) {
			read_content(record, field, &token);
		}
	}
}

static void
trim(struct buf *text)
{
	struct span trimmed = text_trim(buf_span(text));

	buf_drain(text, (size_t)(trimmed.data - buf_span(text).data));
	buf_truncate(text, trimmed.len);
}

static bool
parse(struct import_reader *r, struct span raw, struct import_record *record)
{
	const struct gpx *g = r->state;
	struct xml_token first;
	struct span lat, lon;

	if (raw.len == 0 || xml_token_next(raw, &first) != HERD_OK ||
	    (first.kind != XML_START && first.kind != XML_EMPTY))
		return record->fault != NULL;
	if (xml_attribute(first.text, "lat", &lat))
		import_record_put(record, FIELD_LAT, lat);
	if (xml_attribute(first.text, "lon", &lon))
		import_record_put(record, FIELD_LON, lon);
	if (first.kind == XML_START)
		read_children(raw, record);
	if (g->owned && g->owner.len > 0 && !span_is(first.name, "wpt"))
		must(buf_set(&record->fields[FIELD_CLIENT],
		    buf_span(&g->owner).data, g->owner.len));
	if (record->fields[FIELD_CLIENT].len > 0)
		trim(&record->fields[FIELD_CLIENT]);
	return true;
}

static void
release(void *state)
{
	struct gpx *g = state;

	if (g->has_owner)
		buf_release(&g->owner);
}

static void
reject_head(const void *state HERD_UNUSED, struct buf *out)
{
	put_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<gpx version=\"1.1\" creator=\"herdctl\">\n");
}

/* A point of a track is written with the track, because that names it. */
static void
reject(const void *state, const struct import_record *record, struct buf *out)
{
	const struct gpx *g = state;
	const struct gpx_kind *kind = NULL;
	struct xml_token first;

	if (xml_token_next(record->raw, &first) == HERD_OK)
		kind = kind_of(first.name, false);
	if (kind == NULL || kind->owner == NULL) {
		put_span(out, record->raw);
		return;
	}
	putf(out, "<%s><name>", kind->owner);
	xml_encode(out, buf_span(&g->owner));
	putf(out, "</name>%s", kind->before);
	put_span(out, record->raw);
	put_text(out, kind->after);
}

const struct import_format import_gpx = {
	.name = "gpx",
	.unit = "point",
	.state_size = sizeof(struct gpx),
	.scan = scan,
	.parse = parse,
	.release = release,
	.reject_head = reject_head,
	.reject = reject,
	.reject_tail = "</gpx>\n",
};
