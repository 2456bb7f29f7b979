/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's earlier positions, as `client track' and `map --track' ask. */
#ifndef HERD_CLIENT_TRACK_H
#define HERD_CLIENT_TRACK_H

#include "run/ask.h"

enum track_column {
	TRACK_NODE,
	TRACK_CLIENT,
	TRACK_TIME,
	TRACK_LOCATION,
	TRACK_ORIGIN,
	TRACK_RECEIVED,
	TRACK_ERROR,
};

/*
 * Asks all of the run's targets for what --since says, or all, and has the
 * answers as rows. After a failure *answers is empty.
 */
enum status client_track_ask(
    struct run *run, const char *id, struct answers *answers);

#endif
