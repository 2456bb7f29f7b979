/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/client_row.h"

#include "admin/rows.h"
#include "base/clock.h"
#include "herd/location.h"

void
client_scene_init(struct client_scene *scene, struct node *node)
{
	scene->node = node;
	scene->now = timekeeper_wall(&node->timekeeper, clock_mono());
	scene->givers.count = 0;
	if (node->peering != NULL)
		peering_givers(node->peering, &scene->givers);
}

/* --- what is not in the report itself --------------------------------- */

uint32_t
client_row_giver(
    const struct node *node, const struct report *report, uint32_t from)
{
	return from > FROM_CLIENT && span_is(report->origin, node->name)
		   ? FROM_CLIENT
		   : from;
}

/* Records of nobody come from the store. */
static const char *
giver(const struct client_row *row)
{
	if (row->from == FROM_CLIENT)
		return "client";
	if (row->from == FROM_NOBODY)
		return row->scene->node->store != NULL ? "store" : "";
	return peering_giver(&row->scene->givers, row->from);
}

/* Seconds by which `later` is after `earlier`, 0 if it is not. */
static double
seconds_after(uint64_t later, uint64_t earlier)
{
	return later > earlier ? (double)(later - earlier) / 1e9 : 0;
}

static bool
is_ahead(const struct client_row *row)
{
	return row->report->time_ns > row->scene->now.ns;
}

/* --- JSON ------------------------------------------------------------- */

void
client_row_location(struct json *json, struct span text)
{
	struct location at;

	if (location_parse(text, &at) != HERD_OK) {
		json_null(json, "location");
		json_null(json, "lat");
		json_null(json, "lon");
		return;
	}
	json_text(json, "location", text);
	json_decimal(json, "lat", at.lat_nd, LOCATION_DECIMALS);
	json_decimal(json, "lon", at.lon_nd, LOCATION_DECIMALS);
}

static void
add_age(struct json *json, const struct client_row *row)
{
	uint64_t now = row->scene->now.ns;
	uint64_t time = row->report->time_ns;

	json_seconds(json, "age_s", now > time ? now - time : 0);
	if (time > now)
		json_seconds(json, "ahead_s", time - now);
}

void
client_row_write(struct json *json, const struct client_row *row)
{
	const struct report *report = row->report;
	bool removed = report->kind == REPORT_REMOVAL;

	row_client_id(json, report->client);
	json_text(json, "time", report->time);
	client_row_location(json, report->location);
	json_text(json, "node", report->origin);
	if (removed)
		json_null(json, "skew");
	else
		json_text(json, "skew", report->skew);
	row_time(json, "received_at", report_received_ns(report));
	row_word(json, "from", giver(row));
	if (removed)
		json_bool(json, "removed", true);
	else
		add_age(json, row);
	if (row->near)
		json_number(json, "distance_m",
		    (double)(int64_t)(row->distance_m * 10 + 0.5) / 10);
}

/* --- values ----------------------------------------------------------- */

static void
set_text(struct value *out, struct span text)
{
	out->known = text.len > 0;
	out->text = text;
}

static void
set_real(struct value *out, bool known, double real)
{
	out->known = known;
	out->real = real;
}

static void
set_time(struct value *out, struct span text, uint64_t ns)
{
	set_text(out, text);
	out->exact = true;
	out->ns = ns;
}

static void
set_received(struct client_row *row, struct value *out)
{
	uint64_t ns = report_received_ns(row->report);

	set_time(
	    out, span_of(row->received, time_format(ns, row->received)), ns);
}

static void
set_place(const struct client_row *row, struct value *out)
{
	struct location at;

	if (location_parse(row->report->location, &at) != HERD_OK)
		return;
	set_text(out, row->report->location);
	out->lat = location_lat(at);
	out->lon = location_lon(at);
}

void
client_row_get(void *arg, size_t column, struct value *out)
{
	struct client_row *row = arg;
	const struct report *report = row->report;
	uint64_t now = row->scene->now.ns;

	*out = (struct value){ .type = client_view.columns[column].type };
	switch (column) {
	case CLIENT_NODE:
		set_text(out, span_from(row->scene->node->name));
		break;
	case CLIENT_ID: set_text(out, report->client); break;
	case CLIENT_TIME: set_time(out, report->time, report->time_ns); break;
	case CLIENT_LOCATION: set_place(row, out); break;
	case CLIENT_DISTANCE: set_real(out, row->near, row->distance_m); break;
	case CLIENT_RECEIVED: set_received(row, out); break;
	case CLIENT_AGE:
		set_real(out, report->kind != REPORT_REMOVAL,
		    seconds_after(now, report->time_ns));
		break;
	case CLIENT_AHEAD:
		set_real(
		    out, is_ahead(row), seconds_after(report->time_ns, now));
		break;
	case CLIENT_ORIGIN: set_text(out, report->origin); break;
	case CLIENT_SKEW: set_text(out, report->skew); break;
	case CLIENT_FROM: set_text(out, span_from(giver(row))); break;
	default: break; /* only herdctl can know them */
	}
}
