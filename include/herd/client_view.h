/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The columns of a client: what `herdctl client ls` shows, and what both
 * --where and --sort and the parameters of /v1/clients name.
 */
#ifndef HERD_CLIENT_VIEW_H
#define HERD_CLIENT_VIEW_H

#include "herd/view.h"

/* clang-format off */
#define CLIENT_COLUMNS(X) \
	X(CLIENT_NODE, "node", "NODE", VALUE_TEXT, .traits = COLUMN_NODE | COLUMN_LABEL) \
	X(CLIENT_ID, "client", "CLIENT", VALUE_TEXT, \
	    .traits = COLUMN_NAME | COLUMN_ID | COLUMN_SHRINK) \
	X(CLIENT_TIME, "time", "CLIENT TIME", VALUE_TIME, .drop = 2) \
	X(CLIENT_LOCATION, "location", "LOCATION", VALUE_PLACE, .drop = 1) \
	X(CLIENT_DISTANCE, "distance_m", "DISTANCE", VALUE_DISTANCE, .traits = COLUMN_IF_ANY) \
	X(CLIENT_RECEIVED, "received_at", "RECEIVED", VALUE_CLOCK, .drop = 4) \
	X(CLIENT_AGE, "age_s", "AGE", VALUE_SECONDS, .drop = 7) \
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

extern const struct view client_view;

#endif
