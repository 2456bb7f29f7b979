/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that nodes know, as rows: pages of the admin API until there are
 * enough.
 */
#ifndef HERD_CLIENT_LIST_H
#define HERD_CLIENT_LIST_H

#include "run/ask.h"

/* Clients in one page of the admin API; it gives no more at once. */
#define CLIENT_PAGE 1000u

/* clang-format off */
#define CLIENT_COLUMNS(X) \
	X(CLIENT_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_LABEL) \
	X(CLIENT_ID, "client", "CLIENT", VALUE_TEXT, \
	    .traits = COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK) \
	X(CLIENT_TIME, "time", "CLIENT TIME", VALUE_TIME, .drop = 2) \
	X(CLIENT_LOCATION, "location", "LOCATION", VALUE_PLACE, .drop = 1) \
	X(CLIENT_DISTANCE, "distance_m", "DISTANCE", VALUE_DISTANCE, .traits = COLUMN_IF_ANY) \
	X(CLIENT_RECEIVED, "received_at", "RECEIVED", VALUE_CLOCK, .drop = 4) \
	X(CLIENT_AHEAD, "ahead_s", "AHEAD", VALUE_SECONDS, .traits = COLUMN_IF_ANY, .drop = 6) \
	X(CLIENT_LAG, "lag_ms", "LAG", VALUE_MS, .traits = COLUMN_COMPUTED | COLUMN_MACHINE, \
	    .drop = 5) \
	X(CLIENT_STATUS, "status", "STATUS", VALUE_STATE, \
	    .traits = COLUMN_COMPUTED | COLUMN_STATE | COLUMN_IF_ANY) \
	X(CLIENT_ORIGIN, "origin", "ORIGIN", VALUE_TEXT, .drop = 3, .path = "node") \
	X(CLIENT_SKEW, "skew", "SKEW", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(CLIENT_FROM, "from", "FROM", VALUE_TEXT, .traits = COLUMN_WIDE) \
	X(CLIENT_ERROR, "error", "ERROR", VALUE_TEXT, .traits = COLUMN_FAILURE | COLUMN_SHRINK)
/* clang-format on */

enum { CLIENT_COLUMNS(COLUMN_ENUM) };

extern const struct view client_list_view;

/*
 * The clients of the run's targets as rows. `query` begins with & or is
 * empty; with `can_cut` --limit also limits what is asked for. `write`, if
 * not NULL, replaces out_end().
 */
enum status client_list(struct run *run, const char *query, bool can_cut,
    void (*write)(struct run *run));

/*
 * One page of a node's clients; says what fails. *cursor is where the page
 * begins (NULL: at the first client), then where the next one does (NULL: there
 * is none). *answers is to be released.
 */
enum status client_list_page(struct run *run, const struct target *target,
    const char *query, char **cursor, struct answers *answers);

/* Appends "&near=LOC&km=KM" for a place and a distance as typed. */
enum status client_list_near(
    struct run *run, const char *place, const char *km, struct buf *query);

#endif
