/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client as the admin API shows it, and as its parameters `where` and `sort`
 * see it: by the columns of herd/client_view.h.
 */
#ifndef HERD_CLIENT_ROW_H
#define HERD_CLIENT_ROW_H

#include "herd/client_view.h"
#include "herd/json.h"
#include "herd/report.h"
#include "net/peering.h"
#include "node/node.h"

/* What the rows of one answer share. */
struct client_scene {
	struct node *node;
	struct wall now;
	struct peering_givers givers;
};

void client_scene_init(struct client_scene *scene, struct node *node);

/*
 * Who gave a record that the table holds. A neighbour may give back what it had
 * from this node; the origin has it from the client all the same.
 */
uint32_t client_row_giver(
    const struct node *node, const struct report *report, uint32_t from);

/* Adds location, lat and lon; null if it is none. */
void client_row_location(struct json *json, struct span text);

struct client_row {
	const struct client_scene *scene;
	const struct report *report;
	uint32_t from;
	bool near;
	double distance_m;              /* if `near` */
	char received[TIME_FORMAT_MAX]; /* of client_row_get() */
};

/*
 * Adds client, client_b64 (only if the id is not UTF-8), time, location, lat,
 * lon, node, skew, received_at, from, age_s (0 if the time is after the node's
 * own), then ahead_s if it is: until then the report hides what the client
 * reports with the right time; distance_m if the row has one; "removed" if it
 * is a removal, whose location, skew and age are null. `from` says who gave it:
 * "client", "store" or a peer; null if that is not known.
 */
void client_row_write(struct json *json, const struct client_row *row);

/* A filter_get. The value's texts borrow the row, its scene and report. */
void client_row_get(void *row, size_t column, struct value *out);

#endif
